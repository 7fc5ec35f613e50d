/** The families of decoders: what each does differently from a Llama, from which `decoder.ts` makes models. */
import type { ConfigReader } from '../config';
import type { EncoderHyperparameters } from './architecture';
import { type DecoderFamily, allBiases, attentionBiases, noBiases, sizes } from './decoder-family';
import { gemmaFamilies } from './gemma';
import { readWindow, slidingLayers, slidingWindow } from './layer-types';

type SlidingWindow = EncoderHyperparameters['slidingWindow'];

/** Mistral: over all layers, none when it is null. */
function mistralWindow(config: ConfigReader, numLayers: number): SlidingWindow {
  const window = readWindow(config, 'sliding_window', 4096);
  if (window === undefined) return undefined;
  const layers = slidingLayers(config, numLayers, () => true);
  return slidingWindow(window, layers);
}

/** Qwen: a window only when it is asked for, from layer `max_window_layers` on. */
function qwenWindow(config: ConfigReader, numLayers: number): SlidingWindow {
  const window = config.boolean('use_sliding_window', false) ? readWindow(config, 'sliding_window', 4096) : undefined;
  const first = config.integer('max_window_layers', 28, 0, 2 ** 31);
  const layers = slidingLayers(config, numLayers, (layer) => window !== undefined && layer >= first);
  if (window === undefined && layers.length > 0)
    config.malformed('layer_types has a window, but sliding_window is not set');
  return window === undefined ? undefined : slidingWindow(window, layers);
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
    normalizesHeads: true,
  },
  ...gemmaFamilies,
];
