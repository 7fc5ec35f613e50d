/** Labelled examples through one model, or two side by side, to findings. */
import { EncoderError } from '../../errors';
import { answerBatches } from '../answer-batches';
import type { Io } from '../io';
import { inputName, openInput } from '../input';
import { RateMeter } from '../progress';
import type { ColumnTitles } from './input/columns';
import { alike, examples, isPair, wholeGroups } from './input/examples';
import type { Example } from './input/record-format';
import type { Scorer, ScorerOptions } from './scorer';
import type { Findings, Task } from './task';

export interface Evaluation {
  readonly examples: number;
  /** Examples that were cut to fit the model. */
  readonly truncated: number;
  readonly findings: Findings;
}

/** @param path a file, or `-` for stdin. */
export async function evaluate<Target>(
  { path, titles }: { path: string; titles: ColumnTitles },
  task: Task<Target>,
  { own, other }: { own: Scorer; other: Scorer | undefined },
  options: Omit<ScorerOptions, 'signal'>,
  io: Io,
): Promise<Evaluation> {
  const name = inputName(path);
  const stream = openInput(path, io);
  const meter = new RateMeter(io, 'examples');
  let [count, truncated] = [0, 0];

  const groupOf = task.groupOf?.bind(task);
  const ranksLists = own.ranksLists || other?.ranksLists === true;
  const work = async (batch: readonly Example<Target>[]): Promise<Answered<Target>[]> => {
    const inputs = batch.map(({ input }) => input);
    const run = { ...options, signal: io.signal };
    const groups = groupOf && batch.map(({ target }) => groupOf(target));
    const [ours, theirs] = await Promise.all([own.score(inputs, run, groups), other?.score(inputs, run, groups)]);
    return batch.map((example, index) => ({
      example,
      logits: ours[index]?.logits ?? NO_LOGITS,
      otherLogits: theirs?.[index]?.logits,
      truncated: ours[index]?.truncated ?? false,
    }));
  };
  try {
    const read = examples(stream, { path, titles, format: task.format });
    const whole = groupOf && ranksLists ? wholeGroups(read, groupOf) : read;
    const batches = task.needsAlike ? alike(whole, name) : whole;
    for await (const { results, error } of answerBatches(batches, work, name)) {
      if (error !== undefined) throw error;
      for (const answered of results) {
        const { input, target } = answered.example;
        task.add(target, isPair(input), answered.logits, answered.otherLogits);
        if (answered.truncated) truncated += 1;
      }
      count += results.length;
      meter.add(results.length);
    }
  } finally {
    meter.hide();
    stream.destroy();
  }
  if (count === 0) throw new EncoderError('input_invalid', `${name} holds no examples`);
  return { examples: count, truncated, findings: task.finish() };
}

interface Answered<Target> {
  readonly example: Example<Target>;
  readonly logits: Float32Array;
  readonly otherLogits: Float32Array | undefined;
  readonly truncated: boolean;
}

const NO_LOGITS = new Float32Array();
