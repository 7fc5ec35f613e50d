/**
 * Pickles as data: a stack machine that builds lists, tuples and dictionaries and calls nothing. Global names, instances
 * and persistent ids are handed to a closed table; every opcode that its files do without is refused by its name.
 */
import { TextDecoder } from 'node:util';

import { EncoderError } from '../../errors';
import { shown } from '../../support/json';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import type { ByteCursor } from './byte-cursor';

export type PickleValue =
  string | number | boolean | null | PickleBytes | PickleList | PickleTuple | PickleDict | PickleObject;

export class PickleBytes {
  constructor(readonly bytes: Buffer) {}
}

export class PickleList {
  readonly items: PickleValue[] = [];
}

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

export class PickleDict {
  readonly entries = new Map<string | number | boolean | null, PickleValue>();
}

/** Something that the host made: a global's name, a storage, a tensor. Opaque to the machine. */
export abstract class PickleObject {
  abstract readonly kind: string;
}

/** What the machine asks of its user. Each method returns a value or throws; none may run anything from the file. */
export interface PickleHost {
  /** The protocols that its files are written in, of 2 to 5. */
  readonly protocols: readonly number[];
  /** What writes its files, and what to do about one that is written otherwise; for messages. */
  readonly writer: string;
  readonly advice: string;
  /** The value that stands for `module.name`, or undefined when that global is not in the closed table. */
  global(module: string, name: string): PickleObject | undefined;
  /** What `global` applied to the arguments stands for. */
  reduce(global: PickleValue, args: readonly PickleValue[]): PickleValue;
  /** An instance of the class `global`, made without its constructor. Absent: there is none in its files. */
  instance?(global: PickleValue, args: readonly PickleValue[]): PickleValue;
  /** What the persistent id stands for. Absent: there is none in its files. */
  persistent?(id: PickleValue): PickleValue;
  /**
   * What takes the place of `target` once it has the attributes `state`; `following` is at what stands in the file behind
   * this opcode, of which the host may take what is no pickle.
   */
  build(target: PickleValue, state: PickleValue, following: ByteCursor): PickleValue;
}

/** Containers and opaque values; the largest files that are read otherwise need a fifth of this. */
const MAX_OBJECTS = 2e6;
const MAX_STACK = 1e6;
const MAX_MEMO = 1e6;
const MAX_MARKS = 64;
const MAX_TEXT_BYTES = 2 ** 20;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Opcodes outside the list, by the names under which people look them up. */
const REFUSED: Readonly<Record<number, string>> = {
  0x30: 'POP',
  0x31: 'POP_MARK',
  0x32: 'DUP',
  0x46: 'FLOAT',
  0x49: 'INT',
  0x4c: 'LONG',
  0x50: 'PERSID',
  0x53: 'STRING',
  0x54: 'BINSTRING',
  0x55: 'SHORT_BINSTRING',
  0x56: 'UNICODE',
  0x64: 'DICT',
  0x67: 'GET',
  0x69: 'INST',
  0x6c: 'LIST',
  0x6f: 'OBJ',
  0x70: 'PUT',
  0x81: 'NEWOBJ',
  0x82: 'EXT1',
  0x83: 'EXT2',
  0x84: 'EXT4',
  0x8b: 'LONG4',
  0x8c: 'SHORT_BINUNICODE',
  0x8d: 'BINUNICODE8',
  0x92: 'NEWOBJ_EX',
  0x93: 'STACK_GLOBAL',
  0x94: 'MEMOIZE',
  0x95: 'FRAME',
};

/**
 * The value of the pickle that begins at `cursor`, which is left behind its end. Throws `checkpoint_malformed` or
 * `limit_exceeded` naming `path`.
 */
export function readPickle(
  cursor: ByteCursor,
  path: string,
  host: PickleHost,
  limits: Limits = DEFAULT_LIMITS,
): PickleValue {
  return new Machine(cursor, path, host, limits).run();
}

class Machine {
  private readonly memo: PickleValue[] = [];
  /** Stacks that a MARK put aside; the running one is `stack`. */
  private readonly marked: PickleValue[][] = [];
  private stack: PickleValue[] = [];
  private depth = 0;
  private objects = 0;
  private protocol = 2;

  constructor(
    private readonly cursor: ByteCursor,
    private readonly path: string,
    private readonly host: PickleHost,
    private readonly limits: Limits,
  ) {}

