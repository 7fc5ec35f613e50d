/** What rotary position embeddings a configuration describes. */
import type { ConfigReader } from '../config';
import { type JsonObject, isJsonObject, shown } from '../../support/json';
import type { RotaryEmbedding, RowRange } from './architecture';
import { linear, llama3, longrope, readRotaryNumber, reciprocals, yarn } from './rope-scaling';

const MAX_THETA = 1e9;

/**
 * The `rope_parameters` of transformers 5, or the `rope_scaling` of 4. Who adds scaling to a configuration by hand may
 * leave both there: then transformers 5 takes `rope_scaling` alone, unless it is empty.
 */
export function rotaryParameters(config: ConfigReader): JsonObject {
  const scaling = config.object('rope_scaling') ?? {};
  return Object.keys(scaling).length > 0 ? scaling : (config.object('rope_parameters') ?? {});
}

/** For classes whose `rope_theta` may stand beside the parameters. */
export function readRotary(config: ConfigReader, headSize: number, defaultTheta: number): RotaryEmbedding {
  const theta = config.number('rope_theta', defaultTheta, 1, MAX_THETA);
  return rotation(config, rotaryParameters(config), headSize, theta);
}

/**
 * `rope_scaling` of the type "ntk", in which the first GTE models are published: at every length the base is multiplied
 * by `factor`, and every frequency divided by factor^(2 / head size).
 */
export function readNtkRotary(config: ConfigReader, headSize: number, defaultTheta: number): RotaryEmbedding {
  const scaling = rotaryParameters(config);
  const type = scaling['rope_type'] ?? scaling['type'] ?? 'default';
  if (type === 'default') return readRotary(config, headSize, defaultTheta);
  if (type !== 'ntk') {
    config.unsupported(`the rotary embedding has the type ${shown(type)}; supported are default and ntk`);
  }
  if ((scaling['mixed_b'] ?? null) !== null) {
    config.unsupported('mixed_b of the rotary embedding is set; only ntk scaling without it is supported');
  }
  const factor = readRotaryNumber(config, scaling, 'factor', undefined, 1, 1e6);
  const theta = readRotaryNumber(
    config,
    scaling,
    'rope_theta',
    config.number('rope_theta', defaultTheta, 1, MAX_THETA),
    1,
    1e9,
  );
  const scaled = inverseFrequencies(config, { rope_theta: theta * factor }, headSize, theta);
  return { inverseFrequencies: scaled.map((frequency) => frequency / factor ** (2 / headSize)), attentionFactor: 1 };
}

/** For classes of transformers that turn whole heads, whatever partial_rotary_factor says. */
export function requireWholeHeads(
  config: ConfigReader,
  { inverseFrequencies, localInverseFrequencies = inverseFrequencies }: RotaryEmbedding,
  headSize: number,
): void {
  if ([inverseFrequencies, localInverseFrequencies].every(({ length }) => 2 * length === headSize)) return;
  config.unsupported('partial_rotary_factor is set, but this class turns whole heads');
}

/** Of those that turn whole heads, as readRotary() has it. */
export function readWholeRotary(config: ConfigReader, headSize: number, defaultTheta: number): RotaryEmbedding {
  const rope = readRotary(config, headSize, defaultTheta);
  requireWholeHeads(config, rope, headSize);
  return rope;
}

/** For classes in which a share of each head turns, `defaultShare` where nothing else is said. */
export function readPartialRotary(config: ConfigReader, headSize: number, defaultShare: number): RotaryEmbedding {
  const share = config.number('partial_rotary_factor', defaultShare, 0.01, 1);
  const parameters = { partial_rotary_factor: share, ...rotaryParameters(config) };
  return rotation(config, parameters, headSize, config.number('rope_theta', 10_000, 1, MAX_THETA));
}

/** Layers that do not turn have frequencies of 0; what is multiplied onto cosine and sine would be all the same. */
export function requireUnscaled(config: ConfigReader, rope: RotaryEmbedding, cause: string): void {
  if (rope.attentionFactor === 1 && rope.long === undefined) return;
  config.unsupported(`yarn and longrope are not supported where some layers do not rotate (${cause})`);
}

