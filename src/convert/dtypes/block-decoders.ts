/**
 * ggml's block types to f32, every operation rounded to f32 in ggml's order. A block of 32 has one scale and perhaps a
 * minimum; a block of 256 has 8 or 16 parts with small integers for scales and minima, and one or two f16 factors.
 */
import { GGML_TYPES } from '../../gguf/types';
import { f16Values } from './half-floats';

/** Reads the block at `at` and writes its values from `out` on. */
type Decoder = (bytes: Uint8Array, at: number, values: Float32Array, out: number) => void;

const BLOCK = 32;
const SUPER_BLOCK = 256;
/** Values whose quants share their bytes in the types of 2, 3 and 6 bits. */
const HALF_SUPER_BLOCK = 128;

const { fround } = Math;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['Q4_0', (bytes, at, values, out) => nibbles(bytes, at, { bits: 4, hasMinimum: false }, values, out)],
  ['Q4_1', (bytes, at, values, out) => nibbles(bytes, at, { bits: 4, hasMinimum: true }, values, out)],
  ['Q5_0', (bytes, at, values, out) => nibbles(bytes, at, { bits: 5, hasMinimum: false }, values, out)],
  ['Q5_1', (bytes, at, values, out) => nibbles(bytes, at, { bits: 5, hasMinimum: true }, values, out)],
  ['Q8_0', q8_0],
  ['Q2_K', q2_k],
  ['Q3_K', q3_k],
  ['Q4_K', (bytes, at, values, out) => q4_k(bytes, at, false, values, out)],
  ['Q5_K', (bytes, at, values, out) => q4_k(bytes, at, true, values, out)],
  ['Q6_K', q6_k],
]);

/** Elements and bytes of a block of `dtype`; undefined for types that are not decoded. */
export function blockShape(dtype: string): { readonly elements: number; readonly bytes: number } | undefined {
  if (!DECODERS.has(dtype)) return undefined;
  const { blockSize, blockBytes } = GGML_TYPES.find(({ name }) => name === dtype.toLowerCase())!;
  return { elements: blockSize, bytes: blockBytes };
}

/** Whole blocks of `dtype` as f32. Throws TypeError for a type that has no decoder. */
export function decodeBlocks(dtype: string, bytes: Uint8Array): Float32Array {
  const decode = DECODERS.get(dtype);
  const shape = blockShape(dtype);
  if (decode === undefined || shape === undefined) throw new TypeError(`no conversion from ${dtype}`);
  const count = bytes.length / shape.bytes;
  const values = new Float32Array(count * shape.elements);
  for (let block = 0; block < count; block++) decode(bytes, block * shape.bytes, values, block * shape.elements);
  return values;
}

