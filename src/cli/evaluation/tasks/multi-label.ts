/** Any number of right labels per example, each decided by its own score and threshold. */
import { activate } from '../../../api/activations';
import type { ModelFacts } from '../../../api/model-info';
import type { Paint } from '../../style';
import { visible } from '../../style';
import { labelSet } from '../input/label-set';
import { labelledText } from '../input/labelled-text';
import type { Comparison } from '../comparison';
import { LogitComparison } from '../logit-comparison';
import { GrowingColumn } from '../metrics/growing-column';
import { multiLabelMetrics, namedAverages } from '../metrics/multi-label';
import type { MultiLabelMetrics } from '../metrics/multi-label';
import { comparedLines, digits, numberTable, numberTexts, thresholdText } from '../numbers';
import { multiLabelSections } from '../report/multi-label';
import type { Findings, Task } from '../task';

export interface MultiLabelOptions {
  /** One per label. */
  readonly thresholds: readonly number[];
  /** What stands between the labels of a CSV field. */
  readonly separator: string;
}

export class MultiLabelTask implements Task<Uint8Array> {
  readonly format;
  readonly needsAlike = false;
  readonly #labels: readonly string[];
  readonly #other: ModelFacts | undefined;
  readonly #thresholds: readonly number[];
  readonly #truths = new GrowingColumn((length) => new Uint8Array(length));
  readonly #scores = new GrowingColumn((length) => new Float64Array(length));
  readonly #otherScores = new GrowingColumn((length) => new Float64Array(length));
  readonly #compared = new LogitComparison();
  #agreeing = 0;

  constructor({ labels }: ModelFacts, other: ModelFacts | undefined, { thresholds, separator }: MultiLabelOptions) {
    this.format = labelledText(labelSet(labels, separator));
    this.#labels = labels;
    this.#other = other;
    this.#thresholds = thresholds;
  }

  add(target: Uint8Array, _isPair: boolean, logits: Float32Array, otherLogits: Float32Array | undefined): void {
    const scores = activate(logits, 'sigmoid');
    this.#truths.add(target);
    this.#scores.add(scores);
    if (otherLogits === undefined) return;
    const otherScores = activate(otherLogits, 'sigmoid');
    this.#otherScores.add(otherScores);
    this.#compared.add(logits, otherLogits);
    const isSame = this.#thresholds.every((threshold, label) => {
      return (scores[label] ?? NaN) >= threshold === (otherScores[label] ?? NaN) >= threshold;
    });
    if (isSame) this.#agreeing += 1;
  }

  finish(): Findings {
    const labels = this.#labels;
    const measure = (scores: Float64Array): MultiLabelMetrics => {
      return multiLabelMetrics({ truths: this.#truths.values, scores, thresholds: this.#thresholds });
    };
    const metrics = measure(this.#scores.values);
    const comparison = this.#other && {
      model: this.#other.path,
      result: measure(this.#otherScores.values),
      agreement: this.#agreeing / this.#compared.examples,
      maxLogitDifference: this.#compared.maxDifference,
    };
    return {
      line: lineOf(metrics, labels, comparison),
      summary: [
        ['subset accuracy', digits(metrics.subsetAccuracy)],
        ['Hamming loss', digits(metrics.hammingLoss)],
        ['Jaccard', digits(metrics.jaccard)],
        ['log loss', digits(metrics.logLoss)],
      ],
      details: (paint) => [
        ...describeLabels(metrics, labels, paint),
        ...comparedLines(paint, comparison, (result) => numberTexts(namedAverages(result))),
      ],
      sections: () => multiLabelSections(metrics, labels, comparison),
      note: NOTE,
    };
  }
}

const NOTE =
  'A quotient without a denominator is 0. The best thresholds were chosen on these examples, and look better here ' +
  'than on others.';

/** The contract of docs/cli.md: these keys, in this order. */
function lineOf(
  metrics: MultiLabelMetrics,
  names: readonly string[],
  comparison: Comparison<MultiLabelMetrics> | undefined,
) {
  const labels = metrics.labels.map((entry, place) => ({
    label: names[place],
    threshold: entry.threshold,
    precision: entry.precision,
    recall: entry.recall,
    f1: entry.f1,
    support: entry.support,
    confusion: entry.confusion,
    rocAuc: entry.rocAuc,
    averagePrecision: entry.averagePrecision,
    logLoss: entry.logLoss,
    best: entry.best,
  }));
  const compare = comparison && {
    model: comparison.model,
    ...overall(comparison.result),
    agreement: comparison.agreement,
    maxLogitDifference: comparison.maxLogitDifference,
  };
  return { task: 'multi-label', ...overall(metrics), labels, compare };
}

function overall(metrics: MultiLabelMetrics) {
  const { subsetAccuracy, hammingLoss, jaccard, micro, macro, weighted, samples, logLoss } = metrics;
  return { subsetAccuracy, hammingLoss, jaccard, micro, macro, weighted, samples, logLoss };
}

function describeLabels(metrics: MultiLabelMetrics, labels: readonly string[], paint: Paint): string[] {
  const rows = metrics.labels.map((entry, place) => [
    visible(labels[place] ?? ''),
    ...[entry.precision, entry.recall, entry.f1].map(digits),
    `${entry.support}`,
    ...[entry.rocAuc, entry.averagePrecision, entry.logLoss].map(digits),
    thresholdText(entry.threshold),
    digits(entry.best?.f1),
    thresholdText(entry.best?.threshold),
  ]);
  const { micro, macro, weighted, samples } = metrics;
  const ranked = Object.entries({ micro, macro }).map(([name, { precision, recall, f1, rocAuc, averagePrecision }]) => [
    `${name} average`,
    ...[precision, recall, f1].map(digits),
    '',
    ...[rocAuc, averagePrecision].map(digits),
  ]);
  const decided = Object.entries({ weighted, samples }).map(([name, { precision, recall, f1 }]) => [
    `${name} average`,
    ...[precision, recall, f1].map(digits),
  ]);
  const head = ['', 'precision', 'recall', 'F1', 'support', 'ROC AUC', 'average precision', 'log loss'];
  return [
    ...numberTable(paint, [...head, 'threshold', 'best F1', 'at'], [...rows, ...ranked, ...decided]),
    '',
    paint('dim', `best F1: its threshold was chosen on these ${metrics.examples} examples; check it on others`),
  ];
}
