/**
 * Any number of right labels per example, in the forms that data sets have: a list of names or places, a 0/1 vector, a
 * map or columns with 0 or 1 for each label, a CSV field with separators. What could mean two things is refused.
 */
import { OTHER_TITLES, columnOf, keyOf, quote } from './columns';
import type { ColumnTitles, Header } from './columns';
import { named, placeReader } from './label-place';
import type { TargetFormat } from './target-format';

/** @returns for each example u8[labels], 1 where the label is right. */
export function labelSet(labels: readonly string[], separator: string): TargetFormat<Uint8Array> {
  const reader = new LabelSetReader(labels, separator);
  return {
    example: '{"text": ..., "labels": [...]}',
    fromHeader: (header, titles) => reader.fromHeader(header, titles),
    fromObject: (object, titles) => reader.fromObject(object, titles),
  };
}

const TITLES = ['labels', 'label'];

class LabelSetReader {
  readonly #labels: readonly string[];
  readonly #separator: string;
  readonly #place: (value: unknown) => number;

  constructor(labels: readonly string[], separator: string) {
    this.#labels = labels;
    this.#separator = separator;
    this.#place = placeReader(labels);
  }

  fromHeader(header: Header, { label }: ColumnTitles): (row: readonly string[]) => Uint8Array {
    const columns = this.#labels.map((title) => header.place(title));
    const missing = this.#labels.filter((_, place) => columns[place] === -1);
    const titles = label === undefined ? TITLES : [label];
    const title = columnOf(header, titles);
    const hasAll = missing.length === 0;
    if (title !== undefined && hasAll && label === undefined) {
      throw new Error(`the header has the column ${quote(title)} and one for each label; leave out what is not meant`);
    }
    if (title !== undefined) {
      const place = header.place(title);
      return (row) => this.#fromField(row[place] ?? '');
    }
    if (hasAll && label === undefined) return (row) => this.#fromColumns(row, columns);
    if (label !== undefined) throw new Error(`the header does not name the column ${quote(label)}`);
    if (missing.length < this.#labels.length) {
      throw new Error(`the header has columns for some of the model's labels, but none for ${named(missing)}`);
    }
    throw new Error(
      `the header must name a column "labels", or one for each label of the model (${named(this.#labels)}); ${OTHER_TITLES}`,
    );
  }

  fromObject(object: Readonly<Record<string, unknown>>, { label }: ColumnTitles): Uint8Array {
    const titles = label === undefined ? TITLES : [label];
    const title = keyOf(object, titles);
    const hasAll = this.#labels.every((name) => Object.hasOwn(object, name));
    if (title !== undefined) {
      if (hasAll && label === undefined) {
        throw new Error(`found ${quote(title)} and a key for each label; leave out what is not meant`);
      }
      return this.#fromValue(object[title]);
    }
    if (hasAll && label === undefined) return this.#fromMap(object);
    throw new Error(`no ${quote(titles[0])}; expected a list of the model's labels (${named(this.#labels)})`);
  }

  /** A JSON value. */
  #fromValue(value: unknown): Uint8Array {
    if (Array.isArray(value)) return this.#fromList(value);
    if (typeof value === 'object' && value !== null) {
      const entries = value as Readonly<Record<string, unknown>>;
      for (const name of Object.keys(entries)) {
        if (!this.#labels.includes(name)) this.#place(name);
      }
      return this.#fromMap(entries);
    }
    if (typeof value === 'string' || typeof value === 'number') return this.#of([this.#alone(value)]);
    throw new Error(`the labels are ${quote(value)}; expected a list, [] for none`);
  }

