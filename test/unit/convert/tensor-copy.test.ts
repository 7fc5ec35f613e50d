/**
 * Tensors tied to each other must hold one matrix, whatever types they are stored in; computed ones read what they need;
 * transposed ones are the same matrix in every type and size.
 */
import { describe, expect, it } from 'vitest';

import type { PlannedTensor } from '../../../src/convert/architectures/architecture';
import { copyTensor } from '../../../src/convert/tensor-copy';
import { encodeElements } from '../../../src/convert/dtypes/dtypes';
import { CHUNK_ELEMENTS } from '../../../src/convert/limits';
import type { TensorSource } from '../../../src/convert/readers/tensor-source';
import { ggmlType } from '../../../src/gguf/types';

const VALUES = Float32Array.from({ length: 12 }, (_, index) => index / 4 - 1);

function sourceOf(tensors: Readonly<Record<string, readonly ['F32' | 'F16', Float32Array]>>): TensorSource {
  const bytesOf = (name: string) => {
    const [dtype, values] = tensors[name]!;
    return Buffer.from(encodeElements(dtype === 'F32' ? 'f32' : 'f16', values));
  };
  return {
    names: () => Object.keys(tensors),
    find: (name) => {
      const [dtype] = tensors[name]!;
      return { dtype, shape: [3, 4], sizeBytes: bytesOf(name).length, file: 'model.safetensors' };
    },
    read: (name, offset, length) => Promise.resolve(bytesOf(name).subarray(offset, offset + length)),
  };
}

async function copy(source: TensorSource): Promise<Buffer> {
  const planned = { name: 't', shape: [3, 4], sources: ['one'], twins: ['two'], storage: 'matrix' } as const;
  const pieces: Uint8Array[] = [];
  const info = { name: 't', ne: [4, 3], type: ggmlType('f32'), offset: 0, sizeBytes: 48 };
  await copyTensor(source, planned, info, (data) => Promise.resolve(void pieces.push(data)));
  return Buffer.concat(pieces);
}

describe('twins', () => {
  it('that are equal are written once', async () => {
    expect(await copy(sourceOf({ one: ['F32', VALUES], two: ['F16', VALUES] }))).toEqual(Buffer.from(VALUES.buffer));
  });

  it('that differ are refused by name', async () => {
    const other = VALUES.with(11, 7);
    await expect(copy(sourceOf({ one: ['F32', VALUES], two: ['F32', other] }))).rejects.toMatchObject({
      code: 'architecture_unsupported',
      message: expect.stringMatching(/two .* differs from one/) as string,
    });
  });
});

describe('a tensor computed from rows', () => {
  it('reads those rows alone, in their order', async () => {
    const whole = sourceOf({ one: ['F32', VALUES] });
    const reads: [number, number][] = [];
    const source: TensorSource = {
      ...whole,
      read: (name, offset, length) => {
        reads.push([offset, length]);
        return whole.read(name, offset, length);
      },
    };
    const planned: PlannedTensor = {
      name: 't',
      shape: [1, 4],
      sources: ['one'],
      storage: 'exact',
      rowRanges: [
        [
          [2, 1],
          [0, 1],
        ],
      ],
      compute: ([rows]) => [rows!.subarray(0, 4).map((value, index) => value - rows![4 + index]!)],
    };
    const info = { name: 't', ne: [4, 1], type: ggmlType('f32'), offset: 0, sizeBytes: 16 };
    const pieces: Uint8Array[] = [];
    await copyTensor(source, planned, info, (data) => Promise.resolve(void pieces.push(data)));
    expect(reads).toEqual([
      [32, 16],
      [0, 16],
    ]);
    expect(Buffer.concat(pieces)).toEqual(Buffer.from(Float32Array.of(2, 2, 2, 2).buffer));
  });
});

describe('a tensor computed from more than memory should hold', () => {
  it('is refused before it is read', async () => {
    const source: TensorSource = {
      names: () => ['one', 'two'],
      find: () => ({ dtype: 'F32', shape: [2 ** 14, 2 ** 14], sizeBytes: 2 ** 30, file: 'model.safetensors' }),
      read: () => Promise.reject(new Error('was read')),
    };
    const info = { name: 't', ne: [1], type: ggmlType('f32'), offset: 0, sizeBytes: 4 };
    const copied = (rows: number) => {
      const planned: PlannedTensor = {
        name: 't',
        shape: [1],
        sources: ['one'],
        storage: 'exact',
        rowRanges: [
          [
            [0, rows],
            [0, 1],
          ],
        ],
        compute: () => [Float32Array.of(0)],
      };
      return copyTensor(source, planned, info, () => Promise.resolve());
    };
    await expect(copied(2)).rejects.toThrow('was read');
    await expect(copied(2 ** 14 + 1)).rejects.toMatchObject({ code: 'limit_exceeded' });
  });
});