function half(bytes: Uint8Array, at: number): number {
  return f16Values()[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

function q8_0(bytes: Uint8Array, at: number, values: Float32Array, out: number): void {
  const scale = half(bytes, at);
  for (let i = 0; i < BLOCK; i++) values[out + i] = scale * signed(bytes[at + 2 + i]!);
}

/** Scale, minimum if there is one, fifth bits if there are some, then 16 bytes with values i and i + 16 in byte i. */
function nibbles(
  bytes: Uint8Array,
  at: number,
  { bits, hasMinimum }: { readonly bits: 4 | 5; readonly hasMinimum: boolean },
  values: Float32Array,
  out: number,
): void {
  const scale = half(bytes, at);
  const minimum = hasMinimum ? half(bytes, at + 2) : 0;
  const offset = hasMinimum ? 0 : 2 ** (bits - 1);
  const high = at + (hasMinimum ? 4 : 2);
  const low = high + (bits === 5 ? 4 : 0);
  for (let i = 0; i < BLOCK; i++) {
    const byte = bytes[low + (i & 15)]!;
    let quant = i < 16 ? byte & 15 : byte >> 4;
    if (bits === 5) quant |= ((bytes[high + (i >> 3)]! >> (i & 7)) & 1) << 4;
    const value = scale * (quant - offset);
    values[out + i] = hasMinimum ? fround(value) + minimum : value;
  }
}

/** 16 scales and minima of 4 bits, 64 bytes of four quants each, factors of both. */
function q2_k(bytes: Uint8Array, at: number, values: Float32Array, out: number): void {
  const quants = at + 16;
  const scale = half(bytes, at + 80);
  const minimum = half(bytes, at + 82);
  for (let i = 0; i < SUPER_BLOCK; i++) {
    const part = bytes[at + (i >> 4)]!;
    const quant = (bytes[packedByte(quants, i)]! >> packedShift(i)) & 3;
    values[out + i] = fround(fround(scale * (part & 15)) * quant) - fround(minimum * (part >> 4));
  }
}

/** Third bits in 32 bytes, 64 bytes of four quants each, 16 scales of 6 bits in 12 bytes, a factor. */
function q3_k(bytes: Uint8Array, at: number, values: Float32Array, out: number): void {
  const scales = at + 96;
  const factor = half(bytes, at + 108);
  for (let i = 0; i < SUPER_BLOCK; i++) {
    const part = i >> 4;
    const low = bytes[scales + (part & 7)]! >> (part < 8 ? 0 : 4);
    const high = bytes[scales + 8 + (part & 3)]! >> (2 * (part >> 2));
    const scale = fround(factor * (((low & 15) | ((high & 3) << 4)) - 32));
    const quant = (bytes[packedByte(at + 32, i)]! >> packedShift(i)) & 3;
    // A third bit that is not set takes 4 away.
    const third = (bytes[at + (i & 31)]! >> (i >> 5)) & 1;
    values[out + i] = scale * (quant - (third === 1 ? 0 : 4));
  }
}

/** Where the two low bits of value i stand: the first 128 values in 32 bytes, four to a byte, 32 apart. */
function packedByte(start: number, i: number): number {
  return start + BLOCK * Math.floor(i / HALF_SUPER_BLOCK) + (i & 31);
}

function packedShift(i: number): number {
  return 2 * ((i >> 5) & 3);
}

/** Factors of scales and minima, 8 of each with 6 bits in 12 bytes, fifth bits if there are some, 128 bytes. */
function q4_k(bytes: Uint8Array, at: number, hasFifth: boolean, values: Float32Array, out: number): void {
  const factor = half(bytes, at);
  const minimumFactor = half(bytes, at + 2);
  const fifth = at + 16;
  const quants = fifth + (hasFifth ? BLOCK : 0);
  for (let part = 0; part < 8; part++) {
    const scale = fround(factor * sixBits(bytes, at + 4, part, false));
    const minimum = fround(minimumFactor * sixBits(bytes, at + 4, part, true));
    for (let i = 0; i < BLOCK; i++) {
      const byte = bytes[quants + BLOCK * (part >> 1) + i]!;
      let quant = part % 2 === 0 ? byte & 15 : byte >> 4;
      if (hasFifth) quant |= ((bytes[fifth + i]! >> part) & 1) << 4;
      values[out + BLOCK * part + i] = fround(scale * quant) - minimum;
    }
  }
}

/** Scale or minimum of one part: the first four have six bits of a byte each, the others borrow from those bytes. */
function sixBits(bytes: Uint8Array, at: number, part: number, isMinimum: boolean): number {
  const own = at + part + (isMinimum ? 4 : 0);
  if (part < 4) return bytes[own]! & 63;
  const low = isMinimum ? bytes[at + part + 4]! >> 4 : bytes[at + part + 4]! & 15;
  return low | ((bytes[own - 4]! >> 6) << 4);
}

/** 128 bytes of low nibbles, 64 bytes of two high bits, 16 signed scales, a factor. */
function q6_k(bytes: Uint8Array, at: number, values: Float32Array, out: number): void {
  const high = at + 128;
  const factor = half(bytes, at + 208);
  for (let i = 0; i < SUPER_BLOCK; i++) {
    const second = Math.floor(i / HALF_SUPER_BLOCK);
    const byte = bytes[at + 64 * second + (i & 63)]!;
    const low = (i & 64) === 0 ? byte & 15 : byte >> 4;
    const bits = (bytes[high + BLOCK * second + (i & 31)]! >> packedShift(i)) & 3;
    const scale = fround(factor * signed(bytes[at + 192 + (i >> 4)]!));
    values[out + i] = scale * ((low | (bits << 4)) - 32);
  }
}
