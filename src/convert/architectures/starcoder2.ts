/**
 * Starcoder2ForSequenceClassification: causal attention with shared key heads and rotary positions, layer norms before each
 * part, a feed-forward part without a gate; logits = score(norm(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import type { EncoderHyperparameters } from './architecture';
import { allLayersWindow } from './layer-types';
import { readActivation, readHeadSize, readKeyValueHeads, readSizes } from './mechanisms';
import { type PlainDecoderNames, plainDecoder, sameBiases } from './plain-decoder';
import { readWholeRotary } from './rotary';

const DEFAULTS = {
  numLayers: 30,
  hiddenSize: 3072,
  numHeads: 24,
  intermediateSize: 12_288,
  numPositions: 4096,
  vocabSize: 49_152,
};

const NAMES: PlainDecoderNames = {
  decoder: 'model',
  tokenEmbedding: 'embed_tokens',
  layers: 'layers',
  norms: ['input_layernorm', 'post_attention_layernorm'],
  qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  output: 'self_attn.o_proj',
  up: 'mlp.c_fc',
  down: 'mlp.c_proj',
  lastNorm: 'norm',
  // Frequencies of old checkpoints, and what language models have beside the classifier.
  ignored: /(^|\.)rotary_emb\.inv_freq$|(^|\.)lm_head\.weight$/,
};

export const starcoder2 = plainDecoder('Starcoder2ForSequenceClassification', 'starcoder2', 'starcoder2', (config) => ({
  hyperparameters: readHyperparameters(config),
  names: NAMES,
  biases: sameBiases(config.boolean('use_bias', true)),
}));

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const sizes = readSizes(config, DEFAULTS);
  const headSize = readHeadSize(config, sizes);
  const rope = readWholeRotary(config, headSize, 10_000);
  return {
    ...sizes,
    numKeyValueHeads: readKeyValueHeads(config, sizes.numHeads, 2),
    headSize,
    numTokenTypes: 0,
    normEps: config.number('norm_epsilon', 1e-5, 0, 1),
    normPlacement: 'pre',
    hiddenActivation: readActivation(config, 'hidden_act', 'gelu_pytorch_tanh'),
    isCausal: true,
    positionKind: 'rope',
    rope,
    // Whatever layer_types says.
    slidingWindow: allLayersWindow(config, sizes.numLayers),
  };
}
