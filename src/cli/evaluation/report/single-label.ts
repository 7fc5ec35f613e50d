/** The report on a model that chooses one of several labels. */
import type { SingleLabelMetrics } from '../metrics/single-label';
import type { AccuracyComparison } from '../tasks/single-label';
import { confidenceHistogram, reliabilityDiagram } from './calibration';
import { MAX_MATRIX_CLASSES, confusionMatrix } from './confusion-matrix';
import { curvesNote, drawnCurves, rocChart } from './curves';
import { card, comparisonCards, metricTable, plainTable, threeDigits, tiles } from './sections';
import { percent } from './svg';

export function singleLabelSections(
  metrics: SingleLabelMetrics,
  labels: readonly string[],
  comparison: AccuracyComparison | undefined,
): string[] {
  const { classes, accuracy, macro, rocAuc, logLoss, calibrationError, calibration } = metrics;
  // With two labels one curve says all.
  const curves = classes
    .filter(({ label }) => labels.length > 2 || label === 1)
    .map((entry) => ({ name: labels[entry.label] ?? '', value: entry.rocAuc, points: entry.rocCurve }));
  const drawn = drawnCurves(curves);
  const matrixNote =
    classes.length > MAX_MATRIX_CLASSES ? `, the ${MAX_MATRIX_CLASSES} classes with the most examples` : '';
  return [
    tiles([
      ['accuracy', percent(accuracy)],
      ['F1', macro.f1.toFixed(3)],
      ['ROC AUC', threeDigits(rocAuc)],
      ['log loss', logLoss.toFixed(3)],
      ['calibration error', calibrationError.toFixed(3)],
    ]),
    ...comparisonCards({ accuracy }, comparison, (result) => [['accuracy', result.accuracy]]),
    card(`Confusion matrix${matrixNote}`, confusionMatrix(metrics, labels), 'wide'),
    ...(drawn.length === 0 ? [] : [card(`ROC${curvesNote(curves, 'classes', 'AUC')}`, rocChart(drawn))]),
    card('Reliability', reliabilityDiagram(calibration)),
    card('Confidence, right and wrong', confidenceHistogram(calibration)),
    ...confusions(metrics, labels),
    card('Classes', classTable(metrics, labels), 'wide'),
  ];
}

const SHOWN_CONFUSIONS = 8;

function confusions({ classes, confusion }: SingleLabelMetrics, labels: readonly string[]): string[] {
  const name = (place: number): string => labels[classes[place]?.label ?? -1] ?? '';
  const mistakes = confusion
    .flatMap((row, from) => row.map((count, to) => ({ from, to, count })))
    .filter(({ from, to, count }) => from !== to && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, SHOWN_CONFUSIONS);
  if (mistakes.length === 0) return [];
  const rows = mistakes.map(({ from, to, count }) => [`${name(from)} → ${name(to)}`, `${count}`]);
  return [card('Most frequent mistakes', plainTable(rows))];
}

function classTable({ classes, macro, weighted, examples }: SingleLabelMetrics, labels: readonly string[]): string {
  const rows = classes.map(({ label, precision, recall, f1, support, rocAuc }) => ({
    name: labels[label] ?? '',
    bars: [precision, recall, f1],
    numbers: [threeDigits(rocAuc), `${support}`],
  }));
  const averages = Object.entries({ macro, weighted }).map(([name, { precision, recall, f1 }]) => ({
    name: `${name} average`,
    bars: [precision, recall, f1],
    numbers: ['', `${examples}`],
    isAverage: true,
  }));
  return metricTable(['', 'precision', 'recall', 'F1', 'ROC AUC', 'support'], [...rows, ...averages]);
}
