/** The models of scripts/make-answering-t5-fixtures.py as checkpoint folders of their names. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import { t5Tokenizer } from './answer-checkpoints';
import {
  type Changes,
  type SmallModel,
  checkpointFiles,
  readFixtures,
  seededTensors,
  writeFiles,
} from './small-checkpoints';

export interface AnsweringT5 extends SmallModel {
  /** As the vocabulary has them, and what they are called. */
  readonly answers: readonly string[];
  readonly labels: readonly string[];
  readonly rows: readonly {
    readonly input: string | { readonly text: string; readonly textPair: string };
    readonly ids: readonly number[];
    /** One for each of the answers. */
    readonly logits: readonly number[];
    /** Of MiniCheck, its probability. */
    readonly support?: number;
  }[];
}

const fixtures = readFixtures<AnsweringT5, { readonly words: readonly string[] }>('answering-t5');
export const [miniCheck, ownT5, ownMt5] = fixtures.models as [AnsweringT5, AnsweringT5, AnsweringT5];

/** Writes the checkpoint into a folder of the model's name, or another, in `parent`, and returns the folder. */
export function writeAnsweringT5(
  model: AnsweringT5,
  changes: Changes & { readonly name?: string } = {},
  parent = temporaryFolder(),
): string {
  const folder = join(parent, changes.name ?? model.name);
  mkdirSync(folder);
  writeSafetensors(join(folder, 'model.safetensors'), seededTensors(model, fixtures.scales));
  const files = {
    'tokenizer.json': t5Tokenizer(fixtures.words, -5),
    'tokenizer_config.json': { tokenizer_class: 'T5Tokenizer', extra_ids: 10, model_max_length: 512 },
    ...changes.files,
  };
  writeFiles(folder, checkpointFiles(model, { ...changes, files }));
  return folder;
}
