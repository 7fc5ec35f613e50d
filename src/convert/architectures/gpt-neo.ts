/**
 * GPTNeoForSequenceClassification: causal attention over learned positions, in every other layer within a window, with scores
 * that are not scaled; layer norms before each part; logits = score(ln_f(h[last token that is no pad])).
 */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import {
  MAX_HEADS,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_POSITIONS,
  MAX_VOCAB_SIZE,
} from '../limits';
import type { Architecture, EncoderHyperparameters } from './architecture';
import { slidingWindow } from './layer-types';
import { checkHeads, readActivation } from './mechanisms';
import { type PlainDecoderNames, plainDecoder } from './plain-decoder';
import { withWordSegments } from './word-segments';

/** Kinds of layers, and how often they are repeated. */
const DEFAULT_TYPES = [[['global', 'local'], 12]];

const NAMES: PlainDecoderNames = {
  decoder: 'transformer',
  tokenEmbedding: 'wte',
  positionEmbedding: 'wpe',
  layers: 'h',
  norms: ['ln_1', 'ln_2'],
  qkv: ['attn.attention.q_proj', 'attn.attention.k_proj', 'attn.attention.v_proj'],
  output: 'attn.attention.out_proj',
  up: 'mlp.c_fc',
  down: 'mlp.c_proj',
  lastNorm: 'ln_f',
  // The causal masks that old checkpoints hold, and what language models have beside the classifier.
  ignored: /(^|\.)attn\.attention\.(masked_)?bias$|(^|\.)lm_head\.weight$/,
};

export const gptNeo: Architecture = {
  ...plainDecoder('GPTNeoForSequenceClassification', 'gpt_neo', 'gptneo', (config) => ({
    hyperparameters: readHyperparameters(config),
    names: NAMES,
    biases: { qkv: false, output: true, mlp: true },
  })),
  withSegments: withWordSegments,
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const numLayers = config.integer(['num_layers', 'num_hidden_layers'], 24, 1, MAX_LAYERS);
  const hiddenSize = config.integer('hidden_size', 2048, 1, MAX_HIDDEN_SIZE);
  const numHeads = config.integer(['num_heads', 'num_attention_heads'], 16, 1, MAX_HEADS);
  checkHeads(config, { hiddenSize, numHeads });
  return {
    numLayers,
    hiddenSize,
    numHeads,
    intermediateSize: config.integer('intermediate_size', 4 * hiddenSize, 1, MAX_INTERMEDIATE_SIZE),
    numPositions: config.integer('max_position_embeddings', 2048, 1, MAX_POSITIONS),
    vocabSize: config.integer('vocab_size', 50_257, 1, MAX_VOCAB_SIZE),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 0, 1),
    normPlacement: 'pre',
    hiddenActivation: readActivation(config, 'activation_function', 'gelu_new'),
    isCausal: true,
    attentionScale: 1,
    slidingWindow: slidingWindow(config.integer('window_size', 256, 1, MAX_POSITIONS), localLayers(config, numLayers)),
  };
}

/** Of the list of all layers where the file has it, else of the short form. */
function localLayers(config: ConfigReader, numLayers: number): number[] {
  const kinds =
    config.get('attention_layers') ?? expand(config, config.get('attention_types') ?? DEFAULT_TYPES, numLayers);
  if (!Array.isArray(kinds) || kinds.length !== numLayers) {
    config.malformed(`attention_layers or attention_types name other than the ${numLayers} layers`);
  }
  const unknown = kinds.find((kind) => kind !== 'global' && kind !== 'local');
  if (unknown !== undefined) {
    config.unsupported(`a layer has the attention ${shown(unknown)}; supported are global and local`);
  }
  return kinds.flatMap((kind, layer) => (kind === 'local' ? [layer] : []));
}

/** No further than shows that there are more than `numLayers`. */
function expand(config: ConfigReader, types: unknown, numLayers: number): unknown[] {
  if (!Array.isArray(types)) config.malformed('attention_types is no list');
  const expanded: unknown[] = [];
  for (const item of types as unknown[]) {
    const [kinds, count] = Array.isArray(item) ? (item as unknown[]) : [];
    if (!Array.isArray(kinds) || !Number.isInteger(count) || Number(count) < 0) {
      config.malformed('attention_types is no list of lists of kinds, each with a number');
    }
    const layers = (kinds as unknown[]).slice(0, numLayers + 1);
    const times = layers.length === 0 ? 0 : Number(count);
    for (let i = 0; i < times && expanded.length <= numLayers; i++) expanded.push(...layers);
  }
  return expanded;
}
