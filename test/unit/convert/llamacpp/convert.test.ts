import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { type ConvertOptions, convert } from '../../../../src/convert/convert';
import { flag, text, uint } from '../../../../src/gguf/entries';
import { hasGgufKey, readGgufHead } from '../../../../src/gguf/reader';
import type { TensorType } from '../../../../src/gguf/types';
import { writeMicro } from '../micro-checkpoint';
import { temporaryFolder } from '../temp-folder';
import { type Entries, type Specs, strings, types, writeLlamaCppFile } from './gguf-files';

const MODEL = 'tokenizer.ggml.model';
const TOKENS = 'tokenizer.ggml.tokens';
const TYPES = 'tokenizer.ggml.token_type';
const LOWERCASE = 'tokenizer.ggml.normalizer.lowercase';

interface Json {
  readonly [key: string]: Json & string & number & boolean;
}

async function convertFile(entries: Entries = {}, tensors: Specs = {}, options: Partial<ConvertOptions> = {}) {
  const output = join(temporaryFolder(), 'out.gguf');
  const result = await convert(writeLlamaCppFile(entries, tensors), { output, ...options });
  const head = await readGgufHead(output);
  const value = (key: string) => head.metadata.get(key)?.value;
  return { result, head, value, json: JSON.parse(value('tokenizer.huggingface.json') as string) as Json };
}

async function expectRefusal(code: string, words: readonly string[], entries: Entries, tensors: Specs = {}) {
  const attempt = convertFile(entries, tensors);
  await expect(attempt).rejects.toMatchObject({ code });
  const message = await attempt.catch((error: unknown) => (error as Error).message);
  for (const word of words) expect(message).toContain(word);
}

