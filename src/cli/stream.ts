/** Input lines through a model to output lines: in order, two batches in flight, memory independent of the length. */
import { isEncoderError } from '../errors';
import { atLine, inputName, openInput, records } from './jsonl';
import type { Numbered } from './jsonl';
import type { Io } from './io';
import { orderedMap } from './ordered-map';
import type { Output } from './output';
import { RateMeter } from './progress';

/** One computes while the other is parsed and written. */
const BATCHES_IN_FLIGHT = 2;

/** What to run over which input. */
export interface LineJob<Value> {
  /** A file, or `-` for stdin. */
  readonly input: string;
  readonly output: Output;
  readonly parse: (line: string) => Value;
  /** One output line per value, in order. */
  readonly work: (values: readonly Value[]) => Promise<readonly string[]>;
  /** What the meter on a terminal counts, such as `texts`. */
  readonly unit: string;
}

/** @throws the first error, after the output lines of all input lines before it were written. */
export async function streamLines<Value>(job: LineJob<Value>, io: Io): Promise<void> {
  const name = inputName(job.input);
  const stream = openInput(job.input, io);
  const meter = new RateMeter(io, job.unit);
  try {
    const batches = records(stream, name, job.parse);
    const answers = orderedMap(batches, (batch) => answer(batch, job.work, name), BATCHES_IN_FLIGHT);
    for await (const { lines, error } of answers) {
      meter.hide();
      await job.output.lines(lines);
      if (error !== undefined) throw error;
      meter.add(lines.length);
    }
  } finally {
    meter.hide();
    stream.destroy();
  }
}

interface Answer {
  readonly lines: readonly string[];
  readonly error?: unknown;
}

async function answer<Value>(
  batch: readonly Numbered<Value>[],
  work: LineJob<Value>['work'],
  name: string,
): Promise<Answer> {
  try {
    return { lines: await work(batch.map(({ value }) => value)) };
  } catch (error) {
    if (!isInputError(error)) return { lines: [], error };
  }
  // Some line was refused. One by one, so that the lines before it are answered and it can be named.
  const lines: string[] = [];
  for (const { line, value } of batch) {
    try {
      lines.push(...(await work([value])));
    } catch (error) {
      return { lines, error: isInputError(error) ? atLine(error, name, line) : error };
    }
  }
  return { lines };
}

function isInputError(error: unknown): boolean {
  return (
    isEncoderError(error) &&
    (error.code === 'input_invalid' || error.code === 'input_too_long' || error.code === 'limit_exceeded')
  );
}
