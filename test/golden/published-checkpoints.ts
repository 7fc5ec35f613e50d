/** The published rerankers of scripts/make-published-reranker-fixtures.py as checkpoint folders of their names. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { CausalModel } from './causal-checkpoints';
import { temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import {
  type Changes,
  type SmallModel,
  checkpointFiles,
  readFixtures,
  seededTensors,
  writeFiles,
} from './small-checkpoints';

export interface PublishedModel extends SmallModel {
  readonly tokenizer: string;
  /** Pairs of its own behind those of all. */
  readonly ends: readonly (readonly [string, string])[];
  /** What the code on its card makes of all pairs with the prompt; null is its own. */
  readonly calls: readonly {
    readonly prompt: string | null;
    readonly ids: readonly (readonly number[])[];
    readonly logits: readonly number[];
  }[];
}

/** A reranker with a head after each of several layers. */
export interface LayerwiseModel extends Omit<PublishedModel, 'calls'> {
  /** `cutoffLayer`: null is the last. */
  readonly calls: readonly (PublishedModel['calls'][number] & { readonly cutoffLayer: number | null })[];
}

/** A classifier of chats, which its tokenizer's chat template makes texts of. */
export interface RewardModel extends SmallModel {
  readonly tokenizer: string;
  /** One for each chat. */
  readonly rows: readonly { readonly ids: readonly number[]; readonly logit: number }[];
}

interface TokenizerFile {
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
}

interface More {
  readonly tokenizers: Readonly<Record<string, TokenizerFile>>;
  readonly chats: readonly (readonly { readonly role: string; readonly content: string }[])[];
  readonly rewards: readonly RewardModel[];
  readonly templated: readonly CausalModel[];
  readonly layerwise: LayerwiseModel;
  readonly lightweight: LayerwiseModel;
}

const fixtures = readFixtures<PublishedModel, More>('published-rerankers');
export const {
  pairs: publishedPairs,
  models: publishedModels,
  chats,
  rewards: rewardModels,
  templated: templatedModels,
  layerwise: layerwiseModel,
  lightweight: lightweightModel,
} = fixtures;

/** Writes the checkpoint into a folder of the model's name, or another, in `parent`, and returns the folder. */
export function writePublished(
  model: PublishedModel | LayerwiseModel | RewardModel | CausalModel,
  changes: Changes & { readonly name?: string } = {},
  parent = temporaryFolder(),
): string {
  const folder = join(parent, changes.name ?? model.name);
  mkdirSync(folder);
  const tensors = seededTensors(model, fixtures.scales);
  changes.tensors?.(tensors);
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  const own = 'tokenizer' in model ? { 'tokenizer.json': fixtures.tokenizers[model.tokenizer] } : {};
  const files = { ...own, ...changes.files };
  writeFiles(folder, checkpointFiles(model, { ...changes, files }));
  return folder;
}

/** Its tokenizer.json. */
export function tokenizerOf({ tokenizer }: PublishedModel): TokenizerFile {
  return fixtures.tokenizers[tokenizer]!;
}
