/** Several numbers as the right answer of an example: a list in the model's order, or one under the name of each. */
import { OTHER_TITLES, columnOf, keyOf, quote } from './columns';
import type { TargetFormat } from './target-format';
import { parseDecimal } from './target-value';

const TITLES = ['labels', 'label', 'scores'];

/** @returns for each example f64[names], in their order. */
export function targetValues(names: readonly string[]): TargetFormat<Float64Array> {
  const check = (value: unknown, found: unknown, name: string): number => {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new Error(`${quote(name)} is ${quote(found)}; expected a number`);
  };
  const listed = (value: unknown, title: string): Float64Array => {
    if (!Array.isArray(value)) throw new Error(`${quote(title)} is ${quote(value)}; expected ${names.length} numbers`);
    if (value.length === names.length)
      return Float64Array.from(names, (name, place) => check(value[place], value[place], name));
    throw new Error(`${quote(title)} has ${value.length} numbers; the model has ${names.length} values`);
  };
  const expected = `a list of ${names.length} numbers, or a number for each of ${names.map(quote).join(', ')}`;
  return {
    example: `{"text": ..., "labels": [<${names.length} numbers>]}`,
    fromHeader(header, { label }) {
      const titles = label === undefined ? TITLES : [label];
      const title = columnOf(header, titles);
      if (title !== undefined) {
        const place = header.place(title);
        return (row) => listed(parseList(row[place] ?? ''), title);
      }
      const places = names.map((name) => header.place(name));
      const missing = names.filter((_, place) => places[place] === -1);
      if (label !== undefined) throw new Error(`the header does not name the column ${quote(label)}`);
      if (missing.length > 0) {
        throw new Error(
          `the header must name a column "labels" or one for each value of the model, and lacks ${missing.map(quote).join(', ')}; ${OTHER_TITLES}`,
        );
      }
      return (row) =>
        Float64Array.from(names, (name, value) => {
          const field = (row[places[value] ?? -1] ?? '').trim();
          return check(parseDecimal(field), field, name);
        });
    },
    fromObject(object, { label }) {
      const titles = label === undefined ? TITLES : [label];
      const title = keyOf(object, titles);
      const found = title === undefined ? object : object[title];
      if (title !== undefined && (typeof found !== 'object' || found === null || Array.isArray(found))) {
        return listed(found, title);
      }
      const entries = found as Readonly<Record<string, unknown>>;
      if (title === undefined && !names.every((name) => Object.hasOwn(entries, name))) {
        throw new Error(`no ${titles.slice(0, 1).map(quote).join('')}; expected ${expected}`);
      }
      return Float64Array.from(names, (name) => check(entries[name], entries[name], name));
    },
  };
}

/** A CSV field: a JSON list. */
function parseList(field: string): unknown {
  try {
    return JSON.parse(field);
  } catch {
    return field;
  }
}
