/** Pieces of SVG and HTML as text. Everything that comes from a model or a file is escaped on its way in. */
import { visible } from '../style';

/** Text that may stand between tags and in attribute values. */
export function escapeMarkup(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return visible(text).replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

/** A picture that scales down with its column. */
export function svg(width: number, height: number, description: string, content: readonly string[]): string {
  return [
    `<svg viewBox="0 0 ${width} ${height}" style="max-width:${width}px" role="img" aria-label="${escapeMarkup(description)}">`,
    ...content,
    '</svg>',
  ].join('\n');
}

type Attributes = Readonly<Record<string, string | number>>;

/** An element; numbers are rounded to hundredths, `content` must be markup already. */
export function element(name: string, attributes: Attributes, content?: string): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => `${key}="${typeof value === 'number' ? round(value) : escapeMarkup(value)}"`,
  );
  const opened = [name, ...written].join(' ');
  return content === undefined ? `<${opened}/>` : `<${opened}>${content}</${name}>`;
}

/** Text at a place; `className` says how it is aligned and coloured. */
export function label(x: number, y: number, text: string, className: string, rest: Attributes = {}): string {
  return element('text', { x, y, class: className, ...rest }, escapeMarkup(text));
}

/** The text in at most `length` code points. */
export function short(text: string, length: number): string {
  const points = Array.from(text);
  return points.length <= length ? text : `${points.slice(0, length - 1).join('')}…`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function round(value: number): string {
  return `${Math.round(value * 100) / 100}`;
}

/** A plot of shares from 0 to 1 with a grid; `x` and `y` give places in the picture. */
export class UnitPlot {
  readonly width: number;
  readonly height: number;
  readonly #left = 62;
  readonly #top = 12;
  readonly #size: { readonly x: number; readonly y: number };

  constructor(width: number, height: number) {
    this.width = width + this.#left + 14;
    this.height = height + this.#top + 42;
    this.#size = { x: width, y: height };
  }

  readonly x = (share: number): number => this.#left + share * this.#size.x;
  readonly y = (share: number): number => this.#top + (1 - share) * this.#size.y;

  /** Grid lines and the names of both axes; `yText` says what a height stands for. */
  grid(xName: string, yName: string, yText = (share: number): string => share.toFixed(1)): string[] {
    const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
    const middle = this.y(0.5);
    return [
      ...ticks.flatMap((share) => [
        element('line', { class: 'grid', x1: this.x(0), x2: this.x(1), y1: this.y(share), y2: this.y(share) }),
        label(this.x(0) - 7, this.y(share) + 4, yText(share), 'tick end'),
        label(this.x(share), this.y(0) + 17, share.toFixed(1), 'tick middle'),
      ]),
      label(this.x(0.5), this.y(0) + 36, xName, 'axis middle'),
      label(12, middle, yName, 'axis middle', { transform: `rotate(-90 12 ${middle})` }),
    ];
  }

  diagonal(): string {
    return element('line', { class: 'diagonal', x1: this.x(0), y1: this.y(0), x2: this.x(1), y2: this.y(1) });
  }
}
