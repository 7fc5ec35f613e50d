/** Works on several items at once and yields the results in the order of the items. */

/**
 * Reads ahead only while fewer than `inFlight` items are unfinished, and yields a result as soon as it is ready even
 * when no further item has come: a reader that waits for an answer before it sends more must get it.
 * An error of `source` is thrown after the results of the items that came before it.
 */
export async function* orderedMap<Item, Result>(
  source: AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
  inFlight: number,
): AsyncGenerator<Result> {
  const iterator = source[Symbol.asyncIterator]();
  const running: Promise<Result>[] = [];
  let reading: Promise<Step<Item>> | undefined;
  let end: Step<Item> | undefined;
  try {
    for (;;) {
      if (end === undefined && running.length < inFlight) reading ??= nextStep(iterator);
      const first = running[0];
      if (first === undefined && reading === undefined) break;

      const event = await Promise.race([
        ...(first === undefined ? [] : [first.then((result) => ({ result }))]),
        ...(reading === undefined ? [] : [reading]),
      ]);
      if ('result' in event) {
        void running.shift();
        yield event.result;
        continue;
      }
      reading = undefined;
      if ('item' in event) running.push(started(work(event.item)));
      else end = event;
    }
  } finally {
    // Not awaited: a read that is under way ends only when the caller closes the stream.
    if (end === undefined) iterator.return?.().catch(() => undefined);
  }
  if (end !== undefined && 'error' in end) throw end.error;
}

type Step<Item> = { readonly item: Item } | { readonly error: unknown } | { readonly done: true };

async function nextStep<Item>(iterator: AsyncIterator<Item>): Promise<Step<Item>> {
  try {
    const step = await iterator.next();
    return step.done === true ? { done: true } : { item: step.value };
  } catch (error) {
    return { error };
  }
}

/** A later item may fail while an earlier one is awaited; its error is thrown when its turn comes. */
function started<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