/** The rotation that `parameters` describe; they may name a theta of their own. */
export function rotation(
  config: ConfigReader,
  parameters: JsonObject,
  headSize: number,
  defaultTheta: number,
): RotaryEmbedding {
  const theta = readRotaryNumber(config, parameters, 'rope_theta', defaultTheta, 1, MAX_THETA);
  const ofAll = config.number('partial_rotary_factor', 1, 0.01, 1);
  const share = readRotaryNumber(config, parameters, 'partial_rotary_factor', ofAll, 0.01, 1);
  const rotated = Math.trunc(headSize * share);
  if (rotated < 2 || rotated % 2 !== 0) config.unsupported(`rotary embedding of ${rotated} columns of a head`);
  const periods = rotaryPeriods(theta, rotated);
  const plain = { theta, rotated, periods };
  const type = JSON.stringify(parameters['rope_type'] ?? parameters['type'] ?? 'default');
  switch (type) {
    // "dynamic" changes frequencies only beyond max_position_embeddings, which no input here reaches.
    case '"default"':
    case '"dynamic"':
      return { inverseFrequencies: reciprocals(periods), attentionFactor: 1 };
    case '"linear"':
      return linear(config, parameters, plain);
    case '"llama3"':
      return llama3(config, parameters, plain);
    case '"yarn"':
      return yarn(config, parameters, plain);
    case '"longrope"':
      return longrope(config, parameters, plain);
    default:
      config.unsupported(
        `the rotary embedding has the type ${type.slice(0, 60)}; supported are default, dynamic, linear, llama3, yarn and longrope`,
      );
  }
}

/** theta^(2i / rotated), for the pairs of the columns that turn. */
export function rotaryPeriods(theta: number, rotated: number): Float32Array {
  return Float32Array.from({ length: rotated / 2 }, (_, i) => theta ** Math.fround((2 * i) / rotated));
}

/** Frequencies for one of two kinds of layer, which share all else. */
export function inverseFrequencies(
  config: ConfigReader,
  parameters: JsonObject,
  headSize: number,
  defaultTheta: number,
): Float32Array {
  const type = parameters['rope_type'] ?? parameters['type'];
  if (type === 'yarn' || type === 'longrope') {
    config.unsupported(`the rotary embedding of one kind of layer has the type "${type}"; supported is one for all`);
  }
  return rotation(config, parameters, headSize, defaultTheta).inverseFrequencies;
}

/**
 * One entry of `rope_parameters` that has an object for each kind of layer; for a kind that `isScaled` what `rope_scaling`
 * says is put over it.
 */
export function layerParameters(config: ConfigReader, layerType: string, isScaled: boolean): JsonObject {
  const parameters = config.object('rope_parameters')?.[layerType] ?? {};
  if (!isJsonObject(parameters)) config.malformed(`rope_parameters.${layerType} is no object`);
  const scaling = (isScaled ? config.object('rope_scaling') : undefined) ?? {};
  const { type = 'default', rope_type = type } = scaling;
  if (rope_type !== 'default' && scaling['rope_type'] === undefined) {
    config.unsupported('rope_scaling has a type, which transformers passes over in this class; name it rope_type');
  }
  return { ...parameters, ...scaling };
}

/** Of the columns of each head that turn the first of all pairs, then the second: which changes no product of two rows. */
export function pairsApart(numHeads: number, headSize: number, rotated: number): RowRange[] {
  const starts = Array.from({ length: numHeads }, (_, head) => head * headSize);
  const pairs = Array.from({ length: rotated / 2 }, (_, pair) => 2 * pair);
  return starts.flatMap((start): RowRange[] => [
    ...pairs.map((first) => [start + first, 1] as const),
    ...pairs.map((first) => [start + first + 1, 1] as const),
    ...(rotated < headSize ? [[start + rotated, headSize - rotated] as const] : []),
  ]);
}
