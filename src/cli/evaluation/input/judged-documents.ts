/**
 * Queries with documents and how relevant each is, in the forms that data sets have: positive and negative ones, a list
 * with its grades, a list with the positive ones of it, or a record for each pair, grouped by query.
 */
import { EncoderError } from '../../../errors';
import type { ColumnName, ColumnTitles, Header } from './columns';
import { onlyOneOf, otherTitle, quote } from './columns';
import type { Example, RecordFormat } from './record-format';
import { parseDecimal } from './target-value';

/** What is known of one pair. */
export interface JudgedDocument {
  /** Place of the query, from 0 in the order of the file. */
  readonly query: number;
  /** How relevant the document is, at least 0. */
  readonly grade: number;
  /**
   * `listed`: in a list whose order counts; `added`: it is relevant and was missing there; `unordered`: in a set.
   */
  readonly origin: 'listed' | 'added' | 'unordered';
}

type Judged = Example<JudgedDocument>;
type JsonObject = Readonly<Record<string, unknown>>;

const TITLES = {
  query: ['query'],
  query_id: ['query_id', 'qid'],
  document: ['document', 'passage', 'text_pair'],
  documents: ['documents', 'passages'],
  positive: ['positive', 'positives', 'pos'],
  negative: ['negative', 'negatives', 'neg'],
  label: ['label', 'labels', 'relevance', 'score', 'scores'],
} as const satisfies Partial<Record<ColumnName, readonly string[]>>;

type Name = keyof typeof TITLES;

/** Of all queries together. */
const MAX_QUERY_CHARS = 2 ** 28;

const ROW = '{"query": ..., "document": ..., "label": <a number>}';

export class JudgedDocuments implements RecordFormat<JudgedDocument> {
  readonly example = `{"query": ..., "documents": [...], "relevance": [...]}, or "positive" and "negative", or ${ROW}`;
  /** Of each query its id, else its text. */
  readonly queries: string[] = [];
  #chars = 0;
  /** Places of the queries whose documents stand in records of their own, by id or text. */
  readonly #places = new Map<string, number>();

  fromHeader(header: Header, titles: ColumnTitles): (row: readonly string[]) => readonly Judged[] {
    const find = (name: Name): string | undefined =>
      titleOf(name, titles, (title) => header.place(title) >= 0, 'the header has the columns');
    const need = (name: Name): string => {
      const title = find(name);
      if (title !== undefined) return title;
      const lists = (['documents', 'positive', 'negative'] as const).some((list) => find(list) !== undefined);
      throw new Error(
        `the header must name the column ${named(name, titles)}; ` +
          (lists ? 'lists of documents are for JSON, in CSV each has a row of its own' : otherTitle(name)),
      );
    };
    const [query, document, label] = [need('query'), need('document'), need('label')];
    const id = find('query_id');
    const field = (title: string) => {
      const place = header.place(title);
      return (row: readonly string[]): string => row[place] ?? '';
    };
    const [queryOf, documentOf, labelOf] = [field(query), field(document), field(label)];
    const idOf = id === undefined ? undefined : field(id);
    return (row) => {
      const text = labelOf(row).trim();
      const value = /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : parseDecimal(text);
      const grade = gradeOf(value, quote(label), text);
      return [this.#pair(queryOf(row), idOf?.(row), documentOf(row), grade)];
    };
  }

  fromObject(object: JsonObject, titles: ColumnTitles): readonly Judged[] {
    const find = (name: Name): string | undefined =>
      titleOf(name, titles, (title) => Object.hasOwn(object, title), 'found');
    const title = find('query');
    if (title === undefined)
      throw new Error(`no ${named('query', titles)}; expected ${this.example}; ${otherTitle('query')}`);
    const query = stringAt(object, title);
    const idTitle = find('query_id');
    const id = idTitle === undefined ? undefined : idAt(object, idTitle);

    const [documents, positive, negative] = [find('documents'), find('positive'), find('negative')];
    if (documents === undefined && positive === undefined && negative === undefined) {
      const document = find('document');
      if (document === undefined) throw new Error(`a query without documents; expected ${this.example}`);
      const label = find('label');
      if (label === undefined) throw new Error(`no ${named('label', titles)}; expected ${ROW}`);
      const grade = gradeOf(object[label], quote(label));
      return [this.#pair(query, id, stringAt(object, document), grade)];
    }
    const judged = this.#list(object, find, { documents, positive, negative }, titles);
    if (judged.length === 0) throw new Error('a query without documents; leave it out');
    const place = this.#add(id ?? query);
    return judged.map(([textPair, grade, origin]) => ({
      input: { text: query, textPair },
      target: { query: place, grade, origin },
    }));
  }

  #list(
    object: JsonObject,
    find: (name: Name) => string | undefined,
    found: Readonly<Record<'documents' | 'positive' | 'negative', string | undefined>>,
    titles: ColumnTitles,
  ): [string, number, JudgedDocument['origin']][] {
    const { documents, positive, negative } = found;
    if (documents === undefined) {
      if (positive === undefined || negative === undefined) {
        const [has, lacks] = positive === undefined ? [negative, 'positive' as const] : [positive, 'negative' as const];
        const other = lacks === 'negative' ? ' or "documents"' : '';
        throw new Error(`${quote(has)} without ${named(lacks, titles)}${other}; nothing could be told apart`);
      }
      return [
        ...stringsAt(object, positive).map((text): [string, number, 'unordered'] => [text, 1, 'unordered']),
        ...stringsAt(object, negative).map((text): [string, number, 'unordered'] => [text, 0, 'unordered']),
      ];
    }
    if (negative !== undefined)
      throw new Error(`found ${quote(documents)} and ${quote(negative)}; leave out one of them`);
    const texts = stringsAt(object, documents);
    const label = find('label');
    if (positive !== undefined) {
      if (label !== undefined && titles.label !== undefined) {
        throw new Error(`found ${quote(positive)} and ${quote(label)}; only one can say what is relevant`);
      }
      return withPositives(texts, stringsAt(object, positive));
    }
    if (label === undefined) {
      throw new Error(`${quote(documents)} without ${named('label', titles)} or "positive"; expected ${this.example}`);
    }
    const grades = object[label];
    if (!Array.isArray(grades)) throw new Error(`${quote(label)} is no list of numbers, one for each document`);
    if (grades.length !== texts.length) {
      throw new Error(`${quote(documents)} has ${texts.length} texts, but ${quote(label)} ${grades.length} numbers`);
    }
    return texts.map((text, place) => [text, gradeOf(grades[place], `${quote(label)}[${place}]`), 'listed']);
  }

  /** A record of its own for one pair: queries of one id, or one text, are the same. */
  #pair(query: string, id: string | undefined, document: string, grade: number): Judged {
    const key = id ?? query;
    let place = this.#places.get(key);
    if (place === undefined) {
      // A copy: a field of CSV holds on to the whole piece of the file that it came from.
      const kept = Buffer.from(key, 'utf16le').toString('utf16le');
      place = this.#add(kept);
      this.#places.set(kept, place);
    }
    return { input: { text: query, textPair: document }, target: { query: place, grade, origin: 'listed' } };
  }

