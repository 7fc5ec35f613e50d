/** The report on a model that decides about each label for itself. */
import type { Comparison } from '../comparison';
import { namedAverages } from '../metrics/multi-label';
import type { MultiLabelMetrics } from '../metrics/multi-label';
import { thresholdText } from '../numbers';
import { curvesNote, drawnCurves, precisionRecallChart, rocChart } from './curves';
import { decisionMatrix } from './decision-matrix';
import { card, comparisonCards, metricTable, plainTable, threeDigits, tiles } from './sections';
import { percent } from './svg';

/** More matrices than this are no overview; those of the labels that are right most often are drawn. */
const MAX_MATRICES = 40;

export function multiLabelSections(
  metrics: MultiLabelMetrics,
  names: readonly string[],
  comparison: Comparison<MultiLabelMetrics> | undefined,
): string[] {
  const labels = metrics.labels.map((entry, place) => ({ name: names[place] ?? '', ...entry }));
  const roc = labels.map(({ name, rocAuc, rocCurve }) => ({ name, value: rocAuc, points: rocCurve }));
  const precisionRecall = labels.map((entry) => {
    return { name: entry.name, value: entry.averagePrecision, points: entry.precisionRecallCurve };
  });
  const [drawnRoc, drawnPrecisionRecall] = [drawnCurves(roc), drawnCurves(precisionRecall)];
  const matrices = [...labels].sort((a, b) => b.support - a.support).slice(0, MAX_MATRICES);
  const matrixNote = labels.length > MAX_MATRICES ? `, the ${MAX_MATRICES} labels that are right most often` : '';
  return [
    tiles([
      ['subset accuracy', percent(metrics.subsetAccuracy)],
      ['micro F1', threeDigits(metrics.micro.f1)],
      ['macro F1', threeDigits(metrics.macro.f1)],
      ['Hamming loss', threeDigits(metrics.hammingLoss)],
      ['Jaccard', threeDigits(metrics.jaccard)],
      ['macro ROC AUC', threeDigits(metrics.macro.rocAuc)],
    ]),
    ...comparisonCards(metrics, comparison, namedAverages),
    card(
      `Decisions by label${matrixNote}`,
      `<div class="matrices">${matrices.map((entry) => decisionMatrix(entry.name, entry)).join('\n')}</div>`,
      'wide',
    ),
    ...(drawnRoc.length === 0 ? [] : [card(`ROC${curvesNote(roc, 'labels', 'AUC')}`, rocChart(drawnRoc))]),
    ...(drawnPrecisionRecall.length === 0
      ? []
      : [
          card(
            `Precision and recall${curvesNote(precisionRecall, 'labels', 'average precision')}`,
            precisionRecallChart(drawnPrecisionRecall),
          ),
        ]),
    card('Labels', labelTable(metrics, names), 'wide'),
    card('Best thresholds, chosen on these examples', thresholdTable(metrics, names), 'wide'),
  ];
}

function labelTable(metrics: MultiLabelMetrics, names: readonly string[]): string {
  const rows = metrics.labels.map((entry, place) => ({
    name: names[place] ?? '',
    bars: [entry.precision, entry.recall, entry.f1],
    numbers: [...[entry.rocAuc, entry.averagePrecision, entry.logLoss].map(threeDigits), `${entry.support}`],
  }));
  const { micro, macro, weighted, samples } = metrics;
  const ranked = Object.entries({ micro, macro }).map(([name, { rocAuc, averagePrecision, ...averages }]) => {
    return averageRow(name, averages, [rocAuc, averagePrecision].map(threeDigits));
  });
  const decided = Object.entries({ weighted, samples }).map(([name, averages]) => averageRow(name, averages, ['', '']));
  const head = ['', 'precision', 'recall', 'F1', 'ROC AUC', 'average precision', 'log loss', 'support'];
  return metricTable(head, [...rows, ...ranked, ...decided]);
}

function averageRow(
  name: string,
  { precision, recall, f1 }: { precision: number; recall: number; f1: number },
  numbers: readonly string[],
) {
  return {
    name: `${name} average`,
    bars: [precision, recall, f1],
    numbers: [...numbers, '', ''],
    isAverage: true,
  };
}

function thresholdTable({ labels }: MultiLabelMetrics, names: readonly string[]): string {
  const rows = labels.map(({ threshold, f1, best }, place) => [
    names[place] ?? '',
    `${threshold}`,
    threeDigits(f1),
    thresholdText(best?.threshold),
    ...[best?.f1, best?.precision, best?.recall].map(threeDigits),
  ]);
  return plainTable(rows, ['', 'threshold', 'F1', 'best threshold', 'F1', 'precision', 'recall']);
}
