/** A checkpoint as files in memory, and settings that lead to a fake Hub without long pauses. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';

import type { HubOptions } from '../../src/hub/settings';
import { type MicroOptions, writeMicro } from '../unit/convert/micro-checkpoint';

export const ID = 'some-owner/some.model_1';

export function microFiles(options: MicroOptions = {}): Record<string, Buffer> {
  const folder = writeMicro(options);
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))] as const));
}

/** Keeps the machine's own token, cache and mirror out of the test. */
export function cleanEnvironment(home: string): void {
  for (const name of [
    ...['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_TOKEN_PATH', 'HF_HUB_DISABLE_IMPLICIT_TOKEN', 'HF_ENDPOINT'],
    ...['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'XDG_CACHE_HOME'],
  ]) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv('HF_HOME', home);
}

export type { HubOptions };
