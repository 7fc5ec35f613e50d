/**
 * Scalings of rotary embeddings for texts longer than a model was first trained on, as transformers computes them in
 * float32.
 */
import { type JsonObject, type JsonValue, shown } from '../../support/json';
import type { ConfigReader } from '../config';
import type { RotaryEmbedding } from './architecture';

/** Columns that turn, and how the unscaled ones do. */
export interface PlainRotation {
  readonly theta: number;
  readonly rotated: number;
  /** theta^(2i / rotated), what the frequencies are the reciprocals of. */
  readonly periods: Float32Array;
}

const MAX_FACTOR = 1e6;
const MAX_TEXT = 2 ** 31;

/** Every frequency divided by `factor`. */
export function linear(config: ConfigReader, parameters: JsonObject, { periods }: PlainRotation): RotaryEmbedding {
  const factor = readRotaryNumber(config, parameters, 'factor', undefined, 1, MAX_FACTOR);
  return { inverseFrequencies: reciprocals(periods).map((frequency) => frequency / factor), attentionFactor: 1 };
}

/** Llama 3: long waves are slowed down by `factor`, short ones are kept, those between are blended. */
export function llama3(config: ConfigReader, parameters: JsonObject, { periods }: PlainRotation): RotaryEmbedding {
  const factor = readRotaryNumber(config, parameters, 'factor', undefined, 1, MAX_FACTOR);
  const low = readRotaryNumber(config, parameters, 'low_freq_factor', undefined, 1e-6, 1e6);
  const high = readRotaryNumber(config, parameters, 'high_freq_factor', undefined, 1e-6, 1e6);
  const positions = readOriginalPositions(config, parameters);
  if (high <= low) config.malformed('high_freq_factor is not above low_freq_factor');
  const inverseFrequencies = reciprocals(periods).map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > positions / low) return frequency / factor;
    if (wavelength < positions / high) return frequency;
    const share = (positions / wavelength - low) / (high - low);
    return ((1 - share) * frequency) / factor + share * frequency;
  });
  return { inverseFrequencies, attentionFactor: 1 };
}

/**
 * YaRN: columns that turn often within the first training's texts keep their frequencies, those that turn seldom are
 * slowed down by `factor`, between the two the share falls in a line; the scores grow with the factor's logarithm.
 */
export function yarn(config: ConfigReader, parameters: JsonObject, rotation: PlainRotation): RotaryEmbedding {
  const { theta, rotated, periods } = rotation;
  const positions = readOriginalPositions(config, parameters);
  const factor = readStretch(config, parameters, positions, parameters['factor'] === null);
  const optional = (key: string) => readOptional(config, parameters, key, 0, 1e6);
  const [mscale, mscaleOfAll] = [optional('mscale'), optional('mscale_all_dim')];
  const growth = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const attentionFactor =
    readAttentionFactor(config, parameters) ??
    (mscale !== undefined && mscaleOfAll !== undefined ? growth(mscale) / growth(mscaleOfAll) : growth(1));
  const truncate = parameters['truncate'] ?? true;
  if (typeof truncate !== 'boolean') config.malformed(`truncate of the rotary embedding is ${shown(truncate)}`);

  /** The column that turns so often within the first training's texts. */
  const columnOf = (turns: number) => (rotated * Math.log(positions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [columnOf(optional('beta_fast') ?? 32), columnOf(optional('beta_slow') ?? 1)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, rotated - 1);
  const width = Math.fround(low === high ? 0.001 : high - low);
  const inverseFrequencies = periods.map((period, i) => {
    const slowed = Math.min(Math.max(Math.fround(Math.fround(i - Math.fround(low)) / width), 0), 1);
    const kept = Math.fround(1 - slowed);
    const interpolated = Math.fround(1 / Math.fround(factor * period)) * Math.fround(1 - kept);
    return Math.fround(interpolated) + Math.fround(Math.fround(1 / period) * kept);
  });
  return { inverseFrequencies, attentionFactor };
}

/**
 * LongRoPE: a factor for each frequency, other ones for texts longer than those of the first training. transformers
 * takes these where a batch's longest text is longer; for a text alone that is its own length.
 */
export function longrope(config: ConfigReader, parameters: JsonObject, { periods }: PlainRotation): RotaryEmbedding {
  const positions = Math.trunc(readOriginalPositions(config, parameters));
  const stretch = readStretch(config, parameters, positions, (parameters['factor'] ?? null) === null);
  const attentionFactor =
    readAttentionFactor(config, parameters) ??
    (stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(positions)));
  const [short, long] = ['short_factor', 'long_factor'].map((key) => {
    const factors = readFactors(config, parameters, key, periods.length);
    return periods.map((period, i) => 1 / Math.fround(Math.fround(factors[i]!) * period));
  });
  return {
    inverseFrequencies: short!,
    long: { inverseFrequencies: long!, beyond: positions },
    attentionFactor,
  };
}

/** One number of `parameters`. */
export function readRotaryNumber(
  config: ConfigReader,
  parameters: JsonObject,
  key: string,
  fallback: number | undefined,
  low: number,
  high: number,
): number {
  const value = parameters[key] ?? fallback;
  if (typeof value === 'number' && value >= low && value <= high) return value;
  config.malformed(`${key} of the rotary embedding is ${shown(value)}; a number between ${low} and ${high} expected`);
}

export function reciprocals(periods: Float32Array): Float32Array {
  return periods.map((period) => 1 / period);
}

/** Longest texts of the first training: a key of the whole configuration comes before that of the embedding. */
function readOriginalPositions(config: ConfigReader, parameters: JsonObject): number {
  const key = 'original_max_position_embeddings';
  const own = config.get(key) ?? parameters[key] ?? config.get('max_position_embeddings') ?? null;
  return readRotaryNumber(config, { [key]: own }, key, undefined, 2, MAX_TEXT);
}

/** `factor`, or how much longer texts may be than they were first. */
function readStretch(config: ConfigReader, parameters: JsonObject, positions: number, isImplied: boolean): number {
  if (!isImplied) return readRotaryNumber(config, parameters, 'factor', undefined, 1, MAX_FACTOR);
  return readRotaryNumber(config, config.json, 'max_position_embeddings', undefined, 1, MAX_TEXT) / positions;
}

function readAttentionFactor(config: ConfigReader, parameters: JsonObject): number | undefined {
  if ((parameters['attention_factor'] ?? null) === null) return undefined;
  return readRotaryNumber(config, parameters, 'attention_factor', undefined, 1e-3, 1e3);
}

/** Undefined where the key is absent, null or 0. */
function readOptional(
  config: ConfigReader,
  parameters: JsonObject,
  key: string,
  low: number,
  high: number,
): number | undefined {
  return readRotaryNumber(config, parameters, key, 0, low, high) || undefined;
}

function readFactors(config: ConfigReader, parameters: JsonObject, key: string, count: number): number[] {
  const factors = parameters[key];
  const isFactor = (value: JsonValue) => typeof value === 'number' && value >= 1e-3 && value <= MAX_FACTOR;
  if (Array.isArray(factors) && factors.length === count && factors.every(isFactor)) return factors as number[];
  config.malformed(`${key} of the rotary embedding is no list of ${count} numbers between 0.001 and ${MAX_FACTOR}`);
}
