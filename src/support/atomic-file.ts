/**
 * A new file that appears under its name only when it is complete: written beside it under a temporary name, synced,
 * then linked or renamed. An interrupted write leaves the target as it was.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { EncoderError } from '../errors';
import { isRunning } from './processes';
import { replaceFile } from './replace-file';
import { errnoOf } from './source-file';

/** Temporary names that `AtomicFile` makes: .NAME.PID.RANDOM.tmp */
export const TEMPORARY_NAME = /^\..+\.\d+\.[0-9a-f]{16}\.tmp$/;

export class AtomicFile {
  private open = true;

  private constructor(
    readonly path: string,
    private readonly temporaryPath: string,
    private readonly handle: FileHandle,
  ) {}

  /** Makes the temporary file beside `path`. Throws `io_failed` when it cannot, or when the disk lacks `sizeBytes`. */
  static async create(path: string, sizeBytes: number): Promise<AtomicFile> {
    const target = resolve(path);
    const folder = dirname(target);
    await checkFreeSpace(folder, target, sizeBytes);
    await removeAbandoned(folder, basename(target));
    const unique = `.${basename(target)}.${process.pid}.${randomBytes(8).toString('hex')}.tmp`;
    const temporaryPath = join(folder, unique);
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;
    const handle = await open(temporaryPath, flags, 0o666).catch((cause: unknown) => {
      throw new EncoderError('io_failed', `cannot write into ${folder} (${errnoOf(cause)})`, { cause });
    });
    return new AtomicFile(target, temporaryPath, handle);
  }

  async write(data: Uint8Array, position: number): Promise<void> {
    let written = 0;
    while (written < data.length) {
      const { bytesWritten } = await this.handle
        .write(data, written, data.length - written, position + written)
        .catch((cause: unknown) => this.fail('write', cause));
      written += bytesWritten;
    }
  }

  async sync(): Promise<void> {
    await this.handle.sync().catch((cause: unknown) => this.fail('sync', cause));
  }

  /** Gives the file its name. Without `overwrite` an existing target is `output_exists` and stays untouched. */
  async commit(overwrite: boolean): Promise<void> {
    await this.close();
    try {
      if (overwrite) await replaceFile(this.temporaryPath, this.path);
      else await linkNew(this.temporaryPath, this.path);
    } catch (error) {
      await this.discard();
      if (error instanceof EncoderError) throw error;
      throw new EncoderError('io_failed', `cannot create ${this.path} (${errnoOf(error)})`, { cause: error });
    }
    await syncFolder(dirname(this.path));
  }

  /** Removes the temporary file; safe to call at any time. */
  async discard(): Promise<void> {
    await this.close().catch(() => undefined);
    await rm(this.temporaryPath, { force: true });
  }

  private async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    await this.handle.close().catch((cause: unknown) => this.fail('close', cause));
  }

  private fail(what: string, cause: unknown): never {
    throw new EncoderError('io_failed', `cannot ${what} ${this.temporaryPath} (${errnoOf(cause)})`, { cause });
  }
}

/** A conversion writes every few milliseconds; what was not touched for so long, by a process that is gone, is rubbish. */
const ABANDONED_MS = 10 * 60 * 1000;

/** Removes what processes that were killed while they wrote this very file left beside it. */
async function removeAbandoned(folder: string, name: string): Promise<void> {
  const prefix = `.${name}.`;
  const names = await readdir(folder).catch(() => []);
  for (const found of names) {
    if (!found.startsWith(prefix) || !TEMPORARY_NAME.test(found)) continue;
    const path = join(folder, found);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Infinity);
    if (age > ABANDONED_MS && !isRunning(Number(found.slice(prefix.length).split('.')[0]))) {
      await rm(path, { force: true }).catch(() => undefined);
    }
  }
}

async function checkFreeSpace(folder: string, target: string, sizeBytes: number): Promise<void> {
  const space = await statfs(folder).catch((cause: unknown) => {
    throw new EncoderError('io_failed', `cannot write ${target}: no folder ${folder} (${errnoOf(cause)})`, { cause });
  });
  const freeBytes = space.bavail * space.bsize;
  // Some network and virtual file systems report nothing at all; zero total blocks is not a full disk.
  if (space.blocks > 0 && freeBytes < sizeBytes) {
    throw new EncoderError('io_failed', `${target} needs ${sizeBytes} bytes, but ${folder} has ${freeBytes} free`);
  }
}

/** A hard link refuses an existing target without a gap between the question and the answer. */
async function linkNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') throw outputExists(to, cause);
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(errnoOf(cause))) throw cause;
    // No hard links here (FAT, some network shares): an exclusively created placeholder claims the name instead.
    const claim = await open(to, 'wx').catch((error: unknown) => {
      throw errnoOf(error) === 'EEXIST' ? outputExists(to, error) : error;
    });
    await claim.close();
    await replaceFile(from, to);
    return;
  }
  await rm(from, { force: true });
}

export function outputExists(path: string, cause?: unknown): EncoderError {
  return new EncoderError('output_exists', `${path} exists; overwrite: true (--force) replaces it`, { cause });
}

async function syncFolder(folder: string): Promise<void> {
  // Not every platform opens folders; the file itself is synced already, only the name could be lost in a crash.
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}
