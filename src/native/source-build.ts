/** What the install script (scripts/install.mjs) left to say when it could not build the addon from source. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One sentence without its full stop; undefined when no build was tried or it succeeded. */
export function buildFailure(root: string): string | undefined {
  try {
    return readFileSync(join(root, 'build', 'failure.txt'), 'utf8').trim();
  } catch {
    return undefined;
  }
}
