/** Input lines through a model to output lines: in order, two batches in flight, memory independent of the length. */
import { answerBatches } from './answer-batches';
import { inputName, openInput } from './input';
import { records } from './jsonl';
import type { Io } from './io';
import type { Output } from './output';
import { RateMeter } from './progress';

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
    for await (const { results: lines, error } of answerBatches(batches, job.work, name)) {
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
