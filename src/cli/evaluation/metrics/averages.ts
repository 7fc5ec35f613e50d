/** The arithmetic that all metrics share, with scikit-learn's `zero_division=0`. */

/** 0 where there is no denominator. */
export function quotient(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}

export function sum<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}

/** The mean of the values that are there; null where none is. */
export function meanOfDefined(values: readonly (number | null)[]): number | null {
  const defined = values.filter((value) => value !== null);
  return defined.length === 0 ? null : sum(defined, (value) => value) / defined.length;
}

/** Precision, recall and their harmonic mean. */
export interface Averages {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/**
 * @param hits predicted and right.
 * @param claimed predicted.
 * @param support right.
 */
export function averagesOf(hits: number, claimed: number, support: number): Averages {
  return {
    precision: quotient(hits, claimed),
    recall: quotient(hits, support),
    f1: quotient(2 * hits, claimed + support),
  };
}

/** The weighted mean of each; 0 where all weights are. */
export function weightedAverages<Entry extends Averages>(
  entries: readonly Entry[],
  weightOf: (entry: Entry) => number,
): Averages {
  const total = sum(entries, weightOf);
  const mean = (key: keyof Averages): number => {
    return quotient(
      sum(entries, (entry) => weightOf(entry) * entry[key]),
      total,
    );
  };
  return { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') };
}

/** Scores are kept this far from 0 and 1, as scikit-learn does, so that one sure mistake is not an infinite loss. */
const { EPSILON } = Number;

/** Negative logarithm of the score that the truth was given, 0 to 1. */
export function lossOf(score: number): number {
  return -Math.log(Math.min(1 - EPSILON, Math.max(EPSILON, score)));
}
