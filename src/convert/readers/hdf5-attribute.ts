/** Text attributes of HDF5 objects (specification section IV.A.2.m), variable-length ones through the global heap. */
import { TextDecoder } from 'node:util';

import { EncoderError } from '../../errors';
import { stripEnd } from '../../support/white-space';
import { ByteCursor, UNDEFINED_ADDRESS } from './byte-cursor';
import type { Hdf5File } from './hdf5-file';
import { type Hdf5Message, MESSAGE, findMessage } from './hdf5-object';
import { type Hdf5Type, readDataspace, readDatatype } from './hdf5-types';

export interface Hdf5Attribute {
  readonly name: string;
  readonly type: Hdf5Type;
  readonly count: number;
  readonly data: ByteCursor;
}

const MAX_ATTRIBUTE_BYTES = 16 * 2 ** 20;
const MAX_COLLECTION_BYTES = 16 * 2 ** 20;
/** Of all strings that refer to the heap, where any number may share one. */
const MAX_TEXT_BYTES = 16 * 2 ** 20;
const MAX_STRINGS = 262_144;
const PADDING: ReadonlySet<string> = new Set(' ');
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** All attributes of an object by name; their values are not looked at yet. */
export function readAttributes(h5: Hdf5File, messages: readonly Hdf5Message[]): Map<string, Hdf5Attribute> {
  const info = findMessage(h5, messages, MESSAGE.attributeInfo);
  if (info !== undefined) refuseDenseAttributes(h5, info.bytes);
  const attributes = new Map<string, Hdf5Attribute>();
  for (const { type, bytes } of messages) {
    if (type !== MESSAGE.attribute) continue;
    const attribute = readAttribute(new ByteCursor(bytes, `${h5.path}, attribute`), h5.path);
    if (attributes.has(attribute.name)) h5.malformed(`an object has two attributes ${attribute.name}`);
    attributes.set(attribute.name, attribute);
  }
  return attributes;
}

function readAttribute(cursor: ByteCursor, path: string): Hdf5Attribute {
  const version = cursor.u8();
  if (version < 1 || version > 3) cursor.fail(`the version ${version} is unknown`);
  if (cursor.u8() !== 0 && version > 1) cursor.fail('shared types are not supported');
  const [nameBytes, typeBytes, spaceBytes] = [cursor.u16(), cursor.u16(), cursor.u16()];
  if (version === 3) cursor.skip(1);
  const part = (length: number) => {
    const bytes = cursor.take(length);
    // Version 1 pads each part to a multiple of eight; its head has eight bytes too.
    if (version === 1) cursor.align(8);
    return bytes;
  };
  const name = part(nameBytes).toString('latin1').replace(/\0.*$/s, '');
  const what = `${path}, attribute ${name.slice(0, 80)}`;
  const type = readDatatype(new ByteCursor(part(typeBytes), what));
  const shape = readDataspace(new ByteCursor(part(spaceBytes), what));
  const count = shape?.reduce((product, size) => product * size, 1) ?? 0;
  return { name, type, count, data: new ByteCursor(cursor.take(cursor.remaining), what) };
}

function refuseDenseAttributes(h5: Hdf5File, bytes: Buffer): void {
  const cursor = new ByteCursor(bytes, `${h5.path}, attribute info`);
  cursor.skip(1);
  if (cursor.u8() & 1) cursor.skip(2);
  if (cursor.address() !== UNDEFINED_ADDRESS) {
    h5.malformed('attributes in the newest storage format; save it again with h5py and libver="earliest"');
  }
}

/** Reads the values of text attributes. */
export class Hdf5Strings {
  /** Collections of the global heap, by address: many strings share one. */
  private readonly collections = new Map<number, ReadonlyMap<number, Buffer>>();
  private textBytes = 0;

  constructor(private readonly h5: Hdf5File) {}

  /** One string per element. An array without elements is empty, whatever its type: h5py gives it no text type. */
  async values({ type, count, data, name }: Hdf5Attribute): Promise<string[]> {
    if (count === 0) return [];
    if (type.kind !== 'text') this.h5.malformed(`the attribute ${name} is no text`);
    if (count > MAX_STRINGS || count * type.sizeBytes > MAX_ATTRIBUTE_BYTES) {
      throw new EncoderError('limit_exceeded', `${this.h5.path}: the attribute ${name} has ${count} strings`);
    }
    const values: string[] = [];
    for (let i = 0; i < count; i++) {
      const element = data.take(type.sizeBytes);
      const text = type.isVariable ? await this.variable(new ByteCursor(element, `${this.h5.path}, ${name}`)) : element;
      values.push(this.decode(text, type.isSpacePadded, name));
    }
    return values;
  }

  private decode(bytes: Buffer, isSpacePadded: boolean, name: string): string {
    const end = bytes.indexOf(0);
    try {
      const text = UTF8.decode(end < 0 ? bytes : bytes.subarray(0, end));
      return isSpacePadded ? stripEnd(text, PADDING) : text;
    } catch {
      return this.h5.malformed(`the attribute ${name} is not UTF-8`);
    }
  }

  private async variable(cursor: ByteCursor): Promise<Buffer> {
    const length = cursor.u32();
    const address = cursor.address();
    const index = cursor.u32();
    if (length === 0) return Buffer.alloc(0);
    this.textBytes += length;
    if (this.textBytes > MAX_TEXT_BYTES) {
      throw new EncoderError('limit_exceeded', `${this.h5.path}: its texts take more than ${MAX_TEXT_BYTES} bytes`);
    }
    let collection = this.collections.get(address);
    if (collection === undefined) {
      collection = await this.readCollection(address);
      this.collections.set(address, collection);
    }
    const stored = collection.get(index);
    if (stored === undefined || stored.length < length)
      cursor.fail(`string ${index} of the heap at ${address} is missing`);
    return stored.subarray(0, length);
  }

  private async readCollection(address: number): Promise<Map<number, Buffer>> {
    const head = await this.h5.structure(address, 16, 'global heap');
    head.signature('GCOL');
    head.skip(4);
    const sizeBytes = head.u64();
    if (sizeBytes < 16 || sizeBytes > MAX_COLLECTION_BYTES) head.fail(`a size of ${sizeBytes} bytes`);
    const cursor = await this.h5.structure(address + 16, sizeBytes - 16, 'global heap');
    const objects = new Map<number, Buffer>();
    while (cursor.remaining >= 16) {
      const index = cursor.u16();
      cursor.skip(6);
      const length = cursor.u64();
      // Index 0 is the unused rest.
      if (index === 0) break;
      if (objects.has(index)) cursor.fail(`two strings of the index ${index}`);
      objects.set(index, cursor.take(length));
      cursor.align(8);
    }
    return objects;
  }
}
