/** What a model answered for examples with one right label each, in columns. */
import { GrowingColumn } from './growing-column';

export class Predictions {
  readonly numLabels: number;
  readonly #actual = new GrowingColumn((length) => new Int32Array(length));
  readonly #predicted = new GrowingColumn((length) => new Int32Array(length));
  readonly #scores = new GrowingColumn((length) => new Float64Array(length));

  constructor(numLabels: number) {
    this.numLabels = numLabels;
  }

  get length(): number {
    return this.#actual.length;
  }

  /**
   * @param actual place of the right label.
   * @param predicted place of the label that the model chose.
   * @param scores one per label, adding up to 1.
   * @throws EncoderError `limit_exceeded`.
   */
  add(actual: number, predicted: number, scores: ArrayLike<number>): void {
    this.#actual.add([actual]);
    this.#predicted.add([predicted]);
    this.#scores.add(scores);
  }

  /** i32[length] */
  get actual(): Int32Array {
    return this.#actual.values;
  }

  /** i32[length] */
  get predicted(): Int32Array {
    return this.#predicted.values;
  }

  /** The score of one label for one example. */
  score(example: number, label: number): number {
    return this.#scores.at(example * this.numLabels + label);
  }
}
