import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { type ConvertOptions, type ConvertProgress, convert } from '../../../src/convert/convert';
import { readGgufHead } from '../../../src/gguf/reader';
import { type Tensors, counted, writeMicro } from './micro-checkpoint';
import { onnxFile } from './readers/onnx-builder';
import { floats, temporaryFolder } from './temp-folder';

type Options = Partial<ConvertOptions>;

const QUERY = 'bert.encoder.layer.0.attention.self.query';

describe('convert refuses', () => {
  /** Converts, expects the code and a message with every word, and that nothing was left in the output's folder. */
  async function expectRefusal(folder: string, code: string, words: readonly string[], options: Options = {}) {
    const outputs = temporaryFolder();
    const attempt = convert(folder, { output: join(outputs, 'out.gguf'), ...options });
    await expect(attempt).rejects.toMatchObject({ code });
    const message = await attempt.catch((error: unknown) => (error as Error).message);
    for (const word of words) expect(message).toContain(word);
    expect(readdirSync(outputs)).toEqual([]);
  }

  it.each<[string, Record<string, unknown>, string, string[]]>([
    [
      'another class',
      { architectures: ['BertForTokenClassification'] },
      'architecture_unsupported',
      ['BertForTokenClassification', 'another head', 'BertForSequenceClassification is supported'],
    ],
    [
      'a class of the repository',
      { architectures: ['BertModel'], auto_map: { AutoModel: 'code.BertModel' } },
      'architecture_unsupported',
      ['another head than a classifier'],
    ],
    [
      'an unknown family',
      { architectures: ['ViTModel'] },
      'architecture_unsupported',
      ['architectures names ViTModel; that is none of the supported classes, which docs/models.md lists'],
    ],
    ['a class named like a property', { architectures: ['__proto__'] }, 'architecture_unsupported', []],
    [
      'no class and an unknown model_type',
      { architectures: undefined, model_type: 'reformer' },
      'architecture_unsupported',
      ['reformer'],
    ],
    ['no class at all', { architectures: undefined, model_type: undefined }, 'architecture_unsupported', []],
    ['classes that are no names', { architectures: [3] }, 'checkpoint_malformed', ['architectures']],
    ['an unknown activation', { hidden_act: 'laplace' }, 'architecture_unsupported', ['laplace', 'hidden_act']],
    ['relative positions', { position_embedding_type: 'relative_key' }, 'architecture_unsupported', ['relative_key']],
    ['pruned heads', { pruned_heads: { 0: [1] } }, 'architecture_unsupported', ['pruned_heads']],
    ['a decoder', { is_decoder: true }, 'architecture_unsupported', ['is_decoder']],
    ['cross attention', { add_cross_attention: true }, 'architecture_unsupported', ['add_cross_attention']],
    [
      'weights of another name',
      { transformers_weights: 'other.safetensors' },
      'architecture_unsupported',
      ['transformers_weights', 'other.safetensors'],
    ],
    [
      'configurations for versions',
      { configuration_files: ['config.4.0.0.json'] },
      'architecture_unsupported',
      ['configuration_files', 'config.4.0.0.json'],
    ],
    ['a problem type that is no word', { problem_type: 3 }, 'checkpoint_malformed', ['problem_type']],
    ['no layers', { num_hidden_layers: 0 }, 'checkpoint_malformed', ['num_hidden_layers']],
    ['a hidden size as text', { hidden_size: '4' }, 'checkpoint_malformed', ['hidden_size']],
    ['a huge hidden size', { hidden_size: 1e308 }, 'checkpoint_malformed', ['hidden_size']],
    ['a fraction of a head', { num_attention_heads: 1.5 }, 'checkpoint_malformed', ['num_attention_heads']],
    ['heads that do not divide', { num_attention_heads: 3 }, 'checkpoint_malformed', ['3']],
    ['an epsilon below 0', { layer_norm_eps: -1e-12 }, 'checkpoint_malformed', ['layer_norm_eps']],
    ['more layers than weights', { num_hidden_layers: 2 }, 'tensor_missing', ['bert.encoder.layer.1.']],
    ['fewer vocabulary rows', { vocab_size: 9 }, 'tensor_shape_mismatch', ['word_embeddings', '[10, 4]', '[9, 4]']],
    [
      'another inner size',
      { intermediate_size: 6 },
      'tensor_shape_mismatch',
      ['intermediate.dense.weight', '[8, 4]', '[6, 4]'],
    ],
    ['other positions', { max_position_embeddings: 8 }, 'tensor_shape_mismatch', ['position_embeddings']],
    ['other segments', { type_vocab_size: 1 }, 'tensor_shape_mismatch', ['token_type_embeddings']],
  ])('%s', async (_, config, code, words) => {
    await expectRefusal(writeMicro({ config }), code, words);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an unknown activation', { activation: 'laplace' }, 'architecture_unsupported'],
    ['contradicting names for one size', { dim: 4, hidden_size: 8 }, 'checkpoint_malformed'],
    ['another size', { dim: 6 }, 'tensor_shape_mismatch'],
  ])('DistilBERT with %s', async (_, config, code) => {
    await expectRefusal(writeMicro({ family: 'distilbert', config }), code, []);
  });

  it.each<[string, (tensors: Tensors) => void, string, string[]]>([
    ['no head', (t) => delete t['classifier.weight'], 'tensor_missing', ['classifier.weight', 'head']],
    [
      'a second classifier',
      (t) => (t['regressor.weight'] = counted(1, 4)),
      'architecture_unsupported',
      ['regressor.weight', 'save the model again without them'],
    ],
    ['no pooler', (t) => delete t['bert.pooler.dense.weight'], 'tensor_missing', ['bert.pooler.dense.weight']],
    ['no key bias', (t) => delete t['bert.encoder.layer.0.attention.self.key.bias'], 'tensor_missing', ['key.bias']],
    ['no embeddings', (t) => delete t['bert.embeddings.word_embeddings.weight'], 'tensor_missing', ['word_embeddings']],
    [
      'an adapter',
      (t) => (t['bert.encoder.layer.0.adapter.weight'] = counted(2)),
      'architecture_unsupported',
      ['adapter'],
    ],
    [
      'both spellings of a norm',
      (t) => (t['bert.embeddings.LayerNorm.gamma'] = counted(4)),
      'architecture_unsupported',
      ['gamma'],
    ],
    [
      'a transposed weight',
      (t) => (t['bert.encoder.layer.0.output.dense.weight'] = counted(8, 4)),
      'tensor_shape_mismatch',
      ['[8, 4]', '[4, 8]'],
    ],
    ['a flat head', (t) => (t['classifier.weight'] = counted(8)), 'tensor_shape_mismatch', ['classifier.weight']],
    [
      'a head without labels',
      (t) => (t['classifier.weight'] = { shape: [0, 4], data: new Uint8Array() }),
      'tensor_shape_mismatch',
      [],
    ],
    [
      'integers',
      (t) => (t[`${QUERY}.weight`] = { dtype: 'I32', shape: [4, 4], data: new Uint8Array(64) }),
      'dtype_unsupported',
      ['I32', 'query'],
    ],
    [
      'NaN',
      (t) => (t[`${QUERY}.bias`] = { shape: [4], data: floats(1, 2, NaN, 4) }),
      'weights_not_finite',
      ['query.bias', 'NaN', 'index 2'],
    ],
    [
      'infinity',
      (t) => (t['classifier.bias'] = { shape: [2], data: floats(0, -Infinity) }),
      'weights_not_finite',
      ['-Infinity', 'index 1'],
    ],
  ])('weights with %s', async (_, tensors, code, words) => {
    await expectRefusal(writeMicro({ tensors }), code, words);
  });

  it('a value that the asked type cannot hold', async () => {
    const folder = writeMicro({
      tensors: (tensors) =>
        (tensors[`${QUERY}.weight`] = { shape: [4, 4], data: floats(...new Array<number>(16).fill(7e4)) }),
    });
    await expectRefusal(folder, 'dtype_unsupported', ['70000', 'query.weight', 'f16'], { type: 'f16' });
    const output = join(temporaryFolder(), 'out.gguf');
    expect(await convert(folder, { output, type: 'bf16' })).toMatchObject({ type: 'bf16' });
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ['no config.json', { 'config.json': undefined }, 'checkpoint_not_found'],
    ['an empty config.json', { 'config.json': '' }, 'checkpoint_malformed'],
    ['a list as config.json', { 'config.json': '[]' }, 'checkpoint_malformed'],
    ['config.json nested 100,000 deep', { 'config.json': '['.repeat(1e5) }, 'limit_exceeded'],
    ['config.json above the limit', { 'config.json': ' '.repeat(4 * 2 ** 20 + 1) }, 'limit_exceeded'],
    ['no tokenizer', { 'vocab.txt': undefined }, 'tokenizer_missing'],
    ['a limit of 2 tokens', { 'tokenizer_config.json': '{"model_max_length": 2}' }, 'checkpoint_malformed'],
  ])('a folder with %s', async (_, files, code) => {
    await expectRefusal(writeMicro({ files }), code, []);
  });

  it('an ONNX export that lacks a tensor, saying where to find it', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.json'), readFileSync(join(writeMicro(), 'config.json')));
    writeFileSync(join(folder, 'model.onnx'), onnxFile([{ type: 'Add', inputs: ['x', 'y'], output: 'z' }], []));
    await expectRefusal(folder, 'tensor_missing', [
      'word_embeddings.weight',
      'use the checkpoint that it was exported',
    ]);
  });

  it('folders without weights, naming what is there', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.json'), readFileSync(join(writeMicro(), 'config.json')));
    await expectRefusal(folder, 'checkpoint_not_found', ['model.safetensors']);
    mkdirSync(join(folder, 'onnx'));
    writeFileSync(join(folder, 'onnx', 'model_q4.onnx'), '');
    await expectRefusal(folder, 'checkpoint_not_found', ['onnx/model_q4.onnx', 'exported from']);
    writeFileSync(join(folder, 'model_int8.onnx'), '');
    await expectRefusal(folder, 'checkpoint_not_found', [`${folder} holds model_int8.onnx`, 'exported from']);
    writeFileSync(join(folder, 'flax_model.msgpack'), '');
    await expectRefusal(folder, 'checkpoint_not_found', ['flax_model.msgpack']);
    await expectRefusal(join(folder, 'absent'), 'checkpoint_not_found', ['absent']);
    const other = temporaryFolder();
    writeFileSync(join(other, 'model.gguf'), '');
    await expectRefusal(other, 'checkpoint_not_found', ['has no config.json', 'pass the file "model.gguf" in it']);
    writeFileSync(join(other, 'config.json'), readFileSync(join(writeMicro(), 'config.json')));
    await expectRefusal(other, 'checkpoint_not_found', ['model.safetensors', 'pass the file "model.gguf" in it']);
    await expectRefusal(join(folder, 'config.json'), 'checkpoint_not_found', ['folder']);
  });

  it('links that lead out of the folder, and files that are no files', async () => {
    const folder = writeMicro({ files: { 'vocab.txt': undefined } });
    const outside = join(temporaryFolder(), 'outside.txt');
    writeFileSync(outside, '[PAD]');
    symlinkSync(outside, join(folder, 'vocab.txt'));
    await expectRefusal(folder, 'checkpoint_malformed', ['vocab.txt', 'link out of the folder']);
    const other = writeMicro({ files: { 'vocab.txt': undefined } });
    mkdirSync(join(other, 'vocab.txt'));
    await expectRefusal(other, 'io_failed', ['a folder, not a regular file']);
  });

  it('an existing output, unless told to overwrite it', async () => {
    const folder = writeMicro();
    const output = join(temporaryFolder(), 'out.gguf');
    writeFileSync(output, 'precious');
    await expect(convert(folder, { output })).rejects.toMatchObject({ code: 'output_exists' });
    expect(readFileSync(output, 'utf8')).toBe('precious');
    await convert(folder, { output, overwrite: true });
    expect((await readGgufHead(output)).tensors).toHaveLength(21);
  });

  it.each([false, true])('an output that is a folder, with a name that would do; overwrite %s', async (overwrite) => {
    const output = temporaryFolder();
    const attempt = convert(writeMicro(), { output, overwrite });
    await expect(attempt).rejects.toMatchObject({ code: 'io_failed' });
    const message = await attempt.catch((error: unknown) => (error as Error).message);
    expect(message).toBe(`${output} is a folder; name the file to write, such as ${join(output, 'model.gguf')}`);
    expect(readdirSync(output)).toEqual([]);
  });

  it('an output that appears while it converts', async () => {
    const output = join(temporaryFolder(), 'out.gguf');
    const onProgress = ({ phase }: ConvertProgress) => {
      if (phase === 'finish') writeFileSync(output, 'precious');
    };
    await expect(convert(writeMicro(), { output, onProgress })).rejects.toMatchObject({ code: 'output_exists' });
    expect(readFileSync(output, 'utf8')).toBe('precious');
    expect(readdirSync(join(output, '..'))).toEqual(['out.gguf']);
  });

  it('to overwrite a file of the checkpoint, or a folder', async () => {
    const folder = writeMicro();
    const output = join(folder, 'model.safetensors');
    await expect(convert(folder, { output, overwrite: true })).rejects.toMatchObject({ code: 'input_invalid' });
    await expect(convert(folder, { output: folder, overwrite: true })).rejects.toMatchObject({ code: 'io_failed' });
  });

  it('an output folder that does not exist', async () => {
    const output = join(temporaryFolder(), 'absent', 'out.gguf');
    await expect(convert(writeMicro(), { output })).rejects.toMatchObject({ code: 'io_failed' });
  });

  it('weights that change while they are read', async () => {
    const folder = writeMicro();
    const onProgress = ({ phase }: ConvertProgress) => {
      if (phase === 'write') writeFileSync(join(folder, 'model.safetensors'), 'changed', { flag: 'a' });
    };
    await expectRefusal(folder, 'io_failed', ['changed while'], { onProgress });
  });

  it('to go on after an abort', async () => {
    const reason = new Error('enough');
    await expectRefusal(writeMicro(), 'aborted', [], { signal: AbortSignal.abort(reason) });
    const controller = new AbortController();
    const onProgress = ({ phase }: ConvertProgress) => {
      if (phase === 'write') controller.abort(reason);
    };
    const attempt = convert(writeMicro(), {
      output: join(temporaryFolder(), 'out.gguf'),
      signal: controller.signal,
      onProgress,
    });
    await expect(attempt).rejects.toMatchObject({ code: 'aborted', cause: reason });
    await expectRefusal(writeMicro(), 'aborted', [], { signal: AbortSignal.abort() });
  });

  it('to hide an error of the progress callback', async () => {
    const folder = temporaryFolder();
    const onProgress = ({ phase }: ConvertProgress) => {
      if (phase === 'finish') throw new Error('from the caller');
    };
    await expect(convert(writeMicro(), { output: join(folder, 'out.gguf'), onProgress })).rejects.toThrow(
      'from the caller',
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each<[string, unknown, unknown, typeof TypeError | typeof RangeError]>([
    ['a source that is no string', 1, { output: 'x' }, TypeError],
    ['no options', 'x', undefined, TypeError],
    ['no output', 'x', {}, TypeError],
    ['an empty output', 'x', { output: '' }, RangeError],
    ['an unknown type', 'x', { output: 'x', type: 'q4_k' }, RangeError],
    ['overwrite that is no boolean', 'x', { output: 'x', overwrite: 1 }, TypeError],
    ['a signal that is none', 'x', { output: 'x', signal: {} }, TypeError],
    ['a callback that is none', 'x', { output: 'x', onProgress: 1 }, TypeError],
    ['labels that are no list', 'x', { output: 'x', labels: 'ab' }, TypeError],
    ['a label twice', 'x', { output: 'x', labels: ['a', 'a'] }, RangeError],
    ['an option that does not exist', 'x', { output: 'x', tpye: 'f16' }, TypeError],
    ['an empty source', '', { output: 'x' }, RangeError],
  ])('%s', async (_, source, options, kind) => {
    await expect(convert(source as string, options as ConvertOptions)).rejects.toThrow(kind);
    expect(existsSync('x')).toBe(false);
  });
});
