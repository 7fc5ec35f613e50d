import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { cachedConvert, defaultCacheDir } from '../../../src/convert/cache';
import { readGgufHead } from '../../../src/gguf/reader';
import { writeMicro } from './micro-checkpoint';
import { floats, temporaryFolder } from './temp-folder';

let cacheDir: string;
beforeEach(() => {
  cacheDir = join(temporaryFolder(), 'cache');
});

/** Makes all files old enough for their hashes to be remembered. */
function age(folder: string): string {
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), 1e9, 1e9);
  return folder;
}

type Rest = Parameters<typeof cachedConvert> extends [unknown, ...infer Others] ? Others : never;

async function cachedPath(folder: string, ...others: Rest): Promise<string> {
  return (await cachedConvert({ folder, base: undefined }, ...others)).path;
}

describe('cachedConvert', () => {
  it('repeats the warnings of the conversion whenever the file is found again', async () => {
    const folder = writeMicro({ config: { sbert_ce_default_activation_function: 'my.Own' } });
    const first = await cachedConvert({ folder, base: undefined }, 'q8_0', { cacheDir });
    expect(first.warnings).toEqual([
      expect.stringContaining('tensors are f16'),
      expect.stringContaining('my.Own is not known'),
    ]);
    expect(await cachedConvert({ folder, base: undefined }, 'q8_0', { cacheDir })).toEqual(first);
    expect((await cachedConvert({ folder: writeMicro(), base: undefined }, 'f32', { cacheDir })).warnings).toEqual([]);
  });

  it('converts once and finds the file again', async () => {
    const folder = age(writeMicro());
    const onProgress = vi.fn();
    const path = await cachedPath(folder, 'f32', { cacheDir, onProgress });
    expect((await readGgufHead(path)).tensors).toHaveLength(21);
    expect(onProgress).toHaveBeenCalled();
    onProgress.mockClear();
    expect(await cachedPath(folder, 'f32', { cacheDir, onProgress })).toBe(path);
    expect(onProgress).not.toHaveBeenCalled();
  });

  it('remembers the hashes of settled files only', async () => {
    const fresh = writeMicro();
    await cachedPath(fresh, 'f32', { cacheDir });
    expect(readdirSync(join(cacheDir, 'hashes'))).toEqual([]);
    await cachedPath(age(fresh), 'f32', { cacheDir });
    expect(readdirSync(join(cacheDir, 'hashes'))).toHaveLength(3);
  });

  it('tells types and contents apart, and does not depend on where the folder lies', async () => {
    const folder = age(writeMicro());
    const paths = new Set<string>();
    for (const type of [undefined, 'f32', 'f16'] as const) paths.add(await cachedPath(folder, type, { cacheDir }));
    expect(paths.size).toBe(3);
    appendFileSync(join(folder, 'config.json'), '\n');
    paths.add(await cachedPath(folder, 'f32', { cacheDir }));
    expect(paths.size).toBe(4);
    const [a, b] = [join(temporaryFolder(), 'same'), join(temporaryFolder(), 'same')];
    for (const copy of [a, b]) cpSync(folder, copy, { recursive: true });
    expect(await cachedPath(a, 'f32', { cacheDir })).toBe(await cachedPath(b, 'f32', { cacheDir }));
  });

  it('notices other weights of the same size and time', async () => {
    const folder = age(writeMicro());
    const other = writeMicro({
      tensors: (tensors) => (tensors['classifier.bias'] = { shape: [2], data: floats(1, 2) }),
    });
    const first = await cachedPath(folder, 'f32', { cacheDir });
    renameSync(join(other, 'model.safetensors'), join(folder, 'model.safetensors'));
    expect(await cachedPath(age(folder), 'f32', { cacheDir })).not.toBe(first);
  });

  it('replaces a damaged file', async () => {
    const folder = writeMicro();
    const path = await cachedPath(folder, 'f32', { cacheDir });
    const bytes = readFileSync(path);
    truncateSync(path, 1000);
    expect(await cachedPath(folder, 'f32', { cacheDir })).toBe(path);
    expect(readFileSync(path)).toEqual(bytes);
  });

  it('distrusts a damaged memory of hashes', async () => {
    const folder = age(writeMicro());
    const path = await cachedPath(folder, 'f32', { cacheDir });
    for (const name of readdirSync(join(cacheDir, 'hashes'))) writeFileSync(join(cacheDir, 'hashes', name), 'nonsense');
    expect(await cachedPath(folder, 'f32', { cacheDir })).toBe(path);
  });

  it('serves what it has where nothing can be written', async () => {
    const folder = age(writeMicro());
    const path = await cachedPath(folder, 'f32', { cacheDir });
    // No folder takes the hashes any more; unlike permissions, this binds the superuser too.
    rmSync(join(cacheDir, 'hashes'), { recursive: true });
    writeFileSync(join(cacheDir, 'hashes'), '');
    expect(await cachedPath(folder, 'f32', { cacheDir })).toBe(path);
    const other = cachedPath(folder, 'f16', { cacheDir });
    await expect(other).rejects.toMatchObject({
      code: 'io_failed',
      message: expect.stringContaining('name another one with cacheDir or GGML_ENCODER_CACHE') as string,
    });
  });

  it('removes what died conversions left a day ago, and nothing else', async () => {
    await cachedPath(writeMicro(), 'f32', { cacheDir });
    const [stale, recent, foreign] = ['.x.gguf.1.0123456789abcdef.tmp', '.x.gguf.2.0123456789abcdef.tmp', 'notes.tmp'];
    for (const name of [stale!, recent!, foreign!]) writeFileSync(join(cacheDir, name), '');
    for (const name of [stale!, foreign!]) utimesSync(join(cacheDir, name), 1e9, 1e9);
    await cachedPath(writeMicro(), 'f16', { cacheDir });
    const left = readdirSync(cacheDir);
    expect(left).not.toContain(stale);
    expect(left).toEqual(expect.arrayContaining([recent, foreign]));
  });

  it('passes on errors and aborts, and keeps no file of them', async () => {
    const bad = writeMicro({ config: { hidden_act: 'laplace' } });
    await expect(cachedPath(bad, 'f32', { cacheDir })).rejects.toMatchObject({ code: 'architecture_unsupported' });
    const signal = AbortSignal.abort();
    await expect(cachedPath(writeMicro(), 'f32', { cacheDir, signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(readdirSync(cacheDir)).toEqual(['hashes']);
    writeFileSync(join(cacheDir, 'file'), '');
    const inFile = cachedPath(writeMicro(), 'f32', { cacheDir: join(cacheDir, 'file') });
    await expect(inFile).rejects.toMatchObject({ code: 'io_failed' });
  });

  it('serves several callers at once', async () => {
    const folder = writeMicro();
    const paths = await Promise.all(Array.from({ length: 8 }, () => cachedPath(folder, 'f32', { cacheDir })));
    expect(new Set(paths).size).toBe(1);
    expect((await readGgufHead(paths[0]!)).tensors).toHaveLength(21);
    expect(readdirSync(cacheDir).sort()).toEqual([paths[0]!.slice(cacheDir.length + 1), 'hashes'].sort());
  });
});

describe('defaultCacheDir', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('takes the environment in order', () => {
    vi.stubEnv('GGML_ENCODER_CACHE', '');
    vi.stubEnv('XDG_CACHE_HOME', '');
    for (const name of ['HOME', 'USERPROFILE']) vi.stubEnv(name, resolve('/home/someone'));
    expect(defaultCacheDir()).toBe(resolve('/home/someone/.cache/ggml-encoder'));
    vi.stubEnv('XDG_CACHE_HOME', resolve('/cache'));
    expect(defaultCacheDir()).toBe(resolve('/cache/ggml-encoder'));
    vi.stubEnv('GGML_ENCODER_CACHE', 'own');
    expect(defaultCacheDir()).toBe(resolve('own'));
    expect(existsSync('own')).toBe(false);
  });
});
