/** What is converted: a folder as Hugging Face writes it, or one GGUF file. */
import { stat } from 'node:fs/promises';

import type { Limits } from '../support/limits';
import type { SourceFile } from '../support/source-file';
import { Checkpoint } from './checkpoint';
import type { ConversionPlan, PlanOptions } from './conversion-plan';
import { GgufCheckpoint } from './llamacpp/gguf-checkpoint';
import { planConversion } from './plan';
import { MODEL_SETTINGS, TRANSFORMER_SETTINGS } from './sentence-transformers';

export interface ConversionSource {
  /** For people; part of the converted file. */
  readonly name: string;
  /** Every file opened so far. */
  readonly namedFiles: readonly { readonly name: string; readonly file: SourceFile }[];
  /** Opens every file that a conversion reads, with their headers alone. */
  openFiles(): Promise<void>;
  plan(options: PlanOptions): Promise<ConversionPlan>;
  /** Throws `io_failed` when a file was written to since it was opened. */
  checkUnchanged(): Promise<void>;
  close(): Promise<void>;
}

export async function openSource(source: string, limits: Limits): Promise<ConversionSource> {
  const stats = await stat(source).catch(() => undefined);
  if (stats?.isFile() === true && /\.gguf$/i.test(source)) return GgufCheckpoint.open(source, limits);
  const checkpoint = await Checkpoint.open(source, limits);
  return {
    name: checkpoint.name,
    get namedFiles() {
      return checkpoint.namedFiles;
    },
    openFiles: async () => {
      await checkpoint.config();
      await checkpoint.weights();
      await checkpoint.tokenizerFiles();
      await checkpoint.settings(MODEL_SETTINGS);
      await checkpoint.settings(TRANSFORMER_SETTINGS);
      await checkpoint.openModules();
      await checkpoint.chatTemplate();
    },
    plan: (options) => planConversion(checkpoint, options),
    checkUnchanged: () => checkpoint.checkUnchanged(),
    close: () => checkpoint.close(),
  };
}
