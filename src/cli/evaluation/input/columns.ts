/** Where a file keeps texts and right answers: titles of CSV columns, keys of JSON objects. */
import { shown } from '../../../support/json';

/** The names that `--column` may give other titles to; `text` and `text_pair` are a query and its document too. */
export const COLUMN_NAMES = [
  'text',
  'text_pair',
  'label',
  'query',
  'query_id',
  'document',
  'documents',
  'positive',
  'negative',
] as const;

export type ColumnName = (typeof COLUMN_NAMES)[number];

/** For messages about a title that is missing. */
export const OTHER_TITLES = otherTitle('name');

export function otherTitle(name: string): string {
  return `--column ${name}=title says where else it stands`;
}

/** Titles that the caller chose; a name that is missing stands for itself. */
export type ColumnTitles = Partial<Readonly<Record<ColumnName, string>>>;

/** The header of a CSV file. */
export class Header {
  readonly #titles: readonly string[];

  constructor(titles: readonly string[]) {
    this.#titles = titles.map((title) => title.trim());
  }

  get length(): number {
    return this.#titles.length;
  }

  /** For messages. */
  toString(): string {
    const [only = '', ...others] = this.#titles;
    const isSplitOtherwise = others.length === 0 && /[;\t]/.test(only);
    return quote(this.#titles.join(',')) + (isSplitOtherwise ? '; fields must stand between commas' : '');
  }

  /**
   * Place of a column, -1 where there is none. The file's own names are told apart by case only where it must be.
   *
   * @throws Error where the title stands twice.
   */
  place(title: string): number {
    const exact = this.#placesOf((candidate) => candidate === title);
    const places =
      exact.length > 0 ? exact : this.#placesOf((candidate) => candidate.toLowerCase() === title.toLowerCase());
    if (places.length > 1) throw new Error(`the header names the column ${JSON.stringify(title)} twice`);
    return places[0] ?? -1;
  }

  #placesOf(isMeant: (title: string) => boolean): number[] {
    return this.#titles.flatMap((title, place) => (isMeant(title) ? [place] : []));
  }
}

/**
 * The one of several titles that is there.
 *
 * @param where what has the titles, for the message.
 * @param name what stands there.
 * @throws Error where more than one is.
 */
export function onlyOneOf(
  titles: readonly string[],
  isThere: (title: string) => boolean,
  where: string,
  name: ColumnName = 'label',
) {
  const [found, other] = titles.filter(isThere);
  if (other === undefined) return found;
  const what = name === 'label' ? 'has the right answer' : 'is meant';
  throw new Error(`${where} ${quote(found)} and ${quote(other)}; say with --column ${name}=... which ${what}`);
}

/** Likewise of columns. */
export function columnOf(header: Header, titles: readonly string[]): string | undefined {
  return onlyOneOf(titles, (title) => header.place(title) >= 0, 'the header has the columns');
}

/** Likewise of keys. */
export function keyOf(object: Readonly<Record<string, unknown>>, titles: readonly string[]): string | undefined {
  return onlyOneOf(titles, (title) => Object.hasOwn(object, title), 'found');
}

/** As in JSON, shortened. */
export function quote(value: unknown): string {
  return shown(value, 100);
}
