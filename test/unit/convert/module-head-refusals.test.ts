// Heads of sentence-transformers' modules that are none of the graph's, and folders that do not hold what they say.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { convert } from '../../../src/convert/convert';
import { isEncoderError } from '../../../src/errors';
import {
  type ModuleHeadChanges,
  type ModuleHeadModel,
  moduleHeadModel,
  writeModuleHead,
} from '../../golden/module-head-checkpoints';
import { pickle, tensorOpcodes, torchFile, unicode } from './readers/torch-builder';
import { type TinyTensor, floats, temporaryFolder, writeSafetensors } from './temp-folder';

const ettin = moduleHeadModel('modernbert-ettin');
const POOLING = '1_Pooling/config.json';
const DENSE = '2_Dense/config.json';
const NORM = '3_LayerNorm/config.json';
const SCORES = '4_Dense/config.json';
const TRANSFORMER = 'sentence_bert_config.json';
const SETTINGS = 'config_sentence_transformers.json';

/** 'code: message', or 'converted'. */
async function refusal(changes: ModuleHeadChanges, model: ModuleHeadModel = ettin): Promise<string> {
  const output = join(temporaryFolder(), 'out.gguf');
  return convert(writeModuleHead(model, changes), { output }).then(
    () => 'converted',
    (error: unknown) => {
      if (!isEncoderError(error)) throw error;
      return `${error.code}: ${error.message}`;
    },
  );
}

function changed(path: string, change: Readonly<Record<string, unknown>>): ModuleHeadChanges {
  return { files: { [path]: { ...ettin.files[path], ...change } } };
}

describe('the settings of modules', () => {
  const text = { method: 'forward', method_output_name: 'last_hidden_state' };
  const cases: readonly (readonly [string, Record<string, unknown>, 'unsupported' | 'malformed', string])[] = [
    [
      POOLING,
      { pooling_mode: 'min' },
      'unsupported',
      '"min"; supported is one of cls, mean, mean_sqrt_len_tokens, weightedmean, max, lasttoken',
    ],
    [POOLING, { pooling_mode: ['cls', 'mean'] }, 'unsupported', '["cls","mean"]'],
    [POOLING, { pooling_mode: [] }, 'unsupported', '[]'],
    [POOLING, { pooling_mode: 7 }, 'unsupported', '7'],
    [
      POOLING,
      { pooling_mode: null, pooling_mode_mean_tokens: true, pooling_mode_max_tokens: true },
      'unsupported',
      '["max","mean"]',
    ],
    [POOLING, { pooling_mode: null, pooling_mode_mean_tokens: 1 }, 'malformed', 'pooling_mode_mean_tokens'],
    [POOLING, { include_prompt: false }, 'unsupported', 'include_prompt'],
    [DENSE, { in_features: 33 }, 'malformed', 'in_features is 33; it is given 32 values'],
    [DENSE, { out_features: 0 }, 'malformed', 'out_features'],
    [DENSE, { out_features: 1_000_000 }, 'malformed', 'out_features'],
    [DENSE, { bias: 'no' }, 'malformed', 'bias'],
    [DENSE, { activation_function: 'torch.nn.modules.activation.Softplus' }, 'unsupported', 'Softplus'],
    [DENSE, { activation_function: 'my_package.GELU' }, 'unsupported', 'my_package.GELU'],
    [DENSE, { module_input_name: 'token_embeddings' }, 'unsupported', 'token_embeddings'],
    [DENSE, { module_output_name: 'scores' }, 'unsupported', 'what follows reads sentence_embedding'],
    [DENSE, { use_residual: true }, 'unsupported', 'use_residual'],
    [NORM, { dimension: 16 }, 'malformed', 'dimension is 16; it is given 32 values'],
    [NORM, { dimension: null }, 'malformed', 'dimension'],
    [SCORES, { activation_function: 'torch.nn.modules.activation.Tanh' }, 'unsupported', 'only Identity'],
    [SCORES, { activation_function: null }, 'unsupported', 'only Identity'],
    [SCORES, { module_output_name: null }, 'unsupported', 'must be scores'],
    [SCORES, { in_features: 16 }, 'malformed', 'in_features'],
    [SCORES, { out_features: 70_000 }, 'malformed', 'out_features'],
    [SETTINGS, { model_type: 'SentenceTransformer' }, 'unsupported', 'no embedding model is run'],
    [SETTINGS, { model_type: null }, 'unsupported', 'model_type is absent'],
    [TRANSFORMER, { transformer_task: 'fill-mask' }, 'unsupported', 'fill-mask'],
    [TRANSFORMER, { module_output_name: 'sentence_embedding' }, 'unsupported', 'Pooling reads token_embeddings'],
    [TRANSFORMER, { modality_config: { text, message: text } }, 'unsupported', 'messages'],
    [TRANSFORMER, { modality_config: {} }, 'unsupported', 'last_hidden_state'],
    [
      TRANSFORMER,
      { modality_config: { text: { ...text, method_output_name: 'pooler_output' } } },
      'unsupported',
      'last_hidden_state',
    ],
    [TRANSFORMER, { model_args: { num_hidden_layers: 1 } }, 'unsupported', 'num_hidden_layers'],
    [TRANSFORMER, { processing_kwargs: { text: { max_length: 9 } } }, 'unsupported', 'text.max_length'],
  ];

  it.each(cases)('are refused where they ask for something else: %s %j', async (path, change, kind, message) => {
    const code = kind === 'malformed' ? 'checkpoint_malformed' : 'architecture_unsupported';
    const told = await refusal(changed(path, change));
    expect(told).toContain(`${code}: `);
    expect(told).toContain(message);
  });

  it('have the defaults of sentence-transformers', async () => {
    const files = { [POOLING]: { embedding_dimension: 32, pooling_mode: ['cls'] }, [TRANSFORMER]: undefined };
    expect(await refusal({ files })).toBe('converted');
    const { activation_function: _, ...dense } = ettin.files[DENSE] as Record<string, unknown>;
    expect(await refusal({ files: { [DENSE]: dense, [TRANSFORMER]: {} } })).toBe('converted');
    const templated = { ...ettin.tokenizerConfig, chat_template: '{{ messages }}' };
    const told = await refusal({ files: { [TRANSFORMER]: {}, 'tokenizer_config.json': templated } });
    expect(told).toMatch(/^architecture_unsupported: .*chat template/);
    expect(await refusal({ files: { 'tokenizer_config.json': templated } })).toBe('converted');
  });
});

