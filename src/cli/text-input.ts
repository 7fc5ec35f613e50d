/** The texts of a command: its arguments, or the lines of `--input`. */
import { realpath } from 'node:fs/promises';

import { UsageError } from './errors';
import type { Io } from './io';
import type { Output } from './output';
import { streamLines } from './stream';

/** Fails unless there is exactly one source of texts, and when the output would overwrite it. */
export async function checkTextSource(texts: readonly string[], input?: string, output?: string): Promise<void> {
  if (texts.length > 0 && input !== undefined) throw new UsageError('give texts or --input, not both');
  if (texts.length === 0 && input === undefined) {
    throw new UsageError('nothing to read: give texts, or --input with a .jsonl file or - for the standard input');
  }
  if (input !== undefined && input !== '-' && output !== undefined && (await isSameFile(input, output))) {
    throw new UsageError(`--output ${output} would overwrite the input`);
  }
}

/** Runs `work` over the texts, or what `parse` makes of the lines of `input`, and writes its lines in order. */
export async function processTexts<Input>(
  { texts, input, parse }: TextSource<Input>,
  output: Output,
  io: Io,
  work: (inputs: readonly (Input | string)[]) => Promise<readonly string[]>,
): Promise<void> {
  if (input === undefined) await output.lines(await work(texts));
  else await streamLines({ input, output, parse, work, unit: 'texts' }, io);
}

export interface TextSource<Input> {
  readonly texts: readonly string[];
  readonly input: string | undefined;
  readonly parse: (line: string) => Input;
}

/** False when either is not there. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  try {
    return (await realpath(a)) === (await realpath(b));
  } catch {
    return false;
  }
}
