/** Batches of what lines hold, each answered by one call. */
import { type Answer, answerUntilRefused } from '../api/answer';
import type { Numbered } from './input';
import { orderedMap } from './ordered-map';

/** One computes while another is read or written. */
const BATCHES_IN_FLIGHT = 2;

/** In order. An answer that has an error says in it which line of the input `name` is refused. */
export function answerBatches<Value, Result>(
  batches: AsyncIterable<readonly Numbered<Value>[]>,
  work: (values: readonly Value[]) => Promise<readonly Result[]>,
  name: string,
): AsyncGenerator<Answer<Result>> {
  return orderedMap(
    batches,
    (batch) => {
      const values = batch.map(({ value }) => value);
      return answerUntilRefused(values, work, (place) => `line ${batch[place]?.line} of ${name}`);
    },
    BATCHES_IN_FLIGHT,
  );
}
