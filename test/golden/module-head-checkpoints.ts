/** The encoders under heads of modules of scripts/make-module-head-fixtures.py as checkpoint folders. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { type TinyTensor, temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import {
  type Changes,
  type SmallModel,
  checkpointFiles,
  readFixtures,
  seededTensors,
  writeFiles,
} from './small-checkpoints';

/** Of the names of `tensors` those of a module have its folder in front. */
export interface ModuleHeadModel extends SmallModel {
  /** Further JSON files by path. */
  readonly files: Readonly<Record<string, Readonly<Record<string, unknown>> | readonly unknown[]>>;
  readonly expected: {
    readonly activation: string;
    readonly maxLength: number;
    readonly numLabels: number;
    /** What CrossEncoder made of all pairs with the prompt; null is the default. */
    readonly calls: readonly {
      readonly prompt: string | null;
      readonly ids: readonly (readonly number[])[];
      readonly logits: readonly (readonly number[])[];
      readonly scores: readonly (readonly number[])[];
      /** Indices of all pairs' second texts, best first, of a model with one label. */
      readonly ranking?: readonly number[];
    }[];
  };
}

const fixtures = readFixtures<ModuleHeadModel>('module-heads');

export const { pairs: moduleHeadPairs, models: moduleHeadModels } = fixtures;

export function moduleHeadModel(name: string): ModuleHeadModel {
  return moduleHeadModels.find((model) => model.name === name)!;
}

export interface ModuleHeadChanges extends Changes {
  /** Writes the weights of a folder in another format. */
  readonly write?: (folder: string, tensors: Readonly<Record<string, TinyTensor>>) => void;
}

/** Writes the checkpoint into a new temporary folder and returns the folder. */
export function writeModuleHead(model: SmallModel, changes: ModuleHeadChanges = {}): string {
  const folder = temporaryFolder();
  writeFiles(folder, checkpointFiles(model, changes));
  const tensors = seededTensors(model, fixtures.scales);
  changes.tensors?.(tensors);
  const { write = (place, part) => writeSafetensors(join(place, 'model.safetensors'), part) } = changes;
  const place = (name: string) => name.slice(0, Math.max(0, name.indexOf('/')));
  for (const part of new Set(Object.keys(tensors).map(place))) {
    const own = Object.entries(tensors).filter(([name]) => place(name) === part);
    mkdirSync(join(folder, part), { recursive: true });
    write(
      join(folder, part),
      Object.fromEntries(own.map(([name, tensor]) => [name.slice(name.indexOf('/') + 1), tensor])),
    );
  }
  return folder;
}
