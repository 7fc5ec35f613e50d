/** The charts of an evaluation report, each one SVG that takes its colours from the page. */
import type { CalibrationBin, ClassMetrics, Metrics } from './metrics';
import { UnitPlot, element, escapeMarkup, label, percent, short, svg } from './svg';

/** More classes than this are too small to read; those with the most examples are drawn. */
export const MAX_MATRIX_CLASSES = 40;

/** More curves than this cannot be told apart; those with the lowest AUC are drawn. */
export const MAX_CURVES = 8;

const PLOT_WIDTH = 380;
const PLOT_HEIGHT = 300;

/** Rows are right labels, columns predictions; a cell's colour is its share of the row. */
export function confusionMatrix({ classes, confusion }: Metrics, labels: readonly string[]): string {
  const shown = classes
    .map((_, place) => place)
    .sort((a, b) => (classes[b]?.support ?? 0) - (classes[a]?.support ?? 0) || a - b)
    .slice(0, MAX_MATRIX_CLASSES)
    .sort((a, b) => a - b);
  const cell = Math.max(20, Math.min(76, Math.floor(700 / shown.length)));
  const names = shown.map((place) => short(labels[classes[place]?.label ?? 0] ?? '', 22));
  const nameWidth = Math.max(...names.map((name) => Array.from(name).length)) * 7;
  const isSlanted = nameWidth > cell - 6;
  const left = nameWidth + 36;
  const top = (isSlanted ? nameWidth * 0.72 : 16) + 34;
  const size = cell * shown.length;
  const right = isSlanted ? nameWidth * 0.72 : 8;

  const content = [label(left + size / 2, 14, 'predicted', 'axis middle')];
  const middle = top + size / 2;
  content.push(label(12, middle, 'right label', 'axis middle', { transform: `rotate(-90 12 ${middle})` }));
  shown.forEach((place, row) => {
    const name = names[row] ?? '';
    const y = top + row * cell;
    const x = left + (row + 0.5) * cell;
    const turn: Record<string, string> = isSlanted ? { transform: `rotate(-45 ${x} ${top - 8})` } : {};
    content.push(label(left - 8, y + cell / 2 + 4, name, 'name end'));
    content.push(label(x, top - 8, name, isSlanted ? 'name' : 'name middle', turn));
    const total = classes[place]?.support ?? 0;
    shown.forEach((other, column) => {
      const count = confusion[place]?.[other] ?? 0;
      const share = total === 0 ? 0 : count / total;
      const title = `${names[row]} taken for ${names[column]}: ${count} of ${total}`;
      content.push(
        element('rect', {
          class: 'empty',
          x: left + column * cell + 1,
          y: y + 1,
          width: cell - 2,
          height: cell - 2,
          rx: 3,
        }),
        element(
          'rect',
          {
            class: row === column ? 'hit' : 'miss',
            'fill-opacity': count === 0 ? 0 : 0.1 + 0.9 * share,
            x: left + column * cell + 1,
            y: y + 1,
            width: cell - 2,
            height: cell - 2,
            rx: 3,
          },
          `<title>${escapeMarkup(title)}</title>`,
        ),
      );
      if (count > 0 && `${count}`.length * 8 <= cell) {
        const className = `count middle ${share > 0.5 ? 'on-colour' : ''}`.trim();
        content.push(label(left + (column + 0.5) * cell, y + cell / 2 + 4, `${count}`, className));
      }
    });
  });
  return svg(left + size + right, top + size + 8, 'confusion matrix', content);
}

