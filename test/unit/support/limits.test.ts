import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { convert } from '../../../src/convert/convert';
import { DEFAULT_LIMITS, resolveLimits } from '../../../src/support/limits';
import { packageRoot } from '../../../src/support/package-root';
import { writeMicro } from '../convert/micro-checkpoint';
import { temporaryFolder } from '../convert/temp-folder';

test('limits are changed by name and the rest stays', () => {
  expect(resolveLimits(undefined)).toBe(DEFAULT_LIMITS);
  expect(resolveLimits({ shards: 3, tensors: undefined })).toEqual({ ...DEFAULT_LIMITS, shards: 3 });
});

test.each([
  [{ shard: 1 }, 'ERR_INVALID_ARG_TYPE'],
  [{ shards: '3' }, 'ERR_INVALID_ARG_TYPE'],
  [[], 'ERR_INVALID_ARG_TYPE'],
  [{ shards: 0 }, 'ERR_OUT_OF_RANGE'],
  [{ shards: 1.5 }, 'ERR_OUT_OF_RANGE'],
  [{ shards: NaN }, 'ERR_OUT_OF_RANGE'],
  [{ tokenizerBytes: 2 ** 40 }, 'ERR_OUT_OF_RANGE'],
])('%j is refused', (limits, code) => {
  expect(() => resolveLimits(limits as object)).toThrow(expect.objectContaining({ code }) as Error);
});

test('docs/reliability.md lists every limit with its default', () => {
  const page = readFileSync(join(packageRoot, 'docs/reliability.md'), 'utf8');
  const listed = Array.from(page.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm), ([, name, value]) => {
    return [name, Number(value!.replaceAll(',', ''))];
  });
  expect(Object.fromEntries(listed)).toEqual(DEFAULT_LIMITS);
});

test.each([{ configBytes: 10 }, { tensorsPerFile: 3 }, { safetensorsHeaderBytes: 64 }, { tokenizerBytes: 8 }])(
  'convert keeps to %j and names it',
  async (limits) => {
    const output = join(temporaryFolder(), 'out.gguf');
    await expect(convert(writeMicro(), { output, limits })).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: expect.stringContaining(`the limit ${Object.keys(limits)[0]} is ${Object.values(limits)[0]}`) as string,
    });
  },
);
