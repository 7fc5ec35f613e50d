/** How many examples have which value. */
import { UnitPlot, niceMaximum, niceRange, valueAt } from './plot';
import { element, svg } from './svg';

const NUM_BARS = 20;

/**
 * @param isBelow 1 for examples that stand at the bottom of their bar, the others are on top in another colour.
 * @param name of the values, at their axis.
 * @param things what has them.
 */
export function histogram(values: Float64Array, isBelow: Uint8Array, name: string, things = 'examples'): string {
  const plot = new UnitPlot();
  const range = niceRange(values);
  const bars = Array.from({ length: NUM_BARS }, () => ({ below: 0, all: 0 }));
  values.forEach((value, example) => {
    const place = Math.floor(((value - range.lower) / (range.upper - range.lower)) * NUM_BARS);
    const bar = bars[Math.min(NUM_BARS - 1, Math.max(0, place))];
    if (bar === undefined) return;
    bar.all += 1;
    bar.below += isBelow[example] ?? 0;
  });
  const scale = niceMaximum(Math.max(...bars.map(({ all }) => all)));
  const drawn = bars.flatMap(({ below, all }, place) => {
    const box = { x: plot.x(place / NUM_BARS) + 1, width: plot.x(1 / NUM_BARS) - plot.x(0) - 2 };
    const [middle, top] = [plot.y(below / scale), plot.y(all / scale)];
    const title = `<title>${all === below ? all : `${below} and ${all - below}`}</title>`;
    return [
      element('rect', { class: 'hit', ...box, y: middle, height: plot.y(0) - middle }, title),
      element('rect', { class: 'miss', ...box, y: top, height: middle - top }, title),
    ];
  });
  const axes = plot.grid(
    name,
    things,
    (share) => `${Math.round(share * scale)}`,
    (share) => valueAt(range, share),
  );
  return svg(plot.width, plot.height, `histogram: ${name}`, [...axes, ...drawn]);
}
