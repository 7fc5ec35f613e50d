/** What is said about scores that should be near right values. */
import { namedErrors, regressionMetrics } from '../metrics/regression';
import type { Range } from '../metrics/range';
import type { RegressionErrors } from '../metrics/regression';
import { comparedLines, digits, numberTexts } from '../numbers';
import { regressionSections } from '../report/regression';
import type { Findings } from '../task';
import type { ScoredExamples } from './one-score';

export function regressionFindings(examples: ScoredExamples): Findings {
  const { values, own, other, maxLogitDifference } = examples;
  const metrics = regressionMetrics(values, own.scores);
  const comparison = other && {
    model: other.path,
    result: regressionMetrics(values, other.scores),
    maxLogitDifference,
  };
  const compare = comparison && { model: comparison.model, ...errorsOf(comparison.result), maxLogitDifference };
  const ranges = { values: metrics.values, scores: metrics.scores };
  return {
    line: { task: 'regression', activation: own.activation, ...errorsOf(metrics), ...ranges, compare },
    summary: [
      ...numberTexts(namedErrors(metrics)),
      ['right values', rangeText(metrics.values)],
      ['scores', `${rangeText(metrics.scores)}; activation ${own.activation}`],
    ],
    details: (paint) => comparedLines(paint, comparison, (result) => numberTexts(namedErrors(result))),
    sections: () => regressionSections(metrics, values, own.scores, comparison),
    note: 'Errors and R² compare scores and right values as they are; the correlations do not depend on their scale.',
  };
}

export function errorsOf({ mse, mae, r2, pearson, spearman }: RegressionErrors) {
  return { mse, mae, r2, pearson, spearman };
}

function rangeText({ min, max, mean }: Range): string {
  return `${digits(min)} to ${digits(max)}, mean ${digits(mean)}`;
}
