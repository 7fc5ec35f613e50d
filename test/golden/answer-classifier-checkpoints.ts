/** The language models of scripts/make-answer-classifier-fixtures.py as checkpoint folders of their names. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { ChatInput, TemplateValue, TextInput } from 'ggml-encoder';

import { temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import {
  type Changes,
  type SmallModel,
  checkpointFiles,
  readFixtures,
  seededTensors,
  writeFiles,
} from './small-checkpoints';

export interface AnswerClassifier extends SmallModel {
  readonly tokenizer: string;
  /** As the vocabulary has them, and what they are called. */
  readonly answers: readonly string[];
  readonly labels: readonly string[];
  readonly prefix: string;
  readonly rows: readonly {
    readonly input: TextInput | ChatInput;
    readonly variables?: Readonly<Record<string, TemplateValue>>;
    readonly maxLength?: number;
    readonly ids: readonly number[];
    /** One for each of the answers. */
    readonly logits: readonly number[];
  }[];
}

interface TokenizerFile {
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
}

const fixtures = readFixtures<AnswerClassifier, { readonly tokenizers: Readonly<Record<string, TokenizerFile>> }>(
  'answer-classifiers',
);
export const answerClassifiers = fixtures.models;

/** Writes the checkpoint into a folder of the model's name, or another, in `parent`, and returns the folder. */
export function writeAnswerClassifier(
  model: AnswerClassifier,
  changes: Changes & { readonly name?: string } = {},
  parent = temporaryFolder(),
): string {
  const folder = join(parent, changes.name ?? model.name);
  mkdirSync(folder);
  const tensors = seededTensors(model, fixtures.scales);
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  const files = { 'tokenizer.json': fixtures.tokenizers[model.tokenizer], ...changes.files };
  writeFiles(folder, checkpointFiles(model, { ...changes, files }));
  return folder;
}

export function vocabularyOf({ tokenizer }: AnswerClassifier): ReadonlySet<string> {
  return new Set(Object.keys(fixtures.tokenizers[tokenizer]!.model.vocab));
}
