/** Small checkpoints of test/fixtures: files as they are stored, weights as a function of seed and name. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import type { TinyTensor } from '../unit/convert/temp-folder';
import { type GoldenModel, tensorValues } from './checkpoint-fixture';

/** What the scripts say of each model. */
export interface SmallModel {
  readonly name: string;
  readonly seed: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** Shapes by the names of the file. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  readonly postProcessor: unknown;
  /** Further files by path: text, or JSON. */
  readonly files: Readonly<Record<string, unknown>>;
}

/** What is to be written otherwise. */
export interface Changes {
  /** Entries of config.json to replace. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Further files by path, or others in the place of the model's; undefined leaves one out. */
  readonly files?: Readonly<Record<string, unknown>>;
  /** Changes the tensors in place before they are written. */
  readonly tensors?: (tensors: Record<string, TinyTensor>) => void;
}

/** What a models.json of test/fixtures holds. */
export interface Fixtures<Model> {
  readonly scales: GoldenModel['scales'];
  readonly pairs: readonly (readonly [string, string])[];
  readonly models: readonly Model[];
}

/** Synchronous, so that a suite can be laid out by it. */
export function readFixtures<Model, More = unknown>(name: string): Fixtures<Model> & More {
  return JSON.parse(readFileSync(resolve(__dirname, '../fixtures', name, 'models.json'), 'utf8')) as Fixtures<Model> &
    More;
}

/** Byte-level BPE; the tokenizer of all of them but for the post-processor. */
export const smallTokenizer = JSON.parse(
  readFileSync(resolve(__dirname, '../fixtures/causal-rerankers/tokenizer.json'), 'utf8'),
) as Record<string, unknown>;

/** Its files but for the weights, by path; contents are text, or JSON, and undefined where one is left out. */
export function checkpointFiles(
  model: Pick<SmallModel, 'config' | 'postProcessor' | 'tokenizerConfig' | 'files'>,
  changes: Pick<Changes, 'config' | 'files'>,
): Record<string, unknown> {
  return {
    'config.json': { ...model.config, ...changes.config },
    'tokenizer.json': { ...smallTokenizer, post_processor: model.postProcessor },
    'tokenizer_config.json': model.tokenizerConfig,
    ...model.files,
    ...changes.files,
  };
}

export function seededTensors(
  { seed, tensors }: Pick<SmallModel, 'seed' | 'tensors'>,
  scales: GoldenModel['scales'],
): Record<string, TinyTensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, shape]) => {
      const values = tensorValues({ seed, scales }, name, shape);
      return [name, { shape, data: new Uint8Array(values.buffer) }];
    }),
  );
}

export function writeFiles(folder: string, files: Readonly<Record<string, unknown>>): void {
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
}