  run(): PickleValue {
    const { protocols, advice } = this.host;
    if (this.cursor.u8() !== 0x80 || !protocols.includes((this.protocol = this.cursor.u8()))) {
      this.cursor.fail(`protocol ${protocols.join(' or ')} expected; ${advice}`);
    }
    for (let count = 0; count < this.limits.pickleOpcodes; count++) {
      const opcode = this.cursor.u8();
      if (opcode === 0x2e) return this.stop();
      this.step(opcode);
    }
    throw limitExceeded(this.limits, 'pickleOpcodes', `${this.path}: the pickle goes on and on`);
  }

  private step(opcode: number): void {
    const { cursor } = this;
    switch (opcode) {
      case 0x28: // MARK
        return this.mark();
      case 0x29: // EMPTY_TUPLE
        return this.push(new PickleTuple([]));
      case 0x7d: // EMPTY_DICT
        return this.push(new PickleDict());
      case 0x5d: // EMPTY_LIST
        return this.push(new PickleList());
      case 0x47: // BINFLOAT
        return this.push(cursor.take(8).readDoubleBE());
      case 0x4a: // BININT
        return this.push(cursor.take(4).readInt32LE());
      case 0x4b: // BININT1
        return this.push(cursor.u8());
      case 0x4d: // BININT2
        return this.push(cursor.u16());
      case 0x8a: // LONG1
        return this.push(this.long());
      case 0x4e: // NONE
        return this.push(null);
      case 0x88: // NEWTRUE
        return this.push(true);
      case 0x89: // NEWFALSE
        return this.push(false);
      case 0x58: // BINUNICODE
        return this.push(this.text(cursor.u32()));
      case 0x71: // BINPUT
        return this.put(cursor.u8());
      case 0x72: // LONG_BINPUT
        return this.put(cursor.u32());
      case 0x68: // BINGET
        return this.get(cursor.u8());
      case 0x6a: // LONG_BINGET
        return this.get(cursor.u32());
      case 0x74: // TUPLE
        return this.push(new PickleTuple(this.popToMark()));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.push(new PickleTuple(this.popMany(opcode - 0x84)));
      case 0x61: // APPEND
        return this.append(this.popMany(1));
      case 0x65: // APPENDS
        return this.append(this.popToMark());
      case 0x73: // SETITEM
        return this.setItems(this.popMany(2));
      case 0x75: // SETITEMS
        return this.setItems(this.popToMark());
      case 0x63: // GLOBAL
        return this.global();
      case 0x52: // REDUCE
        return this.push(this.host.reduce(...this.popCall()));
      case 0x62: // BUILD
        return this.build();
      case 0x51: // BINPERSID
        return this.host.persistent ? this.push(this.host.persistent(this.pop())) : this.refuse(opcode);
      case 0x81: // NEWOBJ
        return this.host.instance ? this.push(this.host.instance(...this.popCall())) : this.refuse(opcode);
      default:
        return this.protocol > 2 ? this.stepLater(opcode) : this.refuse(opcode);
    }
  }

  /** What came with protocols 3 to 5. */
  private stepLater(opcode: number): void {
    const { cursor } = this;
    switch (opcode) {
      case 0x42: // BINBYTES
        return this.push(new PickleBytes(cursor.take(cursor.u32())));
      case 0x43: // SHORT_BINBYTES
        return this.push(new PickleBytes(cursor.take(cursor.u8())));
      case 0x8c: // SHORT_BINUNICODE
        return this.push(this.text(cursor.u8()));
      case 0x93: // STACK_GLOBAL
        return this.stackGlobal();
      case 0x94: // MEMOIZE
        return this.put(this.memo.length);
      case 0x95: // FRAME: a hint for reading ahead
        return cursor.skip(8);
      default:
        return this.refuse(opcode);
    }
  }

  private stop(): PickleValue {
    const value = this.pop();
    if (this.depth !== 0 || this.marked.length !== 0) this.cursor.fail('values are left over at its end');
    return value;
  }

  private refuse(opcode: number): never {
    const name = REFUSED[opcode] ?? `0x${opcode.toString(16).padStart(2, '0')}`;
    const { writer, advice } = this.host;
    this.cursor.fail(
      `unsafe: the opcode ${name} at ${this.cursor.offset - 1} is not one that ${writer} writes; ${advice}`,
    );
  }

  private global(): void {
    const module = this.line();
    this.pushGlobal(module, this.line());
  }

  private stackGlobal(): void {
    const [module, name] = this.popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') this.cursor.fail('a global without a name');
    this.pushGlobal(module, name);
  }

