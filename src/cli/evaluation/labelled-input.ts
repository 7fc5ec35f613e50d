/** Examples with their right labels: JSON lines, or CSV with a header. */
import { extname } from 'node:path';
import type { Readable } from 'node:stream';

import type { TextInput } from '../../api/inputs';
import { atLine, inputName, records } from '../jsonl';
import type { Numbered } from '../jsonl';
import { readTextInput } from '../text-line';
import { csvRows } from './csv';

/** A text or pair, and the place of its right label in the model. */
export interface Example {
  readonly input: TextInput;
  readonly label: number;
}

/**
 * Examples in batches, each with its line.
 *
 * @param labels the model's own; an example names one of them or gives its place, counted from 0.
 * @throws EncoderError `input_invalid`, which names the line, and what reading the file raises.
 */
export async function* examples(
  stream: Readable,
  path: string,
  labels: readonly string[],
): AsyncGenerator<Numbered<Example>[]> {
  const name = inputName(path);
  const readLabel = labelReader(labels);
  if (extname(path).toLowerCase() === '.csv') yield* csvExamples(stream, name, readLabel);
  else yield* records(stream, name, (line) => parseExample(line, readLabel));
}

type LabelReader = (value: unknown) => number;

const SHOWN_LABELS = 8;

/** A name wins over a place: labels may be called "10". */
function labelReader(labels: readonly string[]): LabelReader {
  const places = new Map(labels.map((label, place) => [label, place]));
  const shown = labels.slice(0, SHOWN_LABELS).join(', ');
  const expected = `one of the model's labels (${shown}${labels.length > SHOWN_LABELS ? ', ...' : ''})`;
  return (value) => {
    if (value === undefined) throw new Error(`no "label"; expected ${expected}`);
    const place = typeof value === 'string' ? (places.get(value) ?? placeOf(value)) : value;
    if (typeof place === 'number' && Number.isInteger(place) && place >= 0 && place < labels.length) return place;
    throw new Error(`the label ${JSON.stringify(value).slice(0, 100)} is not ${expected}`);
  };
}

function placeOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

function parseExample(line: string, readLabel: LabelReader): Example {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error('not JSON; expected {"text": ..., "label": ...}', { cause });
  }
  if (typeof value === 'string') throw new Error('found a string; expected {"text": ..., "label": ...}');
  const input = readTextInput(value);
  if (typeof input === 'object' && 'problem' in input) {
    throw new Error(`${input.problem}; expected {"text": ..., "label": ...}`);
  }
  const label = typeof value === 'object' && value !== null && 'label' in value ? value.label : undefined;
  return { input, label: readLabel(label) };
}

async function* csvExamples(
  stream: Readable,
  name: string,
  readLabel: LabelReader,
): AsyncGenerator<Numbered<Example>[]> {
  let readRow: ((row: readonly string[]) => Example) | undefined;
  for await (const rows of csvRows(stream, name)) {
    const batch: Numbered<Example>[] = [];
    for (const { line, value } of rows) {
      try {
        if (readRow === undefined) readRow = rowReader(value, readLabel);
        else batch.push({ line, value: readRow(value) });
      } catch (error) {
        if (batch.length > 0) yield batch;
        throw atLine(error, name, line);
      }
    }
    if (batch.length > 0) yield batch;
  }
}

function rowReader(header: readonly string[], readLabel: LabelReader): (row: readonly string[]) => Example {
  const columns = header.map((title) => title.trim().toLowerCase());
  const [text, pair, label] = ['text', 'text_pair', 'label'].map((title) => columns.indexOf(title));
  if (text === undefined || pair === undefined || label === undefined || text < 0 || label < 0) {
    throw new Error('the header must name the columns "text" and "label", and may name "text_pair"');
  }
  return (row) => {
    if (row.length !== header.length) throw new Error(`${row.length} fields; the header has ${header.length}`);
    const first = row[text] ?? '';
    const input = pair < 0 ? first : { text: first, textPair: row[pair] ?? '' };
    return { input, label: readLabel(row[label]) };
  };
}
