/** Curves of labels in one plot: ROC, and precision against recall. */
import type { PrecisionRecallPoint } from '../metrics/precision-recall';
import type { RocPoint } from '../metrics/roc';
import { UnitPlot } from './plot';
import { shorten } from '../../style';
import { element, label, svg } from './svg';

/** More curves than this cannot be told apart; those with the lowest value are drawn. */
const MAX_CURVES = 8;

/** A label's curve, and the area under it. */
export interface Curve<Point> {
  readonly name: string;
  readonly value: number | null;
  /** Empty where there is no curve. */
  readonly points: readonly Point[];
}

/** Curves that can be drawn, the hardest first where there are too many. */
export function drawnCurves<Point>(curves: readonly Curve<Point>[]): Curve<Point>[] {
  const drawn = curves.filter(({ points }) => points.length > 0);
  if (drawn.length <= MAX_CURVES) return drawn;
  return [...drawn].sort((a, b) => (a.value ?? 1) - (b.value ?? 1)).slice(0, MAX_CURVES);
}

/** What a title adds where not all curves are drawn. */
export function curvesNote(curves: readonly Curve<unknown>[], things: string, value: string): string {
  const count = curves.filter(({ points }) => points.length > 0).length;
  return count > MAX_CURVES ? `, the ${MAX_CURVES} ${things} with the lowest ${value}` : '';
}

/** @param curves as drawnCurves gives them. */
export function rocChart(curves: readonly Curve<RocPoint>[]): string {
  const plot = new UnitPlot();
  const axes = [...plot.grid('false positive rate', 'true positive rate'), plot.diagonal()];
  return chart(plot, axes, curves, 'ROC curves', ({ falsePositives, truePositives }) => [
    falsePositives,
    truePositives,
  ]);
}

/** @param curves as drawnCurves gives them. */
export function precisionRecallChart(curves: readonly Curve<PrecisionRecallPoint>[]): string {
  const plot = new UnitPlot();
  const axes = plot.grid('recall', 'precision');
  return chart(plot, axes, curves, 'precision-recall curves', ({ recall, precision }) => [recall, precision]);
}

function chart<Point>(
  plot: UnitPlot,
  axes: readonly string[],
  curves: readonly Curve<Point>[],
  description: string,
  sharesOf: (point: Point) => [number, number],
): string {
  const lines = curves.map(({ points }, index) => {
    const places = points.map((point) => {
      const [x, y] = sharesOf(point);
      return `${plot.x(x).toFixed(1)},${plot.y(y).toFixed(1)}`;
    });
    return element('polyline', { class: `curve series-${index}`, points: places.join(' ') });
  });
  const columnWidth = (plot.x(1) - plot.x(0)) / 2;
  const legend = curves.map(({ name, value }, index) => {
    const x = plot.x(0) + (index % 2) * columnWidth;
    const y = plot.height + 14 + Math.floor(index / 2) * 20;
    return [
      element('line', { class: `curve series-${index}`, x1: x, x2: x + 22, y1: y - 4, y2: y - 4 }),
      label(x + 30, y, `${shorten(name, 16)}  ${value?.toFixed(3) ?? ''}`, 'name'),
    ].join('\n');
  });
  const height = plot.height + Math.ceil(curves.length / 2) * 20 + 8;
  return svg(plot.width, height, description, [...axes, ...lines, ...legend]);
}
