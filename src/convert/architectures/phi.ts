/**
 * PhiForSequenceClassification (Phi 1, 1.5 and 2): attention and feed-forward part read the same states through one layer
 * norm; part of each head turns; logits = score(final_layernorm(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import type { EncoderHyperparameters } from './architecture';
import { readActivation, readHeadSize, readKeyValueHeads, readSizes } from './mechanisms';
import { type PlainDecoderNames, plainDecoder, sameBiases } from './plain-decoder';
import { readPartialRotary } from './rotary';
import type { TensorPlanner } from './tensor-planner';

const DEFAULTS = {
  numLayers: 24,
  hiddenSize: 2048,
  numHeads: 32,
  intermediateSize: 8192,
  numPositions: 2048,
  vocabSize: 51_200,
};

const NAMES: PlainDecoderNames = {
  decoder: 'model',
  tokenEmbedding: 'embed_tokens',
  layers: 'layers',
  norms: ['input_layernorm', 'input_layernorm'],
  qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  output: 'self_attn.dense',
  up: 'mlp.fc1',
  down: 'mlp.fc2',
  lastNorm: 'final_layernorm',
  // Frequencies of old checkpoints, and what language models have beside the classifier.
  ignored: /(^|\.)rotary_emb\.inv_freq$|(^|\.)lm_head\.(weight|bias)$/,
};

export const phi = plainDecoder('PhiForSequenceClassification', 'phi', 'phi2', (config) => {
  const hyperparameters = readHyperparameters(config);
  const normalizes = config.boolean('qk_layernorm', false);
  const queryNorms = (planner: TensorPlanner, block: string, layer: string) => {
    for (const part of ['q', 'k']) {
      planner.norm(`${block}attn_${part}_norm`, hyperparameters.headSize!, `${layer}self_attn.${part}_layernorm`);
    }
  };
  return { hyperparameters, names: NAMES, biases: sameBiases(true), queryNorms: normalizes ? queryNorms : undefined };
});

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const sizes = readSizes(config, DEFAULTS);
  const headSize = readHeadSize(config, sizes);
  return {
    ...sizes,
    numKeyValueHeads: readKeyValueHeads(config, sizes.numHeads),
    headSize,
    numTokenTypes: 0,
    normEps: config.number('layer_norm_eps', 1e-5, 0, 1),
    normPlacement: 'parallel',
    hiddenActivation: readActivation(config, 'hidden_act', 'gelu_new'),
    isCausal: true,
    positionKind: 'rope',
    rope: readPartialRotary(config, headSize, 0.5),
  };
}