describe('a file of llama.cpp', () => {
  it('becomes one of ours, its matrices as they are', async () => {
    const q8 = { type: 'q8_0' } as const;
    const { head, value, result } = await convertFile(
      {},
      {
        'token_embd.weight': { ne: [32, 8], ...q8 },
        'blk.0.ffn_up.weight': { ne: [32, 64], type: 'f16' },
        'cls.output.weight': { ne: [32, 2], ...q8 },
      },
    );
    const stored = new Map(head.tensors.map(({ name, type }) => [name, type.name]));
    expect(stored.get('token_embd.weight')).toBe('q8_0');
    expect(stored.get('blk.0.attn_qkv.weight')).toBe('f32');
    expect(stored.get('blk.0.ffn_up.weight')).toBe('f16');
    expect(stored.get('cls.output.weight')).toBe('f32');
    expect(head.tensors.find(({ name }) => name === 'blk.0.attn_qkv.weight')!.ne).toEqual([32, 96]);
    expect(value('ggml_encoder.head.activation')).toBe('tanh');
    expect(value('ggml_encoder.requested_type')).toBeUndefined();
    expect(value('ggml_encoder.max_length')).toBe(16);
    expect(value('bert.classifier.output_labels')).toEqual(['no', 'yes']);
    expect(result.warnings).toEqual([]);
    expect(value('ggml_encoder.assumptions')).toBeUndefined();
  });

  it('has mixed parts of one matrix widened, with a warning', async () => {
    const { head, result } = await convertFile({}, { 'blk.0.attn_v.weight': { ne: [32, 32], type: 'q8_0' } });
    expect(head.tensors.find(({ name }) => name === 'blk.0.attn_qkv.weight')!.type.name).toBe('f32');
    expect(result.warnings).toEqual([expect.stringContaining('blk.0.attn_qkv.weight')]);
  });

  it('has mixed parts that are quantized as f16', async () => {
    const part = (type: TensorType) => ({ ne: [32, 32], type });
    const { head, result } = await convertFile(
      {},
      {
        'blk.0.attn_q.weight': part('q4_0'),
        'blk.0.attn_k.weight': part('q4_0'),
        'blk.0.attn_v.weight': part('q8_0'),
      },
    );
    expect(head.tensors.find(({ name }) => name === 'blk.0.attn_qkv.weight')!.type.name).toBe('f16');
    expect(result.warnings).toEqual([expect.stringMatching(/^1 tensors are f16: .*blk.0.attn_qkv.weight/)]);
  });

  it('takes another type that is asked for', async () => {
    const { head, result } = await convertFile({}, {}, { type: 'q4_0' });
    expect(result.type).toBe('q4_0');
    expect(head.tensors.find(({ name }) => name === 'blk.0.ffn_down.weight')!.type.name).toBe('q4_0');
    expect(head.metadata.get('general.file_type')!.value).toBe(2);
    expect(head.metadata.has('ggml_encoder.requested_type')).toBe(false);
  });

  it('may have queries, keys and values in one matrix, with their biases apart', async () => {
    const { head } = await convertFile(
      {},
      {
        'blk.0.attn_qkv.weight': { ne: [32, 96] },
        'blk.0.attn_q.weight': undefined,
        'blk.0.attn_k.weight': undefined,
        'blk.0.attn_v.weight': undefined,
      },
    );
    expect(head.tensors.filter(({ name }) => name.startsWith('blk.0.attn_qkv')).map(({ ne }) => ne)).toEqual([
      [32, 96],
      [96],
    ]);
  });

  it.each<[string, Specs, string, string[]]>([
    ['both layers of a head: tanh', {}, 'tanh', []],
    ['no segments: ReLU, as in DistilBERT', { 'token_types.weight': undefined }, 'relu', ['head_activation_assumed']],
    ['no pooler', { 'cls.weight': undefined, 'cls.bias': undefined }, 'none', ['pooler_missing']],
    [
      'a lone classifier under the name of the pooler',
      {
        'cls.weight': { ne: [32, 2] },
        'cls.bias': { ne: [2] },
        'cls.output.weight': undefined,
        'cls.output.bias': undefined,
      },
      'none',
      ['pooler_missing'],
    ],
  ])('%s', async (_, tensors, activation, warnings) => {
    const { value, head, result } = await convertFile({}, tensors);
    expect(value('ggml_encoder.head.activation')).toBe(activation);
    expect(value('ggml_encoder.assumptions') ?? []).toEqual(warnings);
    expect(result.warnings).toHaveLength(warnings.length);
    expect(head.tensors.find(({ name }) => name === 'cls.output.weight')!.ne).toEqual([32, 2]);
  });

  it('takes the number of labels from the head', async () => {
    const labels = 'bert.classifier.output_labels';
    const { value } = await convertFile({ [labels]: strings(labels, ['only one']) });
    expect(value(labels)).toEqual(['LABEL_0', 'LABEL_1']);
    const named = await convertFile({ [labels]: undefined }, {}, { labels: ['bad', 'good'] });
    expect(named.value(labels)).toEqual(['bad', 'good']);
  });

  it('has the pieces of WordPiece told apart again', async () => {
    const { json } = await convertFile();
    expect(json['model']!['vocab']).toEqual({
      '[PAD]': 0,
      '[UNK]': 1,
      '[CLS]': 2,
      '[SEP]': 3,
      '[MASK]': 4,
      a: 5,
      b: 6,
      '##c': 7,
    });
    expect(json['normalizer']).toMatchObject({ type: 'BertNormalizer', lowercase: true, strip_accents: null });
    expect(json['post_processor']!['pair']).toHaveLength(5);
    expect((json['added_tokens'] as unknown as { content: string; special: boolean }[]).map((t) => t.content)).toEqual([
      '[PAD]',
      '[UNK]',
      '[CLS]',
      '[SEP]',
      '[MASK]',
    ]);
  });

  it('may be old: names in brackets are then normal tokens', async () => {
    const { json } = await convertFile({ [TYPES]: undefined });
    expect(json['model']!['vocab']).toMatchObject({ '[CLS]': 2, a: 5, '##c': 7 });
    expect(json['added_tokens']).toHaveLength(5);
  });

  it.each([
    ['A', false],
    ['a', true],
  ])('guesses from the token %s whether text is lower-cased', async (letter, lowercase) => {
    const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', `\u2581${letter}`, '\u2581b', 'c'];
    const { json, value } = await convertFile({ [LOWERCASE]: undefined, [TOKENS]: strings(TOKENS, tokens) });
    expect(json['normalizer']!['lowercase']).toBe(lowercase);
    expect(value('ggml_encoder.assumptions')).toEqual(['casing_assumed']);
  });

  it('leaves out rows without a token', async () => {
    const { json } = await convertFile({ [TYPES]: types(3, 3, 3, 3, 3, 1, 5, 1) });
    expect(Object.keys(json['model']!['vocab']!)).not.toContain('b');
  });

  it('joins pairs by its flags', async () => {
    const key = 'tokenizer.ggml.add_sep_token';
    const { json } = await convertFile({ [key]: flag(key, true) });
    expect(json['post_processor']!['pair']).toHaveLength(6);
  });
});

