/** The report on several values per example. */
import type { Comparison } from '../comparison';
import { namedErrors } from '../metrics/regression';
import type { SeveralValues } from '../tasks/several-values';
import { scatterCard } from './regression';
import { card, comparisonCards, plainTable, threeDigits, tiles } from './sections';

/** More pictures than this are no overview; those of the values with the lowest correlation are drawn. */
const MAX_PICTURES = 12;

/** @param values of each label one column, and likewise `scores`. */
export function severalValuesSections(
  result: SeveralValues,
  names: readonly string[],
  values: readonly Float64Array[],
  scores: readonly Float64Array[],
  comparison: Comparison<SeveralValues> | undefined,
): string[] {
  const { mean, labels } = result;
  const rows = labels.map((metrics, label) => [
    names[label] ?? '',
    ...namedErrors(metrics).map(([, value]) => threeDigits(value)),
  ]);
  const head = ['', ...namedErrors(mean).map(([name]) => name)];
  const drawn = labels
    .map((metrics, label) => ({ label, correlation: metrics.pearson ?? -1 }))
    .sort((a, b) => a.correlation - b.correlation)
    .slice(0, MAX_PICTURES);
  return [
    tiles(namedErrors(mean).map(([name, value]) => [name, threeDigits(value)])),
    ...comparisonCards(result, comparison, (model) => namedErrors(model.mean)),
    card('Values', plainTable(rows, head), 'wide'),
    ...drawn.map(({ label }) =>
      scatterCard(`${names[label] ?? ''}: scores and right values`, values[label]!, scores[label]!),
    ),
  ];
}
