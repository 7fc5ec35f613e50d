import { describe, expect, test } from 'vitest';

import { singleLabelMetrics } from '../../../../src/cli/evaluation/metrics/single-label';
import type { Averages } from '../../../../src/cli/evaluation/metrics/averages';
import { Predictions } from '../../../../src/cli/evaluation/metrics/predictions';
import { expectEqual, fixture, fixtureNames } from './metric-fixtures';

interface Fixture {
  /** The right label, then the score of each label in thousandths. */
  readonly rows: readonly (readonly number[])[];
  readonly expected: {
    readonly accuracy: number;
    readonly macro: Averages;
    readonly weighted: Averages;
    readonly rocAuc: number | null;
    readonly logLoss: number;
    readonly calibrationError: number;
    readonly classes: readonly (Averages & { label: number; support: number; rocAuc: number | null })[];
    readonly confusion: readonly (readonly number[])[];
    readonly calibrationCounts: readonly number[];
  };
}

function predictionsOf(rows: Fixture['rows']): Predictions {
  const predictions = new Predictions(rows[0]!.length - 1);
  for (const [actual, ...scores] of rows) {
    const predicted = scores.indexOf(Math.max(...scores));
    predictions.add(
      actual!,
      predicted,
      scores.map((score) => score / 1000),
    );
  }
  return predictions;
}

describe("scikit-learn's numbers", () => {
  test.each(fixtureNames('single-label'))('%s', (name) => {
    const { rows, expected } = fixture<Fixture>('single-label', name);
    const metrics = singleLabelMetrics(predictionsOf(rows));
    for (const key of ['accuracy', 'rocAuc', 'logLoss', 'calibrationError'] as const) {
      expectEqual(metrics[key], expected[key]);
    }
    for (const key of ['precision', 'recall', 'f1'] as const) {
      expectEqual(metrics.macro[key], expected.macro[key]);
      expectEqual(metrics.weighted[key], expected.weighted[key]);
      metrics.classes.forEach((entry, index) => expectEqual(entry[key], expected.classes[index]![key]));
    }
    metrics.classes.forEach((entry, index) => expectEqual(entry.rocAuc, expected.classes[index]!.rocAuc));
    expect(metrics.classes.map(({ label, support }) => [label, support])).toEqual(
      expected.classes.map(({ label, support }) => [label, support]),
    );
    expect(metrics.confusion).toEqual(expected.confusion);
    expect(metrics.calibration.map(({ count }) => count)).toEqual(expected.calibrationCounts);
    expect(metrics.examples).toBe(rows.length);
  });
});

test('the area under a curve that is not thinned out is the AUC', () => {
  const { classes } = singleLabelMetrics(predictionsOf(fixture<Fixture>('single-label', 'four-classes.json').rows));
  for (const { rocCurve, rocAuc } of classes) {
    expect(rocCurve[0]).toEqual({ falsePositives: 0, truePositives: 0 });
    expect(rocCurve.at(-1)).toEqual({ falsePositives: 1, truePositives: 1 });
    const area = rocCurve.slice(1).reduce((total, point, index) => {
      const before = rocCurve[index]!;
      const width = point.falsePositives - before.falsePositives;
      return total + (width * (point.truePositives + before.truePositives)) / 2;
    }, 0);
    expect(area).toBeCloseTo(rocAuc!, 12);
  }
});

test('100,000 examples take the time of a sort, and curves stay small enough to draw', () => {
  const predictions = new Predictions(3);
  for (let example = 0; example < 100_000; example++) {
    const score = ((example * 7919) % 100_003) / 100_003;
    predictions.add(example % 3, score > 0.5 ? 0 : 1, [score, (1 - score) / 2, (1 - score) / 2]);
  }
  const { examples, classes } = singleLabelMetrics(predictions);
  expect(examples).toBe(100_000);
  for (const { rocCurve } of classes) expect(rocCurve.length).toBeLessThan(500);
});
