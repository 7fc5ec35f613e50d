/**
 * How good predictions are, by scikit-learn's definitions: classes are those that occur among the right labels or the
 * predictions, and a quotient without a denominator is 0. test/fixtures/evaluation holds scikit-learn's own numbers.
 */
import { averagesOf, lossOf, meanOfDefined, quotient, sum, weightedAverages } from './averages';
import type { Averages } from './averages';
import type { Predictions } from './predictions';
import { Ranking } from './ranking';
import { rocAuc, rocCurve } from './roc';
import type { RocPoint } from './roc';

/** One class against the rest. */
export interface ClassMetrics extends Averages {
  /** Place of the label in the model. */
  readonly label: number;
  /** Examples whose right label it is. */
  readonly support: number;
  /** null where all or none of the examples are of the class. */
  readonly rocAuc: number | null;
  readonly rocCurve: readonly RocPoint[];
}

/** Examples by how sure the model was. */
export interface CalibrationBin {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
  readonly correct: number;
  /** Mean score of the predicted label, 0 for an empty bin. */
  readonly confidence: number;
  /** Share of right predictions, 0 for an empty bin. */
  readonly accuracy: number;
}

export interface SingleLabelMetrics {
  readonly examples: number;
  readonly accuracy: number;
  /** Every class counts the same. */
  readonly macro: Averages;
  /** Every class counts by its support. */
  readonly weighted: Averages;
  /** Two labels: of the second one. Several: the mean over the classes that have one. null where none has. */
  readonly rocAuc: number | null;
  /** Mean negative logarithm of the right label's score. */
  readonly logLoss: number;
  /** Mean distance of confidence and accuracy over ten bins of equal width. */
  readonly calibrationError: number;
  /** In the model's label order. */
  readonly classes: readonly ClassMetrics[];
  /** `confusion[i][j]`: examples of `classes[i]` that were taken for `classes[j]`. */
  readonly confusion: readonly (readonly number[])[];
  readonly calibration: readonly CalibrationBin[];
}

const NUM_BINS = 10;

/** @param predictions at least one. */
export function singleLabelMetrics(predictions: Predictions): SingleLabelMetrics {
  const { actual, predicted, length } = predictions;
  const present = [...new Set([...actual, ...predicted])].sort((a, b) => a - b);
  const placeOf = new Map(present.map((label, place) => [label, place]));
  const confusion = present.map(() => present.map(() => 0));
  let right = 0;
  actual.forEach((label, example) => {
    const row = confusion[placeOf.get(label) ?? -1];
    const column = placeOf.get(predicted[example] ?? -1);
    if (row === undefined || column === undefined) return;
    row[column] = (row[column] ?? 0) + 1;
    if (label === predicted[example]) right += 1;
  });
  const classes = present.map((label, place) => classMetrics(predictions, label, place, confusion));
  const calibration = calibrationBins(predictions);
  return {
    examples: length,
    accuracy: right / length,
    macro: weightedAverages(classes, () => 1),
    weighted: weightedAverages(classes, ({ support }) => support),
    rocAuc: overallRocAuc(predictions, classes),
    logLoss: logLoss(predictions),
    calibrationError: sum(calibration, (bin) => bin.count * Math.abs(bin.accuracy - bin.confidence)) / length,
    classes,
    confusion,
    calibration,
  };
}

function classMetrics(
  predictions: Predictions,
  label: number,
  place: number,
  confusion: readonly (readonly number[])[],
): ClassMetrics {
  const hits = confusion[place]?.[place] ?? 0;
  const support = sum(confusion[place] ?? [], (count) => count);
  const claimed = sum(confusion, (row) => row[place] ?? 0);
  const isOfClass = predictions.actual.map((actual) => (actual === label ? 1 : 0));
  const scores = Float64Array.from({ length: predictions.length }, (_, example) => predictions.score(example, label));
  const ranking = new Ranking(isOfClass, scores);
  return {
    label,
    support,
    ...averagesOf(hits, claimed, support),
    rocAuc: rocAuc(ranking),
    rocCurve: rocCurve(ranking),
  };
}

function overallRocAuc({ numLabels }: Predictions, classes: readonly ClassMetrics[]): number | null {
  if (numLabels === 2) return classes.find(({ label }) => label === 1)?.rocAuc ?? null;
  return meanOfDefined(classes.map((entry) => entry.rocAuc));
}

function logLoss(predictions: Predictions): number {
  let total = 0;
  predictions.actual.forEach((label, example) => {
    total += lossOf(predictions.score(example, label));
  });
  return total / predictions.length;
}

/** Bins hold (lower, upper]; the first one holds 0 as well. */
function calibrationBins(predictions: Predictions): CalibrationBin[] {
  const bins = Array.from({ length: NUM_BINS }, () => ({ count: 0, correct: 0, confidence: 0 }));
  predictions.predicted.forEach((label, example) => {
    const confidence = predictions.score(example, label);
    const bin = bins.find((_, index) => confidence <= (index + 1) / NUM_BINS) ?? bins[NUM_BINS - 1];
    if (bin === undefined) return;
    bin.count += 1;
    bin.confidence += confidence;
    if (predictions.actual[example] === label) bin.correct += 1;
  });
  return bins.map(({ count, correct, confidence }, index) => ({
    lower: index / NUM_BINS,
    upper: (index + 1) / NUM_BINS,
    count,
    correct,
    confidence: quotient(confidence, count),
    accuracy: quotient(correct, count),
  }));
}
