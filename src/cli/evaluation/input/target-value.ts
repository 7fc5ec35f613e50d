/** A number as the right answer of an example: a grade, a similarity, or 0 and 1 for no and yes. */
import { OTHER_TITLES, columnOf, keyOf, quote } from './columns';
import type { TargetFormat } from './target-format';

const TITLES = ['label', 'score'];

/** @param isBinary only 0 and 1 will do. */
export function targetValue(isBinary: boolean): TargetFormat<number> {
  const expected = isBinary ? '0 or 1' : 'a number';
  const check = (value: number, found: unknown, title: string): number => {
    if (Number.isFinite(value) && (!isBinary || value === 0 || value === 1)) return value;
    throw new Error(`${quote(title)} is ${quote(found)}; expected ${expected}`);
  };
  return {
    example: `{"text": ..., "label": <${expected}>}`,
    fromHeader(header, { label }) {
      const titles = label === undefined ? TITLES : [label];
      const title = columnOf(header, titles);
      if (title === undefined) {
        throw new Error(`the header must name the column ${titles.map(quote).join(' or ')}; ${OTHER_TITLES}`);
      }
      const place = header.place(title);
      return (row) => {
        const field = (row[place] ?? '').trim();
        const value = /^(true|false)$/i.test(field) ? Number(field.toLowerCase() === 'true') : parseDecimal(field);
        return check(value, field, title);
      };
    },
    fromObject(object, { label }) {
      const titles = label === undefined ? TITLES : [label];
      const title = keyOf(object, titles);
      if (title === undefined) throw new Error(`no ${titles.map(quote).join(' or ')}; expected ${expected}`);
      const value = object[title];
      return check(typeof value === 'number' || typeof value === 'boolean' ? Number(value) : NaN, value, title);
    },
  };
}

/** NaN for what is no number. */
export function parseDecimal(field: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(field) ? Number(field) : NaN;
}
