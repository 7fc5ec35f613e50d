/** The 16-bit floats, value by value. Little-endian hosts only, as ggml's. */

/** Largest finite f16. */
export const F16_MAX = 65_504;

/** Largest finite bf16; a larger f32 could round to infinity. */
export const BF16_MAX = 2 ** 127 * (2 - 2 ** -7);

export function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

export function fromBf16(halves: Uint16Array): Float32Array {
  const result = new Float32Array(halves.length);
  const bits = bitsOf(result);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return result;
}

/** All 65,536 f16 values; decoding is one look-up per element. */
let f16Table: Float32Array | undefined;

/** The value of each pattern of bits. */
export function f16Values(): Float32Array {
  return (f16Table ??= makeF16Table());
}

export function fromF16(halves: Uint16Array): Float32Array {
  const table = f16Values();
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

export function toBf16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const result = new Uint16Array(bits.length);
  // Adding half a unit, less one when the kept part is even, rounds to nearest and ties to even.
  for (let i = 0; i < bits.length; i++) result[i] = (bits[i]! + 0x7fff + ((bits[i]! >>> 16) & 1)) >>> 16;
  return result;
}

export function toF16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const result = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) result[i] = halfBits(bits[i]!);
  return result;
}

/** f32 bits to f16 bits, round to nearest, ties to even, gradual underflow. The value must be finite. */
export function halfBits(bits: number): number {
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
