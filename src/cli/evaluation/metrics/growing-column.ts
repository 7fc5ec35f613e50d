/** A column of numbers that grows as examples come: a million examples are one array. */
import { EncoderError } from '../../../errors';

/** 1 GiB of doubles. */
const MAX_VALUES = 2 ** 27;

interface Column {
  readonly length: number;
  readonly [index: number]: number;
  set(values: ArrayLike<number>, offset?: number): void;
}

export class GrowingColumn<Values extends Column & { subarray(begin: number, end: number): Values }> {
  readonly #create: (length: number) => Values;
  #values: Values;
  #length = 0;

  /** @param create an array of zeros of a length. */
  constructor(create: (length: number) => Values) {
    this.#create = create;
    this.#values = create(1024);
  }

  /** @throws EncoderError `limit_exceeded`. */
  add(values: ArrayLike<number>): void {
    const end = this.#length + values.length;
    if (end > MAX_VALUES) {
      throw new EncoderError('limit_exceeded', `more than ${MAX_VALUES} scores to keep; evaluate a sample`);
    }
    if (end > this.#values.length) {
      const wider = this.#create(Math.min(MAX_VALUES, Math.max(end, this.#values.length * 2)));
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values.set(values, this.#length);
    this.#length = end;
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#values[index] ?? NaN;
  }

  /** What was added, as a view. */
  get values(): Values {
    return this.#values.subarray(0, this.#length);
  }
}
