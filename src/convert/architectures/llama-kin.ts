/** Families that are a Llama but for one or two mechanisms each: in heads, norms, biases, or what turns. */
import type { ConfigReader } from '../config';
import type { RotaryEmbedding, SlidingWindow } from './architecture';
import {
  type Biases,
  type DecoderFamily,
  type TextLimit,
  allBiases,
  attentionBiases,
  noBiases,
  sizes,
} from './decoder-family';
import { allLayersWindow, optionalWindow, readWindow, slidingLayers } from './layer-types';
import { readActivation } from './mechanisms';
import { readRotaryNumber, reciprocals } from './rope-scaling';
import {
  readPartialRotary,
  readWholeRotary,
  requireUnscaled,
  requireWholeHeads,
  rotaryParameters,
  rotaryPeriods,
  rotation,
} from './rotary';

/** `attention_bias` of queries, keys and values, and none behind attention. */
function queryBiases(config: ConfigReader): Biases {
  return { qkv: config.boolean('attention_bias', true), output: false, mlp: false };
}

function relu2(config: ConfigReader): string {
  return readActivation(config, 'hidden_act', 'relu2');
}

/** Half of each head turns by default. */
function halfRotary(config: ConfigReader, headSize: number): RotaryEmbedding {
  return readPartialRotary(config, headSize, 0.5);
}

/** HunYuan: with the type "dynamic" `alpha` makes another base, for texts of all lengths. */
function hunyuanRotary(config: ConfigReader, headSize: number): RotaryEmbedding {
  const parameters = rotaryParameters(config);
  const theta = config.number('rope_theta', 10_000, 1, 1e9);
  const isDynamic = (parameters['rope_type'] ?? parameters['type']) === 'dynamic';
  if (!isDynamic || !parameters['alpha']) {
    const rope = rotation(config, parameters, headSize, theta);
    requireWholeHeads(config, rope, headSize);
    return rope;
  }
  const alpha = readRotaryNumber(config, parameters, 'alpha', undefined, 1e-3, 1e6);
  const base = readRotaryNumber(config, parameters, 'rope_theta', theta, 1, 1e9) * alpha ** (headSize / (headSize - 2));
  return { inverseFrequencies: reciprocals(rotaryPeriods(base, headSize)), attentionFactor: 1 };
}

/** What Ministral 3 has where the configuration says nothing. */
const MINISTRAL3_ROTARY = {
  rope_type: 'yarn',
  rope_theta: 1e6,
  factor: 16,
  original_max_position_embeddings: 16_384,
  beta_fast: 32,
  beta_slow: 1,
  mscale_all_dim: 1,
  mscale: 1,
  llama_4_scaling_beta: 0.1,
};

function ministral3Parameters(config: ConfigReader) {
  const isUnset = config.object('rope_parameters') === undefined && config.object('rope_scaling') === undefined;
  return isUnset ? MINISTRAL3_ROTARY : rotaryParameters(config);
}

function ministral3Rotary(config: ConfigReader, headSize: number): RotaryEmbedding {
  const theta = config.number('rope_theta', 10_000, 1, 1e9);
  const rope = rotation(config, ministral3Parameters(config), headSize, theta);
  requireWholeHeads(config, rope, headSize);
  return rope;
}

/** Queries beyond the length of the first training's texts grow with their position, those up to there do not. */
function ministral3Limit(config: ConfigReader, numPositions: number): TextLimit | undefined {
  const parameters = ministral3Parameters(config);
  const beta = readRotaryNumber(config, parameters, 'llama_4_scaling_beta', undefined, 0, 1e3);
  const key = 'original_max_position_embeddings';
  const original = config.get(key) === undefined ? parameters : config.json;
  const maxTokens = Math.floor(readRotaryNumber(config, original, key, numPositions, 1, 2 ** 31));
  if (beta === 0 || maxTokens >= numPositions) return undefined;
  const limit =
    `texts are cut at ${maxTokens} tokens: from there on transformers scales queries by their position ` +
    `(llama_4_scaling_beta), which is not supported; it reads up to ${numPositions}`;
  return { maxTokens, assumptions: [limit] };
}

/** Exaone 4: in the layers that `layer_types` names, else in all but each `sliding_window_pattern`-th. */
function exaone4Window(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  const window = readWindow(config, 'sliding_window', 4096);
  const layers = slidingLayers(config, numLayers, (layer) => {
    if (window === undefined) config.malformed('neither sliding_window nor layer_types is set');
    return (layer + 1) % config.integer('sliding_window_pattern', 4, 1, 2 ** 31) !== 0;
  });
  return optionalWindow(config, window, layers);
}

