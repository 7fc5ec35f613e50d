/** The product of two narrow matrices, added to a piece of a wide one. Sums are F64. */

/** Ranks that one pass over a row adds up; what is missing to a multiple is filled with zeros. */
const STEP = 4;

/** delta[row, column] = sum over r of left[row, r] . right[r, column]. */
export class LowRank {
  private readonly left: Float64Array;
  private readonly right: Float64Array;
  private readonly rank: number;

  /** `left`: [rows, rank]; `right`: [rank, columns]; row-major. `scale` multiplies the product. */
  constructor(
    left: Float32Array,
    right: Float32Array,
    private readonly columns: number,
    scale: number,
  ) {
    const rank = right.length / columns;
    const rows = left.length / rank;
    this.rank = Math.ceil(rank / STEP) * STEP;
    this.left = new Float64Array(rows * this.rank);
    for (let row = 0; row < rows; row++) {
      for (let r = 0; r < rank; r++) this.left[row * this.rank + r] = scale * left[row * rank + r]!;
    }
    this.right = new Float64Array(this.rank * columns);
    this.right.set(right);
  }

  /** `values` are elements [first, first + length) of the wide matrix, row-major. */
  addTo(values: Float64Array, first: number): void {
    const { columns } = this;
    for (let done = 0; done < values.length;) {
      const row = Math.floor((first + done) / columns);
      const begin = first + done - row * columns;
      if (begin === 0 && values.length - done >= 2 * columns) {
        this.addTwoRows(values, done, row);
        done += 2 * columns;
      } else {
        const end = Math.min(columns, begin + values.length - done);
        this.addRow(values, done - begin, row, begin, end);
        done += end - begin;
      }
    }
  }

  private addRow(values: Float64Array, start: number, row: number, begin: number, end: number): void {
    const { left, right, rank, columns } = this;
    for (let r = 0, f = row * rank; r < rank; r += STEP, f += STEP) {
      const [a, b, c, d] = [left[f]!, left[f + 1]!, left[f + 2]!, left[f + 3]!];
      const [p, q, s, t] = [r * columns, (r + 1) * columns, (r + 2) * columns, (r + 3) * columns];
      for (let x = begin; x < end; x++) {
        values[start + x]! += a * right[p + x]! + b * right[q + x]! + c * right[s + x]! + d * right[t + x]!;
      }
    }
  }

  /** Whole rows, from `start` on in `values`. What is read of `right` serves both. */
  private addTwoRows(values: Float64Array, start: number, row: number): void {
    const { left, right, rank, columns } = this;
    const next = start + columns;
    for (let r = 0, f = row * rank; r < rank; r += STEP, f += STEP) {
      const g = f + rank;
      const [a, b, c, d] = [left[f]!, left[f + 1]!, left[f + 2]!, left[f + 3]!];
      const [i, j, k, l] = [left[g]!, left[g + 1]!, left[g + 2]!, left[g + 3]!];
      const [p, q, s, t] = [r * columns, (r + 1) * columns, (r + 2) * columns, (r + 3) * columns];
      for (let x = 0; x < columns; x++) {
        const u = right[p + x]!;
        const v = right[q + x]!;
        const w = right[s + x]!;
        const z = right[t + x]!;
        values[start + x]! += a * u + b * v + c * w + d * z;
        values[next + x]! += i * u + j * v + k * w + l * z;
      }
    }
  }
}
