/**
 * JSON Lines as batches of records: what one read brought, so that a slow writer is answered line by line and a fast
 * one in large batches, without a timer. Memory is one read and one line, whatever the input's size.
 */
import { EncoderError } from '../errors';
import { atLine, chunksOf, parsed } from './input';
import type { Numbered } from './input';

/** No text that a model can use is longer; without a limit one endless line would fill the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Parses every line that is not blank.
 *
 * @param parse throws the message for a line it refuses; the lines before it are yielded first.
 * @throws EncoderError `input_invalid` and `limit_exceeded`, which name the line, and `io_failed`.
 */
export function records<Value>(
  stream: AsyncIterable<Buffer>,
  name: string,
  parse: (line: string) => Value,
): AsyncGenerator<Numbered<Value>[]> {
  return parsed(lineBatches(stream, name), name, (line) => (line.trim() === '' ? undefined : parse(line)));
}

async function* lineBatches(stream: AsyncIterable<Buffer>, name: string): AsyncGenerator<Numbered<Buffer>[]> {
  let line = 0;
  let pieces: Buffer[] = [];
  let pending = 0;
  for await (const chunk of chunksOf(stream, name)) {
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
  if (pending > 0) yield [{ line: line + 1, value: Buffer.concat(pieces) }];
}
