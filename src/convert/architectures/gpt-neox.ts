/**
 * GPTNeoXForSequenceClassification (Pythia and its kin): attention and feed-forward part read the same states, or one
 * after the other; part of each head turns; logits = score(final_layer_norm(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import type { EncoderHyperparameters, RotaryEmbedding } from './architecture';
import { readActivation, readSharedHeadSize, readSizes } from './mechanisms';
import { type PlainDecoderNames, plainDecoder } from './plain-decoder';
import { rotaryParameters, rotation } from './rotary';

const DEFAULTS = {
  numLayers: 44,
  hiddenSize: 6144,
  numHeads: 64,
  intermediateSize: 24_576,
  numPositions: 2048,
  vocabSize: 50_432,
};

const NAMES: PlainDecoderNames = {
  decoder: 'gpt_neox',
  tokenEmbedding: 'embed_in',
  layers: 'layers',
  norms: ['input_layernorm', 'post_attention_layernorm'],
  qkv: 'attention.query_key_value',
  output: 'attention.dense',
  up: 'mlp.dense_h_to_4h',
  down: 'mlp.dense_4h_to_h',
  lastNorm: 'final_layer_norm',
  // Causal masks and frequencies of old checkpoints, and what language models have beside the classifier.
  ignored: /(^|\.)attention\.((masked_)?bias|rotary_emb\.inv_freq)$|(^|\.)embed_out\.weight$/,
};

export const gptNeox = plainDecoder('GPTNeoXForSequenceClassification', 'gpt_neox', 'gptneox', (config) => {
  const hyperparameters = readHyperparameters(config);
  const attention = config.boolean('attention_bias', true);
  return { hyperparameters, names: NAMES, biases: { qkv: attention, output: attention, mlp: true } };
});

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const sizes = readSizes(config, DEFAULTS);
  const headSize = readSharedHeadSize(config, sizes);
  return {
    ...sizes,
    numTokenTypes: 0,
    normEps: config.number('layer_norm_eps', 1e-5, 0, 1),
    normPlacement: config.boolean('use_parallel_residual', true) ? 'parallel' : 'pre',
    hiddenActivation: readActivation(config, 'hidden_act'),
    isCausal: true,
    positionKind: 'rope',
    rope: readRotary(config, headSize),
  };
}

/** `rope_parameters`, or the class's own names for the share of a head that turns and for theta. */
function readRotary(config: ConfigReader, headSize: number): RotaryEmbedding {
  const parameters = {
    partial_rotary_factor: config.number('rotary_pct', 0.25, 0.01, 1),
    ...rotaryParameters(config),
  };
  const theta = config.number('rotary_emb_base', 10_000, 1, 1e9);
  return rotation(config, parameters, headSize, theta);
}
