/** Element types: stored bytes to f32, f32 to the types that GGUF files hold. Little-endian hosts only, as ggml's. */
import type { TensorType } from '../gguf/types';

/** Values per Q8_0 block, which stores one f16 scale and 32 signed bytes. */
export const Q8_0_BLOCK = 32;
const Q8_0_BLOCK_BYTES = 34;

/** Largest finite f16. */
export const F16_MAX = 65_504;

/**
 * Little-endian elements as f32. `dtype`: F64 (rounded to nearest), F32, F16 or BF16. The result may share the memory
 * of `bytes`.
 */
export function decodeElements(dtype: string, bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset, byteLength } = aligned;
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, byteLength / 8));
    case 'BF16':
      return fromBf16(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'F16':
      return fromF16(new Uint16Array(buffer, byteOffset, byteLength / 2));
    default:
      throw new TypeError(`no conversion from ${dtype}`);
  }
}

/** Index of the first NaN or infinity, or -1. */
export function findNonFinite(values: Float32Array): number {
  const bits = bitsOf(values);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & 0x7f80_0000) === 0x7f80_0000) return i;
  }
  return -1;
}

/** Index of the first value that `type` cannot hold, or -1. `values` must be finite. */
export function findTooLarge(values: Float32Array, type: TensorType): number {
  // 65520 is the first value that rounds to infinity, but 65504 is the documented limit: nothing is clamped.
  const limit = { f32: Infinity, bf16: BF16_LIMIT, f16: F16_MAX, q8_0: F16_MAX * 127 }[type];
  return limit === Infinity ? -1 : values.findIndex((value) => Math.abs(value) > limit);
}

/** Finite f32 values as stored bytes of `type`. For q8_0 the length must be a multiple of 32. */
export function encodeElements(type: TensorType, values: Float32Array): Uint8Array {
  switch (type) {
    case 'f32':
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    case 'f16':
      return bytesOf(toF16(values));
    case 'bf16':
      return bytesOf(toBf16(values));
    case 'q8_0':
      return toQ8_0(values);
  }
}

/** Largest finite bf16; a larger f32 could round to infinity. */
const BF16_LIMIT = 2 ** 127 * (2 - 2 ** -7);

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function bytesOf(halves: Uint16Array): Uint8Array {
  return new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength);
}

function fromBf16(halves: Uint16Array): Float32Array {
  const result = new Float32Array(halves.length);
  const bits = bitsOf(result);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return result;
}

/** All 65,536 f16 values; decoding is one look-up per element. */
let f16Table: Float32Array | undefined;

function fromF16(halves: Uint16Array): Float32Array {
  const table = (f16Table ??= makeF16Table());
  const result = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) result[i] = table[halves[i]!]!;
  return result;
}

function makeF16Table(): Float32Array {
  return Float32Array.from({ length: 65_536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

function toBf16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const result = new Uint16Array(bits.length);
  // Adding half a unit, less one when the kept part is even, rounds to nearest and ties to even.
  for (let i = 0; i < bits.length; i++) result[i] = (bits[i]! + 0x7fff + ((bits[i]! >>> 16) & 1)) >>> 16;
  return result;
}

function toF16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const result = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) result[i] = halfBits(bits[i]!);
  return result;
}

/** f32 bits to f16 bits, round to nearest, ties to even, gradual underflow. The value must be finite. */
function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  // 2^-14 and above are normal in f16: rebias the exponent (127 - 15 = 112), then drop 13 fraction bits.
  if (magnitude >= 0x3880_0000) {
    const rebiased = magnitude - (112 << 23);
    const half = (rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13;
    return sign | Math.min(half, 0x7c00);
  }
  // Below 2^-25 everything rounds to zero, and so does 2^-25 itself (a tie with an even neighbour).
  if (magnitude <= 0x3300_0000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7f_ffff) | 0x80_0000;
  const kept = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** ggml's quantize_row_q8_0_ref: scale = max|x| / 127 in f32, quants rounded half away from zero, scale stored as f16. */
function toQ8_0(values: Float32Array): Uint8Array {
  const result = new Uint8Array((values.length / Q8_0_BLOCK) * Q8_0_BLOCK_BYTES);
  const scaleOf = new Float32Array(1);
  const scaleBits = bitsOf(scaleOf);
  for (let start = 0, out = 0; start < values.length; start += Q8_0_BLOCK) {
    let largest = 0;
    for (let i = start; i < start + Q8_0_BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]!));
    const scale = Math.fround(largest / 127);
    // The reciprocal of a denormal scale can overflow; such a block is zero in every 16-bit float.
    const inverse = scale >= 2 ** -126 ? Math.fround(1 / scale) : 0;
    scaleOf[0] = scale;
    const half = halfBits(scaleBits[0]!);
    result[out++] = half & 255;
    result[out++] = half >>> 8;
    for (let i = start; i < start + Q8_0_BLOCK; i++) {
      const scaled = Math.fround(values[i]! * inverse);
      result[out++] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5);
    }
  }
  return result;
}
