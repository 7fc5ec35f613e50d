/** The families of decoders: what each does differently from a Llama, from which `decoder.ts` makes models. */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { MAX_POSITIONS } from '../limits';
import type { EncoderHead, EncoderHyperparameters, RotaryEmbedding, SlidingWindow } from './architecture';
import { type DecoderFamily, allBiases, attentionBiases, noBiases, sizes } from './decoder-family';
import { gemmaFamilies } from './gemma';
import { lfm2Families } from './lfm2';
import { llamaKin } from './llama-kin';
import { allLayersWindow, layerIndices, optionalWindow, readWindow, slidingLayers, slidingWindow } from './layer-types';
import { olmoFamilies } from './olmo';
import { qwen35Families } from './qwen3-5';
import { readWholeRotary, requireUnscaled, rotaryParameters, rotation } from './rotary';

/** Ministral: over the layers that `layer_types` names, all by default; none when it is null. */
function ministralWindow(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  const window = readWindow(config, 'sliding_window', 4096);
  if (window === undefined) return undefined;
  const layers = slidingLayers(config, numLayers, () => true);
  return slidingWindow(window, layers);
}

/** Mistral: likewise, but over all layers or none, since transformers passes over `layer_types` in this class. */
function mistralWindow(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  const window = readWindow(config, 'sliding_window', 4096);
  const layers = slidingLayers(config, numLayers, () => window !== undefined);
  if (layers.length !== (window === undefined ? 0 : numLayers)) {
    config.unsupported('layer_types is not what sliding_window says; the class for layers of both kinds is Ministral');
  }
  return window === undefined ? undefined : slidingWindow(window, layers);
}

/** Qwen: a window only when it is asked for, from layer `max_window_layers` on. */
function qwenWindow(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  const window = config.boolean('use_sliding_window', false) ? readWindow(config, 'sliding_window', 4096) : undefined;
  const first = config.integer('max_window_layers', 28, 0, 2 ** 31);
  const layers = slidingLayers(config, numLayers, (layer) => window !== undefined && layer >= first);
  return optionalWindow(config, window, layers);
}

/**
 * Phi 3 and Phi 4 mini turn whole heads or a share of them, unscaled or by LongRoPE, which had other names at first. The
 * length of the first training's texts is the class's where the configuration itself has none.
 */
function phi3Rotary(config: ConfigReader, headSize: number): RotaryEmbedding {
  const parameters = rotaryParameters(config);
  const type = parameters['rope_type'] ?? parameters['type'] ?? 'default';
  const isLong = type === 'longrope' || type === 'su' || type === 'yarn';
  if (!isLong && type !== 'default') {
    config.unsupported(`the rotary embedding has the type ${shown(type)}; this class has default and longrope`);
  }
  const original = config.get('original_max_position_embeddings') ?? 4096;
  const scaling = isLong ? { rope_type: 'longrope', original_max_position_embeddings: original } : {};
  return rotation(config, { ...parameters, ...scaling }, headSize, config.number('rope_theta', 10_000, 1, 1e9));
}

/** The code of `nvidia/llama-3.2-nv-rerankqa-1b-v2`, whose tokens all see each other: padding is never read. */
function pooledHead(config: ConfigReader): EncoderHead {
  const pooling = config.oneOf('pooling', 'avg', ['avg', 'cls', 'last']);
  return { pooling: pooling === 'avg' ? 'mean' : pooling, activation: 'none' };
}

/**
 * x + m f(norm(x)) in every layer, m being `residual`, on embeddings times `embedding`. That is m times z + f(norm(z)) with
 * z = x / m, since RMS norms pass over a factor of what they read, but for their epsilon. `key`: where m comes from.
 */
export function scaledParts(
  config: ConfigReader,
  key: string,
  residual: number,
  embedding: number,
): Pick<EncoderHyperparameters, 'normEps' | 'embeddingScale'> {
  const normEps = config.number('rms_norm_eps', 1e-6, 0, 1) / residual ** 2;
  const embeddingScale = embedding / residual;
  if (normEps < 1e-12 || normEps > 1 || embeddingScale < 1e-3 || embeddingScale > 1e4) {
    config.unsupported(
      `${key} multiplies layers by ${residual}, too far from 1 for the embeddings' factor and rms_norm_eps`,
    );
  }
  return { normEps, embeddingScale };
}

function graniteMultipliers(config: ConfigReader): Partial<EncoderHyperparameters> {
  const residual = config.number('residual_multiplier', 1, 1e-3, 1e3);
  const embedding = config.number('embedding_multiplier', 1, 1e-3, 1e4);
  const attentionScale = config.number('attention_multiplier', 1, 1e-6, 1e6);
  return { ...scaledParts(config, 'residual_multiplier', residual, embedding), attentionScale };
}

