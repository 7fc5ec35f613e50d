/** Little-endian fields of a hostile file, read in order; a read past the end or a number of 2^53 or more is refused. */
import { EncoderError } from '../../errors';

/** Stands for "no address" in HDF5 (all bits set); every other number of 2^53 or more is an error. */
export const UNDEFINED_ADDRESS = -1;

export class ByteCursor {
  private position = 0;

  constructor(
    readonly bytes: Buffer,
    /** What the bytes are, for messages: file and structure. */
    private readonly what: string,
    /** Where the bytes are but the beginning of something longer: throws what stands for a read past them. */
    private readonly beyond?: () => never,
  ) {}

  get offset(): number {
    return this.position;
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  u8(): number {
    return this.bytes[this.advance(1)]!;
  }

  u16(): number {
    return this.bytes.readUInt16LE(this.advance(2));
  }

  u32(): number {
    return this.bytes.readUInt32LE(this.advance(4));
  }

  u64(): number {
    const value = this.bytes.readBigUInt64LE(this.advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`the number ${value} cannot be a size or an offset`);
    return Number(value);
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes. */
  unsigned(width: number): number {
    if (width === 1) return this.u8();
    if (width === 2) return this.u16();
    return width === 4 ? this.u32() : this.u64();
  }

  /** Eight bytes; all ones are `UNDEFINED_ADDRESS`. */
  address(): number {
    if (this.remaining >= 8 && this.bytes.readBigUInt64LE(this.position) === 2n ** 64n - 1n) {
      this.position += 8;
      return UNDEFINED_ADDRESS;
    }
    return this.u64();
  }

  take(length: number): Buffer {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  skip(length: number): void {
    this.advance(length);
  }

  /** Skips to the next multiple of `unit` bytes from the start; less than that may be left at the end. */
  align(unit: number): void {
    this.position = Math.min(Math.ceil(this.position / unit) * unit, this.bytes.length);
  }

  /** Refuses bytes that are left. */
  end(): void {
    if (this.remaining !== 0) this.fail(`${this.remaining} bytes follow its end`);
  }

  /** Refuses anything but these characters at this place. */
  signature(text: string): void {
    const found = this.take(text.length).toString('latin1');
    if (found !== text) this.fail(`${JSON.stringify(text)} expected, ${JSON.stringify(found)} found`);
  }

  fail(reason: string): never {
    throw new EncoderError('checkpoint_malformed', `${this.what}: ${reason}`);
  }

  private advance(length: number): number {
    if (length < 0 || length > this.remaining) {
      this.beyond?.();
      this.fail(`it ends after ${this.bytes.length} bytes, within a field of ${length} bytes at ${this.position}`);
    }
    const start = this.position;
    this.position += length;
    return start;
  }
}
