import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { SafetensorsFile } from '../../../../src/convert/readers/safetensors';
import { SourceFile } from '../../../../src/support/source-file';
import { floats, safetensorsBytes, temporaryFolder, writeSafetensors } from '../temp-folder';

async function openBytes(bytes: Uint8Array): Promise<SafetensorsFile> {
  const path = join(temporaryFolder(), 'model.safetensors');
  writeFileSync(path, bytes);
  const file = await SourceFile.open(path, 'checkpoint_not_found');
  try {
    return await SafetensorsFile.open(file);
  } finally {
    await file.close();
  }
}

function entry(dtype: string, shape: readonly unknown[], begin: number, end: number): string {
  return JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
}

const ONE = entry('F32', [1], 0, 4);
const FOUR_BYTES = floats(1);

/** Header text and data that must be refused, by what is wrong with them. */
const HOSTILE: Readonly<Record<string, [string, Uint8Array?]>> = {
  'a header that is no JSON': ['{'],
  'a header that is an array': ['[]'],
  'a header with a byte order mark': ['\ufeff{}'],
  'text after the header': ['{} {}'],
  'a NUL as padding': ['{}\0'],
  'a comment': ['{/**/}'],
  'a tensor without entry': ['{"a":1}'],
  'an unknown dtype': [`{"a":${entry('F31', [1], 0, 4)}}`, FOUR_BYTES],
  'a dtype that is a number': ['{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}', FOUR_BYTES],
  'a dtype named like a property': [`{"a":${entry('__proto__', [1], 0, 4)}}`, FOUR_BYTES],
  'a missing shape': ['{"a":{"dtype":"F32","data_offsets":[0,4]}}', FOUR_BYTES],
  'a negative dimension': ['{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', FOUR_BYTES],
  'a fraction as dimension': ['{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', FOUR_BYTES],
  'an exponent in a dimension': ['{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}', FOUR_BYTES],
  'a leading zero in a dimension': ['{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}', FOUR_BYTES],
  'a dimension of 2^64': ['{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}', FOUR_BYTES],
  'a dimension as text': [`{"a":${entry('F32', ['1'], 0, 4)}}`, FOUR_BYTES],
  'a product that overflows': [`{"a":${entry('F32', [2 ** 30, 2 ** 30, 2 ** 30], 0, 4)}}`, FOUR_BYTES],
  'an overflow hidden by a zero behind it': [`{"a":${entry('F32', [2 ** 30, 2 ** 30, 2 ** 30, 0], 0, 0)}}`],
  'an overflow hidden by a zero before it': [`{"a":${entry('F32', [0, 2 ** 30, 2 ** 30, 2 ** 30], 0, 0)}}`],
  'a rank of 9': [`{"a":${entry('F32', [1, 1, 1, 1, 1, 1, 1, 1, 1], 0, 4)}}`, FOUR_BYTES],
  'three offsets': ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', FOUR_BYTES],
  'offsets the wrong way round': [`{"a":${entry('F32', [1], 4, 0)}}`, FOUR_BYTES],
  'offsets that do not fit the shape': [`{"a":${entry('F32', [2], 0, 4)}}`, FOUR_BYTES],
  'bits that are no whole bytes': [`{"a":${entry('F4', [3], 0, 1)}}`, new Uint8Array(1)],
  'a hole at the start': [`{"a":${entry('F32', [1], 4, 8)}}`, floats(1, 2)],
  'a hole between tensors': [`{"a":${ONE},"b":${entry('F32', [1], 8, 12)}}`, floats(1, 2, 3)],
  'two tensors over one range': [`{"a":${ONE},"b":${ONE}}`, FOUR_BYTES],
  'overlapping tensors': [`{"a":${entry('F32', [2], 0, 8)},"b":${entry('F32', [1], 4, 8)}}`, floats(1, 2)],
  'too few bytes': [`{"a":${ONE}}`, new Uint8Array(3)],
  'trailing bytes': [`{"a":${ONE}}`, floats(1, 2)],
  'data without tensors': ['{}', FOUR_BYTES],
  'the same name twice': [`{"a":${ONE},"a":${ONE}}`, FOUR_BYTES],
  'the same name twice, once escaped': [`{"a":${ONE},"\\u0061":${ONE}}`, FOUR_BYTES],
  'a field twice': ['{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', FOUR_BYTES],
  'an empty name': [`{"":${ONE}}`, FOUR_BYTES],
  'a NUL in a name': [`{"a\\u0000":${ONE}}`, FOUR_BYTES],
  'half a surrogate pair in a name': [`{"a\\ud800":${ONE}}`, FOUR_BYTES],
  'a name of 513 bytes': [`{"${'a'.repeat(513)}":${ONE}}`, FOUR_BYTES],
  'metadata that is no table of strings': ['{"__metadata__":{"a":1}}'],
};

