/** Examples with their right answers: JSON lines, or CSV with a header. */
import { extname } from 'node:path';
import type { Readable } from 'node:stream';

import type { TextInput } from '../../../api/inputs';
import { atLine, inputName, records } from '../../jsonl';
import type { Numbered } from '../../jsonl';
import { readTextInput } from '../../text-line';
import { Header, OTHER_TITLES, quote } from './columns';
import type { ColumnTitles } from './columns';
import { csvRows } from './csv';
import type { TargetFormat } from './target-format';

/** A text or pair, and what is right about it. */
export interface Example<Target> {
  readonly input: TextInput;
  readonly target: Target;
}

/** What a labelled file is and how it is read. */
export interface LabelledFile<Target> {
  /** Its name says whether it is CSV; `-` is stdin. */
  readonly path: string;
  readonly titles: ColumnTitles;
  readonly format: TargetFormat<Target>;
}

/**
 * Examples in batches, each with its line.
 *
 * @throws EncoderError `input_invalid`, which names the line, and what reading the file raises.
 */
export async function* examples<Target>(
  stream: Readable,
  file: LabelledFile<Target>,
): AsyncGenerator<Numbered<Example<Target>>[]> {
  const name = inputName(file.path);
  if (extname(file.path).toLowerCase() === '.csv') yield* csvExamples(stream, name, file);
  else yield* records(stream, name, (line) => parseExample(line, file));
}

function parseExample<Target>(line: string, { format, titles }: LabelledFile<Target>): Example<Target> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error(`not JSON; expected ${format.example}`, { cause });
  }
  if (typeof value === 'string') throw new Error(`found a string; expected ${format.example}`);
  const input = readTextInput(renamed(value, titles));
  if (typeof input === 'object' && 'problem' in input) throw new Error(`${input.problem}; expected ${format.example}`);
  return { input, target: format.fromObject(value as Readonly<Record<string, unknown>>, titles) };
}

/** The value with the texts under their usual names. */
function renamed(value: unknown, { text, text_pair: pair }: ColumnTitles): unknown {
  if (typeof value !== 'object' || value === null || (text === undefined && pair === undefined)) return value;
  const object = value as Readonly<Record<string, unknown>>;
  for (const title of [text, pair]) {
    if (title !== undefined && typeof object[title] !== 'string') throw new Error(`no string under ${quote(title)}`);
  }
  return { text: object[text ?? 'text'], text_pair: object[pair ?? 'text_pair'] };
}

async function* csvExamples<Target>(
  stream: Readable,
  name: string,
  file: LabelledFile<Target>,
): AsyncGenerator<Numbered<Example<Target>>[]> {
  let readRow: ((row: readonly string[]) => Example<Target>) | undefined;
  for await (const rows of csvRows(stream, name)) {
    const batch: Numbered<Example<Target>>[] = [];
    for (const { line, value } of rows) {
      try {
        if (readRow === undefined) readRow = rowReader(value, file);
        else batch.push({ line, value: readRow(value) });
      } catch (error) {
        if (batch.length > 0) yield batch;
        throw atLine(error, name, line);
      }
    }
    if (batch.length > 0) yield batch;
  }
}

function rowReader<Target>(
  titleRow: readonly string[],
  { titles, format }: LabelledFile<Target>,
): (row: readonly string[]) => Example<Target> {
  const header = new Header(titleRow);
  const readTarget = format.fromHeader(header, titles);
  const text = header.place(titles.text ?? 'text');
  const pair = header.place(titles.text_pair ?? 'text_pair');
  if (text < 0) {
    throw new Error(`the header must name the column ${quote(titles.text ?? 'text')}; ${OTHER_TITLES}`);
  }
  if (pair < 0 && titles.text_pair !== undefined) {
    throw new Error(`the header does not name the column ${quote(titles.text_pair)}`);
  }
  return (row) => {
    if (row.length !== header.length) throw new Error(`${row.length} fields; the header has ${header.length}`);
    const first = row[text] ?? '';
    const input = pair < 0 ? first : { text: first, textPair: row[pair] ?? '' };
    return { input, target: readTarget(row) };
  };
}

/** The same examples; fails at one with a second text where the first one has none, or the other way round. */
export async function* alike<Target>(
  batches: AsyncIterable<Numbered<Example<Target>>[]>,
  name: string,
): AsyncGenerator<Numbered<Example<Target>>[]> {
  let arePairs: boolean | undefined;
  for await (const batch of batches) {
    for (const [place, { line, value }] of batch.entries()) {
      arePairs ??= isPair(value.input);
      if (isPair(value.input) === arePairs) continue;
      if (place > 0) yield batch.slice(0, place);
      const [has, before] = arePairs ? ['no', 'one'] : ['a', 'none'];
      throw atLine(new Error(`${has} "text_pair", but the lines before have ${before}`), name, line);
    }
    yield batch;
  }
}

export function isPair(input: TextInput): input is { text: string; textPair: string } {
  return typeof input === 'object' && input.textPair !== undefined;
}
