/** Examples with their right answers: JSON lines, a JSON list, or CSV with a header. */
import { extname } from 'node:path';
import type { Readable } from 'node:stream';

import type { ClassifierInput } from '../../../api/classifier';
import { jsonRecords } from '../../json-list';
import { MAX_BATCH, atLine, inputName } from '../../input';
import type { Numbered } from '../../input';
import { Header } from './columns';
import type { ColumnTitles } from './columns';
import { csvRows } from './csv';
import type { Example, RecordFormat } from './record-format';
import { messageOf } from '../../../support/error-message';

/** What a labelled file is and how it is read. */
export interface LabelledFile<Target> {
  /** Its name says whether it is CSV; `-` is stdin. */
  readonly path: string;
  readonly titles: ColumnTitles;
  readonly format: RecordFormat<Target>;
}

/**
 * Examples in batches of at most 512, each with the line of its record, which may hold any number of them.
 *
 * @throws EncoderError `input_invalid`, which names the line, and what reading the file raises.
 */
export async function* examples<Target>(
  stream: Readable,
  file: LabelledFile<Target>,
): AsyncGenerator<Numbered<Example<Target>>[]> {
  const name = inputName(file.path);
  const isCsv = extname(file.path).toLowerCase() === '.csv';
  const batches = isCsv
    ? csvExamples(stream, name, file)
    : jsonRecords(stream, name, (text) => parseRecord(text, file));
  for await (const batch of batches) {
    let part: Numbered<Example<Target>>[] = [];
    for (const { line, value } of batch) {
      for (const example of value) {
        part.push({ line, value: example });
        if (part.length < MAX_BATCH) continue;
        yield part;
        part = [];
      }
    }
    if (part.length > 0) yield part;
  }
}

type Examples<Target> = readonly Example<Target>[];

function parseRecord<Target>(text: string, { format, titles }: LabelledFile<Target>): Examples<Target> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`not JSON${reason(text)}; expected ${format.example}${csvHint(text)}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return format.fromObject(value as Readonly<Record<string, unknown>>, titles);
  }
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  throw new Error(`found ${found}; expected ${format.example}`);
}

/** Python writes these for numbers that are none. */
function reason(text: string): string {
  const number = /[:,[]\s*(NaN|-?Infinity)\b/.exec(text)?.[1];
  return number === undefined ? '' : `, which has no ${number}`;
}

function csvHint(text: string): string {
  return text.trimStart().startsWith('{') ? '' : '; a file of columns is one whose name ends in .csv';
}

async function* csvExamples<Target>(
  stream: Readable,
  name: string,
  file: LabelledFile<Target>,
): AsyncGenerator<Numbered<Examples<Target>>[]> {
  let header: Header | undefined;
  let readRow: ((row: readonly string[]) => Examples<Target>) | undefined;
  for await (const rows of csvRows(stream, name)) {
    const batch: Numbered<Examples<Target>>[] = [];
    for (const { line, value } of rows) {
      try {
        if (header === undefined || readRow === undefined) {
          header = new Header(value);
          readRow = readHeader(header, file);
        } else if (value.length === header.length) {
          batch.push({ line, value: readRow(value) });
        } else {
          throw new Error(`${value.length} fields; the header has ${header.length}`);
        }
      } catch (error) {
        if (batch.length > 0) yield batch;
        throw atLine(error, name, line);
      }
    }
    if (batch.length > 0) yield batch;
  }
}

/** Shows a header that lacks something: its titles may be spelt otherwise, or stand between semicolons. */
function readHeader<Target>(header: Header, { format, titles }: Pick<LabelledFile<Target>, 'format' | 'titles'>) {
  try {
    return format.fromHeader(header, titles);
  } catch (cause) {
    throw new Error(`${messageOf(cause)}; the header is ${header.toString()}`, { cause });
  }
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

/** The same examples in batches that part no group, however large it is. */
export async function* wholeGroups<Target>(
  batches: AsyncIterable<Numbered<Example<Target>>[]>,
  groupOf: (target: Target) => number,
): AsyncGenerator<Numbered<Example<Target>>[]> {
  let kept: Numbered<Example<Target>>[] = [];
  for await (const batch of batches) {
    const last = batch.at(-1);
    if (last === undefined) continue;
    const begin = batch.findLastIndex(({ value }) => groupOf(value.target) !== groupOf(last.value.target)) + 1;
    const isParted =
      begin > 0 || (kept[0] !== undefined && groupOf(kept[0].value.target) !== groupOf(last.value.target));
    if (isParted) {
      yield [...kept, ...batch.slice(0, begin)];
      kept = batch.slice(begin);
    } else kept.push(...batch);
  }
  if (kept.length > 0) yield kept;
}

export function isPair(input: ClassifierInput): input is { text: string; textPair: string } {
  return typeof input === 'object' && 'textPair' in input && input.textPair !== undefined;
}
