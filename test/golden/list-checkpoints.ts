/** The models that rank lists of scripts/make-list-reranker-fixtures.py as checkpoint folders. */
import { mkdirSync } from 'node:fs';
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

export interface ListModel extends SmallModel {
  /** For each call the tokens of its blocks, counted, those of a single document themselves, and the documents' scores. */
  readonly calls: readonly {
    readonly blocks: readonly number[];
    readonly ids?: readonly number[];
    readonly scores: readonly number[];
  }[];
}

export interface ListCall {
  readonly query: string;
  readonly documents: readonly string[];
  readonly instruction?: string;
  readonly maxLength?: number;
  readonly maxQueryTokens?: number;
  readonly maxDocumentTokens?: number;
}

interface More {
  readonly addedTokens: readonly Readonly<Record<string, unknown>>[];
  readonly calls: readonly ListCall[];
}

const fixtures = readFixtures<ListModel, More>('list-rerankers');
export const { models: listModels, calls: listCalls } = fixtures;

/** Its tokenizer.json, without a post-processor of its own. */
export const listTokenizer: Record<string, unknown> = {
  ...smallTokenizer,
  added_tokens: [...(smallTokenizer['added_tokens'] as unknown[]), ...fixtures.addedTokens],
};

/** Writes the checkpoint into a new folder of its name, and returns that. `parent`: where; a temporary folder by default. */
export function writeListModel(
  model: ListModel = listModels[0]!,
  changes: Changes = {},
  name = model.name,
  parent = temporaryFolder(),
): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  const tensors = seededTensors(model, fixtures.scales);
  changes.tensors?.(tensors);
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  const tokenizer = { ...listTokenizer, post_processor: model.postProcessor };
  writeFiles(folder, checkpointFiles(model, { ...changes, files: { 'tokenizer.json': tokenizer, ...changes.files } }));
  return folder;
}
