/** Metadata entries of the usual types. */
import type { GgufEntry } from './types';

/** None for a value that is absent. */
export function optional<Value>(
  entry: (key: string, value: Value) => GgufEntry,
  key: string,
  value: Value | undefined,
): GgufEntry[] {
  return value === undefined ? [] : [entry(key, value)];
}

export function uint(key: string, value: number): GgufEntry {
  return { key, type: 'uint32', value };
}

export function float(key: string, value: number): GgufEntry {
  return { key, type: 'float32', value };
}

export function text(key: string, value: string): GgufEntry {
  return { key, type: 'string', value };
}

export function flag(key: string, value: boolean): GgufEntry {
  return { key, type: 'bool', value };
}

export function uints(key: string, value: readonly number[]): GgufEntry {
  return { key, type: 'uint32[]', value };
}

export function ints(key: string, value: Int32Array): GgufEntry {
  return { key, type: 'int32[]', value };
}

export function floats(key: string, value: Float32Array): GgufEntry {
  return { key, type: 'float32[]', value };
}

export function texts(key: string, value: readonly string[]): GgufEntry {
  return { key, type: 'string[]', value };
}
