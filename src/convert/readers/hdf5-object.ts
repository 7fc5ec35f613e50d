/**
 * Object headers of HDF5 (specification section IV.A.1), versions 1 and 2: the messages that make a group or dataset.
 * Checksums of version 2 are not compared: version 1 has none, and every field is checked for what it leads to.
 */
import { EncoderError } from '../../errors';
import { ByteCursor } from './byte-cursor';
import type { Hdf5File } from './hdf5-file';

/** Message types by number. Others carry nothing that changes the meaning of the stored values. */
export const MESSAGE = {
  nil: 0x00,
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  sharedTable: 0x0f,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

export interface Hdf5Message {
  readonly type: number;
  /** Where `bytes` lie in the file. */
  readonly address: number;
  readonly bytes: Buffer;
}

const MAX_MESSAGES = 4096;
const MAX_HEADER_BYTES = 16 * 2 ** 20;
const IS_SHARED = 0x02;
const FAIL_IF_UNKNOWN = 0x80;
const LARGEST_KNOWN = 0x17;

interface Block {
  readonly address: number;
  readonly sizeBytes: number;
}

/** All messages of the object at `address`, continuation blocks included. */
export async function readObjectHeader(h5: Hdf5File, address: number): Promise<Hdf5Message[]> {
  h5.visit(address, 'an object');
  const start = await h5.structure(address, 16, 'object header');
  const header = new HeaderReader(h5);
  if (start.bytes.toString('latin1', 0, 4) === 'OHDR') return header.readVersion2(start, address);
  return header.readVersion1(start, address);
}

class HeaderReader {
  private readonly messages: Hdf5Message[] = [];
  private readonly continuations: Block[] = [];
  private headerBytes = 0;

  constructor(private readonly h5: Hdf5File) {}

  async readVersion1(start: ByteCursor, address: number): Promise<Hdf5Message[]> {
    const version = start.u8();
    if (version !== 1) start.fail(`the version ${version} is unknown`);
    start.skip(7);
    this.continuations.push({ address: address + 16, sizeBytes: start.u32() });
    for (let block = this.continuations.pop(); block !== undefined; block = this.continuations.pop()) {
      const cursor = await this.block(block);
      while (cursor.remaining >= 8) {
        const type = cursor.u16();
        const sizeBytes = cursor.u16();
        const flags = cursor.u8();
        cursor.skip(3);
        this.add(cursor, block.address, type, sizeBytes, flags);
      }
    }
    return this.messages;
  }

  async readVersion2(start: ByteCursor, address: number): Promise<Hdf5Message[]> {
    start.skip(4);
    const version = start.u8();
    if (version !== 2) start.fail(`the version ${version} is unknown`);
    const flags = start.u8();
    // Times (bit 5) and attribute thresholds (bit 4) come before the size, which has 1, 2, 4 or 8 bytes.
    const sizeAt = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    const width = 1 << (flags & 3);
    const head = await this.h5.structure(address, sizeAt + width, 'object header');
    head.skip(sizeAt);
    const first = { address: address + sizeAt + width, sizeBytes: head.unsigned(width) };
    const entryHead = flags & 0x04 ? 6 : 4;
    this.readEntries(await this.block(first), first.address, entryHead);
    for (let block = this.continuations.pop(); block !== undefined; block = this.continuations.pop()) {
      const cursor = await this.block(block);
      cursor.signature('OCHK');
      // The checksum at the end is no message.
      if (cursor.remaining < 4) cursor.fail('a continuation too small for its checksum');
      const inner = cursor.take(cursor.remaining - 4);
      this.readEntries(new ByteCursor(inner, `${this.h5.path}, object header`), block.address + 4, entryHead);
    }
    return this.messages;
  }

  private readEntries(cursor: ByteCursor, address: number, entryHead: number): void {
    while (cursor.remaining >= entryHead) {
      const type = cursor.u8();
      const sizeBytes = cursor.u16();
      const flags = cursor.u8();
      cursor.skip(entryHead - 4);
      this.add(cursor, address, type, sizeBytes, flags);
    }
  }

  private async block({ address, sizeBytes }: Block): Promise<ByteCursor> {
    this.headerBytes += sizeBytes;
    if (this.headerBytes > MAX_HEADER_BYTES) {
      throw new EncoderError(
        'limit_exceeded',
        `${this.h5.path}: an object header of more than ${MAX_HEADER_BYTES} bytes`,
      );
    }
    return this.h5.structure(address, sizeBytes, 'object header');
  }

  private add(cursor: ByteCursor, blockAddress: number, type: number, sizeBytes: number, flags: number): void {
    const address = blockAddress + cursor.offset;
    const bytes = cursor.take(sizeBytes);
    if (type === MESSAGE.nil) return;
    if (this.messages.length >= MAX_MESSAGES) cursor.fail(`more than ${MAX_MESSAGES} messages`);
    if ((flags & IS_SHARED) !== 0 || type === MESSAGE.sharedTable) {
      cursor.fail('types and other messages shared between objects are not supported');
    }
    if (type > LARGEST_KNOWN && (flags & FAIL_IF_UNKNOWN) !== 0) cursor.fail(`the unknown message ${type} is required`);
    if (type !== MESSAGE.continuation) {
      this.messages.push({ type, address, bytes });
      return;
    }
    const target = new ByteCursor(bytes, `${this.h5.path}, continuation`);
    const block = { address: target.u64(), sizeBytes: target.u64() };
    this.h5.visit(block.address, 'a continuation');
    this.continuations.push(block);
  }
}

/** The only message of its type, or undefined. Two of them could contradict each other. */
export function findMessage(h5: Hdf5File, messages: readonly Hdf5Message[], type: number): Hdf5Message | undefined {
  const found = messages.filter((message) => message.type === type);
  if (found.length > 1) h5.malformed(`an object has ${found.length} messages of the type ${type}`);
  return found[0];
}
