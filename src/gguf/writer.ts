/**
 * Writes a GGUF version 3 file as a stream: all tensors are declared up front, then their bytes follow in that order.
 * The four magic bytes come last of all, so a file that was not finished is not a GGUF file.
 */
import { createHash } from 'node:crypto';

import { EncoderError } from '../errors';
import { GGUF_MAGIC, GGUF_VALUE_TYPES, type GgmlType, type GgufEntry, type GgufTensorInfo, alignUp } from './types';

/** Start of every tensor in the file, in bytes. */
export const GGUF_ALIGNMENT = 32;

const MAGIC = Buffer.from(GGUF_MAGIC, 'latin1');
const VERSION = 3;
/** ggml keeps names in 64 bytes with their end. */
const MAX_NAME_BYTES = 63;

/** Where the bytes go. */
export interface GgufSink {
  write(data: Uint8Array, position: number): Promise<void>;
  /** Returns when everything written so far would survive a crash. */
  sync(): Promise<void>;
}

/** A tensor to be written. `ne`: dimensions as ggml counts them, the contiguous one first. */
export interface GgufTensorDeclaration {
  readonly name: string;
  readonly type: GgmlType;
  readonly ne: readonly number[];
}

/** The file's complete map, known before the first byte is written. */
export interface GgufLayout {
  readonly header: Buffer;
  readonly tensors: readonly GgufTensorInfo[];
  readonly sizeBytes: number;
}

/** Same entries and declarations in, same bytes out. Throws `EncoderError('internal')` for what the format forbids. */
export function layoutGguf(entries: readonly GgufEntry[], tensors: readonly GgufTensorDeclaration[]): GgufLayout {
  const infos: GgufTensorInfo[] = [];
  let offset = 0;
  for (const { name, type, ne } of tensors) {
    const sizeBytes = tensorBytes(type, ne);
    if (sizeBytes === undefined || ne.length < 1 || ne.length > 4) {
      throw new EncoderError(
        'internal',
        `cannot store the tensor ${name} as ${type.name} with dimensions [${ne.join()}]`,
      );
    }
    infos.push({ name, type, ne, offset, sizeBytes });
    offset = alignUp(offset + sizeBytes, GGUF_ALIGNMENT);
  }
  requireUnique('key', entries, ({ key }) => key, 255);
  requireUnique('tensor', infos, ({ name }) => name, MAX_NAME_BYTES);

  const parts: Uint8Array[] = [MAGIC, uint32(VERSION), uint64(infos.length), uint64(entries.length)];
  for (const entry of entries) {
    parts.push(string(entry.key));
    // One by one: a vocabulary has more strings than a call takes arguments.
    for (const part of entryBytes(entry)) parts.push(part);
  }
  for (const { name, type, ne, offset: start } of infos) {
    parts.push(string(name), uint32(ne.length), ...ne.map(uint64), uint32(type.id), uint64(start));
  }
  const used = parts.reduce((sum, part) => sum + part.length, 0);
  const header = Buffer.concat(parts, alignUp(used, GGUF_ALIGNMENT));
  return { header, tensors: infos, sizeBytes: header.length + offset };
}

/** Bytes of a tensor, or undefined when a row is no whole number of blocks or a dimension is out of range. */
export function tensorBytes(type: GgmlType, ne: readonly number[]): number | undefined {
  const row = ne[0];
  if (row === undefined || row % type.blockSize !== 0) return undefined;
  if (!ne.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 1)) return undefined;
  const bytes = ne.reduce((product, dimension) => product * dimension, type.blockBytes / type.blockSize);
  return bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined;
}

export class GgufWriter {
  private index = 0;
  private writtenOfTensor = 0;
  private position: number;
  private readonly hash = createHash('sha256');

  constructor(
    private readonly sink: GgufSink,
    private readonly layout: GgufLayout,
  ) {
    this.position = layout.header.length;
    this.hash.update(layout.header);
  }

  /** Bytes of the file that are written or decided, the header included. */
  get bytesWritten(): number {
    return this.position;
  }

