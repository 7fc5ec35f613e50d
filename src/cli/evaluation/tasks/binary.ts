/** What is said about one score that tells yes from no. */
import { binaryMetrics } from '../metrics/binary';
import type { BinaryMetrics } from '../metrics/binary';
import { decide } from '../metrics/decisions';
import type { Decisions } from '../metrics/decisions';
import { comparedLines, digits, thresholdText } from '../numbers';
import { binarySections } from '../report/binary';
import type { Findings } from '../task';
import type { ScoredExamples } from './one-score';

/** One model's numbers; the decisions are those of the threshold that the caller gave. */
export interface BinaryResult {
  readonly metrics: BinaryMetrics;
  readonly decisions: Decisions | undefined;
}

export function binaryFindings(examples: ScoredExamples, threshold: number | undefined): Findings {
  const { own, other, maxLogitDifference } = examples;
  const isYes = Uint8Array.from(examples.values);
  const measure = (scores: Float64Array): BinaryResult => ({
    metrics: binaryMetrics(isYes, scores),
    decisions: threshold === undefined ? undefined : decide(isYes, scores, threshold),
  });
  const result = measure(own.scores);
  const comparison = other && { model: other.path, result: measure(other.scores), maxLogitDifference };
  const { positives } = result.metrics;
  const compare = comparison && { model: comparison.model, ...lineOf(comparison.result), maxLogitDifference };
  return {
    line: { task: 'binary', activation: own.activation, positives, ...lineOf(result), compare },
    summary: [...binaryNumbers(result), ['activation', own.activation], ['positives', `${positives}`]],
    details: (paint) => [
      '',
      paint('dim', `best: the threshold was chosen on these ${isYes.length} examples; check it on others`),
      ...comparedLines(paint, comparison, binaryNumbers),
    ],
    sections: () => binarySections(isYes, own.scores, result, comparison),
    note: 'The best thresholds were chosen on these examples, and look better here than on others.',
  };
}

function lineOf({ metrics, decisions }: BinaryResult) {
  const { rocAuc, averagePrecision, bestAccuracy, bestF1 } = metrics;
  return { rocAuc, averagePrecision, bestAccuracy, bestF1, decisions };
}

/** The numbers of one model by their names. */
function binaryNumbers({ metrics, decisions }: BinaryResult): [string, string][] {
  const { bestAccuracy, bestF1 } = metrics;
  const at = (threshold: number | undefined): string =>
    threshold === undefined ? '' : `, at ${thresholdText(threshold)}`;
  const given: [string, string][] =
    decisions === undefined
      ? []
      : [
          [`accuracy at ${decisions.threshold}`, digits(decisions.accuracy)],
          [`F1 at ${decisions.threshold}`, `${digits(decisions.f1)}${precisionAndRecall(decisions)}`],
        ];
  return [
    ['ROC AUC', digits(metrics.rocAuc)],
    ['average precision', digits(metrics.averagePrecision)],
    ...given,
    ['best accuracy', `${digits(bestAccuracy.accuracy)}${at(bestAccuracy.threshold)}`],
    ['best F1', `${digits(bestF1?.f1)}${at(bestF1?.threshold)}${bestF1 === null ? '' : precisionAndRecall(bestF1)}`],
  ];
}

function precisionAndRecall({ precision, recall }: { precision: number; recall: number }): string {
  return ` (precision ${digits(precision)}, recall ${digits(recall)})`;
}
