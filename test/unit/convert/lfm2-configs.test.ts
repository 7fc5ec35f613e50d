/** What LFM2's configuration means, on the shapes of the small rerankers; no file is written. */
import { describe, expect, it } from 'vitest';

import { findArchitecture, findBody } from '../../../src/convert/architectures';
import { ConfigReader } from '../../../src/convert/config';
import { EncoderError } from '../../../src/errors';
import type { JsonObject } from '../../../src/support/json';
import { causalModel } from '../../golden/causal-checkpoints';
import { indexOf } from './describe-family';

const SCORE = { positive: 1, negative: 2 };

function describeLfm2(changes: object, name = 'lfm2-texts', tensors = causalModel(name).tensors) {
  const reader = new ConfigReader({ ...causalModel(name).config, ...changes } as JsonObject, 'config.json');
  return findArchitecture(reader).describe(reader, indexOf(tensors), SCORE);
}

const facts = (changes: object = {}) => describeLfm2(changes).hyperparameters;

function codeOf(changes: object): readonly [string, string] {
  try {
    describeLfm2(changes);
  } catch (error) {
    if (error instanceof EncoderError) return [error.code, error.message];
    throw error;
  }
  return ['accepted', ''];
}

describe('LFM2', () => {
  it('convolves in the layers that layer_types names, or that full_attn_idxs leaves out', () => {
    const expected = { layers: [0, 2], width: 3, hasBiases: false };
    expect(facts().shortConvolution).toEqual(expected);
    expect(facts({ layer_types: null, full_attn_idxs: [1] }).shortConvolution).toEqual(expected);
    expect(facts({ full_attn_idxs: [0] }).shortConvolution).toEqual(expected);
    expect(() => facts({ layer_types: null })).toThrow('layers.0.self_attn');
  });

  it('takes the older names of the first configurations before the others', () => {
    const older = { block_ff_dim: 64, intermediate_size: 1000, rope_theta: 1e6, rope_parameters: null };
    expect(facts({ ...older, theta: 5, num_heads: 3 })).toEqual(facts());
    const { config, tensors } = causalModel('lfm2-saved-biases');
    expect(config['tie_word_embeddings']).toBe(false);
    const tied = Object.fromEntries(Object.entries(tensors).filter(([tensor]) => tensor !== 'lm_head.weight'));
    expect(() => describeLfm2({}, 'lfm2-saved-biases', tied)).toThrow('lm_head');
    expect(describeLfm2({ tie_embedding: true }, 'lfm2-saved-biases', tied).numLabels).toBe(1);
  });

  it('adjusts the size of the feed-forward part as the class does', () => {
    expect(facts().intermediateSize).toBe(48);
    expect(facts({ block_auto_adjust_ff_dim: false, intermediate_size: 48 }).intermediateSize).toBe(48);
    expect(facts({ intermediate_size: 24, block_ffn_dim_multiplier: 2.3 }).intermediateSize).toBe(48);
    expect(facts({ intermediate_size: 72, block_multiple_of: 16 }).intermediateSize).toBe(48);
  });

  it('turns with a theta of a million, and knows no epsilon but its own', () => {
    const rope = facts({ rope_parameters: null }).rope!;
    expect(rope.inverseFrequencies[1]).toBeCloseTo(1e6 ** (-2 / 12), 6);
    expect(facts({ norm_eps: 1e-3, rms_norm_eps: 1e-2 }).normEps).toBe(1e-3);
    expect(facts({ hidden_act: 'gelu', attention_bias: true })).toEqual(facts());
  });

  it('has a body for heads of modules, and no classifier', () => {
    const { config, tensors } = causalModel('lfm2-texts');
    const reader = new ConfigReader(config as JsonObject, 'config.json');
    expect(findBody(reader).describeBody(reader, indexOf(tensors)).hyperparameters).toEqual(facts());
  });

  it.each([
    [{ layer_types: ['conv', 'full_attention'] }, 'checkpoint_malformed', 'layer_types'],
    [{ layer_types: ['conv', 'sliding_attention', 'conv'] }, 'architecture_unsupported', 'sliding_attention'],
    [{ layer_types: null, full_attn_idxs: 1 }, 'checkpoint_malformed', 'full_attn_idxs'],
    [{ conv_L_cache: 17 }, 'checkpoint_malformed', 'conv_L_cache'],
    [{ conv_L_cache: 4 }, 'tensor_shape_mismatch', 'conv.conv.weight'],
    [{ conv_bias: true }, 'tensor_missing', 'in_proj.bias'],
    [{ block_multiple_of: 0 }, 'checkpoint_malformed', 'block_multiple_of'],
    [{ block_ffn_dim_multiplier: 0.01 }, 'architecture_unsupported', '0 wide'],
    [{ block_ffn_dim_multiplier: 2 }, 'tensor_shape_mismatch', 'feed_forward.w1'],
    [{ partial_rotary_factor: 0.5 }, 'architecture_unsupported', 'partial_rotary_factor'],
    [{ num_key_value_heads: 3 }, 'checkpoint_malformed', 'key-value heads'],
    [{ architectures: ['Lfm2MoeForCausalLM'] }, 'architecture_unsupported', 'Lfm2MoeForCausalLM'],
    [{ architectures: ['Lfm2VlForConditionalGeneration'] }, 'architecture_unsupported', 'Lfm2VlFor'],
    [{ architectures: ['Lfm2ForSequenceClassification'] }, 'architecture_unsupported', 'Lfm2ForSequence'],
  ])('with %j is refused: %s', (changes, code, named) => {
    const [found, message] = codeOf(changes);
    expect(found).toBe(code);
    expect(message).toContain(named);
  });
});

describe("LFM2.5's encoders", () => {
  const { config, tensors } = causalModel('lfm2-texts');
  const own = { AutoModel: 'modeling_lfm2_bidirectional.Lfm2BidirectionalModel' };
  const named = { model_type: 'lfm2_bidirectional', architectures: ['Lfm2BidirectionalModel'] };

  function body(changes: object) {
    const reader = new ConfigReader({ ...config, ...changes } as JsonObject, 'config.json');
    return findBody(reader).describeBody(reader, indexOf(tensors)).hyperparameters;
  }

  it('see all tokens, also where the repository has code of its own for what calls itself LFM2', () => {
    expect(body(named).isCausal).toBe(false);
    expect(body({ auto_map: own, architectures: null }).isCausal).toBe(false);
    expect(body({ architectures: ['Lfm2BidirectionalModel'] }).isCausal).toBe(false);
    expect(body({ auto_map: { AutoModel: 'modeling_other.OtherModel' } }).isCausal).toBe(true);
    expect(body({}).isCausal).toBe(true);
  });

  it('convolve over tokens that attention does not see as conv_zero_padding says, and own code as it does', () => {
    const reads = (changes: object) => body(changes).shortConvolution!.readsUnseen;
    expect(reads(named)).toBe(false);
    expect(reads({ ...named, conv_zero_padding: false })).toBe(true);
    expect(reads({ auto_map: own })).toBe(true);
    expect(reads({ auto_map: own, conv_zero_padding: true })).toBe(false);
    expect(() => reads({ ...named, conv_zero_padding: 0 })).toThrow('conv_zero_padding');
  });

  it('are refused with the heads that give each token an answer', () => {
    for (const name of ['Lfm2BidirectionalForMaskedLM', 'Lfm2BidirectionalForTokenClassification']) {
      const reader = new ConfigReader({ ...config, ...named, architectures: [name] } as JsonObject, 'config.json');
      expect(() => findArchitecture(reader)).toThrow(name);
    }
  });
});
