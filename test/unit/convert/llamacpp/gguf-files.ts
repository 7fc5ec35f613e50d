/** Small files in the layout of llama.cpp's converter, for tests that then break one thing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { flag, text } from '../../../../src/gguf/entries';
import { type TensorType, type GgufEntry, ggmlType } from '../../../../src/gguf/types';
import { layoutGguf } from '../../../../src/gguf/writer';
import { encodeElements } from '../../../../src/convert/dtypes/dtypes';
import { temporaryFolder } from '../temp-folder';

export interface TensorSpec {
  readonly ne: readonly number[];
  readonly type?: TensorType;
}

export type Entries = Record<string, GgufEntry | undefined>;
export type Specs = Record<string, TensorSpec | undefined>;

const H = 32;
const F = 64;
const TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '\u2581a', '\u2581b', 'c'];

function entry(key: string, type: 'uint32' | 'float32', value: number): [string, GgufEntry] {
  return [key, { key, type, value }];
}

function list(key: string, value: readonly string[]): [string, GgufEntry] {
  return [key, { key, type: 'string[]', value }];
}

export function strings(key: string, value: readonly string[]): GgufEntry {
  return { key, type: 'string[]', value };
}

export function types(...value: number[]): GgufEntry {
  return { key: 'tokenizer.ggml.token_type', type: 'int32[]', value: Int32Array.from(value) };
}

/** A BERT with two labels and a dense layer in its head. */
function bertEntries(): Entries {
  return Object.fromEntries([
    ['general.architecture', text('general.architecture', 'bert')],
    entry('bert.block_count', 'uint32', 1),
    entry('bert.context_length', 'uint32', 16),
    entry('bert.embedding_length', 'uint32', H),
    entry('bert.feed_forward_length', 'uint32', F),
    entry('bert.attention.head_count', 'uint32', 4),
    entry('bert.attention.layer_norm_epsilon', 'float32', 1e-12),
    list('bert.classifier.output_labels', ['no', 'yes']),
    ['tokenizer.ggml.model', text('tokenizer.ggml.model', 'bert')],
    list('tokenizer.ggml.tokens', TOKENS),
    ['tokenizer.ggml.token_type', types(3, 3, 3, 3, 3, 1, 1, 1)],
    entry('tokenizer.ggml.bos_token_id', 'uint32', 2),
    entry('tokenizer.ggml.eos_token_id', 'uint32', 3),
    entry('tokenizer.ggml.unknown_token_id', 'uint32', 1),
    ['tokenizer.ggml.normalizer.lowercase', flag('tokenizer.ggml.normalizer.lowercase', true)],
  ]);
}

function bertTensors(): Specs {
  const specs: Specs = {
    'token_embd.weight': { ne: [H, TOKENS.length] },
    'position_embd.weight': { ne: [H, 16] },
    'token_types.weight': { ne: [H, 2] },
  };
  const norm = (name: string) => {
    specs[`${name}.weight`] = { ne: [H] };
    specs[`${name}.bias`] = { ne: [H] };
  };
  const linear = (name: string, columns: number, rows: number) => {
    specs[`${name}.weight`] = { ne: [columns, rows] };
    specs[`${name}.bias`] = { ne: [rows] };
  };
  norm('token_embd_norm');
  for (const part of ['q', 'k', 'v', 'output']) linear(`blk.0.attn_${part}`, H, H);
  norm('blk.0.attn_output_norm');
  linear('blk.0.ffn_up', H, F);
  linear('blk.0.ffn_down', F, H);
  norm('blk.0.layer_output_norm');
  linear('cls', H, H);
  linear('cls.output', H, 2);
  return specs;
}

/** Writes the file into a new temporary folder and returns its path. Undefined leaves out what would be there. */
export function writeLlamaCppFile(entries: Entries = {}, tensors: Specs = {}): string {
  const path = join(temporaryFolder(), 'model.gguf');
  const present = <T>(items: Readonly<Record<string, T | undefined>>) =>
    Object.entries(items).flatMap(([key, item]): [string, T][] => (item === undefined ? [] : [[key, item]]));
  const specs = present({ ...bertTensors(), ...tensors });
  const declared = specs.map(([name, { ne, type = 'f32' }]) => ({ name, ne, type: ggmlType(type) }));
  const layout = layoutGguf(
    present({ ...bertEntries(), ...entries }).map(([, value]) => value),
    declared,
  );
  const bytes = Buffer.alloc(layout.sizeBytes);
  layout.header.copy(bytes);
  layout.tensors.forEach(({ ne, offset }, index) => {
    const count = ne.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length: count }, (_, i) => ((i * 37 + index * 11) % 64) / 64 - 0.4);
    bytes.set(encodeElements(specs[index]![1].type ?? 'f32', values), layout.header.length + offset);
  });
  writeFileSync(path, bytes);
  return path;
}
