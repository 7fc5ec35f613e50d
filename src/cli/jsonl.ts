/**
 * JSON Lines as batches of records: what one read brought, so that a slow writer is answered line by line and a fast
 * one in large batches, without a timer. Memory is one read and one line, whatever the input's size.
 */
import { createReadStream } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';

import { EncoderError } from '../errors';
import { ioError } from './errors';
import type { Io } from './io';

/** A value with the line it came from, counted from 1. */
export interface Numbered<Value> {
  readonly line: number;
  readonly value: Value;
}

/** No text that a model can use is longer; without a limit one endless line would fill the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Enough texts to keep every core busy, few enough to answer soon. */
const MAX_BATCH = 512;

const READ_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Opens a file, or stdin for `-`; it ends early when the process is told to stop. */
export function openInput(path: string, io: Io): Readable {
  const stream = path === '-' ? io.stdin : createReadStream(path, { highWaterMark: READ_BYTES });
  return addAbortSignal(io.signal, stream);
}

/** How the input is called in messages. */
export function inputName(path: string): string {
  return path === '-' ? 'the standard input' : path;
}

/**
 * Parses every line that is not blank.
 *
 * @param parse throws the message for a line it refuses; the lines before it are yielded first.
 * @throws EncoderError `input_invalid` and `limit_exceeded`, which name the line, and `io_failed`.
 */
export async function* records<Value>(
  stream: AsyncIterable<Buffer>,
  name: string,
  parse: (line: string) => Value,
): AsyncGenerator<Numbered<Value>[]> {
  for await (const lines of lineBatches(stream, name)) {
    let batch: Numbered<Value>[] = [];
    for (const { line, value } of lines) {
      try {
        const text = decode(value, line);
        if (text.trim() !== '') batch.push({ line, value: parse(text) });
      } catch (error) {
        if (batch.length > 0) yield batch;
        throw atLine(error, name, line);
      }
      if (batch.length === MAX_BATCH) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }
}

/** The error with the place it belongs to in front. */
export function atLine(error: unknown, name: string, line: number): EncoderError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof EncoderError ? error.code : 'input_invalid';
  return new EncoderError(code, `line ${line} of ${name}: ${message}`, { cause: error });
}

async function* lineBatches(stream: AsyncIterable<Buffer>, name: string): AsyncGenerator<Numbered<Buffer>[]> {
  let line = 0;
  let pieces: Buffer[] = [];
  let pending = 0;
  try {
    for await (const chunk of stream) {
      const lines: Numbered<Buffer>[] = [];
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        const tail = chunk.subarray(start, end);
        lines.push({ line: ++line, value: pieces.length === 0 ? tail : Buffer.concat([...pieces, tail]) });
        pieces = [];
        pending = 0;
        start = end + 1;
      }
      if (start < chunk.length) {
        pieces.push(chunk.subarray(start));
        pending += chunk.length - start;
      }
      if (lines.length > 0) yield lines;
      if (pending > MAX_LINE_BYTES) {
        const message = `longer than ${MAX_LINE_BYTES} bytes`;
        throw atLine(new EncoderError('limit_exceeded', message), name, line + 1);
      }
    }
  } catch (error) {
    throw error instanceof EncoderError ? error : ioError(`cannot read ${name}`, error);
  }
  if (pending > 0) yield [{ line: line + 1, value: Buffer.concat(pieces) }];
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Buffer, line: number): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new EncoderError('input_invalid', 'not valid UTF-8', { cause });
  }
  return line === 1 && text.startsWith('\ufeff') ? text.slice(1) : text;
}
