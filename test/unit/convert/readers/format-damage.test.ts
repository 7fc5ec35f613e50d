// Hundreds of damaged .bin, .h5 and .onnx files: each converts or is refused with a code, soon, and no other file is opened.
import type * as FileSystem from 'node:fs/promises';
import { existsSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

import { convert } from '../../../../src/convert/convert';
import { readZip } from '../../../../src/convert/readers/zip';
import { isEncoderError } from '../../../../src/errors';
import { temporaryFolder } from '../temp-folder';
import { type Family, formatBytes, formatCheckpoint, withFile } from './format-fixtures';
import { type BuiltEntry, pickle, torchFile, unicode, zip } from './torch-builder';

const opened = vi.hoisted((): string[] => []);
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof FileSystem>();
  const open: typeof original.open = (path, ...rest) => {
    opened.push(String(path));
    return original.open(path, ...rest);
  };
  return { ...original, open };
});

const MAX_MS = 10_000;
const ODD_NUMBERS = [
  0n,
  1n,
  2n,
  8n,
  255n,
  256n,
  65_535n,
  2n ** 16n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
].concat(
  [40n, 53n, 62n, 63n].flatMap((power) => [2n ** power - 1n, 2n ** power, 2n ** power + 1n]),
  [2n ** 64n - 1n, 2n ** 64n - 8n],
);

type Random = (limit: number) => number;

/** mulberry32: the same damage on every run. */
function randomSource(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** Changes one to four places: bytes, numbers of any width, stretches copied, moved out or put in. */
function damage(bytes: Buffer, places: readonly number[], random: Random): Buffer {
  let copy = Buffer.from(bytes);
  for (let edits = random(4); edits >= 0; edits--) {
    const at = Math.min(places[random(places.length)]!, copy.length - 1);
    const odd = Buffer.alloc(8);
    odd.writeBigUInt64LE(ODD_NUMBERS[random(ODD_NUMBERS.length)]!);
    const stretch = copy.subarray(at, at + 1 + random(24));
    switch (random(7)) {
      case 0:
        copy[at] = random(256);
        break;
      case 1:
        copy[at] = copy[at]! ^ (1 << random(8));
        break;
      case 2:
        odd.copy(copy, at, 0, 2 ** random(4));
        break;
      case 3: // A neighbour's value, where addresses and counts of other structures come from.
        bytes.copy(copy, at, places[random(places.length)], bytes.length);
        copy = Buffer.concat([copy.subarray(0, at + 8), bytes.subarray(at + 8)]);
        break;
      case 4:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + stretch.length)]);
        break;
      case 5:
        copy = Buffer.concat([copy.subarray(0, at), Buffer.from(stretch), copy.subarray(at)]);
        break;
      default:
        if (random(4) === 0) copy = copy.subarray(0, at);
    }
    if (copy.length === 0) return copy;
  }
  return copy;
}

/** Every place that is not part of a stretch of zeros. */
function nonZero(bytes: Buffer): number[] {
  return [...bytes.keys()].filter((at) => bytes[at] !== 0 || (bytes[at - 1] ?? 0) !== 0);
}

async function zipEntries(bytes: Buffer): Promise<BuiltEntry[]> {
  const entries = await withFile(bytes, (file) => readZip(file));
  return [...entries.values()].map(({ name, offset, sizeBytes }) => {
    return { name, data: bytes.subarray(offset, offset + sizeBytes) };
  });
}

/** Converts the folder; true when it was refused. Anything without a code is a bug, and so is `internal`. */
async function isRefused(folder: string, outputs: string): Promise<boolean> {
  const started = performance.now();
  try {
    await convert(folder, { output: join(outputs, 'out.gguf'), overwrite: true });
    return false;
  } catch (error) {
    if (!isEncoderError(error) || error.code === 'internal') throw error;
    return true;
  } finally {
    expect(performance.now() - started).toBeLessThan(MAX_MS);
  }
}

/** Converts each variant; the number that was refused. */
async function refusals(
  family: Family,
  name: string,
  variants: Iterable<Buffer>,
  others: Readonly<Record<string, string>> = {},
): Promise<number> {
  const folder = formatCheckpoint(family, { ...others, [name]: Buffer.alloc(0) });
  const outputs = temporaryFolder();
  let refused = 0;
  opened.length = 0;
  for (const bytes of variants) {
    writeFileSync(join(folder, name), bytes);
    if (await isRefused(folder, outputs)) refused++;
  }
  expect(readdirSync(outputs).filter((file) => file !== 'out.gguf')).toEqual([]);
  const allowed = readdirSync(folder).map((file) => join(realpathSync(folder), file));
  const strangers = opened.filter((path) => !allowed.includes(path) && !path.startsWith(outputs));
  expect([...new Set(strangers)]).toEqual([]);
  expect(opened.some((path) => basename(path) === name)).toBe(true);
  return refused;
}

function* repeat(count: number, seed: number, make: (random: Random) => Buffer): Generator<Buffer> {
  const random = randomSource(seed);
  for (let i = 0; i < count; i++) yield make(random);
}

