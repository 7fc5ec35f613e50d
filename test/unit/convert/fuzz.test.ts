// Thousands of damaged checkpoints: each converts or is refused with a code, and nothing else ever happens.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { Checkpoint } from '../../../src/convert/checkpoint';
import { convert } from '../../../src/convert/convert';
import { planConversion } from '../../../src/convert/plan';
import { isEncoderError } from '../../../src/errors';
import { writeMicro } from './micro-checkpoint';
import { temporaryFolder } from './temp-folder';

const TOKENIZER_CONFIG = {
  tokenizer_class: 'BertTokenizer',
  model_max_length: 16,
  do_lower_case: true,
  cls_token: { __type: 'AddedToken', content: '[CLS]', lstrip: false },
  added_tokens_decoder: { 0: { content: '[PAD]', special: true } },
  additional_special_tokens: ['[X]'],
};
const TOKENIZER = {
  added_tokens: [{ id: 0, content: '[PAD]', special: true }],
  normalizer: { type: 'BertNormalizer', lowercase: true },
  post_processor: null,
  model: { type: 'WordPiece', vocab: { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, '[MASK]': 4, a: 5 } },
};
/** The text files that are damaged, each with everything the converter looks at. */
const FILES = {
  'config.json': {
    architectures: ['BertForSequenceClassification'],
    model_type: 'bert',
    vocab_size: 10,
    hidden_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 8,
    max_position_embeddings: 16,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-12,
    position_embedding_type: 'absolute',
    pruned_heads: {},
    is_decoder: false,
    problem_type: 'regression',
    id2label: { 0: 'a', 1: 'b' },
    label2id: { a: 0, b: 1 },
    sentence_transformers: { activation_fn: 'torch.nn.Identity' },
  },
  'tokenizer_config.json': TOKENIZER_CONFIG,
  'tokenizer.json': TOKENIZER,
  'special_tokens_map.json': { cls_token: '[CLS]', unk_token: { content: '[UNK]' } },
  'added_tokens.json': { foo: 8, bar: 9 },
  'sentence_bert_config.json': { max_seq_length: 16 },
  'config_sentence_transformers.json': { activation_fn: 'torch.nn.Sigmoid' },
} satisfies Readonly<Record<string, object>>;

const ODD_VALUES: readonly unknown[] = [
  null,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  1e308,
  true,
  '',
  'x',
  '__proto__',
  [],
  [null],
  [[]],
  {},
  { a: {} },
  { __proto__x: 1 },
  { content: 1 },
  { 0: { content: '[PAD]' }, x: null },
];

/** mulberry32: the same damage on every run. */
function randomSource(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** Every way to replace one value somewhere inside `value` by an odd one, or to leave it out. */
function* mutations(value: unknown): Generator<unknown> {
  yield* ODD_VALUES;
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    const rest = value as Record<string, unknown>;
    for (const changed of mutations(rest[key])) {
      yield Array.isArray(value) ? [changed] : { ...rest, [key]: changed };
    }
    if (!Array.isArray(value)) yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  }
}

/** Runs one attempt; true when it succeeded, false when it was refused. Anything without a code is a bug; so is `internal`. */
async function isAccepted(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch (error) {
    if (!isEncoderError(error) || error.code === 'internal') throw error;
    return false;
  }
}

/** All of a conversion but the writing. */
async function plan(folder: string): Promise<void> {
  const checkpoint = await Checkpoint.open(folder);
  try {
    await planConversion(checkpoint, {});
  } finally {
    await checkpoint.close();
  }
}

describe('a damaged checkpoint', () => {
  it.each(Object.entries(FILES))('with any value of %s replaced', async (name, content) => {
    const folder = writeMicro();
    let accepted = 0;
    for (const changed of mutations(content)) {
      writeFileSync(join(folder, name), JSON.stringify(changed));
      if (await isAccepted(() => plan(folder))) accepted++;
    }
    expect(accepted).toBeGreaterThan(0);
    writeFileSync(join(folder, name), JSON.stringify(content));
    expect(await isAccepted(() => plan(folder))).toBe(true);
  });

  it.each(['config.json', 'vocab.txt', 'model.safetensors'])('with bytes of %s changed', async (name) => {
    const folder = writeMicro();
    const outputs = temporaryFolder();
    const output = join(outputs, 'out.gguf');
    const path = join(folder, name);
    const original = readFileSync(path);
    const random = randomSource(1);
    for (let i = 0; i < 500; i++) {
      const bytes = Buffer.from(original);
      // The front holds the structure: lengths, names, shapes, offsets.
      for (let edits = random(4); edits >= 0; edits--) bytes[random(Math.min(bytes.length, 2400))] = random(256);
      writeFileSync(path, random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
      const accepted = await isAccepted(() =>
        name === 'model.safetensors' ? convert(folder, { output, overwrite: true }) : plan(folder),
      );
      if (!accepted) expect(readdirSync(outputs).filter((file) => file !== 'out.gguf')).toEqual([]);
    }
  });
});
