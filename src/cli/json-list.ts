/**
 * The elements of one JSON list as records, without the whole of it in memory: data sets come so as often as in lines.
 * Only the ends of elements are found here; what an element says is for JSON.parse.
 */
import { EncoderError } from '../errors';
import { atLine, chunksOf, parsed } from './input';
import type { Numbered } from './input';
import { records } from './jsonl';

/** No text that a model can use is longer; without a limit one endless element would fill the memory. */
const MAX_ELEMENT_BYTES = 64 * 1024 * 1024;

const [QUOTE, BACKSLASH, COMMA, NEWLINE] = [0x22, 0x5c, 0x2c, 0x0a];
const [OPENING, CLOSING] = [new Set([0x5b, 0x7b]), new Set([0x5d, 0x7d])];
const LIST = 0x5b;
const BLANK = new Set([0x20, 0x09, 0x0d, NEWLINE]);
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/**
 * Lines of JSON, or one list where the first character opens one; the elements of a list have the line they begin on.
 *
 * @param parse as for `records`.
 * @throws as `records` does.
 */
export async function* jsonRecords<Value>(
  stream: AsyncIterable<Buffer>,
  name: string,
  parse: (text: string) => Value,
): AsyncGenerator<Numbered<Value>[]> {
  const chunks = chunksOf(stream, name);
  const read: Buffer[] = [];
  let isList: boolean | undefined;
  while (isList === undefined) {
    const step = await chunks.next();
    if (step.done === true) break;
    read.push(step.value);
    isList = opensList(read);
  }
  const whole = restored(read, chunks);
  if (isList === true) yield* parsed(elements(whole, name), name, parse);
  else yield* records(whole, name, parse);
}

/** Undefined while only blanks, or part of a byte order mark, have come. */
function opensList(read: readonly Buffer[]): boolean | undefined {
  const bytes = read.length === 1 ? read[0]! : Buffer.concat(read);
  if (BYTE_ORDER_MARK.subarray(0, bytes.length).equals(bytes) && bytes.length < BYTE_ORDER_MARK.length)
    return undefined;
  const start = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const first = bytes.findIndex((byte, place) => place >= start && !BLANK.has(byte));
  return first < 0 ? undefined : bytes[first] === LIST;
}

async function* restored(read: Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* read.splice(0);
  for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
}

async function* elements(stream: AsyncIterable<Buffer>, name: string): AsyncGenerator<Iterable<Numbered<Buffer>>> {
  const splitter = new ListSplitter(name);
  for await (const chunk of stream) yield splitter.push(chunk);
  splitter.end();
}

/** Cuts a list at the commas that stand in no string and no inner list or object. */
class ListSplitter {
  readonly #name: string;
  #line = 1;
  #depth = 0;
  #isClosed = false;
  #inString = false;
  #isEscaped = false;
  /** Of the element that is read; its first piece begins with its first character. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  #firstLine = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** The elements that end in these bytes. */
  *push(chunk: Buffer): Generator<Numbered<Buffer>> {
    let start = this.#firstLine === 0 ? -1 : 0;
    for (let place = 0; place < chunk.length; place++) {
      const byte = chunk[place]!;
      if (byte === NEWLINE) this.#line += 1;
      if (this.#inString) {
        this.#takeInString(byte);
        continue;
      }
      if (BLANK.has(byte)) continue;
      if (this.#isClosed) this.#fail('something follows the end of the list', this.#line);
      const isEnd = this.#depth === 1 && (byte === COMMA || CLOSING.has(byte));
      if (isEnd) {
        if (byte === COMMA || this.#firstLine > 0)
          yield this.#take(start < 0 ? undefined : chunk.subarray(start, place));
        start = -1;
      } else if (this.#depth > 0 && this.#firstLine === 0) {
        start = place;
        this.#firstLine = this.#line;
      }
      if (byte === QUOTE) this.#inString = true;
      if (OPENING.has(byte)) this.#depth += 1;
      if (CLOSING.has(byte)) this.#depth -= 1;
      this.#isClosed = this.#depth === 0 && CLOSING.has(byte);
    }
    if (start >= 0) this.#keep(chunk.subarray(start));
  }

  /** @throws EncoderError where the list has not ended. */
  end(): void {
    if (!this.#isClosed) this.#fail('the list does not end', this.#line);
  }

  #takeInString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes <= MAX_ELEMENT_BYTES) return;
    const message = `an element of more than ${MAX_ELEMENT_BYTES} bytes`;
    throw atLine(new EncoderError('limit_exceeded', message), this.#name, this.#firstLine);
  }

  #take(last: Buffer | undefined): Numbered<Buffer> {
    if (last !== undefined) this.#keep(last);
    const element = { line: this.#firstLine === 0 ? this.#line : this.#firstLine, value: Buffer.concat(this.#pieces) };
    this.#pieces = [];
    this.#bytes = 0;
    this.#firstLine = 0;
    return element;
  }

  #fail(message: string, line: number): never {
    throw atLine(new Error(message), this.#name, line);
  }
}
