/** The report on several values per example. */
import { basename } from 'node:path';

import type { SeveralValues, SeveralValuesComparison } from '../tasks/several-values';
import { namedNumbers, scatterCard } from './regression';
import { card, plainTable, threeDigits, tiles } from './sections';

/** More pictures than this are no overview; those of the values with the lowest correlation are drawn. */
const MAX_PICTURES = 12;

/** @param values of each label one column, and likewise `scores`. */
export function severalValuesSections(
  { mean, labels }: SeveralValues,
  names: readonly string[],
  values: readonly Float64Array[],
  scores: readonly Float64Array[],
  comparison: SeveralValuesComparison | undefined,
): string[] {
  const rows = labels.map((metrics, label) => [
    names[label] ?? '',
    ...namedNumbers(metrics).map(([, value]) => threeDigits(value)),
  ]);
  const head = ['', ...namedNumbers(mean).map(([name]) => name)];
  const drawn = labels
    .map((metrics, label) => ({ label, correlation: metrics.pearson ?? -1 }))
    .sort((a, b) => a.correlation - b.correlation)
    .slice(0, MAX_PICTURES);
  return [
    tiles(namedNumbers(mean).map(([name, value]) => [name, threeDigits(value)])),
    ...(comparison === undefined ? [] : [comparisonCard(mean, comparison)]),
    card('Values', plainTable(rows, head), 'wide'),
    ...drawn.map(({ label }) =>
      scatterCard(`${names[label] ?? ''}: scores and right values`, values[label]!, scores[label]!),
    ),
  ];
}

function comparisonCard(
  mean: SeveralValues['mean'],
  { model, result, maxLogitDifference }: SeveralValuesComparison,
): string {
  const theirs = namedNumbers(result.mean);
  const rows = [
    ...namedNumbers(mean).map(([name, value], place) => [name, threeDigits(value), threeDigits(theirs[place]?.[1])]),
    ['largest difference of logits', '', maxLogitDifference.toPrecision(3)],
  ];
  return card(`Compared with ${basename(model)}`, plainTable(rows, ['', 'this model', 'the other']), 'wide');
}
