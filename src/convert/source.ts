/** What is converted: a folder as Hugging Face writes it, one with its base beside it, or one GGUF file. */
import { stat } from 'node:fs/promises';

import type { Limits } from '../support/limits';
import type { SourceFile } from '../support/source-file';
import { AdaptedCheckpoint } from './adapter/adapted-checkpoint';
import { Checkpoint, type CheckpointFiles } from './checkpoint';
import type { ConversionPlan, PlanOptions } from './conversion-plan';
import { GgufCheckpoint } from './llamacpp/gguf-checkpoint';
import { planConversion } from './plan';
import { MODEL_SETTINGS, TRANSFORMER_SETTINGS } from './sentence-transformers/modules';

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

/** Where a conversion finds its source. */
export interface SourcePaths {
  /** Absolute path of a folder or a GGUF file. */
  readonly folder: string;
  /** Absolute path of the folder that the adapter in `folder` changes; undefined where there is no adapter. */
  readonly base: string | undefined;
}

export async function openSource({ folder, base }: SourcePaths, limits: Limits): Promise<ConversionSource> {
  const stats = await stat(folder).catch(() => undefined);
  if (stats?.isFile() === true && /\.gguf$/i.test(folder)) return GgufCheckpoint.open(folder, limits);
  const own = await Checkpoint.open(folder, limits);
  if (base === undefined) return sourceOf(own, [own]);
  const opened = [own];
  try {
    opened.push(await Checkpoint.open(base, limits));
    return sourceOf(await AdaptedCheckpoint.open(own, opened[1]!, limits), opened);
  } catch (error) {
    for (const folder of opened) await folder.close();
    throw error;
  }
}

function sourceOf(checkpoint: CheckpointFiles, folders: readonly Checkpoint[]): ConversionSource {
  return {
    name: checkpoint.name,
    get namedFiles() {
      const [own = [], base = []] = folders.map(({ namedFiles }) => namedFiles);
      return [...own, ...base.map(({ name, file }) => ({ name: `base/${name}`, file }))];
    },
    openFiles: async () => {
      await checkpoint.config();
      await checkpoint.weights();
      await checkpoint.tokenizerFiles();
      await checkpoint.settings(MODEL_SETTINGS);
      await checkpoint.settings(TRANSFORMER_SETTINGS);
      for (const folder of folders) await folder.openModules();
      await checkpoint.chatTemplate();
      await checkpoint.colbertSettings();
    },
    plan: (options) => planConversion(checkpoint, options),
    checkUnchanged: async () => {
      for (const folder of folders) await folder.checkUnchanged();
    },
    close: async () => {
      for (const folder of folders) await folder.close();
    },
  };
}