describe('refused is', () => {
  it.each<[string, string, string[], Entries, Specs?]>([
    [
      'another architecture',
      'architecture_unsupported',
      ['neo-bert', 'modern-bert'],
      { 'general.architecture': text('general.architecture', 'neo-bert') },
    ],
    [
      'no head',
      'tensor_missing',
      ['cls.output.weight'],
      {},
      {
        'cls.output.weight': undefined,
        'cls.output.bias': undefined,
      },
    ],
    ['a tensor without a place', 'architecture_unsupported', ['blk.0.extra'], {}, { 'blk.0.extra': { ne: [4] } }],
    ['a missing tensor', 'tensor_missing', ['blk.0.ffn_up.weight'], {}, { 'blk.0.ffn_up.weight': undefined }],
    [
      'another shape',
      'tensor_shape_mismatch',
      ['position_embd.weight'],
      {},
      { 'position_embd.weight': { ne: [32, 8] } },
    ],
    ['a missing size', 'gguf_malformed', ['bert.block_count'], { 'bert.block_count': undefined }],
    [
      'a size of another type',
      'gguf_malformed',
      ['bert.block_count'],
      {
        'bert.block_count': text('bert.block_count', '1'),
      },
    ],
    ['no vocabulary', 'tokenizer_missing', ['no vocabulary'], { [MODEL]: text(MODEL, 'no_vocab') }],
    ['another kind of vocabulary', 'tokenizer_unsupported', ['rwkv'], { [MODEL]: text(MODEL, 'rwkv') }],
    [
      'BPE with unknown words',
      'tokenizer_unsupported',
      ['tekken'],
      {
        [MODEL]: text(MODEL, 'gpt2'),
        'tokenizer.ggml.pre': text('tokenizer.ggml.pre', 'tekken'),
      },
    ],
    [
      'BPE without merges',
      'gguf_malformed',
      ['merges'],
      {
        [MODEL]: text(MODEL, 'gpt2'),
        'tokenizer.ggml.pre': text('tokenizer.ggml.pre', 'gpt-2'),
      },
    ],
    ['Unigram without scores', 'gguf_malformed', ['scores'], { [MODEL]: text(MODEL, 't5') }],
    [
      'a token twice',
      'gguf_malformed',
      ['twice'],
      {
        [TOKENS]: strings(TOKENS, ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'c', '\u2581b', 'c']),
      },
    ],
    ['more tokens than rows', 'gguf_malformed', ['tokens'], {}, { 'token_embd.weight': { ne: [32, 7] } }],
    [
      'a special token outside the vocabulary',
      'gguf_malformed',
      ['bos_token_id'],
      {
        'tokenizer.ggml.bos_token_id': uint('tokenizer.ggml.bos_token_id', 8),
      },
    ],
    ['types of another number', 'gguf_malformed', ['token_type'], { [TYPES]: types(1, 2) }],
    ['a part of a split file', 'architecture_unsupported', ['--merge'], { 'split.count': uint('split.count', 2) }],
  ])('%s', async (_, code, words, entries, tensors) => {
    await expectRefusal(code, words, entries, tensors);
  });

  it('a file of this package, whose facts would get lost', async () => {
    const output = join(temporaryFolder(), 'ours.gguf');
    await convert(writeMicro(), { output });
    await expect(convert(output, { output: join(temporaryFolder(), 'x.gguf') })).rejects.toMatchObject({
      code: 'architecture_unsupported',
    });
    expect(await hasGgufKey(output, 'ggml_encoder.format_version')).toBe(true);
    expect(await hasGgufKey(writeLlamaCppFile(), 'ggml_encoder.format_version')).toBe(false);
  });

  it('the source as the output', async () => {
    const path = writeLlamaCppFile();
    await expect(convert(path, { output: path, overwrite: true })).rejects.toMatchObject({ code: 'input_invalid' });
  });
});
