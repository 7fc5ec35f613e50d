/** What is said about scores that should be near right values. */
import type { Paint } from '../../style';
import { regressionMetrics } from '../metrics/regression';
import type { Range } from '../metrics/range';
import type { RegressionErrors } from '../metrics/regression';
import { comparedLines, digits } from '../numbers';
import { regressionSections } from '../report/regression';
import type { Findings } from '../task';
import type { ScoredExamples } from './one-score';

/** The numbers of one model that a comparison shows, by what they are called. */
export function regressionNumbers({ mse, mae, r2, pearson, spearman }: RegressionErrors) {
  const named: [string, number | null][] = [
    ['mean squared error', mse],
    ['mean absolute error', mae],
    ['R²', r2],
    ['Pearson correlation', pearson],
    ['Spearman correlation', spearman],
  ];
  return named;
}

export function regressionFindings(examples: ScoredExamples): Findings {
  const { values, own, other, maxLogitDifference } = examples;
  const metrics = regressionMetrics(values, own.scores);
  const comparison = other && { model: other.path, metrics: regressionMetrics(values, other.scores) };
  const compare = comparison && { model: comparison.model, ...errorsOf(comparison.metrics), maxLogitDifference };
  const ranges = { values: metrics.values, scores: metrics.scores };
  return {
    line: { task: 'regression', activation: own.activation, ...errorsOf(metrics), ...ranges, compare },
    summary: [
      ...regressionNumbers(metrics).map(([name, value]): [string, string] => [name, digits(value)]),
      ['right values', rangeText(metrics.values)],
      ['scores', `${rangeText(metrics.scores)}; activation ${own.activation}`],
    ],
    details: (paint: Paint) =>
      comparison === undefined
        ? []
        : comparedLines(paint, comparison.model, [
            ...regressionNumbers(comparison.metrics).map(([name, value]): [string, string] => [
              `its ${name}`,
              digits(value),
            ]),
            ['largest difference of logits', maxLogitDifference.toPrecision(3)],
          ]),
    sections: () =>
      regressionSections(metrics, values, own.scores, comparison && { ...comparison, maxLogitDifference }),
    note: 'Errors and R² compare scores and right values as they are; the correlations do not depend on their scale.',
  };
}

export function errorsOf({ mse, mae, r2, pearson, spearman }: RegressionErrors) {
  return { mse, mae, r2, pearson, spearman };
}

function rangeText({ min, max, mean }: Range): string {
  return `${digits(min)} to ${digits(max)}, mean ${digits(mean)}`;
}
