/** How sure a model is and how often it is right: two charts of the same bins. */
import type { CalibrationBin } from '../metrics/single-label';
import { UnitPlot, niceMaximum } from './plot';
import { element, escapeMarkup, percent, svg } from './svg';

/** How often the model is right when it is that sure; a calibrated model's bars end on the diagonal. */
export function reliabilityDiagram(bins: readonly CalibrationBin[]): string {
  const plot = new UnitPlot();
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
  const plot = new UnitPlot();
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
