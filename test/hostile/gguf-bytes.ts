/** GGUF files taken apart and put together again, with any part wrong. Independent of the package's reader and writer. */

export interface GgufEntryBytes {
  key: Buffer;
  type: number;
  /** The value as it is written after the type. */
  value: Buffer;
}

export interface GgufTensorBytes {
  name: Buffer;
  dims: bigint[];
  type: number;
  offset: bigint;
  data: Buffer;
}

export interface GgufParts {
  magic: Buffer;
  version: number;
  numTensors?: bigint;
  numEntries?: bigint;
  entries: GgufEntryBytes[];
  tensors: GgufTensorBytes[];
  /** Replaces what follows the tables. */
  tail?: Buffer;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function u64(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
}

export function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

/** The value of an ARRAY[STRING]. */
export function texts(values: readonly string[]): Buffer {
  return Buffer.concat([u32(8), u64(values.length), ...values.map((value) => text(value))]);
}

export function entry(key: string | Buffer, type: number, value: Buffer): GgufEntryBytes {
  return { key: Buffer.from(key), type, value };
}

const SIZES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

/** Bytes of a value of `type` at `at`. */
function valueBytes(bytes: Buffer, at: number, type: number): number {
  if (type === 8) return 8 + Number(bytes.readBigUInt64LE(at));
  if (type !== 9) return SIZES[type]!;
  const element = bytes.readUInt32LE(at);
  const count = Number(bytes.readBigUInt64LE(at + 4));
  let size = 12;
  for (let i = 0; i < count; i++) size += valueBytes(bytes, at + size, element);
  return size;
}

/** Takes a sound file apart. */
export function parseGguf(bytes: Buffer): GgufParts {
  let at = 24;
  const take = (count: number) => bytes.subarray(at, (at += count));
  const takeText = () => {
    const length = Number(take(8).readBigUInt64LE());
    return Buffer.from(take(length));
  };
  const numTensors = Number(bytes.readBigUInt64LE(8));
  const numEntries = Number(bytes.readBigUInt64LE(16));
  const entries: GgufEntryBytes[] = [];
  for (let i = 0; i < numEntries; i++) {
    const key = takeText();
    const type = take(4).readUInt32LE();
    entries.push({ key, type, value: Buffer.from(take(valueBytes(bytes, at, type))) });
  }
  const infos: Omit<GgufTensorBytes, 'data'>[] = [];
  for (let i = 0; i < numTensors; i++) {
    const name = takeText();
    const rank = take(4).readUInt32LE();
    const dims = Array.from({ length: rank }, () => take(8).readBigUInt64LE());
    const type = take(4).readUInt32LE();
    infos.push({ name, dims, type, offset: take(8).readBigUInt64LE() });
  }
  const start = Math.ceil(at / 32) * 32;
  const tensors = infos.map((info, index) => {
    const end = infos[index + 1]?.offset ?? BigInt(bytes.length - start);
    return { ...info, data: Buffer.from(bytes.subarray(start + Number(info.offset), start + Number(end))) };
  });
  return { magic: Buffer.from('GGUF'), version: bytes.readUInt32LE(4), entries, tensors };
}

/** Puts a file together exactly as the parts say. */
export function buildGguf(parts: GgufParts): Buffer {
  const { magic, version, entries, tensors } = parts;
  const tables = Buffer.concat([
    magic,
    u32(version),
    u64(parts.numTensors ?? tensors.length),
    u64(parts.numEntries ?? entries.length),
    ...entries.flatMap(({ key, type, value }) => [text(key), u32(type), value]),
    ...tensors.flatMap(({ name, dims, type, offset }) => {
      return [text(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset)];
    }),
  ]);
  if (parts.tail !== undefined) return Buffer.concat([tables, parts.tail]);
  const padding = Buffer.alloc((32 - (tables.length % 32)) % 32);
  return Buffer.concat([tables, padding, ...tensors.map(({ data }) => data)]);
}

/** A copy that can be changed without changing the original. */
export function copyParts(parts: GgufParts): GgufParts {
  return {
    ...parts,
    entries: parts.entries.map((item) => ({ ...item })),
    tensors: parts.tensors.map((item) => ({ ...item, dims: [...item.dims] })),
  };
}

/** Offsets as a sound file has them, after tensors were added, removed or resized. */
export function relayout(parts: GgufParts): GgufParts {
  let offset = 0n;
  for (const tensor of parts.tensors) {
    const padded = Math.ceil(tensor.data.length / 32) * 32;
    tensor.data = Buffer.concat([tensor.data, Buffer.alloc(padded - tensor.data.length)]);
    tensor.offset = offset;
    offset += BigInt(padded);
  }
  return parts;
}
