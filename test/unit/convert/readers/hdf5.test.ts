// HDF5 as h5py writes it: layouts, chunks, filters and text are read as h5py reads them; what leads elsewhere is refused.
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { Hdf5Tree } from '../../../../src/convert/readers/hdf5';
import { type ReadTensor, formatBytes, formatJson, numbers, withFile } from './format-fixtures';

const HOSTILE = resolve(__dirname, '../../../fixtures/formats/hostile-h5');
const DTYPES: Readonly<Record<string, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  int64: 'I64',
  uint8: 'U8',
};
const ODD = formatBytes('odd/odd.h5');

async function open(bytes: Uint8Array): Promise<void> {
  await withFile(bytes, (file) => Hdf5Tree.open(file));
}

/** The fixture with `bytes` in place of those at `offset` behind the nth place of `signature`. */
function patched(signature: string, nth: number, offset: number, bytes: readonly number[]): Buffer {
  const copy = Buffer.from(ODD);
  let at = -1;
  for (let i = 0; i <= nth; i++) at = copy.indexOf(Buffer.from(signature), at + 1);
  expect(at).toBeGreaterThan(0);
  copy.set(bytes, at + offset);
  return copy;
}

/** Eight bytes, little-endian. */
function wide(value: number | bigint): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return [...bytes];
}

