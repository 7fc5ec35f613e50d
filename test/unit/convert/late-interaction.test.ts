// What the converter makes of models of late interaction, and what it refuses of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { convert } from '../../../src/convert/convert';
import { isEncoderError } from '../../../src/errors';
import { readGgufHead } from '../../../src/gguf/reader';
import {
  type InteractionCheckpoint,
  interactionModel,
  interactionModels,
  interactionWordPiece,
  writeInteraction,
} from '../../golden/interaction-checkpoints';
import type { Changes } from '../../golden/small-checkpoints';
import { type TinyTensor, floats, temporaryFolder } from './temp-folder';

const pylate = interactionModel('pylate-bert');
const stanford = interactionModel('stanford-bert');
const native = interactionModel('native-distilbert');
const SETTINGS = 'config_sentence_transformers.json';
const TRANSFORMER = 'sentence_bert_config.json';
const METADATA = 'artifact.metadata';
const DENSE = '1_Dense/config.json';
const MASK = '2_MultiVectorMask/config.json';
const NORMALIZE = '3_Normalize/config.json';
const EXPANSION = { strategy: 'fixed', attend: false, length: 14 };

interface Converted {
  readonly entries: Record<string, unknown>;
  readonly tokenizer: { readonly added_tokens: readonly Record<string, unknown>[] };
  readonly tensors: readonly string[];
  tensor(name: string): number[];
}

async function convertModel(model: InteractionCheckpoint, changes: Changes = {}, options = {}): Promise<Converted> {
  const output = join(temporaryFolder(), 'out.gguf');
  await convert(writeInteraction(model, changes), { output, ...options });
  const { metadata, tensors, dataOffset } = await readGgufHead(output);
  const own = [...metadata].filter(([key]) => key.startsWith('ggml_encoder.interaction.'));
  return {
    entries: Object.fromEntries(own.map(([key, { value }]) => [key.slice('ggml_encoder.interaction.'.length), value])),
    tokenizer: JSON.parse(metadata.get('tokenizer.huggingface.json')!.value as string) as Converted['tokenizer'],
    tensors: tensors.map(({ name, ne }) => `${name} ${ne.join('x')}`),
    tensor(name) {
      const { offset, sizeBytes } = tensors.find((tensor) => tensor.name === name)!;
      const bytes = readFileSync(output).subarray(dataOffset + offset, dataOffset + offset + sizeBytes);
      return [...new Float32Array(Uint8Array.from(bytes).buffer)];
    },
  };
}

/** 'code: message', or 'converted'. */
async function refusal(model: InteractionCheckpoint, changes: Changes): Promise<string> {
  return convertModel(model, changes).then(
    () => 'converted',
    (error: unknown) => {
      if (!isEncoderError(error)) throw error;
      return `${error.code}: ${error.message}`;
    },
  );
}

function changed(model: InteractionCheckpoint, path: string, change: Readonly<Record<string, unknown>>): Changes {
  return { files: { [path]: { ...(model.files[path] as Record<string, unknown>), ...change } } };
}

/** Ids of PyLate's punctuation in the fixtures' WordPiece vocabulary. */
const { vocab } = interactionWordPiece['model'] as { vocab: Record<string, number> };
const PUNCTUATION = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'].map((mark) => vocab[mark]!).sort((a, b) => a - b);

