/** What the families of llama-kin.ts do otherwise than a Llama, from their configurations; no file is written. */
import { describe, expect, it } from 'vitest';

import { describeModel, family } from './describe-family';

const described = (name: string, changes: object = {}) => describeModel(family(name), changes);
const facts = (name: string, changes: object = {}) => described(name, changes).hyperparameters;

describe('HunYuan', () => {
  const dynamic = { rope_parameters: null, rope_theta: 100 };

  it('turns before its norms', () => {
    expect(facts('hunyuan').turnsBeforeNorms).toBe(true);
    expect(facts('qwen3')).not.toHaveProperty('turnsBeforeNorms');
  });

  it('is the same model in the spelling of transformers 4, and plain without alpha', () => {
    expect(facts('hunyuan', { ...dynamic, rope_scaling: { type: 'dynamic', alpha: 20 } })).toEqual(facts('hunyuan'));
    const plain = facts('hunyuan', { ...dynamic, rope_scaling: { type: 'dynamic', alpha: 0 } }).rope!;
    expect(plain.inverseFrequencies[1]).toBeCloseTo(100 ** (-2 / 16), 6);
    expect(facts('hunyuan').rope!.inverseFrequencies[1]).toBeCloseTo((100 * 20 ** (16 / 14)) ** (-2 / 16), 6);
  });
});

describe('Ministral 3', () => {
  const parameters = family('ministral3').config['rope_parameters'] as object;
  const limited = (changes: object, more: object = {}) =>
    described('ministral3', { rope_parameters: { ...parameters, ...changes }, ...more });

  it('reads texts up to where transformers scales queries by their position', () => {
    const { maxTokens, assumptions } = limited({ original_max_position_embeddings: 100 });
    expect(maxTokens).toBe(100);
    expect(assumptions).toEqual([expect.stringContaining('texts are cut at 100 tokens')]);
    expect(limited({}, { original_max_position_embeddings: 50 }).maxTokens).toBe(50);
  });

  it('reads whole texts where nothing is scaled', () => {
    expect(limited({ original_max_position_embeddings: 100, llama_4_scaling_beta: 0 })).not.toHaveProperty('maxTokens');
    expect(limited({ original_max_position_embeddings: 512 })).not.toHaveProperty('maxTokens');
  });

  it('has the rotation of its class where the configuration has none', () => {
    const { hyperparameters, maxTokens } = described('ministral3', {
      rope_parameters: null,
      max_position_embeddings: 262_144,
    });
    expect(maxTokens).toBe(16_384);
    expect(hyperparameters.rope!.attentionFactor).toBe(1);
    expect(hyperparameters.rope!.inverseFrequencies.at(-1)).toBeCloseTo(1e6 ** (-14 / 16) / 16, 9);
  });
});

describe('Exaone 4', () => {
  it('turns in layers with a window alone', () => {
    const { rope, slidingWindow } = facts('exaone4');
    expect(slidingWindow).toEqual({ size: 20, layers: [0, 1, 3] });
    expect(rope!.inverseFrequencies.every((frequency) => frequency === 0)).toBe(true);
    expect(rope!.localInverseFrequencies![1]).toBeCloseTo(100 ** (-2 / 12), 6);
    const layer_types = Array(4).fill('full_attention');
    expect(facts('exaone4', { layer_types }).rope).not.toHaveProperty('localInverseFrequencies');
  });

  it('has a window in all but each fourth layer by default', () => {
    const plain = { layer_types: null, sliding_window_pattern: null };
    expect(facts('exaone4', plain).slidingWindow).toEqual({ size: 20, layers: [0, 1, 2] });
  });

  it('turns everywhere without a window', () => {
    expect(facts('exaone4-unlimited').slidingWindow).toBeUndefined();
    expect(facts('exaone4-unlimited').rope!.inverseFrequencies[0]).toBe(1);
  });
});

describe('GLM', () => {
  it.each(['glm', 'nemotron'])('and Nemotron turn half of each head by default: %s', (name) => {
    const whole = facts(name, { rope_parameters: { rope_theta: 100, partial_rotary_factor: 1 } }).rope!;
    const half = facts(name, { rope_parameters: null }).rope!;
    expect(half.inverseFrequencies).toHaveLength(whole.inverseFrequencies.length / 2);
  });

  it('puts the columns that turn together apart', () => {
    const qkv = described('glm').tensors.find((tensor) => tensor.name === 'blk.0.attn_qkv.weight')!;
    expect(qkv.rowRanges![0]!.slice(0, 5)).toEqual([0, 2, 4, 6, 1].map((row) => [row, 1]));
    expect(qkv.rowRanges![2]).toEqual([[0, 32]]);
  });
});

describe('sizes of a head', () => {
  it.each(['seed-oss', 'glm'])('of %s are its share of the hidden size where they are null', (name) => {
    const { tensors, ...model } = family(name);
    const narrowed = Object.entries(tensors).map(([tensor, shape]) => {
      const isRows = /[qkv]_proj/.test(tensor);
      const scaled = shape.map((size, axis) =>
        (isRows && axis === 0) || (tensor.includes('o_proj.weight') && axis === 1) ? (size * 12) / 16 : size,
      );
      return [tensor, scaled] as const;
    });
    const whole = { rope_parameters: { rope_theta: 100, partial_rotary_factor: 1 } };
    const { hyperparameters } = describeModel(
      { ...model, tensors: Object.fromEntries(narrowed) },
      { ...whole, head_dim: null },
    );
    expect(hyperparameters.headSize).toBe(12);
  });
});
