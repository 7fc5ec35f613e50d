/** The confusion matrix of classes, one SVG that takes its colours from the page. */
import type { SingleLabelMetrics } from '../metrics/single-label';
import { shorten } from '../../style';
import { element, escapeMarkup, label, svg } from './svg';

/** More classes than this are too small to read; those with the most examples are drawn. */
export const MAX_MATRIX_CLASSES = 40;

/** Rows are right labels, columns predictions; a cell's colour is its share of the row. */
export function confusionMatrix({ classes, confusion }: SingleLabelMetrics, labels: readonly string[]): string {
  const shown = classes
    .map((_, place) => place)
    .sort((a, b) => (classes[b]?.support ?? 0) - (classes[a]?.support ?? 0) || a - b)
    .slice(0, MAX_MATRIX_CLASSES)
    .sort((a, b) => a - b);
  const cell = Math.max(20, Math.min(76, Math.floor(700 / shown.length)));
  const names = shown.map((place) => shorten(labels[classes[place]?.label ?? 0] ?? '', 22));
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
