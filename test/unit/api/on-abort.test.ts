import { expect, it, vi } from 'vitest';

import { onAbort } from '../../../src/native/on-abort';

it('shares one listener and leaves none behind', () => {
  const { signal } = new AbortController();
  const add = vi.spyOn(signal, 'addEventListener');
  const remove = vi.spyOn(signal, 'removeEventListener');
  const takeBack = Array.from({ length: 50 }, () => onAbort(signal, vi.fn()));
  expect(add).toHaveBeenCalledTimes(1);
  for (const undo of takeBack) undo();
  expect(remove).toHaveBeenCalledTimes(1);
  onAbort(signal, vi.fn());
  expect(add).toHaveBeenCalledTimes(2);
});

it('calls who still waits, once', () => {
  const controller = new AbortController();
  const [kept, taken] = [vi.fn(), vi.fn()];
  onAbort(controller.signal, kept);
  onAbort(controller.signal, taken)();
  controller.abort();
  controller.abort();
  expect(kept).toHaveBeenCalledTimes(1);
  expect(taken).not.toHaveBeenCalled();
});
