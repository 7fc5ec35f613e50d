/**
 * Converted checkpoints, kept by content: the key covers every byte that the conversion reads, so a changed checkpoint
 * is converted anew and a moved one is not. Processes need no lock: each writes its own file and renames it.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readFile, readdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { EncoderError, isEncoderError } from '../errors';
import { ENCODER_KEYS } from '../gguf/keys';
import { readGgufHead } from '../gguf/reader';
import type { TensorType } from '../gguf/types';
import { AtomicFile, TEMPORARY_NAME } from '../support/atomic-file';
import { type LimitOptions, type Limits, resolveLimits } from '../support/limits';
import { makeFolder } from '../support/make-folder';
import { type HeadOptions, headOptions } from './head-options';
import type { SourceFile } from '../support/source-file';
import { type FileIdentity, errnoOf } from '../support/source-file';
import { type ConvertProgress, convertSource } from './convert';
import { type SourcePaths, openSource } from './source';

/** What is said of the head is part of the key. */
export interface CacheOptions extends HeadOptions {
  /** Folder for converted files. Default: `defaultCacheDir()`. It is made when it is missing. */
  readonly cacheDir?: string | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly limits?: LimitOptions | undefined;
}

/** Part of every key: to be raised when the same checkpoint would give another file. */
const CONVERTER_VERSION = 14;

/** A file written this recently could change again within the same time stamp, so its hash is not remembered. */
const SETTLED_NS = 2_000_000_000n;
const STALE_MS = 24 * 3600 * 1000;
const HASH_PIECE_BYTES = 4 * 2 ** 20;

/** `$GGML_ENCODER_CACHE`, else `ggml-encoder` in `$XDG_CACHE_HOME`, else in `~/.cache`. */
export function defaultCacheDir(): string {
  const { GGML_ENCODER_CACHE: own, XDG_CACHE_HOME: shared } = process.env;
  if (own) return resolve(own);
  return join(shared || join(homedir(), '.cache'), 'ggml-encoder');
}

export interface CachedConversion {
  /** Absolute path of the GGUF file. */
  readonly path: string;
  /** What the conversion warned about, whenever it was. */
  readonly warnings: readonly string[];
}

/**
 * The checkpoint at `paths` as a GGUF file in the cache, converted now unless it is there; a GGUF file of llama.cpp's
 * converter will do as well. `type` undefined keeps the checkpoint's own. Throws what `convert` throws; `signal` also ends
 * the hashing of the checkpoint.
 */
export async function cachedConvert(
  paths: SourcePaths,
  type: TensorType | undefined,
  options: CacheOptions,
): Promise<CachedConversion> {
  const { cacheDir = defaultCacheDir(), onProgress, signal, limits } = options;
  const cache = resolve(cacheDir);
  const key = await contentKey(paths, [type ?? 'own', headOptions(options)], cache, signal, resolveLimits(limits));
  const path = join(cache, `${key}.gguf`);
  const known = await readWarnings(path);
  if (known !== undefined) return { path, warnings: known };
  await makeWritable(cache);
  await removeStale(cache);
  const own = { output: path, type, overwrite: true, onProgress, signal, limits };
  await convertSource(paths, { ...own, ...headOptions(options) });
  // As the file has them: what it says of itself once it is loaded is not said twice.
  return { path, warnings: (await readWarnings(path)) ?? [] };
}

/** Only before a conversion: a cache that was filled elsewhere serves from a read-only disk, as serverless hosts have it. */
async function makeWritable(cache: string): Promise<void> {
  const advice =
    'name another one with cacheDir or GGML_ENCODER_CACHE, or convert the checkpoint beforehand and load the .gguf file';
  try {
    await makeFolder(join(cache, 'hashes'));
    await access(cache, constants.W_OK);
  } catch (cause) {
    throw new EncoderError('io_failed', `cannot write into the cache folder ${cache} (${errnoOf(cause)}); ${advice}`, {
      cause,
    });
  }
}

/** `choices`: what the caller chose that changes the file. */
async function contentKey(
  paths: SourcePaths,
  choices: readonly unknown[],
  cache: string,
  signal: AbortSignal | undefined,
  limits: Limits,
): Promise<string> {
  const source = await openSource(paths, limits);
  try {
    await source.openFiles();
    const key = createHash('sha256');
    key.update(JSON.stringify([CONVERTER_VERSION, ...choices, source.name]));
    for (const { name, file } of source.namedFiles) {
      key.update(JSON.stringify([name, await contentHash(file, cache, signal)]));
    }
    await source.checkUnchanged();
    return key.digest('hex');
  } finally {
    await source.close();
  }
}

/** SHA-256 of a file, remembered under what stat says about it so that a large checkpoint is read once. */
async function contentHash(file: SourceFile, cache: string, signal: AbortSignal | undefined): Promise<string> {
  const memo = join(cache, 'hashes', hashText(file.path));
  const identity = identityText(file.identity);
  const [known, hash] = await readFile(memo, 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  if (known === identity && /^[0-9a-f]{64}$/.test(hash ?? '')) return hash!;
  const digest = createHash('sha256');
  for (let offset = 0; offset < file.sizeBytes; offset += HASH_PIECE_BYTES) {
    if (signal?.aborted) throw new EncoderError('aborted', 'the conversion was aborted', { cause: signal.reason });
    digest.update(await file.read(offset, Math.min(HASH_PIECE_BYTES, file.sizeBytes - offset)));
  }
  const result = digest.digest('hex');
  await file.checkUnchanged();
  const age = BigInt(Date.now()) * 1_000_000n - file.identity.modifiedNs;
  if (age > SETTLED_NS) await remember(memo, `${identity}\n${result}\n`);
  return result;
}

async function remember(path: string, text: string): Promise<void> {
  const data = Buffer.from(text);
  let file: AtomicFile | undefined;
  try {
    file = await AtomicFile.create(path, data.length);
    await file.write(data, 0);
    await file.commit(true);
  } catch {
    // It saves time and no more; a disk that takes no conversion either says so then.
    await file?.discard();
  }
}

/** Undefined for a file that another version, a full disk or a stray hand left incomplete: it is converted again. */
async function readWarnings(path: string): Promise<readonly string[] | undefined> {
  try {
    const { metadata } = await readGgufHead(path);
    const entry = metadata.get(ENCODER_KEYS.conversionWarnings);
    const value = entry?.value;
    return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
  } catch (error) {
    if (isEncoderError(error, 'model_not_found') || isEncoderError(error, 'gguf_malformed')) return undefined;
    throw error;
  }
}

/** Removes what conversions that died more than a day ago left behind. */
async function removeStale(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!TEMPORARY_NAME.test(name)) continue;
    const path = join(cache, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats !== undefined && Date.now() - stats.mtimeMs > STALE_MS) await rm(path, { force: true });
  }
}

function identityText({ device, inode, sizeBytes, modifiedNs, changedNs }: FileIdentity): string {
  return [device, inode, sizeBytes, modifiedNs, changedNs].join(' ');
}

function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
