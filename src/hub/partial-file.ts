/**
 * A file while it is downloaded: hashed as it grows, kept when the download breaks off, and taken up again by the next
 * one. Each download owns its file, so that two of them (or Python's) never write into one another's.
 */
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, copyFile, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { EncoderError } from '../errors';
import { isRunning } from '../support/processes';
import { replaceFile } from '../support/replace-file';
import { errnoOf } from '../support/source-file';
import type { HubFile } from './client';

const PIECE_BYTES = 4 * 2 ** 20;
/** The file of a process that is gone is taken over when nobody has written to it for so long. */
const ABANDONED_MS = 10_000;

export class PartialFile {
  private hash: Hash;
  private sizeBytes = 0;
  private isOpen = true;

  private constructor(
    private readonly file: HubFile,
    private readonly blob: string,
    private readonly path: string,
    private readonly handle: FileHandle,
  ) {
    this.hash = newHash(file);
  }

  /** What an earlier download of the same content left, or an empty file. */
  static async open(file: HubFile, blob: string): Promise<PartialFile> {
    const path = ownName(blob);
    await claimLeftover(blob, path);
    const handle = await open(path, 'a+').catch((cause: unknown) => fail('create', path, cause));
    const partial = new PartialFile(file, blob, path, handle);
    try {
      await partial.readBack();
    } catch (error) {
      await partial.keep();
      throw error;
    }
    return partial;
  }

  /** Bytes that are there. */
  get length(): number {
    return this.sizeBytes;
  }

  async append(data: Uint8Array): Promise<void> {
    for (let written = 0; written < data.length;) {
      const { bytesWritten } = await this.handle
        .write(data, written, data.length - written)
        .catch((cause: unknown) => fail('write', this.path, cause));
      written += bytesWritten;
    }
    this.hash.update(data);
    this.sizeBytes += data.length;
  }

  async clear(): Promise<void> {
    await this.handle.truncate(0).catch((cause: unknown) => fail('empty', this.path, cause));
    this.hash = newHash(this.file);
    this.sizeBytes = 0;
  }

  /** True when the content is what the Hub says it is. */
  isSound(): boolean {
    return this.sizeBytes === this.file.sizeBytes && this.hash.copy().digest('hex') === this.file.etag;
  }

  /** Gives the complete file its name. */
  async finish(): Promise<void> {
    await this.handle.sync().catch((cause: unknown) => fail('sync', this.path, cause));
    await this.close();
    await replaceFile(this.path, this.blob).catch((cause: unknown) => fail('rename', this.path, cause));
  }

  /** Leaves what is there for the next attempt. */
  async keep(): Promise<void> {
    await this.close();
    if (this.sizeBytes === 0) await rm(this.path, { force: true });
    else await rename(this.path, leftoverName(this.blob)).catch(() => undefined);
  }

  async discard(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }

  private async readBack(): Promise<void> {
    const { size } = await this.handle.stat();
    if (size > this.file.sizeBytes) return this.clear();
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, Math.max(size, 1)));
    while (this.sizeBytes < size) {
      const { bytesRead } = await this.handle.read(piece, 0, piece.length, this.sizeBytes);
      if (bytesRead === 0) return this.clear();
      this.hash.update(piece.subarray(0, bytesRead));
      this.sizeBytes += bytesRead;
    }
  }

  private async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    await this.handle.close().catch(() => undefined);
  }
}

function newHash({ checksum, sizeBytes }: HubFile): Hash {
  return checksum === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${sizeBytes}\0`);
}

function leftoverName(blob: string): string {
  return `${blob}.ggml-encoder.incomplete`;
}

function ownName(blob: string): string {
  return `${blob}.${process.pid}.${randomBytes(4).toString('hex')}.ggml-encoder`;
}

/** Renaming claims: of several processes exactly one gets the file. */
async function claimLeftover(blob: string, path: string): Promise<void> {
  if (await renamed(leftoverName(blob), path)) return;
  const folder = dirname(blob);
  const pattern = new RegExp(`^${basename(blob)}\\.(\\d+)\\.[0-9a-f]{8}\\.ggml-encoder$`);
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = pattern.exec(name)?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    const stats = await stat(join(folder, name)).catch(() => undefined);
    if (stats === undefined || Date.now() - stats.mtimeMs < ABANDONED_MS) continue;
    const claimed = ownName(blob);
    if (!(await renamed(join(folder, name), claimed))) continue;
    // In another container or on another machine its owner may live and go on writing, to the file that it has open.
    const isCopied = await copyFile(claimed, path, constants.COPYFILE_FICLONE).then(
      () => true,
      () => false,
    );
    await rm(claimed, { force: true });
    if (isCopied) return;
  }
}

async function renamed(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    () => false,
  );
}

function fail(what: string, path: string, cause: unknown): never {
  const advice = errnoOf(cause) === 'ENOSPC' ? '; the disk is full, what was downloaded is kept' : '';
  throw new EncoderError('io_failed', `cannot ${what} ${path} (${errnoOf(cause)})${advice}`, { cause });
}
