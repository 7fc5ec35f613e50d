/** Typed, range-checked reading of config.json and its neighbours. Absent keys take the default of the HF class. */
import { EncoderError } from '../errors';
import { type JsonObject, type JsonValue, isJsonObject, shown } from '../support/json';

export class ConfigReader {
  constructor(
    readonly json: JsonObject,
    /** The file, for messages. */
    readonly path: string,
  ) {}

  /** Undefined for an absent key and for null, which Hugging Face writes for "not set". */
  get(key: string): JsonValue | undefined {
    return this.json[key] ?? undefined;
  }

  /** The first of `keys` that is set; keys that are set differently contradict each other. */
  integer(keys: string | readonly string[], fallback: number, low: number, high: number): number {
    const names = typeof keys === 'string' ? [keys] : keys;
    const set = names.filter((name) => this.get(name) !== undefined);
    const [first] = set;
    if (first === undefined) return fallback;
    const value = this.get(first);
    if (set.some((name) => this.get(name) !== value)) {
      this.malformed(`${set.join(' and ')} contradict each other`);
    }
    if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
      this.malformed(`${first} is ${shown(value)}; an integer between ${low} and ${high} expected`);
    }
    return value;
  }

  number(key: string, fallback: number, low: number, high: number): number {
    const value = this.get(key) ?? fallback;
    if (typeof value !== 'number' || !(value >= low && value <= high)) {
      this.malformed(`${key} is ${shown(value)}; a number between ${low} and ${high} expected`);
    }
    return value;
  }

  string(key: string): string | undefined;
  string(key: string, fallback: string): string;
  string(key: string, fallback?: string): string | undefined {
    const value = this.get(key) ?? fallback;
    if (value !== undefined && typeof value !== 'string')
      this.malformed(`${key} is ${shown(value)}; a string expected`);
    return value;
  }

  /** One of the words that are `supported`; throws `architecture_unsupported` for any other. */
  oneOf<const Word extends string>(key: string, fallback: string, supported: readonly Word[]): Word {
    const word = this.string(key, fallback);
    const found = supported.find((known) => known === word);
    return found ?? this.unsupported(`${key} is ${shown(word)}; supported: ${supported.join(', ')}`);
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.get(key) ?? fallback;
    if (typeof value !== 'boolean') this.malformed(`${key} is ${shown(value)}; true or false expected`);
    return value;
  }

  object(key: string): JsonObject | undefined {
    const value = this.get(key);
    if (value !== undefined && !isJsonObject(value)) this.malformed(`${key} is ${shown(value)}; an object expected`);
    return value;
  }

  malformed(reason: string): never {
    throw new EncoderError('checkpoint_malformed', `${this.path}: ${reason}`);
  }

  unsupported(reason: string): never {
    throw new EncoderError('architecture_unsupported', `${this.path}: ${reason}`);
  }
}
