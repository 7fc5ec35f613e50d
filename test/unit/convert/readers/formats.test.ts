// One model in every weight format: each gives the same file, byte for byte, as safetensors does.
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { cachedConvert } from '../../../../src/convert/cache';
import { type ConvertOptions, convert } from '../../../../src/convert/convert';
import { torchWeight } from '../../../../src/convert/readers/keras-names';
import { temporaryFolder } from '../temp-folder';
import { type Family, formatBytes, formatCheckpoint } from './format-fixtures';

const SHARDS = {
  'pytorch_model.bin.index.json': 'pytorch_model.bin.index.json',
  'pytorch_model-00001-of-00002.bin': 'pytorch_model-00001-of-00002.bin',
  'pytorch_model-00002-of-00002.bin': 'pytorch_model-00002-of-00002.bin',
};
const KERAS_SHARDS = {
  'tf_model.h5.index.json': 'tf_model.h5.index.json',
  'tf_model-00001-of-00002.h5': 'tf_model-00001-of-00002.h5',
  'tf_model-00002-of-00002.h5': 'tf_model-00002-of-00002.h5',
};
const ONNX_BESIDE = { 'onnx/model.onnx': 'model.beside.onnx', 'onnx/model.onnx_data': 'model.onnx_data' };
type Variant = readonly [name: string, family: Family, weights: Readonly<Record<string, string>>];
const VARIANTS: readonly Variant[] = (['bert', 'distilbert'] as const).flatMap((family) => [
  ['pytorch_model.bin', family, { 'pytorch_model.bin': 'pytorch_model.bin' }] as const,
  ['pytorch_model.bin of old', family, { 'pytorch_model.bin': 'pytorch_model.legacy.bin' }] as const,
  ['shards of pytorch_model.bin', family, SHARDS] as const,
  ['tf_model.h5', family, { 'tf_model.h5': 'tf_model.h5' }] as const,
  ['shards of tf_model.h5', family, KERAS_SHARDS] as const,
  ['tf_model.h5 with packed chunks', family, { 'tf_model.h5': 'tf_model.chunked.h5' }] as const,
  family === 'bert'
    ? (['tf_model.h5 with heads apart', family, { 'tf_model.h5': 'tf_model.split-heads.h5' }] as const)
    : (['tf_model.h5 with new headers', family, { 'tf_model.h5': 'tf_model.latest.h5' }] as const),
]);
const ONNX_VARIANTS: readonly Variant[] = [
  ['onnx/model.onnx', 'bert', { 'onnx/model.onnx': 'model.onnx' }],
  ['model.onnx of the newer exporter', 'bert', { 'model.onnx': 'model.newer.onnx' }],
  ['model.onnx with its weights beside it', 'bert', ONNX_BESIDE],
  ['model.onnx', 'distilbert', { 'model.onnx': 'model.onnx', 'onnx/model_fp16.onnx': 'vocab.txt' }],
  ['onnx/model_fp16.onnx', 'distilbert', { 'onnx/model_fp16.onnx': 'model.onnx' }],
  ['model.onnx without names of nodes', 'distilbert', { 'model.onnx': 'model.nameless.onnx' }],
];

async function converted(folder: string, type?: ConvertOptions['type']): Promise<Buffer> {
  const output = join(temporaryFolder(), 'model.gguf');
  await convert(folder, { output, type });
  const bytes = readFileSync(output);
  rmSync(output);
  return bytes;
}

describe('every format of a checkpoint', () => {
  it.each([...VARIANTS, ...ONNX_VARIANTS])(
    '%s of %s gives the file that safetensors gives',
    async (_, family, weights) => {
      for (const type of [undefined, 'f16', 'q8_0'] as const) {
        const expected = await converted(formatCheckpoint(family, { 'model.safetensors': 'model.safetensors' }), type);
        const actual = await converted(formatCheckpoint(family, weights), type);
        expect(actual.equals(expected)).toBe(true);
      }
    },
  );

  it('looks for safetensors, then .bin, then .h5, then .onnx', async () => {
    const all = {
      'model.safetensors': 'model.safetensors',
      'pytorch_model.bin': Buffer.from('x'),
      'tf_model.h5': Buffer.from('x'),
      'onnx/model.onnx': 'model.onnx',
      'model.onnx': Buffer.from('x'),
    };
    const folder = formatCheckpoint('bert', all);
    const expected = await converted(folder);
    rmSync(join(folder, 'model.safetensors'));
    await expect(converted(folder)).rejects.toMatchObject({ code: 'checkpoint_malformed' });
    copyFileSync(join(formatCheckpoint('bert', { x: 'pytorch_model.bin' }), 'x'), join(folder, 'pytorch_model.bin'));
    expect((await converted(folder)).equals(expected)).toBe(true);
    rmSync(join(folder, 'pytorch_model.bin'));
    await expect(converted(folder)).rejects.toMatchObject({ code: 'checkpoint_malformed' });
    rmSync(join(folder, 'tf_model.h5'));
    expect((await converted(folder)).equals(expected)).toBe(true);
  });

  it('shards that are missing or of another kind are named', async () => {
    const folder = formatCheckpoint('bert', SHARDS);
    rmSync(join(folder, 'pytorch_model-00002-of-00002.bin'));
    await expect(converted(folder)).rejects.toMatchObject({
      code: 'checkpoint_not_found',
      message: expect.stringMatching(/pytorch_model-00002-of-00002\.bin/) as unknown,
    });
    const index = JSON.parse(formatBytes('bert/pytorch_model.bin.index.json').toString()) as {
      weight_map: Record<string, string>;
    };
    for (const shard of ['../pytorch_model.bin', '/etc/passwd', 'model.safetensors', 'a\\b.bin', '.bin', 'x.bin\0']) {
      const weight_map = { ...index.weight_map, 'classifier.bias': shard };
      const changed = formatCheckpoint('bert', {
        ...SHARDS,
        'pytorch_model.bin.index.json': Buffer.from(JSON.stringify({ weight_map })),
      });
      await expect(converted(changed), shard).rejects.toMatchObject({ code: 'checkpoint_malformed' });
    }
  });

  it('goes through the cache', async () => {
    const folder = formatCheckpoint('distilbert', { 'tf_model.h5': 'tf_model.h5' });
    const paths = { folder, base: undefined };
    const cacheDir = temporaryFolder();
    const { path } = await cachedConvert(paths, undefined, { cacheDir });
    expect((await cachedConvert(paths, undefined, { cacheDir })).path).toBe(path);
    expect(readFileSync(path).equals(await converted(folder))).toBe(true);
  });
});

