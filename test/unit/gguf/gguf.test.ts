import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { readGgufHead } from '../../../src/gguf/reader';
import { type GgufEntry, GGML_TYPES, ggmlType } from '../../../src/gguf/types';
import { GgufWriter, layoutGguf, tensorBytes } from '../../../src/gguf/writer';
import { temporaryFolder } from '../convert/temp-folder';

const ENTRIES: readonly GgufEntry[] = [
  { key: 'general.architecture', type: 'string', value: 'bert' },
  { key: 'bert.block_count', type: 'uint32', value: 2 },
  { key: 'bert.attention.layer_norm_epsilon', type: 'float32', value: 0.5 },
  { key: 'bert.attention.causal', type: 'bool', value: false },
  { key: 'tokenizer.ggml.token_type', type: 'int32[]', value: Int32Array.of(-1, 3) },
  { key: 'tokenizer.ggml.tokens', type: 'string[]', value: ['', '▁ä'] },
];

const TENSORS = [
  { name: 'a', type: ggmlType('f32'), ne: [3] },
  { name: 'b', type: ggmlType('q8_0'), ne: [32, 2] },
];

/** Collects what a writer emits, in memory. */
class MemorySink {
  readonly bytes: Buffer;
  /** Magic bytes at the time of each sync. */
  readonly synced: string[] = [];

  constructor(sizeBytes: number) {
    this.bytes = Buffer.alloc(sizeBytes);
  }

  async write(data: Uint8Array, position: number): Promise<void> {
    this.bytes.set(data, position);
  }

  async sync(): Promise<void> {
    this.synced.push(this.bytes.toString('latin1', 0, 4));
  }
}

async function writeSample(): Promise<MemorySink> {
  const layout = layoutGguf(ENTRIES, TENSORS);
  const sink = new MemorySink(layout.sizeBytes);
  const writer = new GgufWriter(sink, layout);
  await writer.write('a', new Uint8Array(8).fill(1));
  await writer.write('a', new Uint8Array(4).fill(2));
  await writer.write('b', new Uint8Array(68).fill(3));
  await writer.finish();
  return sink;
}

function writeBytes(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'model.gguf');
  writeFileSync(path, bytes);
  return path;
}

