import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { openAddon } from '../../src/native/addon';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ggml-encoder-addon-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('a missing addon is explained with every place and the repair', () => {
  expect(thrownBy(() => openAddon(root))).toMatchObject({
    code: 'addon_missing',
    message: expect.stringMatching(
      new RegExp(`${join(root, 'build', 'Release')}.*prebuilds/${process.platform}-${process.arch}.*npm rebuild`),
    ) as string,
  });
});

test('an addon that does not load is told apart from a missing one', () => {
  const folder = join(root, 'build', 'Release');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ggml_encoder.node'), 'no library');
  expect(thrownBy(() => openAddon(root))).toMatchObject({
    code: 'addon_failed',
    message: expect.stringContaining(join(folder, 'ggml_encoder.node')) as string,
  });
});
