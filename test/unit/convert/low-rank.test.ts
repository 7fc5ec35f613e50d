// The product of an adapter's narrow matrices, against the sum that defines it.
import { describe, expect, it } from 'vitest';

import { LowRank } from '../../../src/convert/adapter/low-rank';

describe.each([
  [1, 1, 1],
  [5, 3, 2],
  [4, 7, 5],
  [9, 6, 8],
])('%i rows, %i columns, rank %i', (rows, columns, rank) => {
  const left = Float32Array.from({ length: rows * rank }, (_, index) => Math.sin(index + 1));
  const right = Float32Array.from({ length: rank * columns }, (_, index) => Math.cos(3 * index));
  const whole = Float64Array.from({ length: rows * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += left[row * rank + r]! * right[r * columns + column]!;
    return index + 0.5 * sum;
  });

  it('adds to pieces of any length what it adds to all', () => {
    const product = new LowRank(left, right, columns, 0.5);
    for (let first = 0; first < whole.length; first++) {
      for (let end = first + 1; end <= whole.length; end++) {
        const values = Float64Array.from({ length: end - first }, (_, index) => first + index);
        product.addTo(values, first);
        for (const [index, value] of values.entries()) expect(value).toBeCloseTo(whole[first + index]!, 12);
      }
    }
  });
});
