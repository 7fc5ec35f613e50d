/** Decoders' configurations in the spelling of transformers 4, and what their classes make of it; no file is written. */
import { describe, expect, it } from 'vitest';

import { describeModel, family } from './describe-family';

const describeNamed = (name: string, changes: object) => describeModel(family(name), changes);
const facts = (name: string, changes: object = {}) => describeNamed(name, changes).hyperparameters;

describe('Gemma 3', () => {
  const gemma3 = { layer_types: null, rope_parameters: null, sliding_window_pattern: 2 };

  it('is the same model with a theta for each kind of layer and a pattern of windows', () => {
    const old = {
      ...gemma3,
      rope_theta: 1000,
      rope_local_base_freq: 100,
      rope_scaling: { rope_type: 'linear', factor: 4 },
    };
    expect(facts('gemma3', old)).toEqual(facts('gemma3'));
  });

  it('turns by the defaults of its class, and has no second frequencies where no layer has a window', () => {
    const rope = facts('gemma3', gemma3).rope!;
    expect(rope.inverseFrequencies[1]).toBeCloseTo(1e6 ** (-2 / 24), 6);
    expect(rope.localInverseFrequencies![1]).toBeCloseTo(1e4 ** (-2 / 24), 6);
    const full = facts('gemma3', { ...gemma3, sliding_window_pattern: 1, sliding_window: null });
    expect(full.slidingWindow).toBeUndefined();
    expect(full.rope).not.toHaveProperty('localInverseFrequencies');
  });
});

describe('Gemma', () => {
  it.each([{ hidden_act: 'gelu' }, { hidden_act: 'gelu', hidden_activation: 'gelu_pytorch_tanh' }])(
    'means the tanh form with %j',
    (changes) => {
      expect(facts('gemma', changes)).toEqual(facts('gemma'));
    },
  );

  it('passes over the padding token of its class unless the configuration says that there is none', () => {
    expect(describeNamed('gemma', { pad_token_id: undefined }).head.padTokenId).toBe(0);
    expect(describeNamed('gemma', { pad_token_id: null }).head).not.toHaveProperty('padTokenId');
  });
});
