/**
 * How far scores are from the right values, and how well they follow them: the definitions of scikit-learn and scipy.
 * test/fixtures/evaluation/regression holds their own numbers.
 */
import type { NamedNumbers } from '../comparison';
import { meanOfDefined } from './averages';
import { mean, rangeOf } from './range';
import type { Range } from './range';

export interface RegressionErrors {
  /** Mean squared error. */
  readonly mse: number;
  /** Mean absolute error. */
  readonly mae: number;
  /**
   * Share of the right values' variance that the scores explain; below 0 they are worse than a constant. Where all
   * right values are equal, 1 for scores that equal them and else 0; null for a single example.
   */
  readonly r2: number | null;
  /** Linear correlation, -1 to 1; null where the scores or the right values are all equal. */
  readonly pearson: number | null;
  /** Correlation of ranks, equal values sharing one; null as above. */
  readonly spearman: number | null;
}

/** By the names that people see. */
export function namedErrors({ mse, mae, r2, pearson, spearman }: RegressionErrors): NamedNumbers {
  return [
    ['mean squared error', mse],
    ['mean absolute error', mae],
    ['R²', r2],
    ['Pearson correlation', pearson],
    ['Spearman correlation', spearman],
  ];
}

export interface RegressionMetrics extends RegressionErrors {
  readonly examples: number;
  readonly values: Range;
  readonly scores: Range;
}

/** @param values the right ones, at least one. */
export function regressionMetrics(values: Float64Array, scores: Float64Array): RegressionMetrics {
  const errors = scores.map((score, example) => score - (values[example] ?? NaN));
  return {
    examples: values.length,
    mse: mean(errors.map((error) => error * error)),
    mae: mean(errors.map(Math.abs)),
    r2: r2(values, errors),
    pearson: pearson(values, scores),
    spearman: pearson(ranks(values), ranks(scores)),
    values: rangeOf(values),
    scores: rangeOf(scores),
  };
}

/** Means over several values, scikit-learn's `uniform_average`; of the correlations those that are defined. */
export function meanRegression(labels: readonly RegressionMetrics[]): RegressionErrors {
  return {
    mse: mean(Float64Array.from(labels, ({ mse }) => mse)),
    mae: mean(Float64Array.from(labels, ({ mae }) => mae)),
    r2: meanOfDefined(labels.map((label) => label.r2)),
    pearson: meanOfDefined(labels.map((label) => label.pearson)),
    spearman: meanOfDefined(labels.map((label) => label.spearman)),
  };
}

function r2(values: Float64Array, errors: Float64Array): number | null {
  if (values.length < 2) return null;
  const unexplained = mean(errors.map((error) => error * error));
  if (isConstant(values)) return unexplained === 0 ? 1 : 0;
  const centre = mean(values);
  return 1 - unexplained / mean(values.map((value) => (value - centre) ** 2));
}

function pearson(a: Float64Array, b: Float64Array): number | null {
  if (isConstant(a) || isConstant(b)) return null;
  const [centreA, centreB] = [mean(a), mean(b)];
  let [covariance, varianceA, varianceB] = [0, 0, 0];
  a.forEach((value, index) => {
    const [fromA, fromB] = [value - centreA, (b[index] ?? NaN) - centreB];
    covariance += fromA * fromB;
    varianceA += fromA * fromA;
    varianceB += fromB * fromB;
  });
  return Math.max(-1, Math.min(1, covariance / (Math.sqrt(varianceA) * Math.sqrt(varianceB))));
}

/** Places from 1 by rising value; equal values share the mean of theirs. */
function ranks(values: Float64Array): Float64Array {
  const valueAt = (place: number | undefined): number => values[place ?? -1] ?? NaN;
  const order = Uint32Array.from(values, (_, index) => index).sort((a, b) => valueAt(a) - valueAt(b));
  const result = new Float64Array(values.length);
  let start = 0;
  while (start < order.length) {
    let end = start + 1;
    while (end < order.length && valueAt(order[end]) === valueAt(order[start])) end += 1;
    for (let place = start; place < end; place++) result[order[place] ?? -1] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}

function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}
