/** The SetFit models of scripts/make-setfit-fixtures.py as checkpoint folders. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type ModuleHeadChanges, writeModuleHead } from './module-head-checkpoints';
import { type SmallModel, readFixtures } from './small-checkpoints';

export interface SetFitModel extends SmallModel {
  /** model_head.pkl in base64. */
  readonly head: string;
  readonly expected: {
    readonly labels: readonly string[];
    readonly isMultiLabel: boolean;
    readonly maxLength: number;
    /** Of each text, in the order of `labels`. */
    readonly scores: readonly (readonly number[])[];
  };
}

const fixtures = readFixtures<SetFitModel, { readonly texts: readonly string[] }>('setfit');
export const { texts: setFitTexts, models: setFitModels } = fixtures;

export function setFitModel(name: string): SetFitModel {
  return setFitModels.find((model) => model.name === name)!;
}

/** Writes the checkpoint into a new temporary folder and returns the folder; `head` is what model_head.pkl holds. */
export function writeSetFit(
  model: SetFitModel | string,
  changes: ModuleHeadChanges = {},
  head: Buffer | undefined = undefined,
): string {
  const chosen = typeof model === 'string' ? setFitModel(model) : model;
  const folder = writeModuleHead(chosen, changes);
  writeFileSync(join(folder, 'model_head.pkl'), head ?? Buffer.from(chosen.head, 'base64'));
  return folder;
}
