/** How far two models' logits of the same texts are apart. */
export class LogitComparison {
  #examples = 0;
  #agreeing = 0;
  #maxDifference = 0;

  add(logits: Float32Array, otherLogits: Float32Array): void {
    this.#examples += 1;
    if (largest(logits) === largest(otherLogits)) this.#agreeing += 1;
    logits.forEach((logit, label) => {
      this.#maxDifference = Math.max(this.#maxDifference, Math.abs(logit - (otherLogits[label] ?? NaN)));
    });
  }

  get examples(): number {
    return this.#examples;
  }

  /** Share of examples for which both choose the same label. */
  get agreement(): number {
    return this.#agreeing / this.#examples;
  }

  /** Largest difference of two logits of the same label and example. */
  get maxDifference(): number {
    return this.#maxDifference;
  }
}

/** Place of the largest value, the first of equal ones: the label that `classify` gives. */
export function largest(values: Float32Array): number {
  return values.reduce((best, value, index) => (value > (values[best] ?? -Infinity) ? index : best), 0);
}
