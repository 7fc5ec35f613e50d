/** Several scores per example, each a value of its own that should be near a right one. */
import { activate, classificationActivation } from '../../../api/activations';
import type { ModelFacts } from '../../../api/model-info';
import type { Paint } from '../../style';
import { visible } from '../../style';
import { labelledText } from '../input/labelled-text';
import { targetValues } from '../input/target-values';
import { LogitComparison } from '../logit-comparison';
import { GrowingColumn } from '../metrics/growing-column';
import { meanRegression, namedErrors, regressionMetrics } from '../metrics/regression';
import type { RegressionErrors, RegressionMetrics } from '../metrics/regression';
import { comparedLines, digits, numberTable, numberTexts } from '../numbers';
import { severalValuesSections } from '../report/several-values';
import type { Findings, Task } from '../task';
import { errorsOf } from './regression';

/** One model's numbers: of each value, and their means. */
export interface SeveralValues {
  readonly mean: RegressionErrors;
  readonly labels: readonly RegressionMetrics[];
}

export class SeveralValuesTask implements Task<Float64Array> {
  readonly format;
  readonly needsAlike = false;
  readonly #facts: ModelFacts;
  readonly #other: ModelFacts | undefined;
  readonly #values = new GrowingColumn((length) => new Float64Array(length));
  readonly #scores = new GrowingColumn((length) => new Float64Array(length));
  readonly #otherScores = new GrowingColumn((length) => new Float64Array(length));
  readonly #compared = new LogitComparison();

  constructor(own: ModelFacts, other: ModelFacts | undefined) {
    this.format = labelledText(targetValues(own.labels));
    this.#facts = own;
    this.#other = other;
  }

  add(values: Float64Array, _isPair: boolean, logits: Float32Array, otherLogits: Float32Array | undefined): void {
    const { problemType, numLabels } = this.#facts;
    const activation = classificationActivation(problemType, numLabels);
    this.#values.add(values);
    this.#scores.add(activate(logits, activation));
    if (otherLogits === undefined) return;
    this.#otherScores.add(activate(otherLogits, activation));
    this.#compared.add(logits, otherLogits);
  }

  finish(): Findings {
    const { labels } = this.#facts;
    const result = this.#measure(this.#scores.values);
    const comparison = this.#other && {
      model: this.#other.path,
      result: this.#measure(this.#otherScores.values),
      maxLogitDifference: this.#compared.maxDifference,
    };
    const compare = comparison && {
      model: comparison.model,
      ...errorsOf(comparison.result.mean),
      maxLogitDifference: comparison.maxLogitDifference,
    };
    return {
      line: {
        task: 'regression',
        activation: 'none',
        ...errorsOf(result.mean),
        labels: entriesOf(result, labels),
        compare,
      },
      summary: numberTexts(namedErrors(result.mean)),
      details: (paint) => [
        ...describeLabels(result, labels, paint),
        ...comparedLines(paint, comparison, ({ mean }) => numberTexts(namedErrors(mean))),
      ],
      sections: () =>
        severalValuesSections(
          result,
          labels,
          this.#columns(this.#values.values),
          this.#columns(this.#scores.values),
          comparison,
        ),
      note: 'The numbers above are means over the values, as they are; values on a larger scale weigh more in the errors.',
    };
  }

  #measure(scores: Float64Array): SeveralValues {
    const [right, found] = [this.#columns(this.#values.values), this.#columns(scores)];
    const labels = right.map((values, label) => regressionMetrics(values, found[label]!));
    return { labels, mean: meanRegression(labels) };
  }

  /** One column of each label. */
  #columns(rows: Float64Array): Float64Array[] {
    const { numLabels } = this.#facts;
    return Array.from({ length: numLabels }, (_, label) =>
      Float64Array.from({ length: rows.length / numLabels }, (__, example) => rows[example * numLabels + label]!),
    );
  }
}

/** A part of the contract of docs/cli.md: these keys, in this order. */
function entriesOf({ labels }: SeveralValues, names: readonly string[]) {
  return labels.map((metrics, label) => ({
    label: names[label],
    ...errorsOf(metrics),
    values: metrics.values,
    scores: metrics.scores,
  }));
}

function describeLabels({ labels }: SeveralValues, names: readonly string[], paint: Paint): string[] {
  const rows = labels.map((metrics, label) => [
    visible(names[label] ?? ''),
    ...namedErrors(metrics).map(([, value]) => digits(value)),
    ...[metrics.values, metrics.scores].map(({ min, max }) => `${digits(min)} to ${digits(max)}`),
  ]);
  return numberTable(paint, ['', 'MSE', 'MAE', 'R²', 'Pearson', 'Spearman', 'right values', 'scores'], rows);
}
