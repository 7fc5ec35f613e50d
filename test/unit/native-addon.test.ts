import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { openAddon } from '../../src/native/addon';
import { detectLibc } from '../../src/native/libc';
import { findAddon, platformName } from '../../src/native/platform-package';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ggml-encoder-addon-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
  vi.unstubAllEnvs();
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
  const name = `@ggml-encoder/${platformName()}`;

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

describe('the C library of Linux', () => {
  const { execPath, platform } = process;

  beforeEach(() => {
    Object.defineProperty(process, 'platform', { value: 'linux' });
  });

  afterEach(() => {
    Object.defineProperty(process, 'platform', { value: platform });
    process.execPath = execPath;
    vi.restoreAllMocks();
  });

  function runsBy(program: string, header: object): void {
    process.execPath = join(root, 'node');
    writeFileSync(process.execPath, program);
    vi.spyOn(process.report, 'getReport').mockReturnValue({ header });
  }

  test('is that of this process', () => {
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
    expect(detectLibc()).toBe(header.glibcVersionRuntime === undefined ? 'musl' : 'glibc');
  });

  test.each([
    ['the loader of musl', '\x7fELF /lib/ld-musl-x86_64.so.1', { glibcVersionRuntime: '2.36' }, 'musl'],
    ['the loader of glibc', '\x7fELF /lib64/ld-linux-x86-64.so.2', {}, 'glibc'],
    ["a report with glibc's version", '\x7fELF /lib/another-loader', { glibcVersionRuntime: '2.36' }, 'glibc'],
    ["a report without glibc's version", '\x7fELF', {}, 'musl'],
  ])('is told by %s', (_, program, header, libc) => {
    runsBy(program, header);
    expect(detectLibc()).toBe(libc);
  });

  test('is told by the report where the program cannot be read, without asking the network', () => {
    const before = process.report as typeof process.report & { excludeNetwork?: boolean };
    const { excludeNetwork } = before;
    process.execPath = join(root, 'missing');
    const spy = vi.spyOn(process.report, 'getReport').mockImplementation(() => {
      expect(before.excludeNetwork).toBe(true);
      return { header: {} };
    });
    expect(detectLibc()).toBe('musl');
    expect(spy).toHaveBeenCalledOnce();
    expect(before.excludeNetwork).toBe(excludeNetwork);
  });

  test.each(['glibc', 'musl'])('%s: its addon is chosen, and its package named', (libc) => {
    vi.stubEnv('LIBC', libc);
    const other = libc === 'musl' ? 'glibc' : 'musl';
    const tuple = `${process.platform}-${process.arch}`;
    const name = `@ggml-encoder/${tuple}${libc === 'musl' ? '-musl' : ''}`;
    const manifest = { name: 'ggml-encoder', version: '1.2.3', optionalDependencies: { [name]: '1.2.3' } };
    const lay = (folder: string, tag: string, json: object): string => {
      const prebuilds = join(folder, 'prebuilds', tuple);
      mkdirSync(prebuilds, { recursive: true });
      writeFileSync(join(folder, 'package.json'), JSON.stringify(json));
      writeFileSync(join(prebuilds, `ggml-encoder.${tag}.node`), 'no library');
      return join(prebuilds, `ggml-encoder.${tag}.node`);
    };
    lay(root, other, manifest);
    expect(thrownBy(() => openAddon(root))).toMatchObject({
      code: 'addon_missing',
      message: expect.stringMatching(
        new RegExp(`no native addon for ${name.slice('@ggml-encoder/'.length)}, .*npm install ${name}@1.2.3\\.`),
      ) as string,
    });
    const packaged = lay(join(root, 'node_modules', name), libc, { name, version: '1.2.3' });
    expect(findAddon(root)).toBe(packaged);
    const own = lay(root, libc, manifest);
    expect(findAddon(root)).toBe(own);
  });
});
