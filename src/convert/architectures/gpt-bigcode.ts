/**
 * GPTBigCodeForSequenceClassification (SantaCoder, StarCoder): a GPT-2 whose heads share keys and values, unless
 * `multi_query` is false; logits = score(ln_f(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import type { Architecture, EncoderHyperparameters } from './architecture';
import { readActivation, readGptSizes, refusePruned } from './mechanisms';
import { type PlainDecoderNames, plainDecoder, sameBiases } from './plain-decoder';
import { withWordSegments } from './word-segments';

const DEFAULTS = { numLayers: 12, hiddenSize: 768, numHeads: 12, numPositions: 1024, vocabSize: 50_257 };

const NAMES: PlainDecoderNames = {
  decoder: 'transformer',
  tokenEmbedding: 'wte',
  positionEmbedding: 'wpe',
  layers: 'h',
  norms: ['ln_1', 'ln_2'],
  // All queries, the keys, the values; or those of each head.
  qkv: 'attn.c_attn',
  output: 'attn.c_proj',
  up: 'mlp.c_fc',
  down: 'mlp.c_proj',
  lastNorm: 'ln_f',
  // The causal mask that old checkpoints hold, and what language models have beside the classifier.
  ignored: /^(transformer\.)?bias$|(^|\.)lm_head\.weight$/,
};

export const gptBigCode: Architecture = {
  ...plainDecoder('GPTBigCodeForSequenceClassification', 'gpt_bigcode', 'starcoder', (config) => ({
    hyperparameters: readHyperparameters(config),
    names: NAMES,
    biases: sameBiases(true),
  })),
  withSegments: withWordSegments,
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  if (config.boolean('add_cross_attention', false)) {
    config.unsupported('add_cross_attention is true; only models without an encoder are supported');
  }
  refusePruned(config);
  return {
    ...readGptSizes(config, DEFAULTS),
    ...(config.boolean('multi_query', true) ? { numKeyValueHeads: 1 } : {}),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 0, 1),
    normPlacement: 'pre',
    hiddenActivation: readActivation(config, 'activation_function', 'gelu_pytorch_tanh'),
    isCausal: true,
    ...(config.boolean('scale_attn_weights', true) ? {} : { attentionScale: 1 }),
  };
}