it('a decoder is refused where its first token is read', async () => {
  const model = moduleHeadModel('qwen3-last');
  const files = { [POOLING]: { ...model.files[POOLING], pooling_mode: 'cls' } };
  expect(await refusal({ files }, model)).toContain('the first token of a decoder sees no other');
  const templated = { ...model.tokenizerConfig, chat_template: '{{ messages }}' };
  const withTemplate = { 'tokenizer_config.json': templated, [TRANSFORMER]: {} };
  expect(await refusal({ files: withTemplate }, model)).toMatch(/^architecture_unsupported: .*chat template/);
});

describe('modules.json', () => {
  const [transformer, pooling, dense, norm, scores] = ettin.files['modules.json'] as Record<string, unknown>[];
  const normalize = { idx: 5, name: '5', path: '5_Normalize', type: 'sentence_transformers.models.Normalize' };

  it.each([
    [[transformer, pooling, norm, dense, scores], 'Transformer, Pooling, LayerNorm, Dense, Dense'],
    [[transformer, pooling, dense, dense, scores], 'Transformer, Pooling, Dense, Dense, Dense'],
    [[transformer, pooling, dense, norm], 'Transformer, Pooling, Dense, LayerNorm'],
    [[transformer, dense, norm, scores], 'Transformer, Dense, LayerNorm, Dense'],
    [[transformer, pooling, scores, normalize], 'Transformer, Pooling, Dense, Normalize'],
    [[pooling, transformer, scores], 'Pooling, Transformer, Dense'],
    [[transformer, pooling, norm], 'embedding model'],
  ])('with another chain is refused by name: %#', async (modules, message) => {
    const told = await refusal({ files: { 'modules.json': modules } });
    expect(told).toMatch(/^architecture_unsupported: /);
    expect(told).toContain(message);
  });

  it.each([
    [{ path: '' }, 'LayerNorm has no folder of its own'],
    [{ path: '../3_LayerNorm' }, '../3_LayerNorm'],
  ])('that leads elsewhere is refused: %j', async (change, message) => {
    const modules = [transformer, pooling, dense, { ...norm, ...change }, scores];
    const told = await refusal({ files: { 'modules.json': modules } });
    expect(told).toMatch(/^checkpoint_malformed: /);
    expect(told).toContain(message);
  });
});

