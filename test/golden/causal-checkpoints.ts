/** The causal language models of scripts/make-causal-reranker-fixtures.py as checkpoint folders. */
import { join } from 'node:path';

import { temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import {
  type Changes,
  type SmallModel,
  checkpointFiles,
  readFixtures,
  seededTensors,
  writeFiles,
} from './small-checkpoints';

export interface CausalModel extends SmallModel {
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

const fixtures = readFixtures<CausalModel>('causal-rerankers');
export const { pairs: causalPairs, models: causalModels } = fixtures;

export function causalModel(name: string): CausalModel {
  return causalModels.find((model) => model.name === name)!;
}

export interface CausalChanges extends Changes {
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
