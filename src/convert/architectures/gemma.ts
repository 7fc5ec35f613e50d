/**
 * Gemma 1, 2 and 3: a Llama with scaled embeddings and norms stored as weight - 1; from 2 on norms around each part,
 * windows and a factor of the scores that the configuration gives, in 2 capped scores, in 3 norms of each head and
 * layers with a window that turn at another rate.
 */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import type { RotaryEmbedding, SlidingWindow } from './architecture';
import { type DecoderFamily, attentionBiases, sizes } from './decoder-family';
import { optionalWindow, readWindow, slidingLayers, slidingWindow } from './layer-types';
import { readActivation } from './mechanisms';
import { inverseFrequencies, layerParameters, requireWholeHeads } from './rotary';

const ACTIVATION = 'gelu_pytorch_tanh';

/** Whether a token sees those behind it is left to the implementation of attention: the masks say one, sdpa another. */
function requireCausal(config: ConfigReader): void {
  if (!config.boolean('use_bidirectional_attention', false)) return;
  config.unsupported('use_bidirectional_attention is true; of this class only causal models are supported');
}

/** The first Gemma was published with "gelu" and meant the tanh form, which later files name in a key beside it. */
function firstActivation(config: ConfigReader): string {
  const name = config.string('hidden_act', ACTIVATION);
  const meant = name === 'gelu' ? ACTIVATION : readActivation(config, 'hidden_act', ACTIVATION);
  const other = config.string('hidden_activation', meant);
  if (other !== meant) {
    config.unsupported(`hidden_activation is ${shown(other)}, which transformers passes over for hidden_act`);
  }
  return meant;
}

function laterActivation(config: ConfigReader): string {
  return readActivation(config, 'hidden_activation', ACTIVATION);
}

/** query_pre_attn_scalar stands for the size of a head. */
function attentionScale(config: ConfigReader): number {
  return 1 / Math.sqrt(config.number('query_pre_attn_scalar', 256, 1, 1e6));
}

function alternatingWindow(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  const window = readWindow(config, 'sliding_window', 4096);
  const layers = slidingLayers(config, numLayers, (layer) => layer % 2 === 0);
  return window === undefined ? undefined : slidingWindow(window, layers);
}

/** Five layers with the window, then one without. Both keys are read so that neither's contradiction goes unseen. */
function gemma3Window(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  const pattern = config.integer('sliding_window_pattern', 6, 1, 2 ** 31);
  const layers = slidingLayers(config, numLayers, (layer) => (layer + 1) % pattern !== 0);
  return optionalWindow(config, readWindow(config, 'sliding_window', 4096), layers);
}

/** `rope_parameters` by kind of layer; in transformers 4 keys of their own, and scaling for layers without a window. */
function gemma3Rotary(config: ConfigReader, headSize: number, window: SlidingWindow | undefined): RotaryEmbedding {
  const frequencies = (kind: string, isScaled: boolean, key: string, theta: number) =>
    inverseFrequencies(config, layerParameters(config, kind, isScaled), headSize, config.number(key, theta, 1, 1e9));
  const everywhere = frequencies('full_attention', true, 'rope_theta', 1e6);
  const local = frequencies('sliding_attention', false, 'rope_local_base_freq', 1e4);
  const rope = {
    inverseFrequencies: everywhere,
    ...(window === undefined ? {} : { localInverseFrequencies: local }),
    attentionFactor: 1,
  };
  requireWholeHeads(config, rope, headSize);
  return rope;
}

export const gemma2: DecoderFamily = {
  className: 'Gemma2',
  modelType: 'gemma2',
  defaults: {
    ...sizes(26, 2304, 8, 9216, 8192, 256_000),
    numKeyValueHeads: 4,
    headSize: 256,
    padTokenId: 0,
    tiesEmbeddings: true,
  },
  biases: attentionBiases,
  window: alternatingWindow,
  activation: laterActivation,
  normsAddOne: true,
  normPlacement: 'sandwich',
  logitSoftcap: 30,
  more: (config, hiddenSize) => {
    requireCausal(config);
    const cap = config.json['attn_logit_softcapping'];
    return {
      embeddingScale: Math.sqrt(hiddenSize),
      attentionScale: attentionScale(config),
      ...(cap === null ? {} : { attentionSoftcap: config.number('attn_logit_softcapping', 50, 1e-3, 1e6) }),
    };
  },
};

export const gemmaFamilies: readonly DecoderFamily[] = [
  {
    className: 'Gemma',
    modelType: 'gemma',
    defaults: {
      ...sizes(28, 3072, 16, 24_576, 8192, 256_000),
      numKeyValueHeads: 16,
      headSize: 256,
      padTokenId: 0,
      tiesEmbeddings: true,
    },
    biases: attentionBiases,
    activation: firstActivation,
    normsAddOne: true,
    more: (config, hiddenSize) => {
      requireCausal(config);
      return { embeddingScale: Math.sqrt(hiddenSize) };
    },
  },
  gemma2,
  {
    className: 'Gemma3Text',
    causalClassName: 'Gemma3',
    modelType: 'gemma3_text',
    multimodal: { className: 'Gemma3', modelType: 'gemma3' },
    architecture: 'gemma3',
    defaults: {
      ...sizes(26, 2304, 8, 9216, 131_072, 262_208),
      numKeyValueHeads: 4,
      headSize: 256,
      padTokenId: 0,
      tiesEmbeddings: true,
    },
    biases: attentionBiases,
    window: gemma3Window,
    rotary: gemma3Rotary,
    activation: laterActivation,
    normalizesQueries: 'heads',
    normsAddOne: true,
    normPlacement: 'sandwich',
    logitSoftcap: null,
    more: (config, hiddenSize) => {
      if (config.get('attn_logit_softcapping') !== undefined) {
        config.unsupported(
          'attn_logit_softcapping is set, which transformers passes over in this class; remove the key',
        );
      }
      return {
        embeddingScale: Math.sqrt(hiddenSize),
        attentionScale: attentionScale(config),
        // With it a layer's window reaches sliding_window / 2 to either side, as an encoder's does.
        isCausal: !config.boolean('use_bidirectional_attention', false),
      };
    },
  },
];