/** One curve per class against the rest; for two labels the second one's alone. */
export function rocCurves({ classes }: Metrics, labels: readonly string[]): string {
  const plot = new UnitPlot(PLOT_WIDTH, PLOT_HEIGHT);
  const drawn = drawnCurves(classes, labels.length);
  const curves = drawn.map(({ rocCurve }, index) => {
    const points = rocCurve.map(
      ({ falsePositives, truePositives }) => `${plot.x(falsePositives).toFixed(1)},${plot.y(truePositives).toFixed(1)}`,
    );
    return element('polyline', { class: `curve series-${index}`, points: points.join(' ') });
  });
  const legend = drawn.map(({ label: place, rocAuc }, index) => {
    const x = plot.x(0) + (index % 2) * (PLOT_WIDTH / 2);
    const y = plot.height + 14 + Math.floor(index / 2) * 20;
    const name = `${short(labels[place] ?? '', 16)}  ${rocAuc?.toFixed(3) ?? ''}`;
    return [
      element('line', { class: `curve series-${index}`, x1: x, x2: x + 22, y1: y - 4, y2: y - 4 }),
      label(x + 30, y, name, 'name'),
    ].join('\n');
  });
  const content = [...plot.grid('false positive rate', 'true positive rate'), plot.diagonal(), ...curves, ...legend];
  return svg(plot.width, plot.height + Math.ceil(drawn.length / 2) * 20 + 8, 'ROC curves', content);
}

/** Classes that have a curve, the hardest first where there are too many. */
export function drawnCurves(classes: readonly ClassMetrics[], numLabels: number): ClassMetrics[] {
  const curves = classes.filter(({ rocCurve, label: place }) => rocCurve.length > 0 && (numLabels > 2 || place === 1));
  if (curves.length <= MAX_CURVES) return curves;
  return [...curves].sort((a, b) => (a.rocAuc ?? 1) - (b.rocAuc ?? 1)).slice(0, MAX_CURVES);
}

/** How often the model is right when it is that sure; a calibrated model's bars end on the diagonal. */
export function reliabilityDiagram(bins: readonly CalibrationBin[]): string {
  const plot = new UnitPlot(PLOT_WIDTH, PLOT_HEIGHT);
  const bars = bins
    .filter(({ count }) => count > 0)
    .flatMap(({ lower, upper, accuracy, confidence, count }) => {
      const box = { x: plot.x(lower) + 2, width: plot.x(upper) - plot.x(lower) - 4 };
      const [low, high] = [Math.min(accuracy, confidence), Math.max(accuracy, confidence)];
      const title = `${count} examples, confidence ${percent(confidence)}, right ${percent(accuracy)}`;
      return [
        element(
          'rect',
          { class: 'hit', ...box, y: plot.y(accuracy), height: plot.y(0) - plot.y(accuracy) },
          `<title>${escapeMarkup(title)}</title>`,
        ),
        element('rect', { class: 'gap', ...box, y: plot.y(high), height: plot.y(low) - plot.y(high) }),
      ];
    });
  const content = [...plot.grid('confidence', 'share of right predictions'), ...bars, plot.diagonal()];
  return svg(plot.width, plot.height, 'reliability diagram', content);
}

/** How many predictions were made with which confidence, right ones below and wrong ones on top. */
export function confidenceHistogram(bins: readonly CalibrationBin[]): string {
  const plot = new UnitPlot(PLOT_WIDTH, PLOT_HEIGHT);
  const scale = niceMaximum(Math.max(...bins.map(({ count }) => count)));
  const bars = bins.flatMap(({ lower, upper, count, correct }) => {
    const box = { x: plot.x(lower) + 2, width: plot.x(upper) - plot.x(lower) - 4 };
    const [right, all] = [plot.y(correct / scale), plot.y(count / scale)];
    const title = `<title>${correct} right, ${count - correct} wrong</title>`;
    return [
      element('rect', { class: 'hit', ...box, y: right, height: plot.y(0) - right }, title),
      element('rect', { class: 'miss', ...box, y: all, height: right - all }, title),
    ];
  });
  const content = [...plot.grid('confidence', 'examples', (share) => `${Math.round(share * scale)}`), ...bars];
  return svg(plot.width, plot.height, 'confidence histogram', content);
}

const NICE = [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10];

/** The next round number that five grid lines divide into whole ones. */
function niceMaximum(value: number): number {
  for (let power = 5; ; power *= 10) {
    const found = NICE.map((factor) => Math.round(power * factor)).find((top) => top >= value && top % 5 === 0);
    if (found !== undefined) return found;
  }
}
