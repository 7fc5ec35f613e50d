/** Which layers attend to a window alone, or in another way of their own. */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { MAX_POSITIONS } from '../limits';
import type { SlidingWindow } from './architecture';

/** Of all layers. */
export function layerIndices(numLayers: number): number[] {
  return Array.from({ length: numLayers }, (_, layer) => layer);
}

/** Indices of the sliding layers: those that `layer_types` names, else those that `isSliding` picks. */
export function slidingLayers(
  config: ConfigReader,
  numLayers: number,
  isSliding: (layer: number) => boolean,
): number[] {
  return layersOf('sliding_attention', config, numLayers, isSliding);
}

/** Likewise of another type that layers without full attention have. */
export function layersOf(
  type: string,
  config: ConfigReader,
  numLayers: number,
  isOfType: (layer: number) => boolean,
): number[] {
  const types = config.get('layer_types');
  const all = layerIndices(numLayers);
  if (types === undefined) return all.filter(isOfType);
  if (!Array.isArray(types) || types.length !== numLayers) {
    config.malformed(`layer_types is no list of ${numLayers} names`);
  }
  const unknown = types.find((name) => name !== 'full_attention' && name !== type);
  if (unknown !== undefined) {
    config.unsupported(`layer_types names ${shown(unknown)}; supported are full_attention and ${type}`);
  }
  return all.filter((layer) => types[layer] === type);
}

/** The window `size` over `layers`; undefined when there are none. */
export function slidingWindow(size: number, layers: readonly number[]): SlidingWindow | undefined {
  return layers.length === 0 ? undefined : { size, layers };
}

/** Likewise of a `sliding_window` that may not be set, which layers with a window contradict. */
export function optionalWindow(
  config: ConfigReader,
  size: number | undefined,
  layers: readonly number[],
): SlidingWindow | undefined {
  if (size !== undefined) return slidingWindow(size, layers);
  return layers.length === 0 ? undefined : config.malformed('layers have a window, but sliding_window is not set');
}

/** `key` as a window; undefined when it is null, which means none. */
export function readWindow(config: ConfigReader, key: string, fallback: number): number | undefined {
  return config.json[key] === null ? undefined : config.integer(key, fallback, 1, MAX_POSITIONS);
}

/** `sliding_window` over all layers, where it is set. */
export function allLayersWindow(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  if (config.get('sliding_window') === undefined) return undefined;
  return slidingWindow(config.integer('sliding_window', 1, 1, MAX_POSITIONS), layerIndices(numLayers));
}
