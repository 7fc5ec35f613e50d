/** The prompt routers of scripts/make-prompt-router-fixtures.py as checkpoint folders. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import { type Changes, type SmallModel, readFixtures, seededTensors, writeFiles } from './small-checkpoints';

interface Row {
  readonly ids: readonly number[];
  readonly logits: readonly number[];
}

export interface RouterModel extends Pick<SmallModel, 'name' | 'seed' | 'config' | 'tensors' | 'tokenizerConfig'> {
  readonly maxLength: number;
  /** For each call one row for each text. */
  readonly calls: readonly { readonly labels: readonly string[]; readonly rows: readonly Row[] }[];
  /** The logits of the last text with the first call's labels in windows of `maxLength` tokens. */
  readonly windows: {
    readonly maxLength: number;
    readonly overlap: number;
    readonly rows: readonly (readonly number[])[];
  };
  readonly drawn: readonly (Row & { readonly labels: readonly string[]; readonly text: string })[];
}

const fixtures = readFixtures<RouterModel, { readonly texts: readonly string[] }>('prompt-router');
export const { texts: routerTexts, models: routerModels } = fixtures;

/** Byte-level BPE with the steps of LFM2's. */
export const routerTokenizer = JSON.parse(
  readFileSync(resolve(__dirname, '../fixtures/prompt-router/tokenizer.json'), 'utf8'),
) as Readonly<Record<string, unknown>>;

/** Writes the checkpoint into a new temporary folder and returns the folder. */
export function writeRouter(model: RouterModel, changes: Changes = {}): string {
  const folder = temporaryFolder();
  const tensors = seededTensors(model, fixtures.scales);
  changes.tensors?.(tensors);
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  writeFiles(folder, {
    'config.json': { ...model.config, ...changes.config },
    'tokenizer.json': routerTokenizer,
    'tokenizer_config.json': model.tokenizerConfig,
    ...changes.files,
  });
  return folder;
}
