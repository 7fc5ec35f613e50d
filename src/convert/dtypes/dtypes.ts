/** Element types: stored bytes to f32, f32 to the types that GGUF files hold. Little-endian hosts only, as ggml's. */
import { decodeBlocks } from './block-decoders';
import { BLOCK_ENCODERS, type BlockType } from './block-encoders';
import { BF16_MAX, F16_MAX, bitsOf, fromBf16, fromF16, toBf16, toF16 } from './half-floats';

/** Types whose stored form is the same for every tensor of a file. */
export type ElementType = 'f32' | 'f16' | 'bf16' | BlockType;

/**
 * Little-endian elements as f32. `dtype`: F64 (rounded to nearest), F32, F16, BF16, or one of ggml's block types. The
 * result may share the memory of `bytes`.
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
      return decodeBlocks(dtype, aligned);
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

/** Largest magnitude that a type holds; blocks of integers have a scale that is f16. */
const LIMITS: Readonly<Record<ElementType, number>> = {
  f32: Infinity,
  bf16: BF16_MAX,
  // 65520 is the first value that rounds to infinity, but 65504 is the documented limit: nothing is clamped.
  f16: F16_MAX,
  q8_0: F16_MAX * 127,
  q5_0: F16_MAX * 15,
  q4_0: F16_MAX * 7,
};

/** Index of the first value that `type` cannot hold, or -1. `values` must be finite. */
export function findTooLarge(values: Float32Array, type: ElementType): number {
  const limit = LIMITS[type];
  if (limit === Infinity) return -1;
  // Several times as fast as findIndex.
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]!) > limit) return i;
  return -1;
}

/** Finite f32 values as stored bytes of `type`. For block types the length must be a multiple of the block. */
export function encodeElements(type: ElementType, values: Float32Array): Uint8Array {
  switch (type) {
    case 'f32':
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    case 'f16':
      return bytesOf(toF16(values));
    case 'bf16':
      return bytesOf(toBf16(values));
    case 'q8_0':
    case 'q5_0':
    case 'q4_0':
      return BLOCK_ENCODERS[type](values);
  }
}

function bytesOf(halves: Uint16Array): Uint8Array {
  return new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength);
}
