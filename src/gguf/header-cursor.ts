/** A forward reader over the head of a file: fetches it piece by piece and refuses every length that cannot be true. */
import { TextDecoder } from 'node:util';

import { EncoderError } from '../errors';
import { type Limits, limitExceeded } from '../support/limits';
import type { SourceFile } from '../support/source-file';

const PIECE_BYTES = 2 ** 20;

export class HeaderCursor {
  private piece: Buffer = Buffer.alloc(0);
  private pieceStart = 0;
  private offset = 0;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(
    private readonly file: SourceFile,
    readonly limits: Limits,
  ) {}

  /** Bytes read so far, from the start of the file. */
  get position(): number {
    return this.pieceStart + this.offset;
  }

  get path(): string {
    return this.file.path;
  }

  get sizeBytes(): number {
    return this.file.sizeBytes;
  }

  malformed(reason: string): never {
    throw new EncoderError('gguf_malformed', `${this.file.path} is not a valid GGUF file: ${reason}`);
  }

  /** Fails unless `length` more bytes exist. `what` names the value for the message. */
  requireLeft(length: number, what: string): void {
    if (length > this.sizeBytes - this.position) this.malformed(`it ends inside ${what}`);
    if (this.position + length > this.limits.ggufHeaderBytes) {
      throw limitExceeded(this.limits, 'ggufHeaderBytes', `${this.path}: the head has ${this.position + length} bytes`);
    }
  }

  /** The next `length` bytes; valid until the next read. */
  async bytes(length: number, what: string): Promise<Buffer> {
    this.requireLeft(length, what);
    if (this.offset + length > this.piece.length) {
      const start = this.position;
      const wanted = Math.min(Math.max(length, PIECE_BYTES), this.sizeBytes - start);
      this.piece = await this.file.read(start, wanted);
      this.pieceStart = start;
      this.offset = 0;
    }
    const slice = this.piece.subarray(this.offset, this.offset + length);
    this.offset += length;
    return slice;
  }

  /** The next `length` bytes in memory of their own, aligned for any typed array. */
  async copy(length: number, what: string): Promise<ArrayBuffer> {
    const slice = await this.bytes(length, what);
    const result = new ArrayBuffer(length);
    new Uint8Array(result).set(slice);
    return result;
  }

  async uint32(what: string): Promise<number> {
    return (await this.bytes(4, what)).readUInt32LE();
  }

  /** A 64-bit count that must not exceed `limit`; `name` when that is a limit that callers can raise. */
  async count(what: string, limit: number, name?: keyof Limits): Promise<number> {
    const value = (await this.bytes(8, what)).readBigUInt64LE();
    if (value > BigInt(limit)) {
      if (name !== undefined) throw limitExceeded(this.limits, name, `${this.path}: ${what} is ${value}`);
      this.malformed(`${what} is ${value}; at most ${limit} is possible`);
    }
    return Number(value);
  }

  /** A length-prefixed string of at most `maxBytes` bytes. */
  async string(what: string, maxBytes: number, name?: keyof Limits): Promise<string> {
    const length = await this.count(`the length of ${what}`, name === undefined ? maxBytes : this.sizeBytes);
    if (name !== undefined && length > maxBytes) {
      throw limitExceeded(this.limits, name, `${this.path}: ${what} has ${length} bytes`);
    }
    const bytes = await this.bytes(length, what);
    try {
      return this.decoder.decode(bytes);
    } catch {
      return this.malformed(`${what} is not UTF-8`);
    }
  }
}
