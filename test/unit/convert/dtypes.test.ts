import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { decodeElements, encodeElements, findNonFinite, findTooLarge } from '../../../src/convert/dtypes/dtypes';

/** Bytes in hexadecimal, made by numpy, torch and gguf-py. */
const vectors = JSON.parse(readFileSync(join(__dirname, 'fixtures/elements.json'), 'utf8')) as Record<string, string>;

function bytes(name: string): Uint8Array {
  return Uint8Array.from(Buffer.from(vectors[name]!, 'hex'));
}

function values(name: string): Float32Array {
  return decodeElements('F32', bytes(name));
}

describe('encodeElements', () => {
  it('rounds to f16 as numpy does', () => {
    expect(encodeElements('f16', values('f32'))).toEqual(bytes('f16'));
  });

  it('rounds to bf16 as ggml and torch do', () => {
    expect(encodeElements('bf16', values('f32'))).toEqual(bytes('bf16'));
    expect(bytes('bf16')).toEqual(bytes('bf16Torch'));
  });

  it('quantizes to q8_0 as ggml does', () => {
    expect(encodeElements('q8_0', values('blocks'))).toEqual(bytes('q8_0'));
  });

  it('stores a block of denormal numbers as zeros', () => {
    expect(encodeElements('q8_0', new Float32Array(32).fill(1e-42))).toEqual(new Uint8Array(34));
  });

  it('keeps every f16 and bf16 value', () => {
    for (const [dtype, type] of [
      ['F16', 'f16'],
      ['BF16', 'bf16'],
    ] as const) {
      const all = Uint16Array.from({ length: 65_536 }, (_, index) => index);
      const finite = all.filter((half) => Number.isFinite(decodeElements(dtype, bytesOf(half))[0]));
      const stored = new Uint8Array(finite.buffer);
      expect(encodeElements(type, decodeElements(dtype, stored))).toEqual(stored);
    }
  });
});

describe('decodeElements', () => {
  it('reads every element type, aligned or not', () => {
    const f64 = new Uint8Array(new Float64Array([1.1, -2, 1e300]).buffer);
    expect([...decodeElements('F64', f64)]).toEqual([Math.fround(1.1), -2, Infinity]);
    const shifted = new Uint8Array(9);
    shifted.set(new Uint8Array(Float32Array.of(1.5, -3).buffer), 1);
    expect([...decodeElements('F32', shifted.subarray(1))]).toEqual([1.5, -3]);
    expect([...decodeElements('F16', Uint8Array.of(0, 0x3c, 1, 0, 0, 0xfc))]).toEqual([1, 2 ** -24, -Infinity]);
  });
});

describe('findNonFinite and findTooLarge', () => {
  it('find the first offender', () => {
    expect(findNonFinite(Float32Array.of(1, 2, NaN, Infinity))).toBe(2);
    expect(findNonFinite(Float32Array.of(1, -Infinity))).toBe(1);
    expect(findNonFinite(Float32Array.of(3.4e38, -0))).toBe(-1);
    expect(findTooLarge(Float32Array.of(65_504, -65_505), 'f16')).toBe(1);
    expect(findTooLarge(Float32Array.of(3.4e38), 'bf16')).toBe(0);
    expect(findTooLarge(Float32Array.of(1e7), 'q8_0')).toBe(0);
    expect(findTooLarge(Float32Array.of(3.4e38), 'f32')).toBe(-1);
  });
});

function bytesOf(half: number): Uint8Array {
  return Uint8Array.of(half & 255, half >> 8);
}
