/** Long lists are gone through in parts, so that the event loop is never kept for long. */
import { setImmediate } from 'node:timers/promises';

/** Time after which others get their turn. */
const PART_MS = 8;
/** Elements between two looks at the clock. */
const STEP = 64;

/** `list.map(convert)`; of a long list other work of the event loop is done between the parts. */
export async function mapInTurns<Item, Result>(
  list: readonly Item[],
  convert: (item: Item, index: number) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  let start = performance.now();
  for (const [index, item] of list.entries()) {
    results.push(convert(item, index));
    if (index % STEP !== STEP - 1 || results.length === list.length || performance.now() - start < PART_MS) continue;
    await setImmediate();
    start = performance.now();
  }
  return results;
}
