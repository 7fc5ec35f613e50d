/** The report on scores that should be near right values. */
import { basename } from 'node:path';

import type { RegressionErrors, RegressionMetrics } from '../metrics/regression';
import { histogram } from './histogram';
import { UnitPlot, niceRange, valueAt } from './plot';
import { card, plainTable, threeDigits, tiles } from './sections';
import { element, escapeMarkup, svg } from './svg';

/** More points than this are one blot; every n-th example is drawn. */
const MAX_POINTS = 2000;

export interface RegressionComparison {
  /** Path of the other model. */
  readonly model: string;
  readonly metrics: RegressionMetrics;
  readonly maxLogitDifference: number;
}

export function regressionSections(
  metrics: RegressionMetrics,
  values: Float64Array,
  scores: Float64Array,
  comparison: RegressionComparison | undefined,
): string[] {
  const numbers = namedNumbers(metrics);
  const errors = scores.map((score, example) => score - (values[example] ?? NaN));
  return [
    tiles(numbers.map(([name, value]) => [name, threeDigits(value)])),
    ...(comparison === undefined ? [] : [comparisonCard(numbers, comparison)]),
    scatterCard('Scores and right values', values, scores),
    card('Errors: score less right value', histogram(errors, new Uint8Array(errors.length).fill(1), 'error')),
  ];
}

export function namedNumbers({ mse, mae, r2, pearson, spearman }: RegressionErrors): [string, number | null][] {
  return [
    ['mean squared error', mse],
    ['mean absolute error', mae],
    ['R²', r2],
    ['Pearson', pearson],
    ['Spearman', spearman],
  ];
}

function comparisonCard(numbers: readonly [string, number | null][], comparison: RegressionComparison): string {
  const theirs = namedNumbers(comparison.metrics);
  const rows = [
    ...numbers.map(([name, value], place) => [name, threeDigits(value), threeDigits(theirs[place]?.[1])]),
    ['largest difference of logits', '', comparison.maxLogitDifference.toPrecision(3)],
  ];
  const table = plainTable(rows, ['', 'this model', 'the other']);
  return card(`Compared with ${basename(comparison.model)}`, table, 'wide');
}

export function scatterCard(title: string, values: Float64Array, scores: Float64Array): string {
  const step = Math.ceil(values.length / MAX_POINTS);
  return card(`${title}${step > 1 ? `, one example of ${step}` : ''}`, scatter(values, scores, step));
}

/** A point per example; axes of their own, since scores need not be on the scale of the right values. */
function scatter(values: Float64Array, scores: Float64Array, step: number): string {
  const plot = new UnitPlot();
  const [across, up] = [niceRange(values), niceRange(scores)];
  const share = (value: number, { lower, upper }: typeof up): number => (value - lower) / (upper - lower);
  const points = Array.from({ length: Math.ceil(values.length / step) }, (_, place) => {
    const [value, score] = [values[place * step] ?? 0, scores[place * step] ?? 0];
    const title = `<title>${escapeMarkup(`right ${value}, score ${score.toFixed(3)}`)}</title>`;
    const centre = { cx: plot.x(share(value, across)), cy: plot.y(share(score, up)) };
    return element('circle', { class: 'point', ...centre, r: 3 }, title);
  });
  const axes = plot.grid(
    'right value',
    'score',
    (place) => valueAt(up, place),
    (place) => valueAt(across, place),
  );
  return svg(plot.width, plot.height, 'scores against right values', [...axes, ...points]);
}
