/** The causal language models of scripts/make-causal-reranker-fixtures.py as checkpoint folders. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { type TinyTensor, temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import { type GoldenModel, tensorValues } from './checkpoint-fixture';

export interface CausalModel {
  readonly name: string;
  readonly seed: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** Shapes by the names of transformers' state dict. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  readonly postProcessor: unknown;
  /** Further files by path: text, or JSON. */
  readonly files: Readonly<Record<string, unknown>>;
  readonly expected: {
    readonly activation: string;
    readonly maxLength: number;
    /** What CrossEncoder made of all pairs with the prompt; null is the default. */
    readonly calls: readonly {
      readonly prompt: string | null;
      readonly ids: readonly (readonly number[])[];
      readonly logits: readonly number[];
    }[];
  };
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

const FOLDER = resolve(__dirname, '../fixtures/causal-rerankers');
const fixtures = readFixtures<CausalModel>('causal-rerankers');
/** The tokenizer of all of them but for the post-processor. */
export const causalTokenizer = JSON.parse(readFileSync(join(FOLDER, 'tokenizer.json'), 'utf8')) as Record<
  string,
  unknown
>;

export const { pairs: causalPairs, models: causalModels } = fixtures;

export function causalModel(name: string): CausalModel {
  return causalModels.find((model) => model.name === name)!;
}

export interface CausalChanges {
  /** Entries of config.json to replace. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Further files by path, or others in the place of the model's; undefined leaves one out. */
  readonly files?: Readonly<Record<string, unknown>>;
  /** Changes the tensors in place before they are written. */
  readonly tensors?: (tensors: Record<string, TinyTensor>) => void;
  readonly shards?: 1 | 2;
}

/** Writes the checkpoint into a new temporary folder and returns the folder. */
export function writeCausal(model: CausalModel, changes: CausalChanges = {}): string {
  const folder = temporaryFolder();
  const files = checkpointFiles(model, changes);
  const tensors = seededTensors(model, fixtures.scales);
  changes.tensors?.(tensors);
  if (changes.shards === 2) {
    const weightMap: Record<string, string> = {};
    for (const shard of [1, 2]) {
      const file = `model-0000${shard}-of-00002.safetensors`;
      const part = Object.entries(tensors).filter((_, index) => index % 2 === shard - 1);
      for (const [name] of part) weightMap[name] = file;
      writeSafetensors(join(folder, file), Object.fromEntries(part));
    }
    files['model.safetensors.index.json'] = { metadata: {}, weight_map: weightMap };
  } else {
    writeSafetensors(join(folder, 'model.safetensors'), tensors);
  }
  writeFiles(folder, files);
  return folder;
}

/** Its files but for the weights, by path; contents are text, or JSON, and undefined where one is left out. */
export function checkpointFiles(
  model: Pick<CausalModel, 'config' | 'postProcessor' | 'tokenizerConfig' | 'files'>,
  changes: Pick<CausalChanges, 'config' | 'files'>,
): Record<string, unknown> {
  return {
    'config.json': { ...model.config, ...changes.config },
    'tokenizer.json': { ...causalTokenizer, post_processor: model.postProcessor },
    'tokenizer_config.json': model.tokenizerConfig,
    ...model.files,
    ...changes.files,
  };
}

export function seededTensors(
  { seed, tensors }: Pick<CausalModel, 'seed' | 'tensors'>,
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