describe('a matrix of groups', () => {
  async function grouped(rows: number, width: number, numGroups: number, damaged?: number): Promise<Buffer> {
    const values = Float32Array.from({ length: rows * width }, (_, index) => 1 + (index % 100));
    if (damaged !== undefined) values[damaged] = 1e6;
    const data = Buffer.from(values.buffer);
    const source: TensorSource = {
      names: () => ['one'],
      find: () => ({ dtype: 'F32', shape: [rows, width, 1], sizeBytes: data.length, file: 'model.safetensors' }),
      read: (_, offset, length) => Promise.resolve(data.subarray(offset, offset + length)),
    };
    const columns = width * numGroups;
    const info = { name: 't', ne: [columns, rows], type: ggmlType('f16'), offset: 0, sizeBytes: 2 * rows * columns };
    const planned = {
      name: 't',
      shape: [rows, columns],
      sources: ['one'],
      storage: 'matrix',
      groups: [numGroups],
    } as const;
    const pieces: Uint8Array[] = [];
    await copyTensor(source, planned, info, (piece) => Promise.resolve(void pieces.push(piece)));
    return Buffer.concat(pieces);
  }

  it('has the values of each group in the columns of that group, and zeros', async () => {
    const rows = [
      [1, 2, 0, 0],
      [3, 4, 0, 0],
      [0, 0, 5, 6],
      [0, 0, 7, 8],
    ];
    expect(await grouped(4, 2, 2)).toEqual(Buffer.from(encodeElements('f16', Float32Array.from(rows.flat()))));
  });

  it('is written in pieces, in which groups begin anywhere', async () => {
    const rows = Math.ceil(CHUNK_ELEMENTS / 2);
    const bytes = await grouped(rows * 3, 1, 3);
    expect(bytes).toHaveLength(2 * 9 * rows);
    for (const row of [0, rows - 1, rows, 2 * rows - 1, 2 * rows, 3 * rows - 1]) {
      const expected = new Float32Array(3);
      expected[Math.floor(row / rows)] = 1 + (row % 100);
      expect(bytes.subarray(6 * row, 6 * row + 6)).toEqual(Buffer.from(encodeElements('f16', expected)));
    }
  });

  it('names what the type cannot hold', async () => {
    await expect(grouped(4, 2, 2, 5)).rejects.toMatchObject({
      code: 'dtype_unsupported',
      message: expect.stringContaining('at index 5') as string,
    });
  });
});

describe('a transposed matrix', () => {
  async function transposed(
    dtype: 'F32' | 'F16',
    stored: Float32Array,
    [columns, rows]: readonly [number, number],
    type: 'f32' | 'f16' | 'q8_0',
  ): Promise<{ bytes: Buffer; reads: number }> {
    const data = Buffer.from(encodeElements(dtype === 'F32' ? 'f32' : 'f16', stored));
    let reads = 0;
    const source: TensorSource = {
      names: () => ['one'],
      find: () => ({ dtype, shape: [columns, rows], sizeBytes: data.length, file: 'model.safetensors' }),
      read: (_, offset, length) => {
        reads++;
        return Promise.resolve(data.subarray(offset, offset + length));
      },
    };
    const planned = {
      name: 't',
      shape: [rows, columns],
      sources: ['one'],
      storage: 'matrix',
      isTransposed: true,
    } as const;
    const info = { name: 't', ne: [columns, rows], type: ggmlType(type), offset: 0, sizeBytes: 0 };
    const pieces: Uint8Array[] = [];
    await copyTensor(source, planned, info, (piece) => Promise.resolve(void pieces.push(piece)));
    return { bytes: Buffer.concat(pieces), reads };
  }

  it.each([
    ['F32', 'f32'],
    ['F32', 'q8_0'],
    ['F16', 'f32'],
    ['F16', 'f16'],
  ] as const)('of %s is written in %s', async (dtype, type) => {
    const [columns, rows] = [64, 6];
    const value = (row: number, column: number) => (row * columns + column) / 32 - 6;
    const stored = Float32Array.from({ length: columns * rows }, (_, i) => value(i % rows, Math.floor(i / rows)));
    const expected = Float32Array.from({ length: columns * rows }, (_, i) =>
      value(Math.floor(i / columns), i % columns),
    );
    const { bytes } = await transposed(dtype, stored, [columns, rows], type);
    expect(bytes).toEqual(Buffer.from(encodeElements(type, expected)));
  });

  it('larger than what is held at once is read again for every strip', async () => {
    const [columns, rows] = [17, 2 ** 20];
    const stored = Float32Array.from({ length: columns * rows }, (_, index) => index);
    const { bytes, reads } = await transposed('F32', stored, [columns, rows], 'f32');
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    expect(values.length).toBe(stored.length);
    expect(values.findIndex((value, i) => value !== stored[(i % columns) * rows + Math.floor(i / columns)])).toBe(-1);
    expect(reads).toBe(2 * columns);
  });

  it('with a value that is not finite is refused at its place in the checkpoint', async () => {
    await expect(transposed('F32', VALUES.with(7, NaN), [3, 4], 'f32')).rejects.toMatchObject({
      code: 'weights_not_finite',
      message: expect.stringContaining('one in model.safetensors holds NaN at index 7') as string,
    });
  });
});
