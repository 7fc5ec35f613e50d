/** The report on scores that should be near right values. */
import type { Comparison } from '../comparison';
import { namedErrors } from '../metrics/regression';
import type { RegressionMetrics } from '../metrics/regression';
import { histogram } from './histogram';
import { UnitPlot, niceRange, valueAt } from './plot';
import { card, comparisonCards, threeDigits, tiles } from './sections';
import { element, escapeMarkup, svg } from './svg';

/** More points than this are one blot; every n-th example is drawn. */
const MAX_POINTS = 2000;

export function regressionSections(
  metrics: RegressionMetrics,
  values: Float64Array,
  scores: Float64Array,
  comparison: Comparison<RegressionMetrics> | undefined,
): string[] {
  const errors = scores.map((score, example) => score - (values[example] ?? NaN));
  return [
    tiles(namedErrors(metrics).map(([name, value]) => [name, threeDigits(value)])),
    ...comparisonCards(metrics, comparison, namedErrors),
    scatterCard('Scores and right values', values, scores),
    card('Errors: score less right value', histogram(errors, new Uint8Array(errors.length).fill(1), 'error')),
  ];
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