describe('the keys of late interaction', () => {
  it('are those of PyLate', async () => {
    const { entries, tensors } = await convertModel(pylate);
    expect(entries).toEqual({
      query_prefix: '[Q] ',
      document_prefix: '[D] ',
      query_length: 14,
      document_length: 26,
      expansion_token_id: vocab['[MASK]'],
      expansion_length: 14,
      expansion_attended: false,
      skip_token_ids: Int32Array.from(PUNCTUATION),
      skips_query_tokens: false,
      normalize: true,
      similarity: 'maxsim',
    });
    expect(tensors).toContain('cls.output.weight 32x16');
    expect(tensors.filter((name) => name.startsWith('cls'))).toHaveLength(1);
  });

  it('are those of PyLate before it said what it saved, without expansion', async () => {
    const { entries, tensors } = await convertModel(interactionModel('pylate-modernbert'));
    expect(entries).toMatchObject({ query_prefix: '[Q] Search: ', document_prefix: '[D] ', query_length: 12 });
    expect(entries).not.toHaveProperty('expansion_length');
    expect(tensors.filter((name) => name.startsWith('cls'))).toEqual(['cls.output.weight 32x12', 'cls.output.bias 12']);
  });

  it('are those of MultiVectorEncoder', async () => {
    const { entries } = await convertModel(native);
    expect(entries).toEqual({
      query_prefix: 'query: ',
      document_prefix: 'document: ',
      query_length: 20,
      document_length: 30,
      expansion_token_id: vocab['[MASK]'],
      expansion_length: 12,
      expansion_attended: true,
      skip_token_ids: Int32Array.from(PUNCTUATION),
      skips_query_tokens: true,
      normalize: true,
      similarity: 'meanmaxsim',
    });
    const { entries: bare, tensors } = await convertModel(interactionModel('native-roberta'));
    expect(bare).toMatchObject({ query_prefix: '', query_length: 16, document_length: 64, normalize: false });
    expect(bare).not.toHaveProperty('skip_token_ids');
    expect(tensors.filter((name) => name.startsWith('cls'))).toEqual([
      ...['cls.weight 32x40', 'cls.bias 40', 'cls.output.weight 40x10', 'cls.output.bias 10'],
    ]);
  });

  it("are those of Stanford's ColBERT, with its settings and without", async () => {
    const { entries } = await convertModel(stanford);
    expect(entries).toMatchObject({
      query_prefix: '[unused0] ',
      document_prefix: '[unused1] ',
      query_length: 18,
      document_length: 28,
      expansion_length: 18,
      skip_token_ids: Int32Array.from(PUNCTUATION),
    });
    const { entries: defaults } = await convertModel(interactionModel('stanford-defaults'));
    expect(defaults).toMatchObject({ query_length: 32, document_length: 64, expansion_attended: false });
    const { entries: own } = await convertModel(
      stanford,
      changed(stanford, METADATA, { mask_punctuation: false, doc_token_id: '', attend_to_mask_tokens: true }),
    );
    expect(own).toMatchObject({ document_prefix: '[unused1] ', expansion_attended: true });
    expect(own).not.toHaveProperty('skip_token_ids');
  });

  it('stand beside one label and no prompt, in every file alike', async () => {
    for (const model of interactionModels) {
      const output = join(temporaryFolder(), 'out.gguf');
      await convert(writeInteraction(model), { output });
      const { metadata } = await readGgufHead(output);
      const value = (key: string) => metadata.get(`ggml_encoder.${key}`)?.value;
      expect([value('head.pooling'), value('head.num_labels'), value('activation_fn')]).toEqual([
        'tokens',
        1,
        'identity',
      ]);
      expect(value('prompt_names')).toBeUndefined();
      const limit = value('max_length') as number;
      expect(value('interaction.query_length')).toBeLessThanOrEqual(limit);
      expect(value('interaction.document_length')).toBeLessThanOrEqual(limit);
    }
  });
});