/** A file built field by field: numbers are u32, bigints u64, strings length-prefixed, arrays raw bytes. */
function file(...fields: (number | bigint | string | readonly number[])[]): Buffer {
  const parts = fields.map((field) => {
    if (typeof field === 'string') return Buffer.concat([u64(BigInt(Buffer.byteLength(field))), Buffer.from(field)]);
    if (typeof field === 'bigint') return u64(field);
    if (typeof field === 'number') return Buffer.from(Uint32Array.of(field).buffer);
    return Buffer.from(field);
  });
  return Buffer.concat([Buffer.from('GGUF'), ...parts]);
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

describe('GgufWriter', () => {
  it('writes what readGgufHead reads', async () => {
    const sink = await writeSample();
    const head = await readGgufHead(writeBytes(sink.bytes));
    expect(head).toMatchObject({ version: 3, alignment: 32, sizeBytes: sink.bytes.length });
    expect([...head.metadata].map(([key, { type, value }]) => [key, type, value])).toEqual([
      ['general.architecture', 'string', 'bert'],
      ['bert.block_count', 'uint32', 2],
      ['bert.attention.layer_norm_epsilon', 'float32', 0.5],
      ['bert.attention.causal', 'bool', false],
      ['tokenizer.ggml.token_type', 'int32', Int32Array.of(-1, 3)],
      ['tokenizer.ggml.tokens', 'string', ['', '▁ä']],
    ]);
    expect(head.tensors.map(({ name, offset, sizeBytes, ne }) => [name, offset, sizeBytes, ne])).toEqual([
      ['a', 0, 12, [3]],
      ['b', 32, 68, [32, 2]],
    ]);
    const data = sink.bytes.subarray(head.dataOffset);
    expect(data).toHaveLength(32 + 96);
    expect([...data.subarray(6, 14)]).toEqual([1, 1, 2, 2, 2, 2, 0, 0]);
  });

  it('writes a vocabulary of 300,000 tokens', async () => {
    const value = Array.from({ length: 300_000 }, (_, index) => `t${index}`);
    const layout = layoutGguf([...ENTRIES, { key: 'large', type: 'string[]', value }], []);
    const sink = new MemorySink(layout.sizeBytes);
    await new GgufWriter(sink, layout).finish();
    const head = await readGgufHead(writeBytes(sink.bytes));
    expect(head.metadata.get('large')!.value).toEqual(value);
  });

  it('writes the magic only after everything else is synced', async () => {
    expect((await writeSample()).synced).toEqual(['\0\0\0\0', 'GGUF']);
  });

  it('refuses bytes that were not declared, and an end before all tensors', async () => {
    const layout = layoutGguf(ENTRIES, TENSORS);
    const writer = new GgufWriter(new MemorySink(layout.sizeBytes), layout);
    await expect(writer.write('b', new Uint8Array(68))).rejects.toMatchObject({ code: 'internal' });
    await expect(writer.write('a', new Uint8Array(13))).rejects.toMatchObject({ code: 'internal' });
    await expect(writer.finish()).rejects.toMatchObject({ code: 'internal' });
  });

  it.each([
    ['a row that is no whole block', [], [{ name: 'a', type: ggmlType('q8_0'), ne: [33] }]],
    ['an empty tensor', [], [{ name: 'a', type: ggmlType('f32'), ne: [0] }]],
    ['five dimensions', [], [{ name: 'a', type: ggmlType('f32'), ne: [1, 1, 1, 1, 1] }]],
    ['a name used twice', [], [TENSORS[0]!, TENSORS[0]!]],
    ['a name of 64 bytes', [], [{ name: 'a'.repeat(64), type: ggmlType('f32'), ne: [1] }]],
    ['a key used twice', [ENTRIES[0]!, ENTRIES[0]!], []],
    ['an empty array', [{ key: 'a', type: 'string[]', value: [] } as const], []],
    ['NUL in a string', [{ key: 'a', type: 'string', value: '\0' } as const], []],
  ])('refuses %s', (_, entries, tensors) => {
    expect(() => layoutGguf(entries, tensors)).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('knows whole bytes for every type', () => {
    for (const type of GGML_TYPES) expect(tensorBytes(type, [type.blockSize, 3])).toBe(3 * type.blockBytes);
  });
});

/** A tensor info: name, rank, dimensions, type, offset. */
type Fields = Parameters<typeof file>;

const NO_ENTRIES = [3, 1n, 0n] satisfies Fields;

const HOSTILE: Readonly<Record<string, Buffer>> = {
  'an empty file': Buffer.alloc(0),
  'another magic': Buffer.from('GGML\x03\0\0\0'.padEnd(40, '\0')),
  'version 1': file(1, 0n, 0n),
  'version 4': file(4, 0n, 0n),
  'a big-endian file': file(0x03000000, 0n, 0n),
  'more tensors than fit': file(3, 1000n, 0n),
  'more entries than fit': file(3, 0n, 1000n),
  '2^63 tensors': file(3, 2n ** 63n, 0n),
  'an empty key': file(3, 0n, 1n, '', 4, 1),
  'a key with NUL': file(3, 0n, 1n, 'a\0', 4, 1),
  'a key that is no UTF-8': file(3, 0n, 1n, 2n, [0xff, 0xfe], 4, 1),
  'a key of 256 bytes': file(3, 0n, 1n, 'k'.repeat(256), 4, 1),
  'a key used twice': file(3, 0n, 2n, 'a', 4, 1, 'a', 4, 1),
  'an unknown value type': file(3, 0n, 1n, 'a', 13, 1),
  'a string beyond the end': file(3, 0n, 1n, 'a', 8, 1000n, [1, 2, 3]),
  'a string of 2^64 - 1 bytes': file(3, 0n, 1n, 'a', 8, 2n ** 64n - 1n),
  'an array in an array': file(3, 0n, 1n, 'a', 9, 9, 0n),
  'an array beyond the end': file(3, 0n, 1n, 'a', 9, 4, 1000n),
  'an array of strings beyond the end': file(3, 0n, 1n, 'a', 9, 8, 1000n),
  'an array that is too long': file(3, 0n, 1n, 'a', 9, 0, 2n ** 24n + 1n),
  'a boolean of 2': file(3, 0n, 1n, 'a', 7, [2]),
  'an alignment of 0': file(3, 0n, 1n, 'general.alignment', 4, 0),
  'an alignment of 48': file(3, 0n, 1n, 'general.alignment', 4, 48),
  'an alignment of 2^30': file(3, 0n, 1n, 'general.alignment', 4, 2 ** 30),
  'an alignment as array': file(3, 0n, 1n, 'general.alignment', 9, 4, 1n, 32),
  'a tensor without name': file(...NO_ENTRIES, '', 1, 1n, 0, 0n),
  'a tensor name of 64 bytes': file(...NO_ENTRIES, 'a'.repeat(64), 1, 1n, 0, 0n),
  'a tensor of rank 0': file(...NO_ENTRIES, 'a', 0, 0, 0n, [0, 0, 0, 0, 0, 0, 0]),
  'a tensor of rank 5': file(...NO_ENTRIES, 'a', 5, 1n, 1n, 1n, 1n, 1n, 0, 0n),
  'a dimension of 0': file(...NO_ENTRIES, 'a', 1, 0n, 0, 0n),
  'a dimension of 2^31': file(...NO_ENTRIES, 'a', 1, 2n ** 31n, 0, 0n),
  'an impossible size': file(...NO_ENTRIES, 'a', 3, 2n ** 30n, 2n ** 30n, 2n ** 30n, 0, 0n),
  'an unknown tensor type': file(...NO_ENTRIES, 'a', 1, 1n, 4, 0n),
  'a row that is no whole block': file(...NO_ENTRIES, 'a', 1, 33n, 8, 0n, new Array<number>(99).fill(0)),
  'a first offset that is not 0': file(...NO_ENTRIES, 'a', 1, 1n, 0, 32n, new Array<number>(99).fill(0)),
  'data that is missing': file(...NO_ENTRIES, 'a', 1, 1n, 0, 0n),
  'bytes after the last tensor': file(...NO_ENTRIES, 'a', 1, 1n, 0, 0n, new Array<number>(99).fill(0)),
};

/** Those that a caller could allow with `limits`. */
const TOO_MUCH: readonly string[] = ['2^63 tensors', 'an array that is too long'];

describe('readGgufHead', () => {
  it.each(Object.entries(HOSTILE))('refuses %s', async (name, bytes) => {
    const code = TOO_MUCH.includes(name) ? 'limit_exceeded' : 'gguf_malformed';
    await expect(readGgufHead(writeBytes(bytes))).rejects.toMatchObject({ code });
  });

  it('refuses every truncation of a file', async () => {
    const { bytes } = await writeSample();
    const path = writeBytes(bytes);
    for (let length = bytes.length - 29; length >= 0; length--) {
      truncateSync(path, length);
      await expect(readGgufHead(path)).rejects.toMatchObject({ code: 'gguf_malformed' });
    }
  });

  it('survives every single changed byte', async () => {
    const { bytes } = await writeSample();
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i]! ^= 0x81;
      await readGgufHead(writeBytes(changed)).catch((error: unknown) => {
        expect(error).toMatchObject({ code: expect.stringMatching(/gguf_malformed|limit_exceeded/) as string });
      });
    }
  });

  it('reads every value type, version 2 and files without tensors', async () => {
    const bytes = file(
      2,
      0n,
      5n,
      'u64',
      10,
      2n ** 60n,
      'i8',
      1,
      [0xff],
      'f64',
      12,
      [0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
      'none',
      9,
      4,
      0n,
      'u16s',
      9,
      2,
      2n,
      [1, 0, 2, 0],
    );
    const { metadata, version } = await readGgufHead(writeBytes(bytes));
    expect(version).toBe(2);
    expect([...metadata.values()].map(({ value }) => value)).toEqual([
      2n ** 60n,
      -1,
      1,
      new Uint32Array(),
      Uint16Array.of(1, 2),
    ]);
  });

  it('tells a Git LFS pointer from another kind of file', async () => {
    const refused = async (text: string) =>
      readGgufHead(writeBytes(Buffer.from(text))).then(
        () => '',
        (error: unknown) => String(error),
      );
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n';
    expect(await refused(pointer)).toContain('fetch it with git lfs pull');
    expect(await refused(pointer.slice(0, 30))).toContain('another kind of file');
    expect(await refused('vers')).toContain('another kind of file');
  });

  it('refuses folders and missing files', async () => {
    const folder = temporaryFolder();
    await expect(readGgufHead(folder)).rejects.toMatchObject({ code: 'io_failed' });
    await expect(readGgufHead(join(folder, 'absent.gguf'))).rejects.toMatchObject({ code: 'model_not_found' });
  });
});
