import { expect, it } from 'vitest';
import { mapInTurns } from '../../../src/support/map-in-turns';

it('maps in order, and lets others have their turn within a long list', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const list = Array.from({ length: 640 }, (_, index) => index);
  // A third of a millisecond each: ten parts, each longer than what a turn may take.
  const wait = (item: number, index: number): string => {
    const start = performance.now();
    while (performance.now() - start < 0.3);
    return `${item} ${index}`;
  };
  const results = await mapInTurns(list, wait);
  clearInterval(timer);
  expect(results).toEqual(list.map((item) => `${item} ${item}`));
  expect(turns).toBeGreaterThanOrEqual(5);
});

it('gives nobody a turn behind the last element', async () => {
  let turns = 0;
  setImmediate(() => turns++);
  const list = Array.from({ length: 64 }, (_, index) => index);
  const start = performance.now();
  await mapInTurns(list, (index) => {
    while (index === 63 && performance.now() - start < 20);
  });
  expect(turns).toBe(0);
});

it('gives nothing for nothing, and rejects with what the function throws', async () => {
  expect(await mapInTurns([], String)).toEqual([]);
  const failing = mapInTurns([1, 2], (item) => {
    if (item === 2) throw new RangeError('two');
    return item;
  });
  await expect(failing).rejects.toThrow('two');
});
