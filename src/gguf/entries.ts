/** Metadata entries of the usual types. */
import type { GgufEntry } from './types';

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
