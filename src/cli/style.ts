/** Colour, alignment and bars for terminals. Pure functions of their arguments. */
import { styleText } from 'node:util';

import type { Terminal } from './io';

/** Text with a style, or the text alone where colour is off. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string) => string;

/** Colour for terminals that want it: NO_COLOR turns it off (no-color.org). */
export function painter(stream: Terminal, env: NodeJS.ProcessEnv = process.env): Paint {
  const off = stream.isTTY !== true || env['TERM'] === 'dumb' || (env['NO_COLOR'] ?? '') !== '';
  // Whether to colour was decided above, for this stream; Node would look at stdout.
  return off ? (_, text) => text : (style, text) => styleText(style, text, { validateStream: false });
}

/** The text with control characters made visible, so that nothing in a file or an input can steer the terminal. */
export function visible(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    if (character === '\t' || character === '\n') return ' ';
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

/** The text in at most `width` code points, with an ellipsis where it was cut. */
export function shorten(text: string, width: number): string {
  const points = Array.from(text);
  return points.length <= width ? text : `${points.slice(0, Math.max(0, width - 1)).join('')}…`;
}

export function padRight(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - Array.from(text).length));
}

export function padLeft(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - Array.from(text).length)) + text;
}

/** Length in code points of the longest text. */
export function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, Array.from(text).length), 0);
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar for a share between 0 and 1, `width` characters when full. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** 1234567 as "1.2 MB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Rows of cells as aligned lines; columns named in `right` (by index) are aligned right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const columns = rows.reduce((count, row) => Math.max(count, row.length), 0);
  const widths = Array.from({ length: columns }, (_, column) => widest(rows.map((row) => row[column] ?? '')));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? padLeft(cell, width) : padRight(cell, width);
      })
      .join('  ')
      .trimEnd(),
  );
}
