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

describe('GPT-2', () => {
  it('is the same model under the usual names of its sizes', () => {
    const [n_embd, n_head, n_layer, n_positions] = [null, null, null, null];
    const names = { hidden_size: 48, num_attention_heads: 4, num_hidden_layers: 3, max_position_embeddings: 512 };
    expect(facts('gpt2', { n_embd, n_head, n_layer, n_positions, ...names })).toEqual(facts('gpt2'));
  });

  it('may hold the causal masks of old checkpoints and the head of a language model', () => {
    const gpt2 = family('gpt2');
    const names = ['attn.bias', 'attn.masked_bias'].map((name) => `transformer.h.1.${name}`);
    const more = Object.fromEntries([...names, 'lm_head.weight'].map((name) => [name, [1, 1, 512, 512]]));
    expect(describeModel(gpt2, {}, { ...gpt2.tensors, ...more }).tensors).toHaveLength(
      describeModel(gpt2, {}).tensors.length,
    );
  });

  it('is found without the prefix of its class', () => {
    const { tensors, ...gpt2 } = family('gpt2');
    const bare = Object.fromEntries(
      Object.entries(tensors).map(([name, shape]) => [name.replace(/^transformer\./, ''), shape]),
    );
    expect(describeModel({ ...gpt2, tensors: bare }, {}).hyperparameters).toEqual(facts('gpt2'));
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
