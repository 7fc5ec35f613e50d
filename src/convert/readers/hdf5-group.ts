/** Members of an HDF5 group: a symbol table (B-tree, heap and nodes; sections III.A.1 to III.D) or link messages. */
import { TextDecoder } from 'node:util';
import { shown } from '../../support/json';

import { MAX_TENSOR_NAME_BYTES } from '../limits';
import { ByteCursor, UNDEFINED_ADDRESS } from './byte-cursor';
import type { Hdf5File } from './hdf5-file';
import { type Hdf5Message, MESSAGE, findMessage } from './hdf5-object';

export interface Hdf5Link {
  readonly name: string;
  /** Of the object header. */
  readonly address: number;
}

const MAX_TREE_DEPTH = 8;
const MAX_HEAP_BYTES = 16 * 2 ** 20;
const SYMBOL_BYTES = 40;
const SOFT_LINK = 2;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The members in the order of the file, or undefined when the object is no group. */
export async function readLinks(h5: Hdf5File, messages: readonly Hdf5Message[]): Promise<Hdf5Link[] | undefined> {
  const table = findMessage(h5, messages, MESSAGE.symbolTable);
  const info = findMessage(h5, messages, MESSAGE.linkInfo);
  const links = messages.filter(({ type }) => type === MESSAGE.link).map(({ bytes }) => readLinkMessage(h5, bytes));
  if (table === undefined && info === undefined && links.length === 0) return undefined;
  if (info !== undefined) refuseDenseLinks(h5, info.bytes);
  if (table !== undefined) {
    if (info !== undefined || links.length > 0) h5.malformed('a group has two kinds of member lists');
    const cursor = new ByteCursor(table.bytes, `${h5.path}, symbol table`);
    const tree = cursor.u64();
    const heap = await readHeap(h5, cursor.u64());
    for await (const node of treeLeaves(h5, tree)) links.push(...(await readSymbols(h5, node, heap)));
  }
  if (new Set(links.map(({ name }) => name)).size !== links.length) h5.malformed('a group has two members of one name');
  return links;
}

/** Addresses below the lowest level of a version 1 B-tree of group members, left to right. */
async function* treeLeaves(h5: Hdf5File, root: number): AsyncGenerator<number> {
  const pending = [{ address: root, level: -1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { address, level: expected } = next;
    h5.visit(address, 'a B-tree node');
    const head = await h5.structure(address, 24, 'group B-tree');
    head.signature('TREE');
    if (head.u8() !== 0) head.fail('it is no tree of group members');
    const level = head.u8();
    if (level > MAX_TREE_DEPTH || (expected >= 0 && level !== expected)) head.fail(`a node of the level ${level}`);
    const count = head.u16();
    // Keys and children alternate: key, child, key, child, ..., key.
    const body = await h5.structure(address + 24, count * 16 + 8, 'group B-tree');
    const children: number[] = [];
    for (let i = 0; i < count; i++) {
      body.skip(8);
      children.push(body.u64());
    }
    if (level === 0) yield* children;
    else pending.push(...children.reverse().map((child) => ({ address: child, level: level - 1 })));
  }
}

async function readHeap(h5: Hdf5File, address: number): Promise<Buffer> {
  h5.visit(address, 'a heap');
  const head = await h5.structure(address, 32, 'local heap');
  head.signature('HEAP');
  head.skip(4);
  const sizeBytes = head.u64();
  head.skip(8);
  if (sizeBytes > MAX_HEAP_BYTES) head.fail(`names of ${sizeBytes} bytes; at most ${MAX_HEAP_BYTES} are read`);
  return (await h5.structure(head.u64(), sizeBytes, 'names of a group')).bytes;
}

async function readSymbols(h5: Hdf5File, address: number, heap: Buffer): Promise<Hdf5Link[]> {
  h5.visit(address, 'a symbol node');
  const head = await h5.structure(address, 8, 'symbol node');
  head.signature('SNOD');
  head.skip(2);
  const count = head.u16();
  const body = await h5.structure(address + 8, count * SYMBOL_BYTES, 'symbol node');
  return Array.from({ length: count }, () => {
    const nameOffset = body.u64();
    const target = body.address();
    const cacheType = body.u32();
    body.skip(20);
    const end = heap.indexOf(0, Math.min(nameOffset, heap.length));
    if (end < 0) body.fail('a member name without an end');
    const name = checkName(h5, heap.subarray(nameOffset, end));
    if (cacheType === SOFT_LINK || target === UNDEFINED_ADDRESS) refuseLink(h5, name);
    return { name, address: target };
  });
}

function readLinkMessage(h5: Hdf5File, bytes: Buffer): Hdf5Link {
  const cursor = new ByteCursor(bytes, `${h5.path}, link`);
  if (cursor.u8() !== 1) cursor.fail('an unknown version');
  const flags = cursor.u8();
  const kind = flags & 0x08 ? cursor.u8() : 0;
  if (flags & 0x04) cursor.skip(8);
  if (flags & 0x10) cursor.skip(1);
  const name = checkName(h5, cursor.take(cursor.unsigned(1 << (flags & 3))));
  if (kind !== 0) refuseLink(h5, name);
  return { name, address: cursor.u64() };
}

function refuseDenseLinks(h5: Hdf5File, bytes: Buffer): void {
  const cursor = new ByteCursor(bytes, `${h5.path}, link info`);
  cursor.skip(1);
  if (cursor.u8() & 1) cursor.skip(8);
  if (cursor.address() !== UNDEFINED_ADDRESS) {
    h5.malformed('a group in the newest storage format; save it again with h5py and libver="earliest"');
  }
}

function refuseLink(h5: Hdf5File, name: string): never {
  h5.malformed(
    `unsafe: ${name} is a soft, external or user-defined link, which weights do not need; nothing was opened`,
  );
}

function checkName(h5: Hdf5File, bytes: Buffer): string {
  if (bytes.length === 0 || bytes.length > MAX_TENSOR_NAME_BYTES) h5.malformed('a member name is empty or too long');
  let name: string;
  try {
    name = UTF8.decode(bytes);
  } catch {
    return h5.malformed('a member name is not UTF-8');
  }
  if (/[/\p{Cc}]/u.test(name) || name === '.' || name === '..') {
    h5.malformed(`the member name ${shown(name, 80)} is no plain name`);
  }
  return name;
}
