/** Examples by falling score: what every curve and every threshold is made of. */

/** 1 or 0 per example. */
export type Flags = Int32Array | Uint8Array;

export class Ranking {
  /** Scores of the examples that are set, and of the others, rising. */
  readonly #positives: Float64Array;
  readonly #negatives: Float64Array;

  constructor(flags: Flags, scores: Float64Array) {
    this.#positives = scores.filter((_, example) => flags[example] === 1).sort();
    this.#negatives = scores.filter((_, example) => flags[example] !== 1).sort();
  }

  get numPositive(): number {
    return this.#positives.length;
  }

  get numNegative(): number {
    return this.#negatives.length;
  }

  /** Calls back with how many have at least each score, from the highest score down. */
  forEachScore(visit: (positivesAbove: number, negativesAbove: number, score: number) => void): void {
    const [positives, negatives] = [this.#positives, this.#negatives];
    let [positive, negative] = [positives.length, negatives.length];
    while (positive > 0 || negative > 0) {
      const score = Math.max(positives[positive - 1] ?? -Infinity, negatives[negative - 1] ?? -Infinity);
      while (positives[positive - 1] === score) positive -= 1;
      while (negatives[negative - 1] === score) negative -= 1;
      visit(positives.length - positive, negatives.length - negative, score);
    }
  }
}

/** More points than a chart can show are thinned out to about this many. */
const MAX_POINTS = 400;

/** The first and the last point stay. */
export function thinned<Point>(points: readonly Point[]): Point[] {
  const step = Math.ceil(points.length / MAX_POINTS);
  return points.filter((_, index) => index % step === 0 || index === points.length - 1);
}
