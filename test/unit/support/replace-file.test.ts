import { rename } from 'node:fs/promises';
import { afterEach, expect, it, vi } from 'vitest';

import { replaceFile } from '../../../src/support/replace-file';

vi.mock('node:fs/promises', async (original) => ({ ...(await original<object>()), rename: vi.fn() }));

const refused = (code: string) => Object.assign(new Error(code), { code });
const renamed = vi.mocked(rename);

afterEach(() => {
  renamed.mockReset();
});

it('tries again on Windows while somebody has the file open', async () => {
  renamed.mockRejectedValueOnce(refused('EPERM')).mockRejectedValueOnce(refused('EBUSY')).mockResolvedValue();
  await replaceFile('a', 'b', 'win32');
  expect(renamed.mock.calls).toEqual(Array.from({ length: 3 }, () => ['a', 'b']));
});

it.each([
  ['win32', 'ENOSPC'],
  ['linux', 'EPERM'],
])('gives up at once on %s with %s', async (platform, code) => {
  renamed.mockRejectedValue(refused(code));
  await expect(replaceFile('a', 'b', platform)).rejects.toMatchObject({ code });
  expect(renamed).toHaveBeenCalledTimes(1);
});

it('gives up at last', async () => {
  renamed.mockRejectedValue(refused('EACCES'));
  await expect(replaceFile('a', 'b', 'win32')).rejects.toMatchObject({ code: 'EACCES' });
  expect(renamed.mock.calls.length).toBeGreaterThan(3);
});
