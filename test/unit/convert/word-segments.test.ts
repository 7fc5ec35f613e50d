/** GPT-2, GPT-Neo and GPT-J, for which the first words of the vocabulary are segments where the tokenizer tells any. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TensorType } from '../../../src';
import { convert } from '../../../src/convert/convert';
import { decodeElements } from '../../../src/convert/dtypes/dtypes';
import { readGgufHead } from '../../../src/gguf/reader';
import type { StoredType } from '../../golden/checkpoint-fixture';
import { type TokenizerFiles, ownTokenizer, writeFamily } from '../../golden/family-checkpoints';
import { family } from './describe-family';
import { temporaryFolder } from './temp-folder';

const COLUMNS = 48;
const NAMES = ['input_ids', 'attention_mask'];

interface Tables {
  readonly words: Float32Array | undefined;
  readonly segments: Float32Array | undefined;
  readonly count: number;
}

/** The first rows of the words, and the segments; words in blocks are left out. */
async function tablesOf(name: string, own: TokenizerFiles | undefined, type: TensorType, dtype: StoredType = 'F32') {
  const folder = temporaryFolder();
  await writeFamily(family(name), folder, 'safetensors', dtype, own);
  const output = path.join(folder, 'model.gguf');
  await convert(folder, { output, type });
  const { metadata, tensors, dataOffset } = await readGgufHead(output);
  const bytes = readFileSync(output);
  const find = (wanted: string) => tensors.find((tensor) => tensor.name === wanted);
  const values = (wanted: string) => {
    const found = find(wanted);
    if (found === undefined || found.type.name === 'q8_0') return undefined;
    const start = dataOffset + found.offset;
    return decodeElements(found.type.name.toUpperCase(), bytes.subarray(start, start + found.sizeBytes));
  };
  expect(metadata.get('ggml_encoder.llamacpp.compat')?.value).toBe('unsupported');
  return {
    words: values('token_embd.weight'),
    segments: values('token_types.weight'),
    count: Number(metadata.get('tokenizer.ggml.token_type_count')?.value),
  } satisfies Tables;
}

describe.each(['gpt2-input-names', 'gpt-neo', 'gptj'])('%s', (name) => {
  it('has the first two words for segments, as exactly as the checkpoint has them', async () => {
    const own = ownTokenizer(family(name));
    const { words, segments, count } = await tablesOf(name, own, 'f32');
    expect(segments).toEqual(words!.subarray(0, 2 * COLUMNS));
    expect(count).toBe(2);
    for (const dtype of ['F16', 'BF16'] as const) {
      expect((await tablesOf(name, own, dtype === 'F16' ? 'f16' : 'bf16', dtype)).segments).toEqual(segments);
    }
    expect((await tablesOf(name, own, 'q8_0')).segments).toEqual(segments);
  });
});

describe('a tokenizer', () => {
  const bytes = ownTokenizer(family('gpt2-input-names'))!;
  const file = bytes.tokenizer as Readonly<Record<string, unknown>>;
  const countOf = async (config: object, post_processor: unknown = file['post_processor']) => {
    const own = { tokenizer: { ...file, post_processor }, config: { ...bytes.config, ...config } };
    const { segments, count } = await tablesOf('gpt2-input-names', own, 'f32');
    expect(segments?.length).toBe(count === 1 ? undefined : count * COLUMNS);
    return count;
  };

  it('whose class gives none adds nothing unless it is asked to', async () => {
    expect(await countOf({ model_input_names: undefined })).toBe(1);
    expect(await countOf({ model_input_names: NAMES })).toBe(1);
    expect(await countOf({ model_input_names: undefined, tokenizer_class: 'PreTrainedTokenizerFast' })).toBe(1);
    expect(await countOf({ tokenizer_class: 'PreTrainedTokenizerFast' })).toBe(2);
  });

  it('may tell more segments than two', async () => {
    const token = { id: '<|endoftext|>', ids: [0], tokens: ['<|endoftext|>'] };
    const pieces = [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: token.id, type_id: 2 } }];
    const pair = [...pieces, { Sequence: { id: 'B', type_id: 1 } }];
    const template = { type: 'TemplateProcessing', single: pieces, pair, special_tokens: { [token.id]: token } };
    expect(await countOf({}, template)).toBe(3);
  });

  it('of BERT gives segments unless it says that it does not', async () => {
    const folder = path.join(__dirname, '../../fixtures/tokenizers/wordpiece-uncased');
    const read = (name: string) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as object;
    const [tokenizer, config] = [read('tokenizer.json'), read('tokenizer_config.json')];
    const words = async (changes: object) =>
      (await tablesOf('gpt2-word-segments', { tokenizer, config: { ...config, ...changes } }, 'f32')).count;
    expect(await words({})).toBe(2);
    expect(await words({ model_input_names: NAMES })).toBe(1);
    expect(await words({ tokenizer_class: 'DistilBertTokenizer' })).toBe(1);
  });

  it('makes no difference to decoders that take no segments', async () => {
    expect((await tablesOf('phi', undefined, 'f32')).segments).toBeUndefined();
  });
});
