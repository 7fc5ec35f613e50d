/**
 * Olmo: a Llama with layer norms that have no weights. Olmo 2 and 3: one with norms behind each part, and of all queries of
 * a token, and of its keys, at once; in 3 most layers have a window and turn at another rate.
 */
import type { ConfigReader } from '../config';
import type { RotaryEmbedding, SlidingWindow } from './architecture';
import { type DecoderFamily, attentionBiases, sizes } from './decoder-family';
import { optionalWindow, readWindow, slidingLayers } from './layer-types';
import { layerParameters, requireWholeHeads, rotation } from './rotary';

const THETA = 500_000;

/** Three layers with the window, then one without. */
function olmo3Window(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  const layers = slidingLayers(config, numLayers, (layer) => (layer + 1) % 4 !== 0);
  return optionalWindow(config, readWindow(config, 'sliding_window', 4096), layers);
}

/** Of layers without a window and of those with one, which neither `rope_theta` nor `rope_scaling` is for. */
function olmo3Rotations(config: ConfigReader, headSize: number): { full: RotaryEmbedding; sliding: RotaryEmbedding } {
  const theta = config.number('rope_theta', THETA, 1, 1e9);
  return {
    full: rotation(config, layerParameters(config, 'full_attention', true), headSize, theta),
    sliding: rotation(config, layerParameters(config, 'sliding_attention', false), headSize, THETA),
  };
}

function olmo3Rotary(config: ConfigReader, headSize: number, window: SlidingWindow | undefined): RotaryEmbedding {
  const { full, sliding } = olmo3Rotations(config, headSize);
  if (full.long !== undefined || sliding.long !== undefined) {
    config.unsupported('the rotary embedding has the type longrope; this class has it for one kind of layer alone');
  }
  const rope = {
    inverseFrequencies: full.inverseFrequencies,
    ...(window === undefined ? {} : { localInverseFrequencies: sliding.inverseFrequencies }),
    // YaRN's is of one kind of layers: it is in their norms, before the whole heads turn.
    attentionFactor: 1,
  };
  requireWholeHeads(config, rope, headSize);
  return rope;
}

export const olmoFamilies: readonly DecoderFamily[] = [
  {
    className: 'Olmo',
    modelType: 'olmo',
    defaults: { ...sizes(32, 4096, 32, 11_008, 2048, 50_304), padTokenId: 1 },
    biases: attentionBiases,
    normTensors: 'none',
    more: (config) => {
      if (config.get('clip_qkv') !== undefined) {
        config.unsupported('clip_qkv is set; only queries, keys and values that are not clipped are supported');
      }
      return { normKind: 'layer', normEps: 1e-5 };
    },
  },
  {
    className: 'Olmo2',
    modelType: 'olmo2',
    defaults: { ...sizes(32, 4096, 32, 11_008, 2048, 50_304), padTokenId: 1, normEps: 1e-5 },
    biases: attentionBiases,
    normalizesQueries: 'whole',
    normPlacement: 'branch',
  },
  {
    className: 'Olmo3',
    modelType: 'olmo3',
    architecture: 'olmo2',
    defaults: { ...sizes(32, 4096, 32, 11_008, 2048, 50_304), padTokenId: 1, normEps: 1e-5 },
    biases: attentionBiases,
    window: olmo3Window,
    rotary: olmo3Rotary,
    normalizesQueries: 'whole',
    queryFactor: (config, { headSize, slidingWindow: window }) => {
      const { full, sliding } = olmo3Rotations(config, headSize!);
      return (layer) => (window?.layers.includes(layer) ? sliding : full).attentionFactor;
    },
    normPlacement: 'branch',
  },
];