describe('a prefix', () => {
  const added = async (model: InteractionCheckpoint, changes: Changes, content: string) => {
    const { tokenizer } = await convertModel(model, changes);
    return tokenizer.added_tokens.find((token) => token['content'] === content);
  };

  it('that is a token becomes a special one where the tokenizer would take it apart or change it', async () => {
    const special = { special: true, normalized: false };
    expect(await added(pylate, {}, '[Q] ')).toMatchObject({ id: Object.keys(vocab).length, ...special });
    expect(await added(stanford, {}, '[unused1]')).toMatchObject({ id: vocab['[unused1]'], ...special });
    // Not of texts that only the file's own classes put there, and not of words.
    expect(await added(native, {}, 'query')).toBeUndefined();
    const word = changed(pylate, SETTINGS, { query_prefix: 'water: ', document_prefix: 'water ' });
    expect(await added(pylate, word, 'water')).toBeUndefined();
    expect(await added(pylate, changed(pylate, SETTINGS, { document_prefix: 'unknown ' }), 'unknown')).toBeUndefined();
    expect(await added(pylate, changed(pylate, SETTINGS, { document_prefix: ' ' }), ' ')).toBeUndefined();
  });

  it('stays what it is where the tokenizer finds it', async () => {
    const windowed = interactionModel('pylate-window');
    expect(await added(windowed, {}, '<think>')).toMatchObject({ special: false, normalized: true });
    const bpe = (prefix: string) => changed(windowed, SETTINGS, { document_prefix: prefix });
    expect(await added(windowed, bpe('x '), 'x')).toBeUndefined();
  });

  it('is counted once where the prompt has it too', async () => {
    const twice = changed(pylate, SETTINGS, { prompts: { query: '[Q] Search: ', document: null } });
    expect((await convertModel(pylate, twice)).entries).toMatchObject({
      query_prefix: '[Q] Search: ',
      document_prefix: '[D] ',
    });
  });
});

describe('layers', () => {
  const dense = (inputs: number, outputs: number, more = {}) => ({
    ...{ in_features: inputs, out_features: outputs, bias: true, use_residual: true },
    ...{ activation_function: 'torch.nn.modules.linear.Identity', ...more },
  });

  it('with nothing between them are one, residuals and biases included', async () => {
    const modules = pylate.files['modules.json'] as readonly Record<string, unknown>[];
    const second = { idx: 2, name: '2', path: '2_Dense', type: 'pylate.models.Dense.Dense' };
    const spread = (count: number, factor: number) =>
      Float32Array.from({ length: count }, (_, i) => Math.sin(i * factor));
    const [w1, b1, r1, w2, b2] = [spread(64, 1), spread(2, 2), spread(64, 3), spread(4, 5), spread(2, 7)];
    const { tensor } = await convertModel(pylate, {
      files: {
        'modules.json': [...modules, second],
        [DENSE]: dense(32, 2),
        '2_Dense/config.json': dense(2, 2),
      },
      tensors: (tensors: Record<string, TinyTensor>) => {
        const put = (name: string, shape: number[], values: Float32Array) =>
          (tensors[name] = { shape, data: floats(...values) });
        put('1_Dense/linear.weight', [2, 32], w1);
        put('1_Dense/linear.bias', [2], b1);
        put('1_Dense/residual.weight', [2, 32], r1);
        put('2_Dense/linear.weight', [2, 2], w2);
        put('2_Dense/linear.bias', [2], b2);
      },
    });
    const row = (r: number, c: number) => w2[r * 2 + c]! + (r === c ? 1 : 0);
    const weights = [0, 1].flatMap((r) =>
      Array.from({ length: 32 }, (_, i) => row(r, 0) * (w1[i]! + r1[i]!) + row(r, 1) * (w1[32 + i]! + r1[32 + i]!)),
    );
    expect(tensor('cls.output.weight')).toEqual(weights.map(Math.fround));
    const biases = [0, 1].map((r) => b2[r]! + row(r, 0) * b1[0]! + row(r, 1) * b1[1]!);
    tensor('cls.output.bias').forEach((value, r) => expect(value).toBeCloseTo(biases[r]!, 6));
  });

  it('that end in an activation have the identity behind them', async () => {
    const { tensors, tensor } = await convertModel(interactionModel('native-states'));
    expect(tensors.filter((name) => name.startsWith('cls'))).toEqual(['cls.weight 32x32', 'cls.output.weight 32x32']);
    expect(tensor('cls.output.weight')).toEqual(Array.from({ length: 1024 }, (_, i) => (i % 33 === 0 ? 1 : 0)));
  });
});

