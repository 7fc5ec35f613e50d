/** Where records come from: bytes of a file or the standard input, cut up and parsed piece by piece. */
import { createReadStream } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';

import { EncoderError } from '../errors';
import { messageOf } from '../support/error-message';
import { ioError } from './errors';
import type { Io } from './io';

/** A value with the line it came from, counted from 1. */
export interface Numbered<Value> {
  readonly line: number;
  readonly value: Value;
}

/** Enough texts to keep every core busy, few enough to answer soon. */
export const MAX_BATCH = 512;

const READ_BYTES = 256 * 1024;

/** Opens a file, or stdin for `-`; it ends early when the process is told to stop. */
export function openInput(path: string, io: Io): Readable {
  const stream = path === '-' ? io.stdin : createReadStream(path, { highWaterMark: READ_BYTES });
  return addAbortSignal(io.signal, stream);
}

/** How the input is called in messages. */
export function inputName(path: string): string {
  return path === '-' ? 'the standard input' : path;
}

/** @throws EncoderError `io_failed` where the stream fails. */
export async function* chunksOf(stream: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    throw ioError(`cannot read ${name}`, error);
  }
}

/**
 * Parses pieces in batches: what one read brought, in no more than 512.
 *
 * @param parse undefined leaves a piece out; it throws the message for one that it refuses, after those before it.
 * @throws EncoderError `input_invalid`, which names the line, beside what `pieces` throws.
 */
export async function* parsed<Value>(
  pieces: AsyncIterable<Iterable<Numbered<Buffer>>>,
  name: string,
  parse: (text: string) => Value | undefined,
): AsyncGenerator<Numbered<Value>[]> {
  for await (const some of pieces) {
    let batch: Numbered<Value>[] = [];
    for (const { line, value } of some) {
      try {
        const result = parse(decode(value, line));
        if (result !== undefined) batch.push({ line, value: result });
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
  const message = messageOf(error);
  const code = error instanceof EncoderError ? error.code : 'input_invalid';
  return new EncoderError(code, `line ${line} of ${name}: ${message}`, { cause: error });
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
