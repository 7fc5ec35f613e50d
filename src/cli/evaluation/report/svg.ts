/** Pieces of SVG and HTML as text. Everything that comes from a model or a file is escaped on its way in. */
import { visible } from '../../style';

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

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function round(value: number): string {
  return `${Math.round(value * 100) / 100}`;
}
