/** What a model answered for labelled examples, in columns: a million examples are three arrays. */
import { EncoderError } from '../../errors';

/** 1 GiB of scores. */
const MAX_SCORES = 2 ** 27;

export class Predictions {
  readonly numLabels: number;
  #length = 0;
  #actual = new Int32Array(1024);
  #predicted = new Int32Array(1024);
  #scores: Float64Array;

  constructor(numLabels: number) {
    this.numLabels = numLabels;
    this.#scores = new Float64Array(1024 * numLabels);
  }

  get length(): number {
    return this.#length;
  }

  /**
   * @param actual place of the right label.
   * @param predicted place of the label that the model chose.
   * @param scores one per label, adding up to 1.
   */
  add(actual: number, predicted: number, scores: ArrayLike<number>): void {
    if ((this.#length + 1) * this.numLabels > MAX_SCORES) {
      const message = `more than ${this.#length} examples of ${this.numLabels} scores; evaluate a sample`;
      throw new EncoderError('limit_exceeded', message);
    }
    if (this.#length === this.#actual.length) this.#grow();
    this.#actual[this.#length] = actual;
    this.#predicted[this.#length] = predicted;
    this.#scores.set(scores, this.#length * this.numLabels);
    this.#length += 1;
  }

  /** i32[length] */
  get actual(): Int32Array {
    return this.#actual.subarray(0, this.#length);
  }

  /** i32[length] */
  get predicted(): Int32Array {
    return this.#predicted.subarray(0, this.#length);
  }

  /** The score of one label for one example. */
  score(example: number, label: number): number {
    return this.#scores[example * this.numLabels + label] ?? NaN;
  }

  #grow(): void {
    const length = this.#length * 2;
    const widen = <Column extends Int32Array | Float64Array>(from: Column, to: Column): Column => {
      to.set(from);
      return to;
    };
    this.#actual = widen(this.#actual, new Int32Array(length));
    this.#predicted = widen(this.#predicted, new Int32Array(length));
    this.#scores = widen(this.#scores, new Float64Array(length * this.numLabels));
  }
}
