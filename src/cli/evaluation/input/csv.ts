/** CSV by RFC 4180 as batches of rows: quoted fields may hold commas, line ends and doubled quotes. */
import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';

import { EncoderError } from '../../../errors';
import { atLine, chunksOf } from '../../input';
import type { Numbered } from '../../input';

/** No text that a model can use is longer; without a limit one open quote would fill the memory. */
const MAX_ROW_CHARS = 64 * 1024 * 1024;

/**
 * Rows that are not blank, each with the line it begins on. A quote inside a field that is not quoted is a character.
 *
 * @throws EncoderError `input_invalid` and `limit_exceeded`, which name the line, and `io_failed`.
 */
export async function* csvRows(stream: Readable, name: string): AsyncGenerator<Numbered<string[]>[]> {
  const parser = new RowParser(name);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of chunksOf(stream, name)) {
    const rows = parser.push(decode(decoder, chunk, () => parser.line, name));
    if (rows.length > 0) yield rows;
  }
  const rest = parser.push(decode(decoder, undefined, () => parser.line, name));
  const last = parser.end();
  if (rest.length + last.length > 0) yield [...rest, ...last];
}

class RowParser {
  line = 1;
  readonly #name: string;
  #state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  #row: string[] = [];
  #field = '';
  #rowLine = 1;
  #rowChars = 0;
  #afterReturn = false;

  constructor(name: string) {
    this.#name = name;
  }

  push(text: string): Numbered<string[]>[] {
    const rows: Numbered<string[]>[] = [];
    let at = 0;
    while (at < text.length) {
      const special = this.#state === 'quoted' ? text.indexOf('"', at) : nextSpecial(text, at);
      const end = special < 0 ? text.length : special;
      if (end > at) this.#append(text.slice(at, end));
      if (special < 0) break;
      this.#take(text.charAt(special), rows);
      at = special + 1;
    }
    return rows;
  }

  /** The last row, when no line end follows it. */
  end(): Numbered<string[]>[] {
    if (this.#state === 'quoted') this.#fail(new Error('a quoted field does not end'));
    const rows: Numbered<string[]>[] = [];
    this.#endRow(rows);
    return rows;
  }

  #append(text: string): void {
    this.#afterReturn = false;
    if (this.#state === 'closed') this.#fail(new Error('text after a closing quote; a quote in a field is doubled'));
    if (this.#state === 'start') this.#state = 'plain';
    if (this.#state === 'quoted') this.line += lineEnds(text);
    this.#field += text;
    this.#count(text.length);
  }

  #take(character: string, rows: Numbered<string[]>[]): void {
    const follows = this.#afterReturn;
    this.#afterReturn = character === '\r';
    if (character === '"') {
      if (this.#state === 'plain' || this.#state === 'closed') this.#field += character;
      this.#count(1);
      if (this.#state !== 'plain') this.#state = this.#state === 'quoted' ? 'closed' : 'quoted';
    } else if (character === ',') {
      this.#endField();
    } else if (!(character === '\n' && follows)) {
      this.#endRow(rows);
      this.line += 1;
      this.#rowLine = this.line;
    }
  }

  #endField(): void {
    this.#row.push(this.#field);
    this.#field = '';
    this.#state = 'start';
    this.#count(1);
  }

  #endRow(rows: Numbered<string[]>[]): void {
    const isBlank = this.#row.length === 0 && this.#state === 'start';
    this.#endField();
    if (!isBlank) rows.push({ line: this.#rowLine, value: this.#row });
    this.#row = [];
    this.#rowChars = 0;
  }

  #count(chars: number): void {
    this.#rowChars += chars;
    if (this.#rowChars <= MAX_ROW_CHARS) return;
    this.#fail(new EncoderError('limit_exceeded', `a row of more than ${MAX_ROW_CHARS} characters`));
  }

  #fail(error: Error): never {
    throw atLine(error, this.#name, this.#rowLine);
  }
}

function nextSpecial(text: string, from: number): number {
  const special = /[",\r\n]/g;
  special.lastIndex = from;
  return special.exec(text)?.index ?? -1;
}

function lineEnds(text: string): number {
  return text.split('\n').length - 1;
}

function decode(decoder: TextDecoder, chunk: Buffer | undefined, line: () => number, name: string): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw atLine(new Error('not valid UTF-8'), name, line());
  }
}
