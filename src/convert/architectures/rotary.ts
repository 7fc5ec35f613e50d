/** Inverse frequencies of rotary position embeddings, as transformers computes them in float32. */
import type { ConfigReader } from '../config';
import { type JsonObject, isJsonObject } from '../../support/json';
import type { RotaryEmbedding } from './architecture';

const MAX_THETA = 1e9;

/** The `rope_parameters` of transformers 5, or the `rope_scaling` of 4 with its `rope_theta` beside it. */
export function readRotary(config: ConfigReader, headSize: number, defaultTheta: number): RotaryEmbedding {
  const parameters = config.object('rope_parameters') ?? config.object('rope_scaling') ?? {};
  const theta = config.number('rope_theta', defaultTheta, 1, MAX_THETA);
  return { inverseFrequencies: inverseFrequencies(config, parameters, headSize, theta), attentionFactor: 1 };
}

/**
 * `rope_scaling` of the type "ntk", in which the first GTE models are published: at every length the base is multiplied
 * by `factor`, and every frequency divided by factor^(2 / head size).
 */
export function readNtkRotary(config: ConfigReader, headSize: number, defaultTheta: number): RotaryEmbedding {
  const scaling = config.object('rope_parameters') ?? config.object('rope_scaling');
  const type = scaling?.['rope_type'] ?? scaling?.['type'] ?? 'default';
  if (scaling === undefined || type === 'default') return readRotary(config, headSize, defaultTheta);
  if (type !== 'ntk') {
    config.unsupported(
      `the rotary embedding has the type ${JSON.stringify(type).slice(0, 60)}; supported are default and ntk`,
    );
  }
  if ((scaling['mixed_b'] ?? null) !== null) {
    config.unsupported('mixed_b of the rotary embedding is set; only ntk scaling without it is supported');
  }
  const factor = read(config, scaling, 'factor', undefined, 1, 1e6);
  const theta = read(config, scaling, 'rope_theta', config.number('rope_theta', defaultTheta, 1, MAX_THETA), 1, 1e9);
  const scaled = inverseFrequencies(config, { rope_theta: theta * factor }, headSize, theta);
  return { inverseFrequencies: scaled.map((frequency) => frequency / factor ** (2 / headSize)), attentionFactor: 1 };
}

/** For classes of transformers that turn whole heads, whatever partial_rotary_factor says. */
export function requireWholeHeads(config: ConfigReader, rope: RotaryEmbedding, headSize: number): void {
  if (rope.inverseFrequencies.length * 2 === headSize) return;
  config.unsupported('partial_rotary_factor is set, but this class turns whole heads');
}

/** Frequencies for one kind of layer; `parameters` may name a theta of their own. */
export function inverseFrequencies(
  config: ConfigReader,
  parameters: JsonObject,
  headSize: number,
  defaultTheta: number,
): Float32Array {
  const theta = read(config, parameters, 'rope_theta', defaultTheta, 1, MAX_THETA);
  const share = read(
    config,
    parameters,
    'partial_rotary_factor',
    config.number('partial_rotary_factor', 1, 0.01, 1),
    0.01,
    1,
  );
  const rotated = Math.trunc(headSize * share);
  if (rotated < 2 || rotated % 2 !== 0) config.unsupported(`rotary embedding of ${rotated} columns of a head`);
  const plain = Float32Array.from({ length: rotated / 2 }, (_, i) => {
    return 1 / Math.fround(theta ** Math.fround((2 * i) / rotated));
  });
  const type = JSON.stringify(parameters['rope_type'] ?? parameters['type'] ?? 'default');
  switch (type) {
    // "dynamic" changes frequencies only beyond max_position_embeddings, which no input here reaches.
    case '"default"':
    case '"dynamic"':
      return plain;
    case '"linear"': {
      const factor = read(config, parameters, 'factor', undefined, 1, 1e6);
      return plain.map((frequency) => frequency / factor);
    }
    case '"llama3"':
      return stretched(config, parameters, plain);
    default:
      config.unsupported(
        `the rotary embedding has the type ${type.slice(0, 60)}; supported are default, dynamic, linear and llama3`,
      );
  }
}

/** Llama 3: long waves are slowed down by `factor`, short ones are kept, those between are blended. */
function stretched(config: ConfigReader, parameters: JsonObject, plain: Float32Array): Float32Array {
  const factor = read(config, parameters, 'factor', undefined, 1, 1e6);
  const low = read(config, parameters, 'low_freq_factor', undefined, 1e-6, 1e6);
  const high = read(config, parameters, 'high_freq_factor', undefined, 1e-6, 1e6);
  const positions = read(config, parameters, 'original_max_position_embeddings', undefined, 1, 2 ** 31);
  if (high <= low) config.malformed('high_freq_factor is not above low_freq_factor');
  return plain.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > positions / low) return frequency / factor;
    if (wavelength < positions / high) return frequency;
    const share = (positions / wavelength - low) / (high - low);
    return ((1 - share) * frequency) / factor + share * frequency;
  });
}

function read(
  config: ConfigReader,
  parameters: JsonObject,
  key: string,
  fallback: number | undefined,
  low: number,
  high: number,
): number {
  const value = parameters[key] ?? fallback;
  if (typeof value === 'number' && value >= low && value <= high) return value;
  config.malformed(
    `${key} of the rotary embedding is ${String(JSON.stringify(value)).slice(0, 60)}; a number between ${low} and ${high} expected`,
  );
}

/** One entry of `rope_parameters` that has an object for each kind of layer. */
export function layerParameters(config: ConfigReader, layerType: string): JsonObject {
  const parameters = config.object('rope_parameters')?.[layerType] ?? {};
  if (!isJsonObject(parameters)) config.malformed(`rope_parameters.${layerType} is no object`);
  return parameters;
}
