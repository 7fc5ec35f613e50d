/** f32 to ggml's blocks of 32 small integers with one scale: bit for bit what ggml's reference functions give. */
import { bitsOf, halfBits } from './half-floats';

export type BlockType = 'q8_0' | 'q5_0' | 'q4_0';

/** Values per block of these types. */
const BLOCK = 32;
const HALF = BLOCK / 2;
const SCALE_BYTES = 2;

/** `values`: finite, a multiple of 32 of them. */
export const BLOCK_ENCODERS: Readonly<Record<BlockType, (values: Float32Array) => Uint8Array>> = {
  q8_0: toQ8_0,
  q5_0: (values) => toNibbles(values, 5),
  q4_0: (values) => toNibbles(values, 4),
};

/** Scale = max|x| / 127 in f32, quants rounded half away from zero, scale stored as f16. */
function toQ8_0(values: Float32Array): Uint8Array {
  const result = new Uint8Array((values.length / BLOCK) * (SCALE_BYTES + BLOCK));
  for (let start = 0, out = 0; start < values.length; start += BLOCK) {
    let largest = 0;
    for (let i = start; i < start + BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]!));
    const scale = Math.fround(largest / 127);
    const inverse = inverseOf(scale);
    out = writeScale(result, out, scale);
    for (let i = start; i < start + BLOCK; i++) {
      const scaled = Math.fround(values[i]! * inverse);
      result[out++] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5);
    }
  }
  return result;
}

/**
 * Integers of `bits` bits, 0 to 2^bits - 1, that stand for -2^(bits-1) and up. The scale maps the value of largest
 * magnitude onto the lower end, whatever its sign. Low four bits: byte i holds values i and i + 16; fifth bits: one word.
 */
function toNibbles(values: Float32Array, bits: 4 | 5): Uint8Array {
  const middle = 2 ** (bits - 1);
  const highBytes = bits === 5 ? 4 : 0;
  const result = new Uint8Array((values.length / BLOCK) * (SCALE_BYTES + highBytes + HALF));
  for (let start = 0, out = 0; start < values.length; start += BLOCK) {
    let extreme = 0;
    for (let i = start; i < start + BLOCK; i++) {
      if (Math.abs(values[i]!) > Math.abs(extreme)) extreme = values[i]!;
    }
    const scale = Math.fround(extreme / -middle);
    const inverse = inverseOf(scale);
    out = writeScale(result, out, scale);
    for (let i = 0; i < BLOCK; i++) {
      const shifted = Math.fround(Math.fround(values[start + i]! * inverse) + (middle + 0.5));
      const quant = Math.min(2 * middle - 1, Math.trunc(shifted));
      const nibble = out + highBytes + (i % HALF);
      result[nibble] = i < HALF ? quant & 15 : result[nibble]! | ((quant & 15) << 4);
      if (bits === 5) result[out + (i >> 3)]! |= (quant >> 4) << (i & 7);
    }
    out += highBytes + HALF;
  }
  return result;
}

/** The reciprocal of a denormal scale can overflow; such a block is zero in every 16-bit float. */
function inverseOf(scale: number): number {
  return Math.abs(scale) >= 2 ** -126 ? Math.fround(1 / scale) : 0;
}

const scaleOf = new Float32Array(1);
const scaleBits = bitsOf(scaleOf);

/** Returns the place after it. */
function writeScale(bytes: Uint8Array, at: number, scale: number): number {
  scaleOf[0] = scale;
  const half = halfBits(scaleBits[0]!);
  bytes[at] = half & 255;
  bytes[at + 1] = half >>> 8;
  return at + SCALE_BYTES;
}
