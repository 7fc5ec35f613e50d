import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { blockShape, decodeBlocks } from '../../../src/convert/dtypes/block-decoders';
import { BLOCK_ENCODERS } from '../../../src/convert/dtypes/block-encoders';
import { decodeElements, findTooLarge } from '../../../src/convert/dtypes/dtypes';

/** Made by ggml itself; see scripts/make-block-fixtures.py. */
const fixture = JSON.parse(readFileSync(join(__dirname, 'fixtures/blocks.json'), 'utf8')) as {
  readonly values: string;
  readonly types: Readonly<Record<string, { readonly stored: string; readonly decoded: string }>>;
};

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

const values = decodeElements('F32', bytes(fixture.values));

describe('decodeBlocks', () => {
  it.each(Object.entries(fixture.types))('reads %s as ggml does, to the bit', (dtype, { stored, decoded }) => {
    const result = decodeBlocks(dtype, bytes(stored));
    expect(result.length).toBeGreaterThanOrEqual(512);
    expect(Buffer.from(result.buffer).equals(Buffer.from(decoded, 'base64'))).toBe(true);
  });

  it('knows no other type', () => {
    for (const dtype of ['Q8_1', 'IQ4_NL', 'I8', '__proto__']) {
      expect(blockShape(dtype)).toBeUndefined();
      expect(() => decodeElements(dtype, new Uint8Array(8))).toThrow(TypeError);
    }
  });
});

describe('BLOCK_ENCODERS', () => {
  it.each(Object.keys(BLOCK_ENCODERS) as (keyof typeof BLOCK_ENCODERS)[])('makes %s as ggml does', (type) => {
    const made = BLOCK_ENCODERS[type](values);
    const expected = bytes(fixture.types[type.toUpperCase()]!.stored).subarray(0, made.length);
    expect(made.length).toBe((values.length / 32) * blockShape(type.toUpperCase())!.bytes);
    expect(Buffer.from(made).equals(Buffer.from(expected))).toBe(true);
  });

  it.each(['q5_0', 'q4_0'] as const)('%s refuses what its scale cannot hold', (type) => {
    const limit = 65_504 * { q5_0: 15, q4_0: 7 }[type];
    expect(findTooLarge(Float32Array.of(limit), type)).toBe(-1);
    expect(findTooLarge(Float32Array.of(0, -2 * limit), type)).toBe(1);
    expect(decodeBlocks(type.toUpperCase(), BLOCK_ENCODERS[type](new Float32Array(32).fill(limit)))).not.toContain(
      Infinity,
    );
  });
});
