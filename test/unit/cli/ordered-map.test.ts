import { setImmediate, setTimeout } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { orderedMap } from '../../../src/cli/ordered-map';

async function* from<Item>(...items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) {
    await setImmediate();
    yield item;
  }
}

async function collect<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe('orderedMap', () => {
  test('keeps the order when later items finish first', async () => {
    const slowFirst = async (delay: number): Promise<number> => setTimeout(delay, delay);
    expect(await collect(orderedMap(from(30, 1, 20, 2), slowFirst, 2))).toEqual([30, 1, 20, 2]);
  });

  test('never has more than the given number under way', async () => {
    let running = 0;
    let most = 0;
    const work = async (item: number): Promise<number> => {
      most = Math.max(most, ++running);
      await setTimeout(2);
      running -= 1;
      return item;
    };
    await collect(orderedMap(from(...Array.from({ length: 20 }, (_, index) => index)), work, 2));
    expect(most).toBe(2);
  });

  test('does not read on while results wait to be taken', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<number> {
      for (;;) {
        await setImmediate();
        yield read++;
      }
    }
    const results = orderedMap(endless(), (item) => Promise.resolve(item), 2);
    expect((await results.next()).value).toBe(0);
    await setTimeout(10);
    expect(read).toBeLessThanOrEqual(3);
    await results.return(undefined);
  });

  test('gives a result before the next item has come', async () => {
    let send: (item: string) => void = () => undefined;
    async function* conversation(): AsyncGenerator<string> {
      yield 'question';
      yield await new Promise<string>((resolve) => {
        send = resolve;
      });
    }
    const results = orderedMap(conversation(), (item) => Promise.resolve(`re: ${item}`), 2);
    expect((await results.next()).value).toBe('re: question');
    send('reply');
    expect((await results.next()).value).toBe('re: reply');
    expect((await results.next()).done).toBe(true);
  });

  test('an error of the source comes after the results before it', async () => {
    async function* broken(): AsyncGenerator<number> {
      yield 1;
      yield 2;
      throw new Error('line 3');
    }
    const seen: number[] = [];
    const consume = async (): Promise<void> => {
      for await (const item of orderedMap(broken(), async (value) => setTimeout(5, value), 2)) seen.push(item);
    };
    await expect(consume()).rejects.toThrow('line 3');
    expect(seen).toEqual([1, 2]);
  });

  test('an error of the work is thrown in its turn', async () => {
    const seen: number[] = [];
    const work = async (item: number): Promise<number> => {
      if (item === 2) throw new Error('item 2');
      return setTimeout(5, item);
    };
    const consume = async (): Promise<void> => {
      for await (const item of orderedMap(from(1, 2, 3), work, 2)) seen.push(item);
    };
    await expect(consume()).rejects.toThrow('item 2');
    expect(seen).toEqual([1]);
  });
});
