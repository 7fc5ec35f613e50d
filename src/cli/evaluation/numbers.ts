/** Numbers and lines for people, in the terminal. */
import { basename } from 'node:path';

import type { Paint } from '../style';
import { table, visible } from '../style';
import type { Comparison, NamedNumbers } from './comparison';

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

/** Names with their numbers as text. */
export function numberTexts(numbers: NamedNumbers): [name: string, text: string][] {
  return numbers.map(([name, value]) => [name, digits(value)]);
}

/**
 * What a second model has instead; nothing where there is none.
 *
 * @param numbersOf its numbers by their names.
 */
export function comparedLines<Result>(
  paint: Paint,
  comparison: Comparison<Result> | undefined,
  numbersOf: (result: Result) => readonly (readonly [name: string, text: string])[],
): string[] {
  if (comparison === undefined) return [];
  const { model, result, agreement, maxLogitDifference } = comparison;
  const rows = [
    ...numbersOf(result).map(([name, text]) => [`its ${name}`, text]),
    ...(agreement === undefined ? [] : [['same labels', digits(agreement)]]),
    ['largest difference of logits', maxLogitDifference.toPrecision(3)],
  ];
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