  private pushGlobal(module: string, name: string): void {
    const value = this.host.global(module, name);
    if (value === undefined) {
      this.cursor.fail(
        `unsafe: it refers to ${shown(`${module}.${name}`, 120)}, which ${this.host.writer} needs not; nothing was run; ${this.host.advice}`,
      );
    }
    this.push(value);
  }

  private popCall(): readonly [global: PickleValue, args: readonly PickleValue[]] {
    const args = this.pop();
    const global = this.pop();
    if (!(args instanceof PickleTuple)) this.cursor.fail('unsafe: a call without a tuple of arguments');
    return [global, args.items];
  }

  private build(): void {
    const state = this.pop();
    this.push(this.host.build(this.pop(), state, this.cursor));
  }

  private line(): string {
    const start = this.cursor.offset;
    const end = this.cursor.bytes.indexOf(0x0a, start);
    if (end < 0 || end - start > 256) this.cursor.fail('a global name without an end');
    return this.cursor.take(end - start + 1).toString('latin1', 0, end - start);
  }

  private text(length: number): string {
    if (length > MAX_TEXT_BYTES) this.cursor.fail(`a string of ${length} bytes`);
    const bytes = this.cursor.take(length);
    try {
      return UTF8.decode(bytes);
    } catch {
      return this.cursor.fail('a string that is not UTF-8');
    }
  }

  /** Sizes and offsets only: at most eight bytes, two's complement, within 2^53. */
  private long(): number {
    const length = this.cursor.u8();
    if (length > 8) this.cursor.fail(`an integer of ${length} bytes`);
    let value = 0n;
    for (const [index, byte] of this.cursor.take(length).entries()) value |= BigInt(byte) << BigInt(8 * index);
    value = BigInt.asIntN(length * 8, value);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
      this.cursor.fail(`the integer ${value} is out of range`);
    }
    return Number(value);
  }

  /** Picklers number memo entries in order; a gap would only serve to allocate. */
  private put(index: number): void {
    if (index !== this.memo.length) this.cursor.fail(`memo entry ${index} where ${this.memo.length} is next`);
    if (index >= MAX_MEMO) throw new EncoderError('limit_exceeded', `${this.path}: more than ${MAX_MEMO} memo entries`);
    this.memo.push(this.top());
  }

  private get(index: number): void {
    const value = this.memo[index];
    if (value === undefined) this.cursor.fail(`memo entry ${index} is not there`);
    this.push(value);
  }

  private append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!(list instanceof PickleList)) this.cursor.fail('items are appended to something that is no list');
    for (const value of values) list.items.push(value);
  }

  private setItems(pairs: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof PickleDict)) this.cursor.fail('items are set on something that is no dictionary');
    if (pairs.length % 2 !== 0) this.cursor.fail('a key without a value');
    for (let i = 0; i < pairs.length; i += 2) {
      const key = pairs[i]!;
      if (typeof key === 'object' && key !== null) this.cursor.fail('a dictionary key that is no plain value');
      if (dict.entries.has(key)) this.cursor.fail(`the key ${JSON.stringify(key).slice(0, 120)} occurs twice`);
      dict.entries.set(key, pairs[i + 1]!);
    }
  }

  private mark(): void {
    if (this.marked.length >= MAX_MARKS) {
      throw new EncoderError('limit_exceeded', `${this.path}: the pickle is nested deeper than ${MAX_MARKS} levels`);
    }
    this.marked.push(this.stack);
    this.stack = [];
  }

  private popToMark(): PickleValue[] {
    const outer = this.marked.pop();
    if (outer === undefined) this.cursor.fail('a collection without a beginning');
    const values = this.stack;
    this.stack = outer;
    this.depth -= values.length;
    return values;
  }

  private popMany(count: number): PickleValue[] {
    if (this.stack.length < count) this.cursor.fail('more values are taken than were given');
    this.depth -= count;
    return this.stack.splice(-count);
  }

  private pop(): PickleValue {
    return this.popMany(1)[0]!;
  }

  private top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined) this.cursor.fail('a value is used that was not given');
    return value;
  }

  private push(value: PickleValue): void {
    if (++this.depth > MAX_STACK) {
      throw new EncoderError('limit_exceeded', `${this.path}: more than ${MAX_STACK} values on the pickle's stack`);
    }
    if (typeof value === 'object' && ++this.objects > MAX_OBJECTS) {
      throw new EncoderError('limit_exceeded', `${this.path}: the pickle builds more than ${MAX_OBJECTS} objects`);
    }
    this.stack.push(value);
  }
}
