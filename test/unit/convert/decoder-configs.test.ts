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

  it('takes scaling for layers without a window, if it names the type as transformers 5 does', () => {
    const scaled = (rope_scaling: object) => facts('gemma3', { ...gemma3, rope_scaling });
    expect(scaled({ type: 'default', factor: 4 })).toEqual(facts('gemma3', gemma3));
    expect(scaled({ rope_type: 'linear', factor: 4 })).not.toEqual(facts('gemma3', gemma3));
    expect(() => scaled({ type: 'linear', factor: 4 })).toThrow('name it rope_type');
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

describe('Olmo 3', () => {
  const plain = { rope_parameters: null };

  it('scales the rotation of layers without a window alone', () => {
    const rope_scaling = { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 64 };
    const [scaled, unscaled] = [facts('olmo3', { ...plain, rope_scaling }), facts('olmo3', plain)];
    expect(scaled.rope!.inverseFrequencies).not.toEqual(unscaled.rope!.inverseFrequencies);
    expect(scaled.rope!.localInverseFrequencies).toEqual(unscaled.rope!.localInverseFrequencies);
  });

  it('has its own theta where a window is, whatever rope_theta says', () => {
    const rope = facts('olmo3', { ...plain, rope_theta: 100 }).rope!;
    expect(rope.inverseFrequencies[1]).toBeCloseTo(100 ** (-2 / 12), 6);
    expect(rope.localInverseFrequencies![1]).toBeCloseTo(500_000 ** (-2 / 12), 6);
  });

  it('has a window in three of four layers', () => {
    expect(facts('olmo3', { layer_types: null }).slidingWindow).toEqual({ size: 20, layers: [0, 1, 2] });
    const full = facts('olmo3', { layer_types: Array(4).fill('full_attention'), sliding_window: null });
    expect(full.slidingWindow).toBeUndefined();
    expect(full.rope).not.toHaveProperty('localInverseFrequencies');
  });
});

describe('key-value heads', () => {
  it.each(['mistral', 'qwen2'])('of %s are as many as query heads where they are null', (name) => {
    const { tensors, ...model } = family(name);
    const whole = Object.fromEntries(
      Object.entries(tensors).map(([tensor, shape]) => [
        tensor,
        /[kv]_proj/.test(tensor) ? [48, ...shape.slice(1)] : shape,
      ]),
    );
    const described = describeModel({ ...model, tensors: whole }, { num_key_value_heads: null });
    expect(described.hyperparameters.numKeyValueHeads).toBe(4);
  });
});

describe('Mistral', () => {
  it('may name the layers that have its window', () => {
    const all = ['sliding_attention', 'sliding_attention', 'sliding_attention'];
    expect(facts('mistral', { layer_types: all })).toEqual(facts('mistral'));
    const none = { layer_types: all.map(() => 'full_attention'), sliding_window: null };
    expect(facts('mistral', none).slidingWindow).toBeUndefined();
  });
});

describe('SmolLM 3', () => {
  it('leaves each fourth layer unrotated by default, without a window', () => {
    const { slidingWindow, rope } = facts('smollm3', { no_rope_layers: null, layer_types: null });
    expect(slidingWindow).toBeUndefined();
    expect(rope).not.toHaveProperty('localInverseFrequencies');
    const often = facts('smollm3', { no_rope_layers: null, no_rope_layer_interval: 1, layer_types: null });
    expect(often.slidingWindow).toEqual({ size: 2 ** 20, layers: [0, 1, 2] });
    expect(often.rope!.localInverseFrequencies!.every((frequency) => frequency === 0)).toBe(true);
  });

  it('has no window that is not used', () => {
    const unused = { layer_types: null, sliding_window: 20, use_sliding_window: false };
    expect(facts('smollm3', unused)).toEqual(facts('smollm3'));
  });
});

describe('Phi 3', () => {
  it('has no window unless there is one, and a head as wide as is left of the hidden size', () => {
    expect(facts('phi3').slidingWindow).toBeUndefined();
    expect(facts('phi3', { sliding_window: 7 }).slidingWindow).toEqual({ size: 7, layers: [0, 1, 2] });
    expect(facts('phi3-window').numKeyValueHeads).toBe(4);
    expect(facts('phi3-window').rope!.inverseFrequencies).toHaveLength(3);
  });
});

describe('LongRoPE', () => {
  const config = family('phi3-longrope').config;
  const { partial_rotary_factor, short_factor, long_factor } = config['rope_parameters'] as Record<string, unknown>;
  const scaling = { short_factor, long_factor };

  it.each(['longrope', 'su', 'yarn'])('is what transformers 4 wrote as %s', (type) => {
    const old = { rope_parameters: null, rope_theta: 1e4, partial_rotary_factor, rope_scaling: { type, ...scaling } };
    expect(facts('phi3-longrope', old)).toEqual(facts('phi3-longrope'));
  });

  it('takes the length of short texts from the configuration, else in this class 4096', () => {
    const beyond = (changes: object) => facts('phi3-longrope', changes).rope!.long!.beyond;
    expect(beyond({})).toBe(48);
    expect(beyond({ original_max_position_embeddings: 64 })).toBe(64);
    expect(beyond({ original_max_position_embeddings: null })).toBe(4096);
    const llama = { rope_parameters: { rope_type: 'longrope', ...scaling, partial_rotary_factor: 1 }, head_dim: 12 };
    expect(facts('llama', llama).rope!.long!.beyond).toBe(512);
  });

  it('lets scores grow with how much longer texts may be', () => {
    const factor = (changes: object) => facts('phi3-longrope', changes).rope!.attentionFactor;
    expect(factor({})).toBeCloseTo(Math.sqrt(1 + Math.log(512 / 48) / Math.log(48)), 6);
    expect(factor({ max_position_embeddings: 48 })).toBe(1);
  });
});

describe('YaRN', () => {
  const yarn = (changes: object) => {
    const parameters = family('qwen2-yarn').config['rope_parameters'] as object;
    return facts('qwen2-yarn', { rope_parameters: { ...parameters, ...changes } }).rope!;
  };

  it('is the same model in the spelling of transformers 4', () => {
    const scaling = { type: 'yarn', factor: 4, original_max_position_embeddings: 64 };
    const old = { rope_parameters: null, rope_theta: 1e4, rope_scaling: scaling };
    expect(facts('qwen2-yarn', old)).toEqual(facts('qwen2-yarn'));
  });

  it('is added by a rope_scaling beside rope_parameters, which are then passed over', () => {
    const scaling = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 };
    const both = { rope_theta: 1e4, rope_scaling: scaling, rope_parameters: { rope_type: 'default', rope_theta: 777 } };
    expect(facts('qwen2-yarn', both)).toEqual(facts('qwen2-yarn'));
    expect(facts('qwen2-yarn', { rope_scaling: {} })).toEqual(facts('qwen2-yarn'));
  });

  it('reads 0 and null as unset where transformers does', () => {
    expect(yarn({ beta_fast: 0, beta_slow: null, mscale: 0, mscale_all_dim: 1, truncate: null })).toEqual(yarn({}));
    expect(yarn({ mscale: 1 })).toEqual(yarn({}));
    expect(yarn({}).attentionFactor).toBeCloseTo(1 + 0.1 * Math.log(4), 6);
    expect(yarn({ factor: null })).toEqual(yarn({ factor: 8 }));
  });

  it('takes the first length from the whole configuration before its own', () => {
    const other = facts('qwen2-yarn', { original_max_position_embeddings: 256 }).rope!;
    expect(other).toEqual(yarn({ original_max_position_embeddings: 256 }));
    expect(other).not.toEqual(yarn({}));
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

describe('GPTBigCode, MPT and the first GPT', () => {
  it('share keys and values among all heads, unless each has its own', () => {
    expect(facts('gpt-bigcode').numKeyValueHeads).toBe(1);
    expect(facts('gpt-bigcode-own-keys')).not.toHaveProperty('numKeyValueHeads');
  });

  it('have the slopes of their class, whatever alibi_bias_max says', () => {
    expect(facts('mpt', { attn_config: { alibi_bias_max: 4, alibi: false } })).toEqual(facts('mpt'));
    expect(facts('mpt').biasSlopes).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8]);
    expect(facts('mpt-six-heads').attentionScale).toBe(0.2);
  });

  it('have GELU by the tanh where the first GPT names it gelu, and an inner size of its own', () => {
    expect(facts('openai-gpt', { n_inner: 7 }).intermediateSize).toBe(192);
    expect(facts('openai-gpt').hiddenActivation).toBe('gelu_new');
    expect(facts('openai-gpt', { afn: 'swish' })).toEqual(facts('openai-gpt', { afn: 'silu' }));
  });
});

describe('GPT-Neo', () => {
  const layers = (changes: object) => facts('gpt-neo', changes).slidingWindow?.layers;

  it('has the layers that attention_layers names, else those that attention_types repeats', () => {
    const types = [
      [['global', 'local'], 1],
      [['local'], 1],
    ];
    expect(layers({ attention_layers: ['local', 'global', 'global'], attention_types: types })).toEqual([0]);
    expect(layers({ attention_layers: null, attention_types: types })).toEqual([1, 2]);
    expect(layers({ attention_layers: null, attention_types: [[['global'], 3]] })).toBeUndefined();
  });

  it('may hold the masks of old checkpoints and the head of a language model', () => {
    const neo = family('gpt-neo');
    const names = ['bias', 'masked_bias'].map((name) => `transformer.h.1.attn.attention.${name}`);
    const more = Object.fromEntries([...names, 'lm_head.weight'].map((name) => [name, [4]]));
    const { tensors } = describeModel(neo, {}, { ...neo.tensors, ...more });
    expect(tensors).toHaveLength(describeModel(neo, {}).tensors.length);
  });
});

describe('Phi', () => {
  it('turns half of each head unless it says otherwise', () => {
    const own = { rope_parameters: null, rope_theta: 100 };
    expect(facts('phi', own)).toEqual(facts('phi'));
    expect(facts('phi', { ...own, partial_rotary_factor: 1 })).not.toEqual(facts('phi'));
  });
});

describe('GPT-J', () => {
  it('may hold the masks of old checkpoints and the head of a language model', () => {
    const gptj = family('gptj');
    const names = ['bias', 'masked_bias', 'embed_positions'].map((name) => `transformer.h.1.attn.${name}`);
    const more = Object.fromEntries([...names, 'lm_head.weight', 'lm_head.bias'].map((name) => [name, [4]]));
    const { tensors } = describeModel(gptj, {}, { ...gptj.tensors, ...more });
    expect(tensors).toHaveLength(describeModel(gptj, {}).tensors.length);
  });
});

describe('StableLM', () => {
  it('turns a quarter of each head unless it says otherwise', () => {
    const own = { rope_parameters: null, rope_theta: 100, num_attention_heads: 2, num_key_value_heads: 1 };
    expect(facts('stablelm', own).rope!.inverseFrequencies).toHaveLength(3);
    const half = { rope_parameters: null, rope_theta: 100, partial_rotary_factor: 0.5 };
    expect(facts('stablelm', half)).toEqual(facts('stablelm'));
  });
});

describe('StarCoder 2', () => {
  it('has its window in all layers, whatever layer_types says', () => {
    expect(facts('starcoder2', { layer_types: Array(3).fill('full_attention') })).toEqual(facts('starcoder2'));
    expect(facts('starcoder2', { sliding_window: null }).slidingWindow).toBeUndefined();
  });
});

describe('Falcon', () => {
  it('takes null for false', () => {
    const nulls = { alibi: null, bias: null, new_decoder_architecture: null };
    expect(facts('falcon', nulls)).toEqual(facts('falcon'));
    expect(facts('falcon-serial', { multi_query: null, parallel_attn: null })).toEqual(facts('falcon-serial'));
  });
});

describe('GPT-NeoX', () => {
  it('is the same model with its own names of what turns', () => {
    const own = { rope_parameters: null, rotary_pct: 0.5, rotary_emb_base: 100 };
    expect(facts('gpt-neox', own)).toEqual(facts('gpt-neox'));
  });

  it('may hold the masks and frequencies of old checkpoints and the head of a language model', () => {
    const neox = family('gpt-neox');
    const names = ['bias', 'masked_bias', 'rotary_emb.inv_freq'].map((name) => `gpt_neox.layers.1.attention.${name}`);
    const more = Object.fromEntries([...names, 'embed_out.weight'].map((name) => [name, [4]]));
    const { tensors } = describeModel(neox, {}, { ...neox.tensors, ...more });
    expect(tensors).toHaveLength(describeModel(neox, {}).tensors.length);
  });
});

describe('Gemma 3 with pictures', () => {
  const pictures = family('gemma3-pictures');

  it('is its text model', () => {
    const name = 'Gemma3TextForSequenceClassification';
    const tensors = Object.fromEntries(
      Object.entries(pictures.tensors).map(([from, shape]) => [from.replace('language_model.', ''), shape]),
    );
    const config = { ...(pictures.config['text_config'] as object), architectures: [name] };
    const text = describeModel({ ...pictures, config, tensors }, {});
    expect(facts('gemma3-pictures')).toEqual(text.hyperparameters);
  });

  it('has no place for tensors but those of its vision tower and projector', () => {
    const more = (name: string) => describeModel(pictures, {}, { ...pictures.tensors, [name]: [2, 2] });
    const plain = describeModel(pictures, {}).tensors.length;
    expect(more('model.vision_tower.vision_model.embeddings.patch_embedding.weight').tensors).toHaveLength(plain);
    expect(more('model.multi_modal_projector.mm_input_projection_weight').tensors).toHaveLength(plain);
    expect(() => more('model.audio_tower.weight')).toThrow('audio_tower');
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

describe('Qwen 3.5', () => {
  const plain = { layer_types: null, rope_parameters: null };

  it('attends in each fourth layer, and turns a quarter of its heads, by the defaults of its class', () => {
    expect(facts('qwen3.5', plain).linearAttention!.layers).toEqual([0, 1, 2]);
    expect(() => facts('qwen3.5', { ...plain, full_attention_interval: 2 })).toThrow('layers.1.self_attn');
    const rope = facts('qwen3.5', plain).rope!;
    expect(rope.inverseFrequencies).toHaveLength(3);
    expect(rope.inverseFrequencies[1]).toBeCloseTo(1e4 ** (-2 / 6), 6);
    const half = facts('qwen3.5', { ...plain, partial_rotary_factor: 0.5 }).rope!;
    expect(half.inverseFrequencies).toHaveLength(6);
  });

  it('attends in every layer where all are full', () => {
    const layers = { num_hidden_layers: 1, layer_types: ['full_attention'] };
    const { tensors } = family('qwen3.5');
    const kept = Object.entries(tensors).flatMap(([name, shape]) => {
      if (!name.includes('.layers.')) return [[name, shape]];
      return name.includes('.layers.3.') ? [[name.replace('.layers.3.', '.layers.0.'), shape]] : [];
    });
    const shapes = Object.fromEntries(kept) as typeof tensors;
    const model = describeModel(family('qwen3.5'), layers, shapes);
    expect(model.hyperparameters.linearAttention).toBeUndefined();
    expect(model.tensors.map(({ name }) => name)).toContain('blk.0.attn_gate.weight');
  });

  it('passes over what predicts several tokens and what reads pictures', () => {
    const { tensors } = family('qwen3.5');
    const more = { 'mtp.fc.weight': [4, 4], 'model.visual.patch_embed.proj.weight': [2, 2] };
    const namesOf = (shapes: typeof tensors) =>
      describeModel(family('qwen3.5'), {}, shapes).tensors.map(({ name }) => name);
    expect(namesOf({ ...tensors, ...more })).toEqual(namesOf(tensors));
    expect(() => describeModel(family('qwen3.5'), {}, { ...tensors, 'model.audio.weight': [2] })).toThrow('audio');
  });

  it('with pictures is its text model, under either name of its tensors', () => {
    const pictures = family('qwen3.5-pictures');
    const name = 'Qwen3_5TextForSequenceClassification';
    const config = { ...(pictures.config['text_config'] as object), architectures: [name] };
    const short = Object.fromEntries(
      Object.entries(pictures.tensors).map(([from, shape]) => [from.replace('language_model.', ''), shape]),
    );
    for (const tensors of [short, pictures.tensors]) {
      const text = describeModel({ ...pictures, config, tensors }, {});
      expect(facts('qwen3.5-pictures')).toEqual(text.hyperparameters);
      expect(text.tensors.map(({ shape }) => shape)).toEqual(
        describeModel(pictures, {}).tensors.map(({ shape }) => shape),
      );
    }
  });
});
