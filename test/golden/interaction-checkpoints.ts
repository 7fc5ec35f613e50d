/** The models of late interaction of scripts/make-late-interaction-fixtures.py as checkpoint folders. */
import { mkdirSync } from 'node:fs';
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

/** Of the names of `tensors` those of a module have its folder in front. */
export interface InteractionCheckpoint extends SmallModel {
  /** Those of its WordPiece tokenizer; null where it has the tokenizer of the other small checkpoints. */
  readonly addedTokens: readonly unknown[] | null;
  readonly expected: {
    /** Of each text alone, with what it is filled up with. */
    readonly queries: readonly (readonly number[])[];
    readonly documents: readonly (readonly number[])[];
    /** Of every query with every document. */
    readonly scores: readonly (readonly number[])[];
  };
}

interface More {
  readonly queries: readonly string[];
  readonly documents: readonly string[];
  readonly wordPiece: Readonly<Record<string, unknown>>;
}

const fixtures = readFixtures<InteractionCheckpoint, More>('late-interaction');
export const {
  models: interactionModels,
  queries: interactionQueries,
  documents: interactionDocuments,
  wordPiece: interactionWordPiece,
} = fixtures;

export function interactionModel(name: string): InteractionCheckpoint {
  return interactionModels.find((model) => model.name === name)!;
}

/** Writes the checkpoint into `folder`, a new temporary one by default, and returns that. */
export function writeInteraction(
  model: InteractionCheckpoint,
  changes: Changes = {},
  folder = temporaryFolder(),
): string {
  const own = { ...fixtures.wordPiece, added_tokens: model.addedTokens };
  const files = { ...(model.addedTokens === null ? {} : { 'tokenizer.json': own }), ...changes.files };
  writeFiles(folder, checkpointFiles(model, { ...changes, files }));
  const tensors = seededTensors(model, fixtures.scales);
  changes.tensors?.(tensors);
  const place = (name: string) => name.slice(0, Math.max(0, name.indexOf('/')));
  for (const part of new Set(Object.keys(tensors).map(place))) {
    const inPart = Object.entries(tensors).filter(([name]) => place(name) === part);
    mkdirSync(join(folder, part), { recursive: true });
    const named = inPart.map(([name, tensor]) => [name.slice(name.indexOf('/') + 1), tensor] as const);
    writeSafetensors(join(folder, part, 'model.safetensors'), Object.fromEntries(named));
  }
  return folder;
}