/** Where there is a window, layers without it do not rotate: a frequency of 0 turns nothing. */
function exaone4Rotary(config: ConfigReader, headSize: number, window: SlidingWindow | undefined): RotaryEmbedding {
  const rope = readWholeRotary(config, headSize, 10_000);
  if (readWindow(config, 'sliding_window', 4096) === undefined) return rope;
  requireUnscaled(config, rope, 'sliding_window');
  return {
    inverseFrequencies: new Float32Array(headSize / 2),
    ...(window && { localInverseFrequencies: rope.inverseFrequencies }),
    attentionFactor: 1,
  };
}

const GLM = {
  defaults: {
    ...sizes(40, 4096, 32, 13_696, 131_072, 151_552),
    numKeyValueHeads: 2,
    headSize: 128,
    padTokenId: 151_329,
    normEps: 1.5625e-7,
  },
  biases: queryBiases,
  rotary: halfRotary,
  turnsNeighbours: true,
  joins: 'gate',
} as const;

export const llamaKin: readonly DecoderFamily[] = [
  {
    className: 'HunYuanDenseV1',
    modelType: 'hunyuan_v1_dense',
    architecture: 'hunyuan-dense',
    defaults: { ...sizes(32, 4096, 32, 11_008, 2048, 290_943), padTokenId: 0, normEps: 1e-5 },
    biases: attentionBiases,
    rotary: hunyuanRotary,
    normalizesQueries: 'heads',
    names: { 'self_attn.q_norm': 'self_attn.query_layernorm', 'self_attn.k_norm': 'self_attn.key_layernorm' },
    more: () => ({ turnsBeforeNorms: true }),
  },
  {
    className: 'Ministral3',
    modelType: 'ministral3',
    architecture: 'mistral3',
    defaults: {
      ...sizes(34, 4096, 32, 14_336, 262_144, 131_072),
      numKeyValueHeads: 8,
      headSize: 128,
      padTokenId: 11,
      normEps: 1e-5,
    },
    biases: noBiases,
    window: allLayersWindow,
    rotary: ministral3Rotary,
    limit: ministral3Limit,
  },
  {
    className: 'SeedOss',
    modelType: 'seed_oss',
    defaults: {
      ...sizes(64, 4096, 80, 27_648, 524_288, 155_136),
      numKeyValueHeads: 8,
      headSize: 128,
      padTokenId: 1,
    },
    biases: (config) => ({
      qkv: config.boolean('attention_bias', true),
      output: config.boolean('attention_out_bias', false),
      mlp: config.boolean('mlp_bias', false),
    }),
  },
  {
    className: 'Exaone4',
    modelType: 'exaone4',
    defaults: { ...sizes(32, 4096, 32, 16_384, 2048, 102_400), numKeyValueHeads: 32, normEps: 1e-5 },
    biases: noBiases,
    window: exaone4Window,
    rotary: exaone4Rotary,
    normalizesQueries: 'heads',
    normPlacement: 'branch',
  },
  { ...GLM, className: 'Glm', modelType: 'glm', architecture: 'chatglm' },
  {
    ...GLM,
    className: 'Glm4',
    modelType: 'glm4',
    normPlacement: 'sandwich',
    names: {
      post_attention_layernorm: 'post_self_attn_layernorm',
      pre_feedforward_layernorm: 'post_attention_layernorm',
      post_feedforward_layernorm: 'post_mlp_layernorm',
    },
  },
  {
    className: 'Nemotron',
    modelType: 'nemotron',
    defaults: sizes(32, 6144, 48, 24_576, 4096, 256_000),
    biases: allBiases,
    rotary: halfRotary,
    activation: relu2,
    hasNoGate: true,
    normsAddOne: true,
    normTensors: 'weights and biases',
    more: (config) => ({ normKind: 'layer', normEps: config.number('norm_eps', 1e-5, 0, 1) }),
  },
  {
    className: 'Arcee',
    modelType: 'arcee',
    defaults: { ...sizes(32, 2560, 32, 18_432, 4096, 32_000), normEps: 1e-5 },
    biases: allBiases,
    activation: relu2,
    hasNoGate: true,
  },
  {
    className: 'Helium',
    modelType: 'helium',
    defaults: {
      ...sizes(24, 2560, 20, 7040, 4096, 48_000),
      numKeyValueHeads: 20,
      headSize: 128,
      padTokenId: 3,
      normEps: 1e-8,
    },
    biases: (config) => ({ ...allBiases(config), output: false }),
    rotary: (config, headSize) => readWholeRotary(config, headSize, 100_000),
    turnsNeighbours: true,
  },
];