describe.each(['bert', 'distilbert'] as const)('a damaged %s', (family) => {
  it('pytorch_model.bin, in its pickle', async () => {
    const entries = await zipEntries(formatBytes(`${family}/pytorch_model.bin`));
    const index = entries.findIndex(({ name }) => name.endsWith('/data.pkl'));
    const original = Buffer.from(entries[index]!.data);
    const places = [...original.keys()];
    // Packed again with the right checksum, so that the damage reaches the interpreter.
    const variants = repeat(400, 1, (random) => {
      return zip(entries.with(index, { ...entries[index]!, data: damage(original, places, random) }));
    });
    expect(await refusals(family, 'pytorch_model.bin', variants)).toBeGreaterThan(300);
  });

  it('pytorch_model.bin, in its archive', async () => {
    const original = formatBytes(`${family}/pytorch_model.bin`);
    const directory = original.indexOf('PK\x01\x02', 0, 'latin1');
    const headers: number[] = [];
    for (
      let at = original.indexOf('PK\x03\x04', 0, 'latin1');
      at >= 0;
      at = original.indexOf('PK\x03\x04', at + 1, 'latin1')
    ) {
      for (let offset = 0; offset < 60; offset++) headers.push(at + offset);
    }
    const places = [...headers, ...[...original.keys()].slice(directory)];
    const variants = repeat(300, 2, (random) => damage(original, places, random));
    expect(await refusals(family, 'pytorch_model.bin', variants)).toBeGreaterThan(200);
  });

  it('pytorch_model.bin of before PyTorch 1.6', async () => {
    const original = formatBytes(`${family}/pytorch_model.legacy.bin`);
    // All but what lies in a storage: the pickles, and what stands in front of the first two.
    const end = original.indexOf(Buffer.from('e.', 'latin1'), original.lastIndexOf(Buffer.from('\x80\x02]', 'latin1')));
    const places = [...original.keys()].slice(0, end + 20);
    const variants = repeat(300, 6, (random) => damage(original, places, random));
    expect(await refusals(family, 'pytorch_model.bin', variants)).toBeGreaterThan(200);
  });

  it('pytorch_model.bin.index.json', async () => {
    const name = 'pytorch_model.bin.index.json';
    const original = formatBytes(`${family}/${name}`);
    const variants = repeat(200, 5, (random) => damage(original, [...original.keys()], random));
    const shards = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'];
    const others = Object.fromEntries(shards.map((shard) => [shard, shard]));
    expect(await refusals(family, name, variants, others)).toBeGreaterThan(150);
  });

  it.each([
    ['tf_model.h5', 400],
    ['tf_model.chunked.h5', 200],
  ])('%s', async (name, count) => {
    const original = formatBytes(`${family}/${name}`);
    const places = nonZero(original);
    const variants = repeat(count, 3, (random) => damage(original, places, random));
    expect(await refusals(family, 'tf_model.h5', variants)).toBeGreaterThan(count / 3);
  });
});

describe.each([
  ['bert', 'model.onnx'],
  ['bert', 'model.newer.onnx'],
  ['distilbert', 'model.nameless.onnx'],
] as const)('a damaged ONNX file: %s, %s', (family, name) => {
  it('is refused or converts', async () => {
    const original = formatBytes(`${family}/${name}`);
    // Names of nodes alone change nothing; what stands around tensors does.
    const places = [...original.keys()].filter((at) => original[at]! < 32 || original.subarray(at, at + 8).includes(0));
    const variants = repeat(200, 7, (random) => damage(original, places, random));
    expect(await refusals(family, 'model.onnx', variants)).toBeGreaterThan(100);
  });
});

describe('a damaged HDF5 file with new headers', () => {
  it('is refused or converts', async () => {
    const original = formatBytes('distilbert/tf_model.latest.h5');
    const places = nonZero(original);
    const variants = repeat(300, 4, (random) => damage(original, places, random));
    expect(await refusals('distilbert', 'tf_model.h5', variants)).toBeGreaterThan(100);
  });
});

describe('files that lead elsewhere', () => {
  it.each(['external-storage', 'external-link', 'soft-link', 'virtual'])('%s opens nothing else', async (name) => {
    opened.length = 0;
    const folder = formatCheckpoint('bert', {
      'tf_model.h5': formatBytes(`hostile-h5/${name}.h5`),
      'outside.raw': formatBytes('hostile-h5/outside.raw'),
      'odd.h5': formatBytes('odd/odd.h5'),
    });
    expect(await isRefused(folder, temporaryFolder())).toBe(true);
    const names = opened.map((path) => basename(path));
    expect(names).toContain('tf_model.h5');
    expect(names).not.toContain('outside.raw');
    expect(names).not.toContain('odd.h5');
  });

  it('a pickle that would run a command only names it', async () => {
    const witness = join(temporaryFolder(), 'witness');
    const call = pickle(0x80, 2, 'cos\nsystem\n', unicode(`touch '${witness}'`), 0x85, 'R.');
    const folder = formatCheckpoint('bert', { 'pytorch_model.bin': torchFile(call) });
    expect(await isRefused(folder, temporaryFolder())).toBe(true);
    expect(existsSync(witness)).toBe(false);
  });
});