describe('torchWeight', () => {
  const model = 'tf_distil_bert_for_sequence_classification';
  it.each([
    [
      'distilbert',
      `${model}/distilbert/embeddings/word_embeddings/weight:0`,
      'distilbert.embeddings.word_embeddings.weight',
    ],
    [
      'distilbert',
      `${model}_1/distilbert/embeddings/position_embeddings/embeddings:0`,
      'distilbert.embeddings.position_embeddings.weight',
    ],
    ['distilbert', `${model}/distilbert/embeddings/LayerNorm/gamma:0`, 'distilbert.embeddings.LayerNorm.weight'],
    [
      'distilbert',
      `${model}/distilbert/transformer/layer_._11/ffn/lin1/kernel:0`,
      'distilbert.transformer.layer.11.ffn.lin1.weight',
    ],
    [
      'distilbert',
      `${model}/distilbert/transformer/layer_._0/sa_layer_norm/beta:0`,
      'distilbert.transformer.layer.0.sa_layer_norm.bias',
    ],
    [
      'distilbert',
      'distilbert/transformer/layer_._0/attention/q_lin/bias:0',
      'distilbert.transformer.layer.0.attention.q_lin.bias',
    ],
    ['classifier', `${model}/classifier/kernel:0`, 'classifier.weight'],
    ['pre_classifier', 'pre_classifier/bias:0', 'pre_classifier.bias'],
    ['bert', 'tf_bert_for_sequence_classification/bert/pooler/dense/kernel:0', 'bert.pooler.dense.weight'],
    [
      'transformer',
      'tfxl_net_for_sequence_classification/transformer/word_embedding/weight:0',
      'transformer.word_embedding.weight',
    ],
    [
      'transformer',
      'tfxl_net_for_sequence_classification/transformer/layer_._1/rel_attn/r_w_bias:0',
      'transformer.layer.1.rel_attn.r_w_bias',
    ],
    [
      'transformer',
      'tfxl_net_for_sequence_classification/transformer/layer_._1/ff/layer_1/kernel:0',
      'transformer.layer.1.ff.layer_1.weight',
    ],
    [
      'sequence_summary',
      'tfxl_net_for_sequence_classification/sequence_summary/summary/kernel:0',
      'sequence_summary.summary.weight',
    ],
    ['dense', 'some_model/other/kernel:0', 'other.weight'],
    ['dense', 'kernel', 'weight'],
  ])('in the layer %s calls %s %s', (layer, weight, name) => {
    expect(torchWeight(layer, weight, [2, 3])).toMatchObject({ name, isTransposed: weight.includes('kernel') });
  });

  it('turns matrices and joins heads', () => {
    const self = 'm/bert/encoder/layer_._0/attention/self/query';
    expect(torchWeight('bert', `${self}/kernel:0`, [12, 3, 4]).shape).toEqual([12, 12]);
    expect(torchWeight('bert', `${self}/kernel:0`, [10, 3, 4]).shape).toEqual([12, 10]);
    expect(torchWeight('bert', `${self}/bias:0`, [3, 4]).shape).toEqual([12]);
    expect(torchWeight('bert', 'm/bert/encoder/layer_._0/attention/output/dense/kernel:0', [3, 4, 10]).shape).toEqual([
      10, 12,
    ]);
    expect(torchWeight('bert', 'm/bert/pooler/dense/kernel:0', [2, 3]).shape).toEqual([3, 2]);
    expect(torchWeight('transformer', 'm/transformer/layer_._0/rel_attn/q:0', [12, 3, 4])).toEqual({
      name: 'transformer.layer.0.rel_attn.q',
      shape: [12, 3, 4],
      isTransposed: false,
    });
    expect(torchWeight('deberta', 'm/deberta/encoder/conv/conv/kernel:0', [3, 4, 5])).toEqual({
      name: 'deberta.encoder.conv.conv.weight',
      shape: [5, 4, 3],
      isTransposed: true,
    });
  });
});
