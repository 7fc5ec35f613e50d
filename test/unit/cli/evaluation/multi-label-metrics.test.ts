import { describe, expect, test } from 'vitest';

import type { Averages } from '../../../../src/cli/evaluation/metrics/averages';
import { multiLabelMetrics } from '../../../../src/cli/evaluation/metrics/multi-label';
import { expectEqual, fixture, fixtureNames } from './metric-fixtures';

interface ExpectedLabel extends Averages {
  readonly support: number;
  readonly confusion: readonly (readonly number[])[];
  readonly rocAuc: number | null;
  readonly averagePrecision: number;
  readonly logLoss: number;
  readonly bestF1: number | null;
}

interface Fixture {
  readonly thresholds: readonly number[];
  /** 0 or 1 for each label, then the score of each in thousandths. */
  readonly rows: readonly (readonly number[])[];
  readonly expected: Readonly<Record<'micro' | 'macro' | 'weighted' | 'samples', Averages>> &
    Readonly<Record<'subsetAccuracy' | 'hammingLoss' | 'jaccard' | 'logLoss', number>> & {
      readonly macroRocAuc: number | null;
      readonly microRocAuc: number | null;
      readonly macroAveragePrecision: number;
      readonly microAveragePrecision: number;
      readonly labels: readonly ExpectedLabel[];
    };
}

function metricsOf({ rows, thresholds }: Fixture) {
  const truths = Uint8Array.from(rows.flatMap((row) => row.slice(0, thresholds.length)));
  const scores = Float64Array.from(rows.flatMap((row) => row.slice(thresholds.length)));
  return multiLabelMetrics({ truths, scores: scores.map((score) => score / 1000), thresholds });
}

describe("scikit-learn's numbers", () => {
  test.each(fixtureNames('multi-label'))('%s', (name) => {
    const recorded = fixture<Fixture>('multi-label', name);
    const { expected } = recorded;
    const metrics = metricsOf(recorded);
    expect(metrics.examples).toBe(recorded.rows.length);
    for (const key of ['subsetAccuracy', 'hammingLoss', 'jaccard', 'logLoss'] as const) {
      expectEqual(metrics[key], expected[key]);
    }
    for (const average of ['micro', 'macro', 'weighted', 'samples'] as const) {
      for (const key of ['precision', 'recall', 'f1'] as const) {
        expectEqual(metrics[average][key], expected[average][key]);
      }
    }
    expectEqual(metrics.macro.rocAuc, expected.macroRocAuc);
    expectEqual(metrics.micro.rocAuc, expected.microRocAuc);
    expectEqual(metrics.macro.averagePrecision, expected.macroAveragePrecision);
    expectEqual(metrics.micro.averagePrecision, expected.microAveragePrecision);
    expect(metrics.labels).toHaveLength(expected.labels.length);
    expected.labels.forEach((label, place) => {
      const found = metrics.labels[place]!;
      for (const key of ['precision', 'recall', 'f1', 'rocAuc', 'averagePrecision', 'logLoss'] as const) {
        expectEqual(found[key], label[key]);
      }
      expect(found).toMatchObject({ support: label.support, confusion: label.confusion });
      expectEqual(found.best?.f1 ?? null, label.bestF1);
    });
  });

  test('cover a label that is never right, one that always is, and no prediction at all', () => {
    const { labels } = metricsOf(fixture('multi-label', 'never-and-always.json'));
    expect(labels.map(({ support, rocAuc, best }) => [support, rocAuc === null, best === null])).toEqual([
      [0, true, true],
      [expect.any(Number), false, false],
      [80, true, false],
    ]);
    const nothing = metricsOf(fixture('multi-label', 'nothing-predicted.json'));
    expect(nothing.micro).toMatchObject({ precision: 0, recall: 0, f1: 0 });
  });
});

test('a best threshold, given as the threshold, has the F1 that it promises', () => {
  for (const name of fixtureNames('multi-label')) {
    const recorded = fixture<Fixture>('multi-label', name);
    const best = metricsOf(recorded).labels.map((label) => label.best);
    const thresholds = best.map((entry) => entry?.threshold ?? 0.5);
    metricsOf({ ...recorded, thresholds }).labels.forEach((label, place) => {
      const { precision, recall, f1 } = label;
      if (best[place] !== null) expect(best[place]).toMatchObject({ precision, recall, f1 });
    });
  }
});

test('curves of 100,000 examples stay small enough to draw', () => {
  const count = 100_000;
  const scores = Float64Array.from({ length: count }, (_, example) => ((example * 7919) % 100_003) / 100_003);
  const truths = Uint8Array.from(scores, (score, example) => (score > 0.5 === example % 3 > 0 ? 1 : 0));
  const [label] = multiLabelMetrics({ truths, scores, thresholds: [0.5] }).labels;
  for (const curve of [label!.rocCurve, label!.precisionRecallCurve]) {
    expect(curve.length).toBeGreaterThan(200);
    expect(curve.length).toBeLessThan(500);
  }
  expect(label!.precisionRecallCurve.at(-1)!.recall).toBe(1);
});
