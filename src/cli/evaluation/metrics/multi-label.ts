/**
 * How good decisions about several labels are, each for itself, by scikit-learn's definitions with `zero_division=0`.
 * test/fixtures/evaluation/multi-label holds scikit-learn's own numbers.
 */
import type { NamedNumbers } from '../comparison';
import { averagesOf, lossOf, meanOfDefined, quotient, sum, weightedAverages } from './averages';
import type { Averages } from './averages';
import { decide } from './decisions';
import type { Decisions } from './decisions';
import { averagePrecision, bestF1, precisionRecallCurve } from './precision-recall';
import type { BestF1, PrecisionRecallPoint } from './precision-recall';
import { Ranking } from './ranking';
import { rocAuc, rocCurve } from './roc';
import type { RocPoint } from './roc';

/** Examples by rows, labels by columns. */
export interface LabelDecisions {
  /** u8[examples * labels], 1 where the label is right. */
  readonly truths: Uint8Array;
  /** f64[examples * labels], 0 to 1. */
  readonly scores: Float64Array;
  /** One per label: it is predicted with at least this score. */
  readonly thresholds: readonly number[];
}

/** One label, decided for every example. */
export interface LabelMetrics extends Decisions {
  /** Examples for which the label is right. */
  readonly support: number;
  /** null where the label is right for all examples or none. */
  readonly rocAuc: number | null;
  /** 0 where the label is right for no example. */
  readonly averagePrecision: number;
  readonly logLoss: number;
  /** What would have been best on these examples; null where the label is right for none. */
  readonly best: BestF1 | null;
  readonly rocCurve: readonly RocPoint[];
  readonly precisionRecallCurve: readonly PrecisionRecallPoint[];
}

export interface RankedAverages extends Averages {
  /** null where no label has one. */
  readonly rocAuc: number | null;
  readonly averagePrecision: number;
}

export interface MultiLabelMetrics {
  readonly examples: number;
  /** Share of examples whose labels are all predicted, and no other. */
  readonly subsetAccuracy: number;
  /** Share of decisions that are wrong. */
  readonly hammingLoss: number;
  /** Mean over the examples of: labels predicted and right, of those that are either. 0 where there is neither. */
  readonly jaccard: number;
  /** All decisions counted together. */
  readonly micro: RankedAverages;
  /** Every label counts the same. */
  readonly macro: RankedAverages;
  /** Every label counts by its support. */
  readonly weighted: Averages;
  /** Every example counts the same. */
  readonly samples: Averages;
  /** Mean over all decisions of the negative logarithm of the score that the truth was given. */
  readonly logLoss: number;
  /** In the model's order. */
  readonly labels: readonly LabelMetrics[];
}

/** Those that models are compared by, as people see them. */
export function namedAverages({ subsetAccuracy, micro, macro }: MultiLabelMetrics): NamedNumbers {
  return [
    ['subset accuracy', subsetAccuracy],
    ['micro F1', micro.f1],
    ['macro F1', macro.f1],
    ['macro ROC AUC', macro.rocAuc],
    ['macro average precision', macro.averagePrecision],
  ];
}

/** @param decisions of at least one example. */
export function multiLabelMetrics(decisions: LabelDecisions): MultiLabelMetrics {
  const { truths, scores, thresholds } = decisions;
  const labels = thresholds.map((_, label) => labelMetrics(decisions, label));
  const total = (right: 0 | 1, predicted: 0 | 1): number => {
    return sum(labels, ({ confusion }) => confusion[right][predicted]);
  };
  const all = new Ranking(truths, scores);
  const [hits, missed, claimedWrong] = [total(1, 1), total(1, 0), total(0, 1)];
  return {
    examples: truths.length / labels.length,
    ...sampleMetrics(decisions),
    hammingLoss: (missed + claimedWrong) / truths.length,
    micro: {
      ...averagesOf(hits, hits + claimedWrong, hits + missed),
      rocAuc: rocAuc(all),
      averagePrecision: averagePrecision(all),
    },
    macro: {
      ...weightedAverages(labels, () => 1),
      rocAuc: meanOfDefined(labels.map((entry) => entry.rocAuc)),
      averagePrecision: sum(labels, (entry) => entry.averagePrecision) / labels.length,
    },
    weighted: weightedAverages(labels, ({ support }) => support),
    logLoss: sum(labels, (entry) => entry.logLoss) / labels.length,
    labels,
  };
}

function labelMetrics({ truths, scores, thresholds }: LabelDecisions, label: number): LabelMetrics {
  const numLabels = thresholds.length;
  const count = truths.length / numLabels;
  const right = Uint8Array.from({ length: count }, (_, example) => truths[example * numLabels + label] ?? 0);
  const scored = Float64Array.from({ length: count }, (_, example) => scores[example * numLabels + label] ?? NaN);
  const loss = scored.map((score, example) => lossOf(right[example] === 1 ? score : 1 - score));
  const ranking = new Ranking(right, scored);
  return {
    ...decide(right, scored, thresholds[label] ?? NaN),
    support: ranking.numPositive,
    rocAuc: rocAuc(ranking),
    averagePrecision: averagePrecision(ranking),
    logLoss: loss.reduce((total, value) => total + value, 0) / count,
    best: bestF1(ranking),
    rocCurve: rocCurve(ranking),
    precisionRecallCurve: precisionRecallCurve(ranking),
  };
}

/** What is counted example by example. */
function sampleMetrics({ truths, scores, thresholds }: LabelDecisions) {
  const numLabels = thresholds.length;
  const count = truths.length / numLabels;
  const totals = { precision: 0, recall: 0, f1: 0, jaccard: 0, exact: 0 };
  for (let begin = 0; begin < truths.length; begin += numLabels) {
    let [hits, claimed, support] = [0, 0, 0];
    thresholds.forEach((threshold, label) => {
      const truth = truths[begin + label] ?? 0;
      const predicted = (scores[begin + label] ?? NaN) >= threshold ? 1 : 0;
      hits += truth * predicted;
      claimed += predicted;
      support += truth;
    });
    const { precision, recall, f1 } = averagesOf(hits, claimed, support);
    totals.precision += precision;
    totals.recall += recall;
    totals.f1 += f1;
    totals.jaccard += quotient(hits, claimed + support - hits);
    if (hits === claimed && hits === support) totals.exact += 1;
  }
  const { precision, recall, f1, jaccard, exact } = totals;
  return {
    subsetAccuracy: exact / count,
    jaccard: jaccard / count,
    samples: { precision: precision / count, recall: recall / count, f1: f1 / count },
  };
}
