/** The texts of a command: its arguments, or the lines of `--input`. */
import { realpath } from 'node:fs/promises';

import type { TextInput } from '../api/inputs';
import { UsageError } from './errors';
import type { Io } from './io';
import type { Output } from './output';
import { streamLines } from './stream';
import { parseTextLine } from './text-line';

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

/** Runs `work` over the texts and writes its lines in order. */
export async function processTexts(
  texts: readonly string[],
  input: string | undefined,
  output: Output,
  io: Io,
  work: (inputs: readonly TextInput[]) => Promise<readonly string[]>,
): Promise<void> {
  if (input === undefined) await output.lines(await work(texts));
  else await streamLines({ input, output, parse: parseTextLine, work, unit: 'texts' }, io);
}

/** False when either is not there. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  try {
    return (await realpath(a)) === (await realpath(b));
  } catch {
    return false;
  }
}
