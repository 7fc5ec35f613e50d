/** Folders with those above them. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { errnoOf } from './source-file';

/**
 * Makes the folder and those above it that are missing; one that is there will do. Node's own `recursive` never comes back
 * where a system says ENOENT although the folder above is there, as /proc does.
 */
export async function makeFolder(path: string): Promise<void> {
  await makeOne(path).catch(async (error: unknown) => {
    const parent = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || parent === path) throw error;
    // Whoever makes the same folder may have made that meanwhile.
    if (!(await isFolder(parent))) await makeFolder(parent);
    await makeOne(path);
  });
}

/** In a folder that is there. */
async function makeOne(path: string): Promise<void> {
  await mkdir(path).catch(async (error: unknown) => {
    if (!(await isFolder(path))) throw error;
  });
}

/** Whether `path` leads to a folder. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
