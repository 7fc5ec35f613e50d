import { describe, expect, test } from 'vitest';

import { binaryMetrics } from '../../../../src/cli/evaluation/metrics/binary';
import { decide } from '../../../../src/cli/evaluation/metrics/decisions';
import { meanRegression, regressionMetrics } from '../../../../src/cli/evaluation/metrics/regression';
import { expectEqual, fixture, fixtureNames } from './metric-fixtures';

interface RegressionFixture {
  /** Right value and score, in thousandths. */
  readonly rows: readonly (readonly [number, number])[];
  readonly expected: Readonly<Record<'mse' | 'mae', number>> &
    Readonly<Record<'r2' | 'pearson' | 'spearman', number | null>>;
}

interface BinaryFixture {
  /** 1 for yes or 0, and the score in thousandths. */
  readonly rows: readonly (readonly [number, number])[];
  readonly expected: {
    readonly positives: number;
    readonly rocAuc: number | null;
    readonly averagePrecision: number;
    readonly bestF1: number | null;
    readonly bestAccuracy: number;
    readonly sentenceTransformers?: Readonly<
      Record<'accuracy' | 'accuracy_threshold' | 'f1' | 'precision' | 'recall' | 'f1_threshold', number>
    >;
  };
}

const columns = (rows: readonly (readonly [number, number])[], scale: number): [Float64Array, Float64Array] => [
  Float64Array.from(rows, ([value]) => value / scale),
  Float64Array.from(rows, ([, score]) => score / 1000),
];

describe("scikit-learn's and scipy's numbers of a regression", () => {
  test.each(fixtureNames('regression'))('%s', (name) => {
    const { rows, expected } = fixture<RegressionFixture>('regression', name);
    const metrics = regressionMetrics(...columns(rows, 1000));
    for (const key of ['mse', 'mae', 'r2', 'pearson', 'spearman'] as const) expectEqual(metrics[key], expected[key]);
    expect(metrics.examples).toBe(rows.length);
  });

  test('a constant that no double holds has no correlation', () => {
    const metrics = regressionMetrics(new Float64Array(3).fill(0.1), Float64Array.of(0.1, 0.2, 0.3));
    expect(metrics).toMatchObject({ r2: 0, pearson: null, spearman: null });
  });
});

interface SeveralValuesFixture {
  readonly numValues: number;
  /** Right values, then scores, in thousandths. */
  readonly rows: readonly (readonly number[])[];
  readonly expected: {
    readonly mean: RegressionFixture['expected'];
    readonly labels: readonly RegressionFixture['expected'][];
  };
}

test.each(fixtureNames('several-values'))("scikit-learn's means of several values: %s", (name) => {
  const { numValues, rows, expected } = fixture<SeveralValuesFixture>('several-values', name);
  const column = (place: number) => Float64Array.from(rows, (row) => row[place]! / 1000);
  const labels = expected.labels.map((_, value) => regressionMetrics(column(value), column(numValues + value)));
  const mean = meanRegression(labels);
  for (const key of ['mse', 'mae', 'r2', 'pearson', 'spearman'] as const) {
    expectEqual(mean[key], expected.mean[key]);
    expected.labels.forEach((label, value) => expectEqual(labels[value]![key], label[key]));
  }
});

test('a correlation that is not defined is left out of the mean', () => {
  const rising = regressionMetrics(Float64Array.of(1, 2, 3), Float64Array.of(1, 2, 4));
  const constant = regressionMetrics(Float64Array.of(1, 1, 1), Float64Array.of(1, 2, 4));
  expect(meanRegression([rising, constant])).toMatchObject({ pearson: rising.pearson, spearman: rising.spearman });
  expect(meanRegression([constant])).toMatchObject({ pearson: null, spearman: null, r2: 0 });
});

describe("scikit-learn's and sentence-transformers' numbers of yes and no", () => {
  test.each(fixtureNames('binary'))('%s', (name) => {
    const { rows, expected } = fixture<BinaryFixture>('binary', name);
    const [values, scores] = columns(rows, 1);
    const isYes = Uint8Array.from(values);
    const { positives, rocAuc, averagePrecision, bestF1, bestAccuracy } = binaryMetrics(isYes, scores);
    expect(positives).toBe(expected.positives);
    expectEqual(rocAuc, expected.rocAuc);
    expectEqual(averagePrecision, expected.averagePrecision);
    expectEqual(bestF1?.f1 ?? null, expected.bestF1);
    expectEqual(bestAccuracy.accuracy, expected.bestAccuracy);
    expectEqual(decide(isYes, scores, bestAccuracy.threshold).accuracy, expected.bestAccuracy);
    if (bestF1 !== null) expect(decide(isYes, scores, bestF1.threshold)).toMatchObject(bestF1);

    const { sentenceTransformers: theirs } = expected;
    if (theirs === undefined) return;
    expectEqual(bestAccuracy.accuracy, theirs.accuracy);
    expectEqual(bestAccuracy.threshold, theirs.accuracy_threshold);
    for (const key of ['f1', 'precision', 'recall'] as const) expectEqual(bestF1![key], theirs[key]);
    expectEqual(bestF1!.threshold, theirs.f1_threshold);
  });

  test("include sentence-transformers'", () => {
    const recorded = fixtureNames('binary').map((name) => fixture<BinaryFixture>('binary', name).expected);
    expect(recorded.filter(({ sentenceTransformers }) => sentenceTransformers !== undefined)).toHaveLength(2);
  });
});

test('a threshold between neighbouring doubles lets the lower one not pass', () => {
  const scores = Float64Array.of(1 - 2 ** -53, 1 - 2 ** -52, 0.2);
  const isYes = Uint8Array.of(1, 0, 0);
  const { bestF1 } = binaryMetrics(isYes, scores);
  expect(bestF1).toEqual({ threshold: 1 - 2 ** -53, precision: 1, recall: 1, f1: 1 });
});
