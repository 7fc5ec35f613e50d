/** Numbers and lines for people, in the terminal. */
import { basename } from 'node:path';

import type { Paint } from '../style';
import { table, visible } from '../style';

/** Four digits after the point; `-` for what is not defined. */
export function digits(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toFixed(4);
}

/** With so many digits that it can be typed again; those of a sure model differ late. */
export function thresholdText(value: number | undefined): string {
  return value === undefined ? '-' : String(Number(value.toPrecision(8)));
}

/** Rows of numbers below a dim row of names; the first column holds text. */
export function numberTable(paint: Paint, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const right = head.slice(1).map((_, column) => column + 1);
  const [title = '', ...lines] = table([head, ...rows], right);
  return ['', paint('dim', title), ...lines];
}

/** What a second model has instead. */
export function comparedLines(paint: Paint, model: string, rows: readonly (readonly [string, string])[]): string[] {
  return ['', paint('bold', `compared with ${visible(model)}`), ...table(rows)];
}

/** A difference with its sign, for a number that is shown with as many digits. */
export function signed(change: number, places: number): string {
  return `${change >= 0 ? '+' : '−'}${Math.abs(change).toFixed(places)}`;
}

/** How the report calls a file. */
export function fileTitle(path: string): string {
  return path === '-' ? 'the standard input' : basename(path);
}
