// A file whose layers are not all alike is refused: what is missing from one of them would be left out in silence.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, convert } from 'ggml-encoder';

import { causalModels, writeCausal } from './golden/causal-checkpoints';
import { families, ownTokenizer, writeFamily } from './golden/family-checkpoints';
import { publishedModels, writePublished } from './golden/published-checkpoints';
import { type GgufParts, buildGguf, entry, parseGguf, relayout, text } from './hostile/gguf-bytes';
import { temporaryFolder } from './unit/convert/temp-folder';

type Change = (parts: GgufParts) => void;

function remove(...names: string[]): Change {
  return (parts) => {
    parts.tensors = parts.tensors.filter(({ name }) => !names.includes(name.toString()));
  };
}

function copy(from: string, to: string): Change {
  return (parts) => {
    const tensor = parts.tensors.find(({ name }) => name.toString() === from)!;
    parts.tensors.push({ ...tensor, name: Buffer.from(to) });
  };
}

/** The code of loading a sound file with a change. */
async function codeOf(source: string, change: Change): Promise<string> {
  const path = join(temporaryFolder(), 'model.gguf');
  await convert(source, { output: path, type: 'f32' });
  const parts = parseGguf(readFileSync(path));
  const before = parts.tensors.length;
  change(parts);
  expect(parts.tensors.length).not.toBe(before);
  writeFileSync(path, buildGguf(relayout(parts)));
  return Classifier.load(path, { onWarning: () => undefined }).then(
    async (model) => model.dispose().then(() => 'loaded'),
    ({ code }: { code: string }) => code,
  );
}

describe('a model with norms of heads', () => {
  it.each([
    ['a bias', 'gguf_malformed', copy('blk.0.attn_q_norm.weight', 'blk.0.attn_q_norm.bias')],
    ['no norm of a query', 'tensor_missing', remove('blk.1.attn_q_norm.weight')],
    ['no norm of any key', 'tensor_missing', remove('blk.0.attn_k_norm.weight', 'blk.1.attn_k_norm.weight')],
    ['none in one layer', 'tensor_missing', remove('blk.1.attn_q_norm.weight', 'blk.1.attn_k_norm.weight')],
    ['none in the first', 'gguf_malformed', remove('blk.0.attn_q_norm.weight', 'blk.0.attn_k_norm.weight')],
    ['no norm of one attention', 'tensor_missing', remove('blk.1.attn_norm.weight')],
  ])('is refused with %s', async (_, code, change) => {
    const model = causalModels.find(({ config }) => config['model_type'] === 'qwen3')!;
    expect(await codeOf(writeCausal(model), change)).toBe(code);
  });
});

describe('a model with linear attention', () => {
  it.each([
    ['no convolution', 'tensor_missing', remove('blk.0.ssm_conv1d.weight')],
    ['no gates', 'tensor_missing', remove('blk.0.ssm_ba.weight')],
    ['no gate of what it gives', 'tensor_missing', remove('blk.1.attn_gate.weight')],
    ['no norm of a key', 'tensor_missing', remove('blk.1.attn_k_norm.weight')],
    ['what such a layer has in one that attends', 'gguf_malformed', copy('blk.0.ssm_a', 'blk.1.ssm_a')],
    ['what attends in such a layer', 'gguf_malformed', copy('blk.1.attn_gate.weight', 'blk.0.attn_gate.weight')],
    ['a bias in one layer', 'gguf_malformed', copy('blk.0.ssm_dt.bias', 'blk.0.ssm_conv1d.bias')],
  ])('is refused with %s', async (_, code, change) => {
    const model = causalModels.find(({ config }) => config['model_type'] === 'qwen3_5_text')!;
    expect(await codeOf(writeCausal(model), change)).toBe(code);
  });
});

describe('a model with short convolutions', () => {
  it.each([
    ['no convolution', 'tensor_missing', remove('blk.1.shortconv.conv.weight')],
    ['no biases in its last layer', 'tensor_missing', remove('blk.1.shortconv.conv.bias')],
    [
      'what such a layer has in one that attends',
      'gguf_malformed',
      copy('blk.1.shortconv.conv.bias', 'blk.0.shortconv.conv.bias'),
    ],
    ['what attends in such a layer', 'gguf_malformed', copy('blk.0.attn_q_norm.weight', 'blk.1.attn_q_norm.weight')],
  ])('is refused with %s', async (_, code, change) => {
    const model = causalModels.find(({ name }) => name === 'lfm2-saved-biases')!;
    expect(await codeOf(writeCausal(model), change)).toBe(code);
  });
});

