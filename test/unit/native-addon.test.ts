import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

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
  const error = thrownBy(() => openAddon(root));
  expect(error).toMatchObject({ code: 'addon_missing' });
  const { message } = error as Error;
  for (const part of [
    join(root, 'build', 'Release'),
    join(root, 'prebuilds', `${process.platform}-${process.arch}`),
    `node ${join(root, 'scripts', 'build.mjs')}`,
  ])
    expect(message).toContain(part);
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

test('a source build that failed says why', () => {
  mkdirSync(join(root, 'build'));
  writeFileSync(join(root, 'build', 'failure.txt'), 'it needs CMake\n');
  expect(thrownBy(() => openAddon(root))).toMatchObject({
    message: expect.stringContaining('could not: it needs CMake.') as string,
  });
});

describe('an optional package of the platform', () => {
  const name = `@ggml-encoder/${process.platform}-${process.arch}`;

  function writePackage(folder: string, manifest: object): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  }

  function installPlatformPackage(version: string): string {
    const folder = join(root, 'node_modules', name);
    writePackage(folder, { name, version });
    const prebuilds = join(folder, 'prebuilds', `${process.platform}-${process.arch}`);
    mkdirSync(prebuilds, { recursive: true });
    const addon = join(prebuilds, 'ggml-encoder.node');
    writeFileSync(addon, 'no library');
    return addon;
  }

  beforeEach(() => {
    writePackage(root, { name: 'ggml-encoder', version: '1.2.3', optionalDependencies: { [name]: '1.2.3' } });
  });

  test('is used where the main package has no file', () => {
    const addon = installPlatformPackage('1.2.3');
    expect(thrownBy(() => openAddon(root))).toMatchObject({
      code: 'addon_failed',
      message: expect.stringContaining(addon) as string,
    });
  });

  test('is not used in another version', () => {
    installPlatformPackage('1.2.4');
    expect(thrownBy(() => openAddon(root))).toMatchObject({ code: 'addon_missing' });
  });

  test('is named when it was left out', () => {
    expect(thrownBy(() => openAddon(root))).toMatchObject({
      message: expect.stringContaining(`npm install ${name}@1.2.3`) as string,
    });
  });
});