describe('Hdf5Tree', () => {
  it('reads every layout, filter and type as h5py does', async () => {
    const expected = formatJson('odd/odd-h5.json') as Record<string, ReadTensor>;
    await withFile(ODD, async (file) => {
      const tree = await Hdf5Tree.open(file);
      for (const [name, { dtype, shape, values }] of Object.entries(expected)) {
        const dataset = tree.dataset(name)!;
        expect([name, dataset.dtype, dataset.shape]).toEqual([name, DTYPES[dtype], shape]);
        expect(numbers(dataset.dtype, await tree.read(dataset, 0, dataset.sizeBytes)), name).toEqual(values);
      }
    });
  });

  it('reads text attributes, fixed and variable', async () => {
    await withFile(ODD, async (file) => {
      const tree = await Hdf5Tree.open(file);
      expect(await tree.text('', 'fixed')).toEqual(['ab', 'c']);
      expect(await tree.text('', 'variable')).toEqual(['äb', '', 'c'.repeat(300)]);
      expect(await tree.text('', 'one')).toEqual(['x']);
      expect(await tree.text('', 'none')).toEqual([]);
      expect(await tree.text('', 'absent')).toBeUndefined();
      expect(await tree.text('many', 'fixed')).toBeUndefined();
      await expect(tree.text('', 'number')).rejects.toMatchObject({ code: 'checkpoint_malformed' });
    });
  });

  const refused: Readonly<Record<string, readonly [code: string, pattern: RegExp]>> = {
    'array-type': ['dtype_unsupported', /has the type array/],
    'big-endian': ['dtype_unsupported', /big-endian/],
    'chunk-bomb': ['checkpoint_malformed', /never written|chunks that its shape needs/],
    'committed-type': ['checkpoint_malformed', /shared between objects|neither a group nor a dataset/],
    compound: ['dtype_unsupported', /compound/],
    deep: ['limit_exceeded', /deeper than 16/],
    'external-link': ['checkpoint_malformed', /unsafe.*nothing was opened/],
    'external-storage': ['checkpoint_malformed', /unsafe.*another file/],
    fletcher: ['checkpoint_malformed', /the filter 3/],
    'hard-link-copy': ['checkpoint_malformed', /used twice/],
    'hard-link-cycle': ['checkpoint_malformed', /used twice/],
    lzf: ['checkpoint_malformed', /the filter 32000/],
    'missing-chunks': ['checkpoint_malformed', /1 of the 4 chunks/],
    'null-space': ['checkpoint_malformed', /no values/],
    reference: ['dtype_unsupported', /reference/],
    'shape-bomb': ['checkpoint_malformed', /never written/],
    'soft-link': ['checkpoint_malformed', /unsafe.*soft/],
    text: ['dtype_unsupported', /text/],
    'user-block': ['checkpoint_malformed', /no HDF5 file/],
    virtual: ['checkpoint_malformed', /unsafe.*virtual/],
  };
  it.each(Object.entries(refused))('refuses %s', async (name, [code, message]) => {
    const bytes = formatBytes(`hostile-h5/${name}.h5`);
    await expect(open(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
  });

  it('has a case for every hostile file', () => {
    const files = readdirSync(HOSTILE).filter((name) => name.endsWith('.h5.gz'));
    expect(files.map((name) => name.slice(0, -6)).sort()).toEqual(Object.keys(refused).sort());
  });

  const tree = ODD.indexOf('TREE', 0, 'latin1');
  const damages: Readonly<Record<string, Uint8Array>> = {
    'an unknown superblock': patched('HDF', 0, 7, [9]),
    'offsets of four bytes': patched('HDF', 0, 12, [4]),
    'a base address': patched('HDF', 0, 23, wide(8)),
    'an end behind the file': patched('HDF', 0, 39, wide(ODD.length + 1)),
    'an end at 2^63': patched('HDF', 0, 39, wide(2n ** 63n)),
    'an end before the root': patched('HDF', 0, 39, wide(96)),
    'a driver block': patched('HDF', 0, 47, wide(96)),
    'a root nowhere': patched('HDF', 0, 63, wide(2n ** 64n - 1n)),
    'a root at the end': patched('HDF', 0, 63, wide(ODD.length - 1)),
    'a root in a tree': patched('HDF', 0, 63, wide(tree)),
    'a tree of another kind': patched('TREE', 0, 4, [1]),
    'a tree of nine levels': patched('TREE', 0, 5, [9]),
    'a tree of one level more': patched('TREE', 0, 5, [1]),
    'a tree of 65535 members': patched('TREE', 0, 6, [255, 255]),
    'a tree that holds itself': patched('TREE', 0, 5, [
      1,
      1,
      0,
      ...wide(2n ** 64n - 1n),
      ...wide(2n ** 64n - 1n),
      ...wide(0),
      ...wide(tree),
    ]),
    'a heap without bytes': patched('HEAP', 0, 8, wide(0)),
    'a heap of 2^40 bytes': patched('HEAP', 0, 8, wide(2 ** 40)),
    'a heap elsewhere': patched('HEAP', 0, 24, wide(2n ** 62n)),
    'a node of 65535 symbols': patched('SNOD', 0, 6, [255, 255]),
    'a name outside the heap': patched('SNOD', 0, 8, wide(2 ** 32)),
    'a name inside another': patched('SNOD', 0, 8, wide(0)),
    'an object at the superblock': patched('SNOD', 0, 16, wide(0)),
    'a symbol that is a soft link': patched('SNOD', 0, 24, [2]),
    'a second symbol of the same object': patched('SNOD', 0, 8 + 40 + 8, [
      ...ODD.subarray(ODD.indexOf('SNOD', 0, 'latin1') + 16, ODD.indexOf('SNOD', 0, 'latin1') + 24),
    ]),
  };
  it.each(Object.entries(damages))('refuses %s', async (_, bytes) => {
    await expect(open(bytes)).rejects.toMatchObject({
      code: expect.stringMatching(/^(checkpoint_malformed|limit_exceeded)$/) as unknown,
    });
  });

  it.each([
    ['an index that is not there', 0, 'äb', -16, [99]],
    ['a heap of 2^40 bytes', 0, 'GCOL', 8, wide(2 ** 40)],
    ['a heap of 15 bytes', 0, 'GCOL', 8, wide(15)],
    ['a string of 2^40 bytes', 0, 'GCOL', 24, wide(2 ** 40)],
  ] as const)('refuses text with %s', async (_, nth, signature, offset, bytes) => {
    await withFile(patched(signature, nth, offset, bytes), async (file) => {
      const opened = await Hdf5Tree.open(file);
      await expect(opened.text('', 'variable')).rejects.toMatchObject({ code: 'checkpoint_malformed' });
    });
  });

  it('refuses strings that are one long one over and over', async () => {
    const length = 15 * 2 ** 20;
    const head = Buffer.alloc(32);
    head.write('GCOL\x01', 'latin1');
    head.writeBigUInt64LE(BigInt(length + 32), 8);
    head[16] = 1;
    head.writeBigUInt64LE(BigInt(length), 24);
    const bytes = Buffer.concat([ODD, head, Buffer.alloc(length, 'a')]);
    bytes.writeBigUInt64LE(BigInt(bytes.length), 40);
    // Each of the three is a length, the heap's address and a number in it.
    const old = Buffer.concat([Buffer.from([3, 0, 0, 0]), Buffer.from(wide(ODD.indexOf('GCOL')))]);
    const first = bytes.indexOf(old);
    const refer = (index: number) => {
      const at = first + 16 * index;
      bytes.writeUInt32LE(length, at);
      bytes.writeBigUInt64LE(BigInt(ODD.length), at + 4);
      bytes.writeUInt32LE(1, at + 12);
    };
    const lengths = () =>
      withFile(bytes, async (file) =>
        (await (await Hdf5Tree.open(file)).text('', 'variable'))?.map((text) => text.length),
      );
    refer(0);
    expect(await lengths()).toEqual([length, 0, 300]);
    refer(1);
    await expect(lengths()).rejects.toMatchObject({ code: 'limit_exceeded' });
  });

  it('refuses packed values that are damaged or unpack to more than they should', async () => {
    await withFile(ODD, async (file) => {
      const opened = await Hdf5Tree.open(file);
      const { storage } = opened.dataset('one_chunk')!;
      const { address, storedBytes } = (storage as Exclude<typeof storage, number>).chunks[0]!;
      const copy = Buffer.from(ODD);
      copy.fill(0, address + 2, address + storedBytes);
      await withFile(copy, async (damaged) => {
        const other = await Hdf5Tree.open(damaged);
        const dataset = other.dataset('one_chunk')!;
        await expect(other.read(dataset, 0, dataset.sizeBytes)).rejects.toMatchObject({ code: 'checkpoint_malformed' });
      });
    });
  });

  it('cut off anywhere is refused', async () => {
    for (let length = 0; length < ODD.length; length += 997) {
      await expect(open(ODD.subarray(0, length)), String(length)).rejects.toMatchObject({
        code: 'checkpoint_malformed',
      });
    }
  });
});