describe('SafetensorsFile', () => {
  it('reads what a well-formed file holds', async () => {
    const path = join(temporaryFolder(), 'model.safetensors');
    writeSafetensors(path, {
      b: { shape: [2, 2], data: floats(1, 2, 3, 4) },
      empty: { shape: [0, 3], data: new Uint8Array() },
      scalar: { dtype: 'F64', shape: [], data: new Uint8Array(8) },
    });
    const file = await SourceFile.open(path, 'checkpoint_not_found');
    const tensors = await SafetensorsFile.open(file);
    expect([...tensors.names()]).toEqual(['b', 'empty', 'scalar']);
    expect(tensors.find('b')).toMatchObject({ dtype: 'F32', shape: [2, 2], sizeBytes: 16 });
    expect(tensors.find('toString')).toBeUndefined();
    expect(new Uint8Array(await tensors.read('b', 4, 8))).toEqual(floats(2, 3));
    await expect(tensors.read('b', 12, 8)).rejects.toMatchObject({ code: 'internal' });
    await file.close();
  });

  it('accepts white space, metadata, unknown fields and a tensor called __proto__', async () => {
    const extra = '{"dtype":"F32","shape":[1],"data_offsets":[0,4],"note":"x"}';
    const tensors = await openBytes(
      safetensorsBytes(` {"__metadata__":{"format":"pt"},"__proto__":${extra}} `, FOUR_BYTES),
    );
    expect([...tensors.names()]).toEqual(['__proto__']);
  });

  it.each(Object.entries(HOSTILE))('refuses %s', async (_, [header, data]) => {
    await expect(openBytes(safetensorsBytes(header, data))).rejects.toMatchObject({ code: 'checkpoint_malformed' });
  });

  it('knows a Git LFS pointer', async () => {
    const pointer = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
    await expect(openBytes(pointer)).rejects.toMatchObject({
      code: 'checkpoint_malformed',
      message: expect.stringContaining('fetch it with git lfs pull') as string,
    });
  });

  it('refuses every truncation of a file', async () => {
    const whole = safetensorsBytes(`{"a":${entry('F32', [3], 0, 12)}}`, floats(1, 2, 3));
    for (let length = 0; length < whole.length; length++) {
      await expect(openBytes(whole.subarray(0, length))).rejects.toMatchObject({ code: 'checkpoint_malformed' });
    }
  });

  it.each([0n, 2n ** 63n, 2n ** 64n - 1n, 100_000_001n, 3n])('refuses a header length of %s', async (length) => {
    const bytes = safetensorsBytes('{}');
    bytes.writeBigUInt64LE(length);
    await expect(openBytes(bytes)).rejects.toMatchObject({ code: 'checkpoint_malformed' });
  });

  it('refuses a header that is no UTF-8', async () => {
    const bytes = safetensorsBytes('{"aa":1}');
    bytes[11] = 0xff;
    await expect(openBytes(bytes)).rejects.toMatchObject({ code: 'checkpoint_malformed' });
  });

  it('refuses a header above the limit and nesting without end', async () => {
    const large = safetensorsBytes(' '.repeat(25_000_001));
    await expect(openBytes(large)).rejects.toMatchObject({ code: 'limit_exceeded' });
    await expect(openBytes(safetensorsBytes('{"a":'.repeat(100_000)))).rejects.toMatchObject({
      code: 'limit_exceeded',
    });
    const many = Array.from({ length: 65_537 }, (_, i) => `"${i}":${entry('F32', [0], 0, 0)}`);
    await expect(openBytes(safetensorsBytes(`{${many.join()}}`))).rejects.toMatchObject({ code: 'limit_exceeded' });
  });
});
