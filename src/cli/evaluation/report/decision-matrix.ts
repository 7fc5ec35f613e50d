/** Two by two: what was right against what was decided, for one label. */
import type { Decisions } from '../metrics/decisions';
import { element, escapeMarkup, label, svg } from './svg';

const CELL = { width: 82, height: 46 };
const LEFT = 44;
const TOP = 40;

/** @param name of the label, at the head. */
export function decisionMatrix(name: string, { confusion }: Pick<Decisions, 'confusion'>): string {
  const content = [
    label(LEFT + CELL.width, 12, 'predicted', 'axis middle'),
    label(12, TOP + CELL.height, 'right', 'axis middle', { transform: `rotate(-90 12 ${TOP + CELL.height})` }),
  ];
  // As scikit-learn has it: no before yes.
  (['no', 'yes'] as const).forEach((word, place) => {
    content.push(label(LEFT + (place + 0.5) * CELL.width, TOP - 8, word, 'tick middle'));
    content.push(label(LEFT - 6, TOP + (place + 0.5) * CELL.height + 4, word, 'tick end'));
  });
  confusion.forEach((row, right) => {
    const total = row[0] + row[1];
    row.forEach((count, predicted) => {
      const share = total === 0 ? 0 : count / total;
      const box = {
        x: LEFT + predicted * CELL.width + 1,
        y: TOP + right * CELL.height + 1,
        width: CELL.width - 2,
        height: CELL.height - 2,
        rx: 3,
      };
      const opacity = count === 0 ? 0 : 0.1 + 0.9 * share;
      content.push(
        element('rect', { class: 'empty', ...box }),
        element('rect', { class: right === predicted ? 'hit' : 'miss', 'fill-opacity': opacity, ...box }),
        label(
          box.x + box.width / 2,
          box.y + box.height / 2 + 4,
          `${count}`,
          `count middle ${share > 0.5 ? 'on-colour' : ''}`.trim(),
        ),
      );
    });
  });
  const picture = svg(LEFT + 2 * CELL.width + 4, TOP + 2 * CELL.height + 4, `decisions about ${name}`, content);
  return `<figure><figcaption>${escapeMarkup(name)}</figcaption>${picture}</figure>`;
}
