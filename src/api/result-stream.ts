/**
 * Inputs of any iterable through a model, results in order as they come. Few inputs are unfinished at a time, so memory
 * is bounded: a slow model slows the source down, and so does a slow reader of the results.
 */
import { setMaxListeners } from 'node:events';

import { assertNotAborted } from '../native/native-model';
import { invalidType } from '../support/arguments';
import { answerUntilRefused } from './answer';
import type { Answer } from './answer';
import { ReadAhead } from './read-ahead';
import type { Chunk } from './read-ahead';

/** Enough inputs to keep every core busy, few enough to answer soon. */
const MAX_PER_RUN = 128;

/** Inputs that were read and whose results were not taken: while one run computes, the next is ready. */
const MAX_UNFINISHED = 2 * MAX_PER_RUN;

/** @internal What a stream does with its inputs. */
export interface StreamWork<Input, Result> {
  /** Throws for an input that is misused. */
  readonly check: (input: Input, name: string) => void;
  /** One result per input, in order. */
  readonly run: (inputs: readonly Input[], signal: AbortSignal) => Promise<readonly Result[]>;
  readonly signal: AbortSignal | undefined;
  /** Fewer inputs per run than usual, for a model that takes few at a time. */
  readonly maxPerRun?: number;
}

/**
 * @internal Nothing is read before the first result is asked for. An input that is refused ends the stream after the
 * results before it. However the stream ends, runs under way are cancelled and the source is closed.
 *
 * @throws TypeError at once when `source` cannot be iterated. (A string can, by characters, which nobody means.)
 */
export function streamResults<Input, Result>(
  source: Iterable<Input> | AsyncIterable<Input>,
  work: StreamWork<Input, Result>,
): AsyncGenerator<Result, void, undefined> {
  if (typeof source !== 'object' || !isIterable(source)) {
    throw invalidType('inputs', 'an iterable or async iterable', source);
  }
  return generate(source, work);
}

async function* generate<Input, Result>(
  source: Iterable<Input> | AsyncIterable<Input>,
  { check, run, signal, maxPerRun = MAX_PER_RUN }: StreamWork<Input, Result>,
): AsyncGenerator<Result, void, undefined> {
  assertNotAborted(signal);
  // A promise raced against would keep a reaction of every turn; this one is made anew for each wait.
  let wake = (): void => undefined;
  const onChange = (): void => {
    wake();
  };
  const stop = new AbortController();
  // Every run listens; a source that brings one input at a time has many.
  setMaxListeners(0, stop.signal);
  const onAbort = (): void => {
    stop.abort(signal?.reason);
    wake();
  };
  signal?.addEventListener('abort', onAbort, { once: true });

  const perRun = Math.max(1, Math.min(maxPerRun, MAX_PER_RUN));
  const inputs = new ReadAhead(source, check, onChange);
  const runs: Run<Result>[] = [];
  let unfinished = 0;
  try {
    for (;;) {
      assertNotAborted(signal);
      inputs.fill(Math.min(perRun, MAX_UNFINISHED - unfinished));
      if (inputs.isReady) {
        const chunk = inputs.take();
        unfinished += chunk.inputs.length;
        runs.push(startRun(chunk, async (list) => run(list, stop.signal), onChange));
        continue;
      }
      const [head] = runs;
      if (head?.answer !== undefined) {
        const { results, error } = head.answer;
        for (const result of results) {
          yield result;
          assertNotAborted(signal);
          unfinished -= 1;
        }
        if (error !== undefined) throw error;
        void runs.shift();
        continue;
      }
      if (head === undefined && inputs.isDone) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop.abort();
    await inputs.close();
  }
  inputs.assertNoFailure();
}

interface Run<Result> {
  answer: Answer<Result> | undefined;
}

function startRun<Input, Result>(
  { first, inputs }: Chunk<Input>,
  run: (inputs: readonly Input[]) => Promise<readonly Result[]>,
  onEnd: () => void,
): Run<Result> {
  const started: Run<Result> = { answer: undefined };
  // Its errors are in the answer: a later run may fail while an earlier one is waited for.
  void answerUntilRefused(inputs, run, (place) => `inputs[${first + place}]`).then((answer) => {
    started.answer = answer;
    onEnd();
  });
  return started;
}

function isIterable(source: object | null): boolean {
  return source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
}
