/** ggml-encoder inspect: what is in a GGUF file, read without the addon and without its weights. */
import type { Command } from 'commander';

import { readGgufHead } from '../../gguf/reader';
import type { GgufHead } from '../../gguf/reader';
import type { GgufTensorInfo, GgufValue } from '../../gguf/types';
import type { Io } from '../io';
import { Output } from '../output';
import { addFormatOption, wantsText } from '../result-format';
import type { FormatFlags } from '../result-format';
import { formatBytes, painter, shorten, table, visible } from '../style';

interface InspectFlags extends FormatFlags {
  readonly full?: boolean;
}

/** Longer values (vocabularies, the tokenizer) are named by type and length unless --full. */
const LONGEST_ARRAY = 256;
const LONGEST_STRING = 1024;

const VALUE_WIDTH = 100;
const SHOWN_ELEMENTS = 8;

export function addInspectCommand(program: Command, io: Io): void {
  const command = program
    .command('inspect')
    .summary('show what is in a GGUF file')
    .description('Show the metadata and tensors of a GGUF file.')
    .argument('<gguf>', 'the file')
    .option('--full', 'print long arrays and strings whole')
    .addHelpText(
      'after',
      `
Example:
  $ ggml-encoder inspect model.gguf`,
    );
  addFormatOption(command).action(async (path: string, flags: InspectFlags) => {
    const head = await readGgufHead(path);
    const output = Output.open(undefined, io.stdout);
    await output.lines(wantsText(flags, io) ? describeHead(path, head, flags, io) : [headLine(path, head, flags)]);
    await output.close();
  });
}

/** One JSON object: path, version, sizeBytes, alignment, dataOffset, metadata, tensors. */
function headLine(path: string, head: GgufHead, { full = false }: { full?: boolean }): string {
  const { version, sizeBytes, alignment, dataOffset, metadata, tensors } = head;
  return JSON.stringify({
    path,
    version,
    sizeBytes,
    alignment,
    dataOffset,
    metadata: Object.fromEntries(Array.from(metadata, ([key, entry]) => [key, full ? plain(entry) : brief(entry)])),
    tensors: tensors.map(({ name, type, ne, offset, sizeBytes: bytes }) => ({
      name,
      type: type.name,
      ne,
      offset,
      sizeBytes: bytes,
    })),
  });
}

type Plain = string | number | boolean | readonly (string | number | boolean)[];

/** The value as JSON can hold it: integers beyond 2^53 become strings. */
function plain({ type, isArray, value }: GgufValue): Plain {
  const one = (element: unknown): string | number | boolean => {
    if (typeof element === 'bigint') return Number.isSafeInteger(Number(element)) ? Number(element) : String(element);
    if (typeof element === 'number') return type === 'float32' ? shortestFloat(element) : element;
    return typeof element === 'boolean' ? element : String(element);
  };
  return isArray ? Array.from(value as ArrayLike<unknown>, one) : one(value);
}

function brief(entry: GgufValue): Plain | { type: string; length: number } {
  const { type, isArray, value } = entry;
  const length = isArray || typeof value === 'string' ? (value as ArrayLike<unknown>).length : 0;
  if (length <= (isArray ? LONGEST_ARRAY : LONGEST_STRING)) return plain(entry);
  return { type: isArray ? `${type}[]` : type, length };
}

/** 1e-12 rather than 9.999999960041972e-13: the shortest decimal that is the same f32. */
function shortestFloat(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}

function describeHead(path: string, head: GgufHead, flags: InspectFlags, io: Io): string[] {
  const paint = painter(io.stdout);
  const { version, sizeBytes, metadata, tensors } = head;
  const parameters = tensors.reduce((sum, { ne }) => sum + ne.reduce((product, size) => product * size, 1), 0);
  return [
    paint('bold', visible(path)),
    `GGUF ${version}, ${formatBytes(sizeBytes)}, ${tensors.length} tensors, ` +
      `${parameters.toLocaleString('en')} parameters (${countTypes(tensors)})`,
    '',
    paint('bold', 'Metadata'),
    ...table(Array.from(metadata, ([key, entry]) => [`  ${visible(key)}`, describeValue(entry, flags)])),
    '',
    paint('bold', 'Tensors'),
    ...table(tensors.map(tensorRow), [2, 3]),
  ];
}

function describeValue(entry: GgufValue, { full = false }: InspectFlags): string {
  const { type, isArray, value } = entry;
  const values = plain(entry);
  if (!isArray) {
    const text = visible(String(values));
    return full ? text : shorten(text, VALUE_WIDTH);
  }
  const { length } = value as ArrayLike<unknown>;
  const elements = values as readonly (string | number | boolean)[];
  const shown = full ? elements : elements.slice(0, SHOWN_ELEMENTS);
  const list = visible(shown.join(', '));
  const text = full ? list : shorten(list, VALUE_WIDTH);
  return `${text}${shown.length < length ? ', ...' : ''} (${length} of ${type})`;
}

function tensorRow({ name, type, ne, sizeBytes }: GgufTensorInfo): string[] {
  return [`  ${visible(name)}`, type.name, `[${ne.join(', ')}]`, formatBytes(sizeBytes)];
}

function countTypes(tensors: readonly GgufTensorInfo[]): string {
  const counts = new Map<string, number>();
  for (const { type } of tensors) counts.set(type.name, (counts.get(type.name) ?? 0) + 1);
  return Array.from(counts, ([name, count]) => `${count} ${name}`).join(', ');
}
