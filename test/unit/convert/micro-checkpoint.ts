/** The smallest BERT and DistilBERT checkpoints that convert, for tests that then break one thing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type TinyTensor, floats, temporaryFolder, writeSafetensors } from './temp-folder';

export type Tensors = Record<string, TinyTensor>;

export interface MicroOptions {
  readonly family?: 'bert' | 'distilbert';
  /** Entries of config.json to replace; undefined removes one. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Changes the tensors in place before they are written. */
  readonly tensors?: (tensors: Tensors) => void;
  /** Gives the tensors other names. */
  readonly rename?: (name: string) => string;
  /** Further files by name; undefined leaves out one that would be written. */
  readonly files?: Readonly<Record<string, string | undefined>>;
}

const H = 4;
const F = 8;
const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', '##c'];
/** More rows than tokens, as in real checkpoints. */
export const MICRO_ROWS = 10;

const BERT_CONFIG = {
  architectures: ['BertForSequenceClassification'],
  model_type: 'bert',
  vocab_size: MICRO_ROWS,
  hidden_size: H,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: F,
  max_position_embeddings: 16,
  type_vocab_size: 2,
  hidden_act: 'gelu',
};
const DISTILBERT_CONFIG = {
  architectures: ['DistilBertForSequenceClassification'],
  model_type: 'distilbert',
  vocab_size: MICRO_ROWS,
  dim: H,
  n_layers: 1,
  n_heads: 2,
  hidden_dim: F,
  max_position_embeddings: 16,
  activation: 'gelu',
};

/** Writes the checkpoint into a new temporary folder and returns the folder. */
export function writeMicro({
  family = 'bert',
  config = {},
  tensors: change,
  rename,
  files = {},
}: MicroOptions = {}): string {
  const folder = temporaryFolder();
  const tensors = family === 'bert' ? bertTensors() : distilbertTensors();
  change?.(tensors);
  const all: Record<string, string | undefined> = {
    'config.json': JSON.stringify({ ...(family === 'bert' ? BERT_CONFIG : DISTILBERT_CONFIG), ...config }),
    'vocab.txt': `${VOCABULARY.join('\n')}\n`,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    if (text !== undefined) writeFileSync(join(folder, name), text);
  }
  const named = Object.entries(tensors).map(([name, tensor]) => [rename?.(name) ?? name, tensor] as const);
  writeSafetensors(join(folder, 'model.safetensors'), Object.fromEntries(named));
  return folder;
}

/** A tensor of counted values, so that no two elements are alike. */
export function counted(...shape: number[]): TinyTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: floats(...Array.from({ length: count }, (_, index) => index / 64 - 0.25)) };
}

function linear(tensors: Tensors, name: string, out: number, input: number): void {
  tensors[`${name}.weight`] = counted(out, input);
  tensors[`${name}.bias`] = counted(out);
}

function norm(tensors: Tensors, name: string): void {
  tensors[`${name}.weight`] = counted(H);
  tensors[`${name}.bias`] = counted(H);
}

function bertTensors(): Tensors {
  const tensors: Tensors = {
    'bert.embeddings.word_embeddings.weight': counted(MICRO_ROWS, H),
    'bert.embeddings.position_embeddings.weight': counted(16, H),
    'bert.embeddings.token_type_embeddings.weight': counted(2, H),
  };
  const layer = 'bert.encoder.layer.0';
  norm(tensors, 'bert.embeddings.LayerNorm');
  for (const name of ['self.query', 'self.key', 'self.value', 'output.dense'])
    linear(tensors, `${layer}.attention.${name}`, H, H);
  norm(tensors, `${layer}.attention.output.LayerNorm`);
  linear(tensors, `${layer}.intermediate.dense`, F, H);
  linear(tensors, `${layer}.output.dense`, H, F);
  norm(tensors, `${layer}.output.LayerNorm`);
  linear(tensors, 'bert.pooler.dense', H, H);
  linear(tensors, 'classifier', 2, H);
  return tensors;
}

function distilbertTensors(): Tensors {
  const tensors: Tensors = {
    'distilbert.embeddings.word_embeddings.weight': counted(MICRO_ROWS, H),
    'distilbert.embeddings.position_embeddings.weight': counted(16, H),
  };
  const layer = 'distilbert.transformer.layer.0';
  norm(tensors, 'distilbert.embeddings.LayerNorm');
  for (const name of ['q_lin', 'k_lin', 'v_lin', 'out_lin']) linear(tensors, `${layer}.attention.${name}`, H, H);
  norm(tensors, `${layer}.sa_layer_norm`);
  linear(tensors, `${layer}.ffn.lin1`, F, H);
  linear(tensors, `${layer}.ffn.lin2`, H, F);
  norm(tensors, `${layer}.output_layer_norm`);
  linear(tensors, 'pre_classifier', H, H);
  linear(tensors, 'classifier', 2, H);
  return tensors;
}
