/** The models that read their labels of scripts/make-label-model-fixtures.py as checkpoint folders. */
import { join } from 'node:path';

import { temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import {
  type Changes,
  type SmallModel,
  checkpointFiles,
  readFixtures,
  seededTensors,
  smallTokenizer,
  writeFiles,
} from './small-checkpoints';

export interface LabelModel extends SmallModel {
  /** Mark and separator, as tokenizer.json has them. */
  readonly addedTokens: readonly Readonly<Record<string, unknown>>[];
  readonly maxLength: number;
  /** For each call one row for each text. */
  readonly calls: readonly {
    readonly labels: readonly string[];
    readonly rows: readonly { readonly ids: readonly number[]; readonly logits: readonly number[] }[];
  }[];
  /** The logits of the last text with the first call's labels in windows of `maxLength` tokens. */
  readonly windows: {
    readonly maxLength: number;
    readonly overlap: number;
    readonly rows: readonly (readonly number[])[];
  };
}

const fixtures = readFixtures<LabelModel, { readonly texts: readonly string[] }>('label-models');
export const { texts: labelTexts, models: labelModels } = fixtures;

export function labelModel(name: string): LabelModel {
  return labelModels.find((model) => model.name === name)!;
}

/** Writes the checkpoint into a new temporary folder and returns the folder. */
export function writeLabelModel(model: LabelModel | string, changes: Changes = {}): string {
  const chosen = typeof model === 'string' ? labelModel(model) : model;
  const folder = temporaryFolder();
  const tensors = seededTensors(chosen, fixtures.scales);
  changes.tensors?.(tensors);
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  const tokenizer = {
    ...smallTokenizer,
    added_tokens: [...(smallTokenizer['added_tokens'] as unknown[]), ...chosen.addedTokens],
    post_processor: chosen.postProcessor,
  };
  writeFiles(folder, checkpointFiles(chosen, { ...changes, files: { 'tokenizer.json': tokenizer, ...changes.files } }));
  return folder;
}
