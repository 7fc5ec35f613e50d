/** Renaming over a file that may be there. */
import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { errnoOf } from './source-file';

const RETRIES = 8;
const FIRST_DELAY_MS = 10;

/**
 * Renames `from` to `to`. Windows refuses while another process, often a virus scanner, has either of them open; there it
 * is tried again for two and a half seconds.
 */
export async function replaceFile(from: string, to: string, platform: string = process.platform): Promise<void> {
  for (let retry = 0; ; retry++) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (platform !== 'win32' || retry === RETRIES || !['EPERM', 'EACCES', 'EBUSY'].includes(errnoOf(error)))
        throw error;
      await sleep(FIRST_DELAY_MS * 2 ** retry);
    }
  }
}
