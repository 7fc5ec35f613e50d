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

/** Row-major elements of the shape [columns, rows] or [columns, middle, rows] as such of the reverse shape, which is given. */
export function reverseAxes(bytes: Buffer, shape: readonly number[], elementBytes: number): Buffer {
  const [rows, middle, columns] = shape.length === 2 ? [shape[0]!, 1, shape[1]!] : (shape as [number, number, number]);
  const result = Buffer.allocUnsafeSlow(bytes.length);
  const [from, to] = [elementsOf(bytes, elementBytes), elementsOf(result, elementBytes)];
  for (let row = 0, out = 0; row < rows; row++) {
    for (let part = 0; part < middle; part++) {
      for (let column = 0, at = part * rows + row; column < columns; column++, at += middle * rows) {
        to[out++] = from[at]!;
      }
    }
  }
  return result;
}
