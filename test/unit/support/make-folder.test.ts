// Folders are made with those above them, and a system that says ENOENT whatever is there ends the call with it.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, vi } from 'vitest';

import { makeFolder } from '../../../src/support/make-folder';
import { temporaryFolder } from '../convert/temp-folder';

const REFUSING = 'as-in-proc';

vi.mock(import('node:fs/promises'), async (original) => {
  const actual = await original();
  const mkdir = (async (path: string) => {
    if (path.endsWith(REFUSING)) throw Object.assign(new Error('no such file or directory'), { code: 'ENOENT' });
    return actual.mkdir(path);
  }) as typeof actual.mkdir;
  return { ...actual, mkdir };
});

it('makes what is missing, and takes what is there', async () => {
  const path = join(temporaryFolder(), 'a', 'b', 'c');
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(path, 'd'))]);
  await makeFolder(path);
  expect(statSync(join(path, 'd')).isDirectory()).toBe(true);
});

it('makes one folder for all who make it at once', async () => {
  const folder = temporaryFolder();
  for (let round = 0; round < 200; round += 1) {
    const path = join(folder, String(round), 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, async () => makeFolder(path)));
    expect(statSync(path).isDirectory()).toBe(true);
  }
});

it('fails where a file stands in the way', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(file, 'folder'))).rejects.toMatchObject({ code: expect.any(String) as string });
});

it('ends where the system has no place for a folder in one that is there', async () => {
  const folder = join(temporaryFolder(), 'there', REFUSING);
  await expect(makeFolder(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(makeFolder(join(folder, 'below'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(existsSync(join(folder, '..'))).toBe(true);
});
