/** One right label per example: accuracy, the confusion of classes, calibration. */
import { activate } from '../../../api/activations';
import type { ModelFacts } from '../../../api/model-info';
import type { Paint } from '../../style';
import { visible } from '../../style';
import { labelPlace } from '../input/label-place';
import { labelledText } from '../input/labelled-text';
import type { Comparison } from '../comparison';
import { LogitComparison, largest } from '../logit-comparison';
import { Predictions } from '../metrics/predictions';
import { singleLabelMetrics } from '../metrics/single-label';
import type { SingleLabelMetrics } from '../metrics/single-label';
import { comparedLines, digits, numberTable } from '../numbers';
import { singleLabelSections } from '../report/single-label';
import type { Findings, Task } from '../task';

/** The other model's accuracy is all that is asked of it. */
export type AccuracyComparison = Comparison<Pick<SingleLabelMetrics, 'accuracy'>>;

export class SingleLabelTask implements Task<number> {
  readonly format;
  readonly needsAlike = false;
  readonly #labels: readonly string[];
  readonly #other: ModelFacts | undefined;
  readonly #predictions: Predictions;
  readonly #compared = new LogitComparison();
  #othersRight = 0;

  constructor({ labels }: ModelFacts, other: ModelFacts | undefined) {
    this.format = labelledText(labelPlace(labels));
    this.#labels = labels;
    this.#other = other;
    this.#predictions = new Predictions(labels.length);
  }

  add(label: number, _isPair: boolean, logits: Float32Array, otherLogits: Float32Array | undefined): void {
    this.#predictions.add(label, largest(logits), activate(logits, 'softmax'));
    if (otherLogits === undefined) return;
    this.#compared.add(logits, otherLogits);
    if (largest(otherLogits) === label) this.#othersRight += 1;
  }

  finish(): Findings {
    const labels = this.#labels;
    const metrics = singleLabelMetrics(this.#predictions);
    const comparison = this.#other && {
      model: this.#other.path,
      result: { accuracy: this.#othersRight / this.#compared.examples },
      agreement: this.#compared.agreement,
      maxLogitDifference: this.#compared.maxDifference,
    };
    return {
      line: lineOf(metrics, labels, comparison),
      summary: [
        ['accuracy', digits(metrics.accuracy)],
        ['ROC AUC', digits(metrics.rocAuc)],
        ['log loss', digits(metrics.logLoss)],
        ['calibration error', digits(metrics.calibrationError)],
      ],
      details: (paint) => [
        ...describeClasses(metrics, labels, paint),
        ...describeConfusion(metrics, labels, paint),
        ...comparedLines(paint, comparison, ({ accuracy }) => [['accuracy', digits(accuracy)]]),
      ],
      sections: () => singleLabelSections(metrics, labels, comparison),
      note: 'Averages are macro averages. Calibration error: mean distance of confidence and accuracy over ten bins.',
    };
  }
}

/** The contract of docs/cli.md: these keys, in this order. */
function lineOf(metrics: SingleLabelMetrics, labels: readonly string[], comparison: AccuracyComparison | undefined) {
  const { accuracy, macro, weighted, rocAuc, logLoss, calibrationError, confusion } = metrics;
  const classes = metrics.classes.map((entry) => ({
    label: labels[entry.label],
    precision: entry.precision,
    recall: entry.recall,
    f1: entry.f1,
    support: entry.support,
    rocAuc: entry.rocAuc,
  }));
  const compare = comparison && {
    model: comparison.model,
    ...comparison.result,
    agreement: comparison.agreement,
    maxLogitDifference: comparison.maxLogitDifference,
  };
  return { accuracy, macro, weighted, rocAuc, logLoss, calibrationError, classes, confusion, compare };
}

function describeClasses(metrics: SingleLabelMetrics, labels: readonly string[], paint: Paint): string[] {
  const averages = (['macro', 'weighted'] as const).map((name) => {
    const { precision, recall, f1 } = metrics[name];
    const rocAuc = name === 'macro' && labels.length > 2 ? digits(metrics.rocAuc) : '';
    return [`${name} average`, digits(precision), digits(recall), digits(f1), `${metrics.examples}`, rocAuc];
  });
  const classes = metrics.classes.map(({ label, precision, recall, f1, support, rocAuc }) => [
    visible(labels[label] ?? ''),
    digits(precision),
    digits(recall),
    digits(f1),
    `${support}`,
    digits(rocAuc),
  ]);
  return numberTable(paint, ['', 'precision', 'recall', 'F1', 'support', 'ROC AUC'], [...classes, ...averages]);
}

/** Wider ones are for the report. */
const MOST_SHOWN_CLASSES = 8;

/** A row for each right label, a column for each predicted one. */
function describeConfusion(
  { classes, confusion }: SingleLabelMetrics,
  labels: readonly string[],
  paint: Paint,
): string[] {
  if (classes.length > MOST_SHOWN_CLASSES) return [];
  const names = classes.map(({ label }) => visible(labels[label] ?? ''));
  const rows = confusion.map((row, place) => [names[place] ?? '', ...row.map((count) => `${count}`)]);
  return numberTable(paint, ['right, taken for', ...names], rows);
}
