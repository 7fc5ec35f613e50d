/**
 * The bytes of an HDF5 file, bounded: the superblock (versions 0 to 3, format specification section II.A), reads that
 * stay inside the file, and the rule that no structure is visited twice, which ends every cycle and every sharing.
 */
import { EncoderError } from '../../errors';
import { DEFAULT_LIMITS, type Limits } from '../../support/limits';
import type { SourceFile } from '../../support/source-file';
import { ByteCursor, UNDEFINED_ADDRESS } from './byte-cursor';

const SIGNATURE = '\x89HDF\r\n\x1a\n';
const MAX_SUPERBLOCK_BYTES = 96;
/** Headers, trees and heaps together; a classifier's file has less than one. */
const MAX_STRUCTURE_BYTES = 256 * 2 ** 20;

export class Hdf5File {
  private readonly visited = new Set<number>();
  private structureBytes = 0;

  private constructor(
    private readonly file: SourceFile,
    /** Address of the root group's object header. */
    readonly root: number,
    private readonly endAddress: number,
    readonly limits: Limits,
  ) {}

  static async open(file: SourceFile, limits: Limits = DEFAULT_LIMITS): Promise<Hdf5File> {
    const cursor = new ByteCursor(
      await file.read(0, Math.min(file.sizeBytes, MAX_SUPERBLOCK_BYTES)),
      `${file.path}, superblock`,
    );
    if (cursor.remaining < 48 || cursor.take(8).toString('latin1') !== SIGNATURE) {
      throw new EncoderError('checkpoint_malformed', `${file.path} is no HDF5 file; fetch it again`);
    }
    const version = cursor.u8();
    if (version > 3) cursor.fail(`the version ${version} is unknown; supported are 0 to 3`);
    const { root, endAddress } = version < 2 ? readOldSuperblock(cursor, version) : readNewSuperblock(cursor);
    if (endAddress < 0 || endAddress > file.sizeBytes) {
      cursor.fail(`it claims ${endAddress} bytes but the file has ${file.sizeBytes}; the download may be incomplete`);
    }
    return new Hdf5File(file, root, endAddress, limits);
  }

  get path(): string {
    return this.file.path;
  }

  /** A structure of the file, `length` bytes at `address`. */
  async structure(address: number, length: number, what: string): Promise<ByteCursor> {
    this.structureBytes += length;
    if (this.structureBytes > MAX_STRUCTURE_BYTES) {
      throw new EncoderError(
        'limit_exceeded',
        `${this.path} has more than ${MAX_STRUCTURE_BYTES} bytes of headers, trees and heaps`,
      );
    }
    return new ByteCursor(await this.data(address, length, what), `${this.path}, ${what} at ${address}`);
  }

  /** Stored values, `length` bytes at `address`. */
  async data(address: number, length: number, what: string): Promise<Buffer> {
    this.requireInside(address, length, what);
    return this.file.read(address, length);
  }

  requireInside(address: number, length: number, what: string): void {
    if (address === UNDEFINED_ADDRESS) this.malformed(`${what} is not stored`);
    if (address + length > this.endAddress) {
      this.malformed(`${what}: ${length} bytes at ${address} lie behind the end of the file at ${this.endAddress}`);
    }
  }

  /** To be called once for each address that is followed. */
  visit(address: number, what: string): void {
    if (this.visited.has(address))
      this.malformed(`${what} at ${address} is used twice; that would be a cycle or a copy`);
    this.visited.add(address);
  }

  malformed(reason: string): never {
    throw new EncoderError('checkpoint_malformed', `${this.path} is not a readable HDF5 file: ${reason}`);
  }
}

interface Superblock {
  readonly root: number;
  readonly endAddress: number;
}

function readOldSuperblock(cursor: ByteCursor, version: number): Superblock {
  cursor.skip(4);
  requireWideNumbers(cursor);
  cursor.skip(version === 0 ? 9 : 13);
  requireNoUserBlock(cursor);
  cursor.skip(8);
  const endAddress = cursor.u64();
  if (cursor.address() !== UNDEFINED_ADDRESS) cursor.fail('it was written by a special file driver');
  cursor.skip(8);
  return { root: cursor.u64(), endAddress };
}

function readNewSuperblock(cursor: ByteCursor): Superblock {
  requireWideNumbers(cursor);
  cursor.skip(1);
  requireNoUserBlock(cursor);
  if (cursor.address() !== UNDEFINED_ADDRESS)
    cursor.fail('superblock extensions are not supported; save it again with h5py and libver="earliest"');
  const endAddress = cursor.u64();
  return { root: cursor.u64(), endAddress };
}

function requireWideNumbers(cursor: ByteCursor): void {
  const [offsets, lengths] = [cursor.u8(), cursor.u8()];
  if (offsets !== 8 || lengths !== 8) cursor.fail(`offsets of ${offsets} and lengths of ${lengths} bytes; 8 expected`);
}

function requireNoUserBlock(cursor: ByteCursor): void {
  if (cursor.u64() !== 0) cursor.fail('files inside other files are not supported');
}