describe('a head of modules', () => {
  const cases: readonly (readonly [string, ModuleHeadChanges, string, string])[] = [
    ['without settings', { files: { [NORM]: undefined } }, 'checkpoint_not_found', '3_LayerNorm'],
    [
      'without a tensor',
      { tensors: (all) => delete all['4_Dense/linear.bias'] },
      'tensor_missing',
      'no tensor 4_Dense/linear.bias',
    ],
    [
      'with a bias that its settings deny',
      { tensors: (all) => (all['2_Dense/linear.bias'] = { shape: [32], data: floats(...Array<number>(32).fill(1)) }) },
      'architecture_unsupported',
      '2_Dense/linear.bias',
    ],
    [
      'of another width than its settings say',
      { tensors: (all) => (all['3_LayerNorm/norm.weight'] = { shape: [2], data: floats(1, 1) }) },
      'tensor_shape_mismatch',
      '3_LayerNorm/norm.weight',
    ],
    [
      'with a value that is no number',
      { tensors: (all) => (all['4_Dense/linear.bias'] = { shape: [1], data: floats(NaN) }) },
      'weights_not_finite',
      '4_Dense/linear.bias',
    ],
    ['over an encoder that is not known', { config: { model_type: 't5' } }, 'architecture_unsupported', 't5'],
    ['over a model that has none', { config: { model_type: 'bart' } }, 'architecture_unsupported', 'bart'],
    [
      'over tensors that belong nowhere',
      { tensors: (all) => (all['layers.0.attn.extra'] = { shape: [1], data: floats(1) }) },
      'architecture_unsupported',
      'layers.0.attn.extra',
    ],
  ];

  it.each(cases)('is refused %s', async (_, changes, code, message) => {
    const told = await refusal(changes);
    expect(told).toContain(`${code}: `);
    expect(told).toContain(message);
  });

  it('is refused when its weights are missing', async () => {
    const folder = writeModuleHead(ettin);
    renameSync(join(folder, '2_Dense/model.safetensors'), join(folder, '2_Dense/other.safetensors'));
    const attempt = convert(folder, { output: join(temporaryFolder(), 'out.gguf') });
    await expect(attempt).rejects.toMatchObject({ code: 'checkpoint_not_found' });
    await expect(attempt).rejects.toThrow('2_Dense');
  });

  it('is the same from pytorch_model.bin', async () => {
    const convertWith = async (write?: ModuleHeadChanges['write']) => {
      const folder = writeModuleHead(ettin, write && { write });
      const { path } = await convert(folder, { output: join(temporaryFolder(), 'out.gguf') });
      // All but the model's name, which is that of the folder.
      return readFileSync(path, 'latin1').replaceAll(basename(folder), '');
    };
    const safetensors = await convertWith();
    const torch = await convertWith((folder, tensors) => {
      if (/\d_\w+$/.test(folder)) writeTorch(join(folder, 'pytorch_model.bin'), tensors);
      else writeSafetensors(join(folder, 'model.safetensors'), tensors);
    });
    expect(torch === safetensors).toBe(true);
  });
});

/** What `torch.save(state_dict)` writes. */
function writeTorch(path: string, tensors: Readonly<Record<string, TinyTensor>>): void {
  const entries = Object.entries(tensors).map(([name, { shape, data }], index) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
    const numElements = data.length / 4;
    const opcodes = tensorOpcodes({ type: 'FloatStorage', key: String(index), numElements, shape, strides });
    return pickle(unicode(name), opcodes);
  });
  const data = Object.values(tensors).map((tensor) => tensor.data);
  writeFileSync(path, torchFile(pickle(0x80, 2, '}(', ...entries, 'u.'), ...data));
}