describe('a model with layer norms of heads', () => {
  it.each([
    ['phi-normalized', 'no bias of a query', 'tensor_missing', 'blk.1.attn_q_norm.bias'],
    ['phi-normalized', 'none in the first layer', 'tensor_missing', 'blk.0.attn_k_norm.bias'],
    ['phi-normalized', 'no norm of a key', 'tensor_missing', 'blk.2.attn_k_norm.weight'],
    ['stablelm-normalized', 'no norm of a query', 'tensor_missing', 'blk.1.attn_q_norm.weight'],
  ])('%s is refused with %s', async (name, _, code, tensor) => {
    const family = families().find((each) => each.name === name)!;
    const source = join(temporaryFolder(), 'checkpoint');
    await writeFamily(family, source, 'safetensors', 'F32', ownTokenizer(family));
    expect(await codeOf(source, remove(tensor))).toBe(code);
  });
});

describe('a model that projects positions by themselves', () => {
  it.each([
    ['the keys of', 'attn_pos_k'],
    ['the queries of', 'attn_pos_q'],
  ])('is refused without %s one layer', async (_, name) => {
    const family = families().find((each) => each.name === 'deberta-own-keys')!;
    const source = join(temporaryFolder(), 'checkpoint');
    await writeFamily(family, source, 'safetensors', 'F32', ownTokenizer(family));
    const change = remove(`blk.1.${name}.weight`, `blk.1.${name}.bias`);
    expect(await codeOf(source, change)).toBe('tensor_missing');
  });
});

describe('a model with scores of distances and segments', () => {
  it.each([
    ['what queries look for positions with', 'tensor_missing', 'blk.1.attn_pos_query.bias'],
    ['that in the first layer', 'gguf_malformed', 'blk.0.attn_pos_query.bias'],
    ['the keys of distances', 'tensor_missing', 'blk.1.attn_pos_k.weight'],
    ['the scores of segments', 'tensor_missing', 'blk.2.attn_segment.weight'],
    ['those in the first layer', 'gguf_malformed', 'blk.0.attn_segment.weight'],
    ['their bias', 'tensor_missing', 'blk.1.attn_segment.bias'],
  ])('is refused without %s', async (_, code, name) => {
    const family = families().find((each) => each.name === 'xlnet')!;
    const source = join(temporaryFolder(), 'checkpoint');
    await writeFamily(family, source, 'safetensors', 'F32', ownTokenizer(family));
    expect(await codeOf(source, remove(name))).toBe(code);
  });
});

describe('a model with biases', () => {
  it.each([
    ['a layer', 'mobilebert', 'blk.0.ffn.1.up.bias'],
    ['the layer after it', 'mobilebert', 'blk.1.attn_qk.bias'],
    ['the norm of a layer', 'rembert', 'blk.2.attn_output_norm.bias'],
    ['a decoder layer', 'bart', 'dec.blk.1.cross_attn_q.bias'],
  ])('is refused where %s lacks one', async (_, name, bias) => {
    const family = families().find((each) => each.name === name)!;
    const source = join(temporaryFolder(), 'checkpoint');
    await writeFamily(family, source, 'safetensors', 'F32', ownTokenizer(family));
    expect(await codeOf(source, remove(bias))).toBe('tensor_missing');
  });

  it('may have none of a kind in any layer', async () => {
    const family = families().find((each) => each.name === 'rembert')!;
    const source = join(temporaryFolder(), 'checkpoint');
    await writeFamily(family, source, 'safetensors', 'F32', ownTokenizer(family));
    const biases = [0, 1, 2].map((layer) => `blk.${layer}.ffn_up.bias`);
    expect(await codeOf(source, remove(...biases))).toBe('loaded');
  });
});

describe('a head whose rows make one score', () => {
  const KEY = 'ggml_encoder.head.score';

  it.each([
    ['mxbai-rerank-base-v2', 'rows', 'loaded'],
    ['mxbai-rerank-base-v2', 'difference', 'gguf_malformed'],
    ['mxbai-rerank-base-v2', 'expectation', 'gguf_malformed'],
    ['lb-reranker-0.5B-v1.0', 'expectation', 'loaded'],
    ['lb-reranker-0.5B-v1.0', 'difference', 'gguf_malformed'],
    ['lb-reranker-0.5B-v1.0', 'median', 'architecture_unsupported'],
  ])('%s: %s', async (name, score, code) => {
    const path = join(temporaryFolder(), 'model.gguf');
    await convert(writePublished(publishedModels.find((model) => model.name === name)!), { output: path });
    const parts = parseGguf(readFileSync(path));
    const others = parts.entries.filter(({ key }) => key.toString() !== KEY);
    parts.entries = [...others, entry(KEY, 8, text(score))];
    writeFileSync(path, buildGguf(relayout(parts)));
    const result = await CrossEncoder.load(path, { onWarning: () => undefined }).then(
      async (model) => model.dispose().then(() => 'loaded'),
      ({ code: found }: { code: string }) => found,
    );
    expect(result).toBe(code);
  });
});
