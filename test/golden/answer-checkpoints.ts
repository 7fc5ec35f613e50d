/** The rerankers of scripts/make-answer-reranker-fixtures.py as checkpoint folders. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

import { type TinyTensor, temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import { readFixtures, seededTensors, writeFiles } from './small-checkpoints';

export interface AnswerModel {
  /** Of the published checkpoint with the same answers, where there is one. */
  readonly name: string;
  readonly seed: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** Of the relevant document, then of the other. */
  readonly answers: readonly [string, string];
  /** Shapes by the names of transformers' state dict. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** For each of the pairs the text's tokens and the answers' logits. */
  readonly rows: readonly { readonly ids: readonly number[]; readonly logits: readonly [number, number] }[];
}

/** An HHEM-2.1: of the pairs' first characters the tokens and both labels' logits. */
export type Judge = Omit<AnswerModel, 'answers'>;

interface More {
  readonly words: readonly string[];
  readonly judge: Judge;
}

const FIXTURES = resolve(__dirname, '../fixtures');
const fixtures = readFixtures<AnswerModel, More>('answer-rerankers');

export const { pairs: answerPairs, models: answerModels, judge } = fixtures;

export const judgedPairs = answerPairs.map(([premise, hypothesis]) => {
  return [premise.slice(0, 700), hypothesis.slice(0, 700)] as const;
});

/** T5's tokenizer, whose last words before the sentinels are these; `score`: of each, by default that of the word before. */
export function t5Tokenizer(words: readonly string[], score?: number): unknown {
  const packed = readFileSync(join(FIXTURES, 'tokenizers/pipelines.json.br'));
  const { tokenizers } = JSON.parse(brotliDecompressSync(packed).toString('utf8')) as {
    tokenizers: { t5: { model: { vocab: [string, number][] } } };
  };
  const { vocab } = tokenizers.t5.model;
  const first = vocab.findIndex(([token]) => token.startsWith('<extra_id_')) - words.length;
  words.forEach((word, index) => (vocab[first + index] = [word, score ?? vocab[first + index]![1]]));
  return tokenizers.t5;
}

export interface AnswerChanges {
  /** Of the folder, by which published rerankers are known. Default: the model's. */
  readonly name?: string;
  /** Entries of config.json to replace. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Changes the tensors in place before they are written. */
  readonly tensors?: (tensors: Record<string, TinyTensor>) => void;
  /** Default: with a tokenizer. */
  readonly hasTokenizer?: boolean;
}

/** Writes the checkpoint into a folder of its name in a new temporary folder and returns its path. */
export function writeAnswerModel(model: Omit<AnswerModel, 'answers'>, changes: AnswerChanges = {}): string {
  const folder = join(temporaryFolder(), changes.name ?? model.name);
  mkdirSync(folder);
  const tensors = seededTensors(model, fixtures.scales);
  changes.tensors?.(tensors);
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  writeFiles(folder, {
    'config.json': { ...model.config, ...changes.config },
    'tokenizer.json': changes.hasTokenizer === false ? undefined : t5Tokenizer(fixtures.words),
    // As T5's own has it; mT5's and HHEM's models read more.
    'tokenizer_config.json': { tokenizer_class: 'T5Tokenizer', extra_ids: 10, model_max_length: 512 },
  });
  return folder;
}