describe('a model of late interaction is refused', () => {
  const tanh = 'torch.nn.modules.activation.Tanh';
  const text = { method: 'forward', method_output_name: 'last_hidden_state' };
  type Case = readonly [InteractionCheckpoint, string, Record<string, unknown>, 'unsupported' | 'malformed', string];
  const cases: readonly Case[] = [
    [pylate, SETTINGS, { model_type: 'CrossEncoder' }, 'unsupported', 'model_type is CrossEncoder'],
    [pylate, SETTINGS, { model_type: 'SparseEncoder' }, 'unsupported', 'no embedding model is run'],
    [pylate, SETTINGS, { query_prefix: 7 }, 'malformed', 'query_prefix'],
    [pylate, SETTINGS, { prompts: { query: 7 } }, 'malformed', 'the prompt query'],
    [pylate, SETTINGS, { query_length: 0.5 }, 'malformed', 'length is 0.5'],
    [pylate, SETTINGS, { query_length: 73 }, 'malformed', 'filled up to 73 tokens, and the model reads 72'],
    [pylate, SETTINGS, { document_length: -1 }, 'malformed', 'document_length'],
    [pylate, SETTINGS, { attend_to_expansion_tokens: 'no' }, 'malformed', 'attend_to_expansion_tokens'],
    [pylate, SETTINGS, { skiplist_words: 'a' }, 'malformed', 'skiplist_words'],
    [pylate, SETTINGS, { query_expansion: { strategy: 'max', length: 9 } }, 'unsupported', 'fixed, min'],
    [pylate, SETTINGS, { query_expansion: { strategy: 'min' } }, 'malformed', 'length is absent'],
    [pylate, SETTINGS, { query_expansion: { ...EXPANSION, side: 'left' } }, 'unsupported', 'side is not known'],
    [pylate, SETTINGS, { query_expansion: { ...EXPANSION, token: 'nowhere' } }, 'malformed', 'no token nowhere'],
    [pylate, TRANSFORMER, { query_length: 13 }, 'malformed', 'query_length is 13, less than the 14'],
    [pylate, TRANSFORMER, { transformer_task: 'fill-mask' }, 'unsupported', 'fill-mask'],
    [pylate, TRANSFORMER, { processing_kwargs: { text: { max_length: 9 } } }, 'unsupported', 'text.max_length'],
    [pylate, TRANSFORMER, { processor_kwargs: { padding_side: 'left' } }, 'unsupported', 'pads on the left'],
    [pylate, 'tokenizer_config.json', { padding_side: 'left' }, 'unsupported', 'pads on the left'],
    [native, TRANSFORMER, { modality_config: { text, message: text } }, 'unsupported', 'messages'],
    [native, TRANSFORMER, { module_output_name: 'scores' }, 'unsupported', 'Dense reads token_embeddings'],
    [native, TRANSFORMER, { query_length: 11 }, 'malformed', 'less than the 12 tokens'],
    [native, TRANSFORMER, { query_length: null, max_seq_length: 10 }, 'malformed', 'the model reads 10'],
    [native, DENSE, { in_features: 31 }, 'malformed', 'in_features is 31; it is given 32 values'],
    [native, DENSE, { activation_function: 'torch.nn.Softplus' }, 'unsupported', 'Softplus'],
    [native, DENSE, { activation_function: tanh, use_residual: true }, 'unsupported', 'use_residual'],
    [native, DENSE, { module_input_name: 'sentence_embedding' }, 'unsupported', 'only token_embeddings'],
    [native, DENSE, { module_output_name: 'sentence_embedding' }, 'unsupported', 'what follows reads token_embeddings'],
    [native, MASK, { keep_only_token_ids: [3] }, 'unsupported', 'keep_only_token_ids'],
    [native, MASK, { skiplist_tasks: ['query'] }, 'unsupported', 'skiplist_tasks has query and not document'],
    [native, NORMALIZE, { module_input_name: null }, 'unsupported', 'sentence_embedding'],
    [stanford, METADATA, { query_maxlen: 'many' }, 'malformed', 'query_maxlen'],
    [stanford, METADATA, { query_token_id: 9 }, 'malformed', 'query_token_id'],
    [stanford, 'tokenizer_config.json', { chat_template: '{{ messages }}' }, 'unsupported', 'chat template'],
  ];

  const titled = cases.map(([model, path, change, ...rest]) => [model.name, path, change, model, ...rest] as const);
  it.each(titled)('%#: %s, %s %j', async (_, path, change, model, kind, message) => {
    const own =
      path === 'tokenizer_config.json' ? { files: { [path]: { ...model.tokenizerConfig, ...change } } } : undefined;
    const told = await refusal(model, own ?? changed(model, path, change));
    expect(told).toContain(`${kind === 'malformed' ? 'checkpoint_malformed' : 'architecture_unsupported'}: `);
    expect(told).toContain(message);
  });

  it('for what its encoder cannot tell: padding that counts', async () => {
    const roberta = interactionModel('native-roberta');
    const expansion = { strategy: 'fixed', attend: false, length: 16, token: '<|turn|>' };
    const padding = changed(roberta, TRANSFORMER, { query_expansion: expansion });
    expect(await refusal(roberta, padding)).toMatch(/^architecture_unsupported: .*filled up with padding/);
    const qwen = interactionModel('native-qwen3');
    const missing = changed(qwen, MASK, { skiplist_words: ['no such word'] });
    expect(await refusal(qwen, missing)).toMatch(/^checkpoint_malformed: .*no such word/);
  });

  it('for modules that it has no place for', async () => {
    const modules = (types: readonly string[]) =>
      types.map((type, idx) => ({ idx, name: String(idx), path: idx === 0 ? '' : `${idx}_${type}`, type: full(type) }));
    const full = (type: string) => `sentence_transformers.${type}`;
    const told = async (types: readonly string[]) => refusal(native, { files: { 'modules.json': modules(types) } });
    for (const types of [
      ['Transformer', 'Dense', 'MultiVectorMask', 'Normalize', 'HierarchicalTokenPooling'],
      ['Transformer', 'Normalize', 'Dense', 'MultiVectorMask'],
      ['Router', 'Dense', 'MultiVectorMask', 'Normalize'],
      ['Transformer', 'LayerNorm', 'MultiVectorMask'],
    ]) {
      expect(await told(types)).toMatch(/^architecture_unsupported: .*the modules are/);
    }
    expect(await refusal(native, changed(native, SETTINGS, { model_type: null }))).toMatch(/model_type is absent/);
    const unmasked = { files: { 'modules.json': modules(['Transformer', 'Dense']) } };
    expect(await refusal(native, unmasked)).toMatch(/no MultiVectorMask/);
    const more = { files: { 'modules.json': native.files['modules.json'], [SETTINGS]: pylate.files[SETTINGS] } };
    expect(await refusal(native, more)).toMatch(/without them/);
  });

  it('for weights that are not what it says', async () => {
    const without = (name: string): Changes => ({ tensors: (tensors) => void Reflect.deleteProperty(tensors, name) });
    expect(await refusal(stanford, without('linear.weight'))).toMatch(/^tensor_missing: .*linear.weight/);
    expect(await refusal(native, without('1_Dense/linear.weight'))).toMatch(
      /^checkpoint_not_found: |^tensor_missing: /,
    );
    const more: Changes = {
      tensors: (tensors) => (tensors['1_Dense/other.weight'] = { shape: [1], data: floats(1) }),
    };
    expect(await refusal(native, more)).toMatch(/^architecture_unsupported: .*other\.weight/);
    const flat: Changes = {
      tensors: (tensors) => (tensors['linear.weight'] = { shape: [32], data: floats(...new Float32Array(32)) }),
    };
    expect(await refusal(stanford, flat)).toMatch(/^tensor_shape_mismatch: /);
  });
});
