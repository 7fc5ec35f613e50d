/** One file that is only read: opened once, checked to be a regular file, and checked again to have stayed the same. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { EncoderError, type ErrorCode } from '../errors';

/** What tells one state of a file from another. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
  readonly sizeBytes: number;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

export class SourceFile {
  private constructor(
    readonly path: string,
    readonly identity: FileIdentity,
    private readonly handle: FileHandle,
  ) {}

  /**
   * Opens `path` for reading. Throws `EncoderError` with `missing` when there is no such file, `io_failed` when it
   * cannot be read or is no regular file.
   */
  static async open(path: string, missing: ErrorCode): Promise<SourceFile> {
    // Non-blocking, so that opening a FIFO returns at once instead of waiting for a writer.
    const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: unknown) => {
      const absent = errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR';
      throw new EncoderError(absent ? missing : 'io_failed', `cannot open ${path} (${errnoOf(cause)})`, { cause });
    });
    try {
      return new SourceFile(path, await identify(handle, path), handle);
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.identity.sizeBytes;
  }

  /** Exactly `length` bytes from `offset`; both must lie inside the file. */
  async read(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.handle
        .read(buffer, filled, length - filled, offset + filled)
        .catch((cause: unknown) => {
          // libuv repeats every interrupted call but this one.
          if (errnoOf(cause) === 'EINTR') return { bytesRead: -1 };
          throw new EncoderError('io_failed', `cannot read ${this.path} (${errnoOf(cause)})`, { cause });
        });
      if (bytesRead < 0) continue;
      if (bytesRead === 0) {
        throw new EncoderError('io_failed', `${this.path} became shorter while it was read; try again`);
      }
      filled += bytesRead;
    }
    return buffer;
  }

  /** Throws `io_failed` when the file was written to since it was opened. */
  async checkUnchanged(): Promise<void> {
    const now = await identify(this.handle, this.path);
    if (now.sizeBytes !== this.identity.sizeBytes || now.modifiedNs !== this.identity.modifiedNs) {
      throw new EncoderError('io_failed', `${this.path} changed while it was read; try again when it is complete`);
    }
  }

  /** Never fails: a file that was only read has nothing to lose. */
  async close(): Promise<void> {
    await this.handle.close().catch(() => undefined);
  }
}

/** 'ENOENT' and the like, or the error's text when it is no system error. */
export function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? String(error);
}

async function identify(handle: FileHandle, path: string): Promise<FileIdentity> {
  const stats = await handle.stat({ bigint: true });
  if (!stats.isFile()) {
    throw new EncoderError('io_failed', `${path} is ${stats.isDirectory() ? 'a folder, ' : ''}not a regular file`);
  }
  if (stats.size > BigInt(Number.MAX_SAFE_INTEGER)) throw new EncoderError('limit_exceeded', `${path} is too large`);
  return {
    device: stats.dev,
    inode: stats.ino,
    sizeBytes: Number(stats.size),
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
  };
}