  #fromList(list: readonly unknown[]): Uint8Array {
    if (list.every((item) => typeof item === 'number' || typeof item === 'boolean')) return this.#fromNumbers(list);
    const other = list.find((item) => typeof item !== 'string');
    if (other !== undefined) throw new Error(`${quote(other)} in a list of names`);
    return this.#of(list.map(this.#place));
  }

  /** Places, or a 0/1 vector: for two labels [0, 1] could be either. */
  #fromNumbers(list: readonly (number | boolean)[]): Uint8Array {
    const numLabels = this.#labels.length;
    const numbers = list.map(Number);
    const isZeroOrOne = numbers.every((number) => number === 0 || number === 1);
    const isVector = isZeroOrOne && list.length === numLabels;
    const arePlaces =
      !list.some((item) => typeof item === 'boolean') &&
      new Set(numbers).size === list.length &&
      numbers.every((number) => Number.isInteger(number) && number >= 0 && number < numLabels);
    if (isVector && arePlaces) {
      throw new Error(`${quote(list)} may be places or one 0 or 1 for each label; write names, or {"label": 0 or 1}`);
    }
    if (isVector) return Uint8Array.from(numbers);
    if (arePlaces) return this.#of(numbers);
    if (isZeroOrOne) throw new Error(`${list.length} times 0 or 1; the model has ${numLabels} labels`);
    throw new Error(`${quote(list)} are neither places from 0 to ${numLabels - 1} nor one 0 or 1 for each label`);
  }

  /** A key for each label, and perhaps others. */
  #fromMap(entries: Readonly<Record<string, unknown>>): Uint8Array {
    return Uint8Array.from(this.#labels, (name) => {
      if (!Object.hasOwn(entries, name)) throw new Error(`no 0 or 1 for the label ${quote(name)}`);
      return zeroOrOne(entries[name], name);
    });
  }

  #fromColumns(row: readonly string[], columns: readonly number[]): Uint8Array {
    return Uint8Array.from(columns, (column, place) => {
      const field = (row[column] ?? '').trim().toLowerCase();
      // pandas writes 1.0 and True.
      const value = /^[01](\.0+)?$/.test(field) ? Number(field) : field === 'true' ? 1 : field === 'false' ? 0 : field;
      return zeroOrOne(value, this.#labels[place] ?? '');
    });
  }

  /** A CSV field: a name, or names or places between separators, or a JSON list. */
  #fromField(field: string): Uint8Array {
    const text = field.trim();
    if (text === '') return this.#of([]);
    if (text.startsWith('[') && !this.#labels.includes(text)) return this.#fromValue(parseList(text));
    if (this.#labels.includes(text) || /^\d+$/.test(text)) return this.#of([this.#alone(text)]);
    const parts = text.split(this.#separator).map((part) => part.trim());
    const unknown = parts.find((part) => !this.#labels.includes(part) && !/^\d+$/.test(part));
    if (unknown !== undefined) {
      const expected = `labels of the model (${named(this.#labels)}) separated by ${quote(this.#separator)} (--separator)`;
      throw new Error(`the label ${quote(unknown)} is not known; expected ${expected}`);
    }
    const areNames = parts.some((part) => this.#labels.includes(part));
    return areNames ? this.#of(parts.map(this.#place)) : this.#fromNumbers(parts.map(Number));
  }

  /** One label without a list: 0 and 1 may be meant as no and yes. */
  #alone(value: string | number): number {
    if (!this.#labels.includes(String(value)) && (Number(value) === 0 || Number(value) === 1)) {
      throw new Error(`${quote(value)} alone may be a place or mean yes or no; write the label's name, or [${value}]`);
    }
    return this.#place(value);
  }

  #of(places: readonly number[]): Uint8Array {
    const flags = new Uint8Array(this.#labels.length);
    for (const place of places) flags[place] = 1;
    return flags;
  }
}

function zeroOrOne(value: unknown, label: string): number {
  if (value === 0 || value === 1 || typeof value === 'boolean') return Number(value);
  const hint = value === -1 || value === '-1' ? '; leave out the examples that nobody has labelled' : '';
  throw new Error(`${quote(value)} for the label ${quote(label)}; expected 0 or 1${hint}`);
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`the labels ${quote(text)} are no JSON list; names stand in double quotes there`, { cause });
  }
}