  /** The next bytes of tensor `name`. Tensors must come in declared order, each with exactly its declared size. */
  async write(name: string, data: Uint8Array): Promise<void> {
    const tensor = this.layout.tensors[this.index];
    if (tensor?.name !== name || this.writtenOfTensor + data.length > tensor.sizeBytes) {
      throw new EncoderError('internal', `the bytes of ${name} are not what was declared`);
    }
    await this.append(data);
    this.writtenOfTensor += data.length;
    if (this.writtenOfTensor === tensor.sizeBytes) {
      const end = alignUp(this.position, GGUF_ALIGNMENT);
      if (end > this.position) await this.append(Buffer.alloc(end - this.position));
      this.index++;
      this.writtenOfTensor = 0;
    }
  }

  /** Writes and syncs the header, then the magic. Returns the file's SHA-256 in hexadecimal. */
  async finish(): Promise<string> {
    if (this.index !== this.layout.tensors.length) {
      throw new EncoderError(
        'internal',
        `the tensor ${this.layout.tensors[this.index]?.name} was declared, not written`,
      );
    }
    const { header } = this.layout;
    await this.sink.write(header.subarray(MAGIC.length), MAGIC.length);
    await this.sink.sync();
    await this.sink.write(header.subarray(0, MAGIC.length), 0);
    await this.sink.sync();
    return this.hash.digest('hex');
  }

  private async append(data: Uint8Array): Promise<void> {
    this.hash.update(data);
    await this.sink.write(data, this.position);
    this.position += data.length;
  }
}

function requireUnique<T>(what: string, items: readonly T[], name: (item: T) => string, maxBytes: number): void {
  const seen = new Set<string>();
  for (const item of items) {
    const text = name(item);
    const bytes = Buffer.byteLength(text);
    if (bytes === 0 || bytes > maxBytes || text.includes('\0') || seen.has(text)) {
      throw new EncoderError('internal', `the ${what} name ${JSON.stringify(text)} is empty, too long or used twice`);
    }
    seen.add(text);
  }
}

function entryBytes(entry: GgufEntry): Uint8Array[] {
  switch (entry.type) {
    case 'uint32':
      return [uint32(GGUF_VALUE_TYPES.uint32), uint32(entry.value)];
    case 'float32': {
      const value = Buffer.alloc(4);
      value.writeFloatLE(entry.value);
      return [uint32(GGUF_VALUE_TYPES.float32), value];
    }
    case 'bool':
      return [uint32(GGUF_VALUE_TYPES.bool), Buffer.of(entry.value ? 1 : 0)];
    case 'string':
      return [uint32(GGUF_VALUE_TYPES.string), string(entry.value)];
    case 'int32[]': {
      const values = Buffer.alloc(entry.value.length * 4);
      entry.value.forEach((value, index) => values.writeInt32LE(value, index * 4));
      return [...arrayHead(GGUF_VALUE_TYPES.int32, entry.value.length), values];
    }
    case 'uint8[]':
      return [...arrayHead(GGUF_VALUE_TYPES.uint8, entry.value.length), entry.value];
    case 'uint32[]':
      return [...arrayHead(GGUF_VALUE_TYPES.uint32, entry.value.length), ...entry.value.map(uint32)];
    case 'float32[]': {
      const values = Buffer.alloc(entry.value.length * 4);
      entry.value.forEach((value, index) => values.writeFloatLE(value, index * 4));
      return [...arrayHead(GGUF_VALUE_TYPES.float32, entry.value.length), values];
    }
    case 'string[]':
      return [...arrayHead(GGUF_VALUE_TYPES.string, entry.value.length), ...entry.value.map(string)];
  }
}

function arrayHead(elementType: number, length: number): Uint8Array[] {
  // gguf-py cannot read an empty array.
  if (length === 0) throw new EncoderError('internal', 'an empty array in GGUF metadata');
  return [uint32(GGUF_VALUE_TYPES.array), uint32(elementType), uint64(length)];
}

function string(text: string): Uint8Array {
  if (text.includes('\0')) throw new EncoderError('internal', 'a string with NUL in GGUF metadata');
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