/** SmolLM 3: `no_rope_layers` has a 0 for every layer that does not rotate; by default that is each fourth. */
function unrotatedLayers(config: ConfigReader, numLayers: number): number[] {
  const interval = config.integer('no_rope_layer_interval', 4, 1, 2 ** 31);
  const all = layerIndices(numLayers);
  const flags = config.get('no_rope_layers');
  if (flags === undefined) return all.filter((layer) => (layer + 1) % interval === 0);
  if (!Array.isArray(flags) || flags.length < numLayers || flags.some((flag) => flag !== 0 && flag !== 1)) {
    config.malformed(`no_rope_layers is no list of ${numLayers} zeros and ones`);
  }
  return all.filter((layer) => flags[layer] === 0);
}

/** Layers that do not rotate are layers with a window: `sliding_window` where they have one, else over everything. */
function smollm3Window(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  const unrotated = unrotatedLayers(config, numLayers);
  const window = config.get('sliding_window') === undefined ? undefined : readWindow(config, 'sliding_window', 1);
  const isUsed = config.boolean('use_sliding_window', false) && window !== undefined;
  const sliding = slidingLayers(config, numLayers, (layer) => isUsed && unrotated.includes(layer));
  if (sliding.length === 0) return slidingWindow(MAX_POSITIONS, unrotated);
  if (window === undefined) config.malformed('layers have a window, but sliding_window is not set');
  if (sliding.join() !== unrotated.join()) {
    config.unsupported('layer_types has a window for other layers than those that no_rope_layers does not rotate');
  }
  return slidingWindow(window, unrotated);
}

/** A frequency of 0 turns nothing. */
function smollm3Rotary(config: ConfigReader, headSize: number, window: SlidingWindow | undefined): RotaryEmbedding {
  const rope = readWholeRotary(config, headSize, 2_000_000);
  if (window === undefined) return rope;
  requireUnscaled(config, rope, 'no_rope_layers');
  return { ...rope, localInverseFrequencies: new Float32Array(headSize / 2) };
}

export const DECODER_FAMILIES: readonly DecoderFamily[] = [
  {
    className: 'Llama',
    modelType: 'llama',
    defaults: sizes(32, 4096, 32, 11_008, 2048, 32_000),
    biases: allBiases,
  },
  {
    className: 'Mistral',
    modelType: 'mistral',
    defaults: { ...sizes(32, 4096, 32, 14_336, 131_072, 32_000), numKeyValueHeads: 8 },
    biases: noBiases,
    window: mistralWindow,
  },
  {
    className: 'Qwen2',
    modelType: 'qwen2',
    defaults: { ...sizes(32, 4096, 32, 22_016, 32_768, 151_936), numKeyValueHeads: 32 },
    biases: () => ({ qkv: true, output: false, mlp: false }),
    window: qwenWindow,
  },
  {
    className: 'Qwen3',
    modelType: 'qwen3',
    defaults: { ...sizes(32, 4096, 32, 22_016, 32_768, 151_936), numKeyValueHeads: 32, headSize: 128 },
    biases: attentionBiases,
    window: qwenWindow,
    normalizesQueries: 'heads',
  },
  {
    className: 'Ministral',
    modelType: 'ministral',
    defaults: { ...sizes(32, 4096, 32, 14_336, 131_072, 32_000), numKeyValueHeads: 8 },
    biases: noBiases,
    window: ministralWindow,
  },
  {
    className: 'Phi3',
    modelType: 'phi3',
    defaults: { ...sizes(32, 3072, 32, 8192, 4096, 32_064), padTokenId: 32_000, normEps: 1e-5 },
    biases: noBiases,
    window: allLayersWindow,
    rotary: phi3Rotary,
    joins: 'gate and queries',
  },
  {
    className: 'SmolLM3',
    modelType: 'smollm3',
    defaults: {
      ...sizes(36, 2048, 16, 11_008, 32_768, 128_256),
      numKeyValueHeads: 4,
      padTokenId: 128_004,
      tiesEmbeddings: true,
    },
    biases: allBiases,
    window: smollm3Window,
    rotary: smollm3Rotary,
  },
  {
    className: 'LlamaBidirectional',
    modelType: 'llama_bidirec',
    architecture: 'llama-embed',
    only: 'classifier',
    defaults: sizes(32, 4096, 32, 11_008, 2048, 32_000),
    biases: allBiases,
    logitDivisor: (config) => config.number('temperature', 1, 1e-6, 1e6),
    head: pooledHead,
    more: (config) => {
      if (config.boolean('is_causal', false)) config.unsupported('is_causal is set, which hides what follows a token');
      return { isCausal: false };
    },
  },
  {
    className: 'Granite',
    modelType: 'granite',
    only: 'language-model',
    defaults: sizes(32, 4096, 32, 11_008, 2048, 32_000),
    biases: allBiases,
    logitDivisor: (config) => config.number('logits_scaling', 1, 1e-6, 1e6),
    more: graniteMultipliers,
  },
  ...gemmaFamilies,
  ...olmoFamilies,
  ...llamaKin,
  ...qwen35Families,
  ...lfm2Families,
];
