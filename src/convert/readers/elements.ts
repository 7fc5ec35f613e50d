/** Elements of one width as numbers of that width, for moving them about without looking at what they mean. */

export type ElementArray = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** A view of `bytes`, or a copy where they lie at an odd place. `elementBytes`: 1, 2, 4 or 8. */
export function elementsOf(bytes: Buffer, elementBytes: number): ElementArray {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  const count = byteLength / elementBytes;
  switch (elementBytes) {
    case 1:
      return new Uint8Array(buffer, byteOffset, count);
    case 2:
      return new Uint16Array(buffer, byteOffset, count);
    case 4:
      return new Uint32Array(buffer, byteOffset, count);
    default:
      return new Float64Array(buffer, byteOffset, count);
  }
}
