/** Typed, range-checked reading of a GGUF file's metadata; what is absent takes a fallback. */
import { EncoderError } from '../../errors';
import type { GgufValue } from '../../gguf/types';

export class MetadataReader {
  constructor(
    private readonly metadata: ReadonlyMap<string, GgufValue>,
    /** The file, for messages. */
    readonly path: string,
  ) {}

  has(key: string): boolean {
    return this.metadata.has(key);
  }

  string(key: string, fallback: string): string {
    const entry = this.metadata.get(key);
    if (entry === undefined) return fallback;
    return typeof entry.value === 'string' ? entry.value : this.malformed(`${key} is no string`);
  }

  boolean(key: string, fallback: boolean): boolean {
    const entry = this.metadata.get(key);
    if (entry === undefined) return fallback;
    return typeof entry.value === 'boolean' ? entry.value : this.malformed(`${key} is no boolean`);
  }

  /** Any integer type will do. Without a fallback the key must be there. */
  integer(key: string, low: number, high: number, fallback?: number): number {
    const value = this.number(key, low, high, fallback);
    return Number.isInteger(value) ? value : this.malformed(`${key} is ${value}, no integer`);
  }

  number(key: string, low: number, high: number, fallback?: number): number {
    const entry = this.metadata.get(key);
    if (entry === undefined) return fallback ?? this.malformed(`it lacks the key ${key}`);
    const { value } = entry;
    const number = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : NaN;
    if (number >= low && number <= high) return number;
    return this.malformed(`${key} is ${shown(value)}; a number between ${low} and ${high} expected`);
  }

  /** Undefined when the key is absent. */
  strings(key: string): readonly string[] | undefined {
    const entry = this.metadata.get(key);
    if (entry === undefined) return undefined;
    const isList = entry.isArray && entry.type === 'string';
    return isList ? (entry.value as readonly string[]) : this.malformed(`${key} is no array of strings`);
  }

  /** An array of numbers or booleans of any type; undefined when the key is absent or holds a single value. */
  numbers(key: string): readonly number[] | undefined {
    const entry = this.metadata.get(key);
    if (entry === undefined || !entry.isArray) return undefined;
    if (entry.type === 'string') this.malformed(`${key} is no array of numbers`);
    return Array.from(entry.value as Iterable<number | bigint | boolean>, Number);
  }

  /** An array of bytes; undefined when the key is absent. */
  bytes(key: string): Uint8Array | undefined {
    const entry = this.metadata.get(key);
    if (entry === undefined) return undefined;
    const { value } = entry;
    if (value instanceof Uint8Array) return value;
    if (value instanceof Int8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return this.malformed(`${key} is no array of bytes`);
  }

  malformed(reason: string): never {
    throw new EncoderError('gguf_malformed', `${this.path}: ${reason}`);
  }
}

function shown(value: unknown): string {
  return typeof value === 'object' ? 'an array' : String(value).slice(0, 60);
}
