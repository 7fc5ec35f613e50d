/** Files of torch.save, zip archives and pickles byte by byte, right by default and wrong wherever a test wants them to be. */
import { crc32 } from '../../../../src/convert/readers/crc32';

export interface BuiltEntry {
  readonly name: string;
  readonly data: Uint8Array;
  /** Differs from `name` in the header before the content. */
  readonly localName?: string;
  readonly flags?: number;
  readonly localFlags?: number;
  readonly method?: number;
  readonly crc?: number;
  /** What the directory says, where it is not the truth. */
  readonly sizeBytes?: number;
  readonly localOffset?: number;
  readonly extra?: Uint8Array;
}

export interface BuiltZip {
  readonly comment?: Uint8Array;
  readonly prefix?: Uint8Array;
  readonly numEntries?: number;
}

/** A zip archive of stored entries. */
export function zip(
  entries: readonly BuiltEntry[],
  { comment = Buffer.alloc(0), prefix, numEntries }: BuiltZip = {},
): Buffer {
  const parts: Uint8Array[] = prefix === undefined ? [] : [prefix];
  const directory: Uint8Array[] = [];
  let offset = prefix?.length ?? 0;
  for (const entry of entries) {
    const { name, data, flags = 0, localFlags = flags, method = 0, extra = Buffer.alloc(0) } = entry;
    const localName = Buffer.from(entry.localName ?? name, 'latin1');
    const local = Buffer.alloc(30);
    local.write('PK\x03\x04', 'latin1');
    local.writeUInt16LE(localFlags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(localName.length, 26);
    const central = Buffer.alloc(46);
    central.write('PK\x01\x02', 'latin1');
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(entry.crc ?? crc32(data), 16);
    central.writeUInt32LE(entry.sizeBytes ?? data.length, 20);
    central.writeUInt32LE(entry.sizeBytes ?? data.length, 24);
    central.writeUInt16LE(Buffer.byteLength(name, 'latin1'), 28);
    central.writeUInt16LE(extra.length, 30);
    central.writeUInt32LE(entry.localOffset ?? offset, 42);
    directory.push(central, Buffer.from(name, 'latin1'), extra);
    parts.push(local, localName, data);
    offset += local.length + localName.length + data.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(numEntries ?? entries.length, 8);
  end.writeUInt16LE(numEntries ?? entries.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, listing, end, comment]);
}

/** A .bin with this pickle and storages data/0, data/1, ... */
export function torchFile(pickle: Uint8Array, ...storages: Uint8Array[]): Buffer {
  return zip(torchEntries(pickle, ...storages));
}

export function torchEntries(pickle: Uint8Array, ...storages: Uint8Array[]): BuiltEntry[] {
  const data = storages.map((bytes, index) => ({ name: `archive/data/${index}`, data: bytes }));
  return [
    { name: 'archive/data.pkl', data: pickle },
    { name: 'archive/byteorder', data: Buffer.from('little') },
    ...data,
  ];
}

export interface BuiltLegacy {
  readonly version?: Uint8Array;
  readonly machine?: Uint8Array;
  readonly keys?: Uint8Array;
  /** What the file says of each storage's elements, where it is not the number of floats in it. */
  readonly counts?: readonly bigint[];
  readonly behind?: Uint8Array;
}

/** A .bin of before PyTorch 1.6 with this pickle and storages of floats 0, 1, ... */
export function legacyTorchFile(dict: Uint8Array, storages: readonly Uint8Array[], built: BuiltLegacy = {}): Buffer {
  const count = (index: number, { length }: Uint8Array) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(built.counts?.[index] ?? BigInt(length / 4));
    return bytes;
  };
  return Buffer.concat([
    Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'),
    built.version ?? pickle(0x80, 2, 'M\xe9\x03.'),
    built.machine ?? pickle(0x80, 2, '}', unicode('little_endian'), 0x88, 's.'),
    dict,
    built.keys ?? pickle(0x80, 2, '](', ...storages.map((_, key) => unicode(String(key))), 'e.'),
    ...storages.flatMap((bytes, index) => [count(index, bytes), bytes]),
    built.behind ?? Buffer.alloc(0),
  ]);
}

/** Concatenates opcodes: text as Latin-1, numbers as bytes. */
export function pickle(...parts: (string | number | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      return typeof part === 'number' ? Buffer.from([part]) : part;
    }),
  );
}

export function unicode(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(text));
  return Buffer.concat([Buffer.from('X'), length, Buffer.from(text)]);
}

/** LONG1 with eight bytes. */
export function long(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return pickle(0x8a, 8, bytes);
}

export interface BuiltTensor {
  readonly type?: string;
  readonly key?: string;
  readonly numElements?: number | bigint;
  readonly offset?: number | bigint;
  readonly shape?: readonly (number | bigint)[];
  readonly strides?: readonly (number | bigint)[];
  /** Opcodes of the view of a storage that files of before PyTorch 1.6 name, None in all that there are. */
  readonly view?: Uint8Array | string;
  /** Opcodes behind the hooks: flags of the tensor, where it has any. */
  readonly metadata?: Uint8Array | string;
}

/** The opcodes of one tensor; by default four floats in data/0. */
export function tensorOpcodes(tensor: BuiltTensor = {}): Buffer {
  const { type = 'FloatStorage', key = '0', numElements = 4, offset = 0 } = tensor;
  const { shape = [2, 2], strides = [2, 1], view = '', metadata = '' } = tensor;
  return pickle(
    'ctorch._utils\n_rebuild_tensor_v2\n((',
    unicode('storage'),
    `ctorch\n${type}\n`,
    unicode(key),
    unicode('cpu'),
    long(numElements),
    view,
    'tQ',
    long(offset),
    '(',
    ...shape.map(long),
    't(',
    ...strides.map(long),
    't',
    0x89,
    'ccollections\nOrderedDict\n)R',
    metadata,
    'tR',
  );
}

/** {'x': value} */
export function stateDict(value: Uint8Array): Buffer {
  return pickle(0x80, 2, '}', unicode('x'), value, 's.');
}