  #add(query: string): number {
    this.#chars += query.length;
    if (this.#chars <= MAX_QUERY_CHARS) return this.queries.push(query) - 1;
    const message = `queries of more than ${MAX_QUERY_CHARS} characters to keep; evaluate a sample, or give each a query_id`;
    throw new EncoderError('limit_exceeded', message);
  }
}

/** As sentence-transformers has it: positive documents that the list lacks are ranked too. Each of them counts once. */
function withPositives(
  documents: readonly string[],
  positives: readonly string[],
): [string, number, JudgedDocument['origin']][] {
  const missing = new Set(positives);
  const isPositive = new Set(positives);
  const listed = documents.flatMap((text): [string, number, 'listed'][] => {
    if (!isPositive.has(text)) return [[text, 0, 'listed']];
    return missing.delete(text) ? [[text, 1, 'listed']] : [];
  });
  return [...listed, ...Array.from(missing, (text): [string, number, 'added'] => [text, 1, 'added'])];
}

function titleOf(
  name: Name,
  titles: ColumnTitles,
  isThere: (title: string) => boolean,
  where: string,
): string | undefined {
  const chosen = chosenTitle(name, titles);
  if (chosen !== undefined) return isThere(chosen) ? chosen : undefined;
  const found = onlyOneOf(TITLES[name], isThere, where, name);
  if (found !== undefined) return found;
  // `text` is the document beside a `query`, and else the query.
  const isText = isThere('text') && titles.text === undefined;
  const hasQuery = chosenTitle('query', titles) !== undefined || isThere('query');
  return isText && (name === 'document' ? hasQuery : name === 'query') ? 'text' : undefined;
}

function chosenTitle(name: Name, titles: ColumnTitles): string | undefined {
  const other = name === 'query' ? titles.text : name === 'document' ? titles.text_pair : undefined;
  return titles[name] ?? other;
}

/** What was looked for, for messages. */
function named(name: Name, titles: ColumnTitles): string {
  const chosen = chosenTitle(name, titles);
  return chosen === undefined ? quote(TITLES[name][0]) : quote(chosen);
}

function gradeOf(value: unknown, title: string, shown = value): number {
  const grade = typeof value === 'boolean' ? Number(value) : value;
  if (typeof grade === 'number' && Number.isFinite(grade) && grade >= 0) return grade;
  throw new Error(`${title} is ${quote(shown)}; expected how relevant the document is: 0 for not, or a number above`);
}

function stringAt(object: JsonObject, title: string): string {
  const value = object[title];
  if (typeof value === 'string') return value;
  throw new Error(`${quote(title)} is ${quote(value)}; expected a string`);
}

function idAt(object: JsonObject, title: string): string {
  const value = object[title];
  if (typeof value === 'number') return String(value);
  return stringAt(object, title);
}

/** A list; a lone string is a list of one, as in sentence-transformers. */
function stringsAt(object: JsonObject, title: string): readonly string[] {
  const value = object[title];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) throw new Error(`${quote(title)} is ${quote(value)}; expected a list of strings`);
  const wrong = value.findIndex((text) => typeof text !== 'string');
  if (wrong < 0) return value as string[];
  throw new Error(`${quote(title)}[${wrong}] is ${quote(value[wrong])}; expected a string`);
}
