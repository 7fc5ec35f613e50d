/** HDF5 files: kept ones that lead elsewhere or claim too much, and every field of a sound one at odd values. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Case } from '../case';
import { ROOT, fixtureFiles, formatFixture } from '../sound';

export interface Field {
  readonly what: string;
  readonly at: number;
  readonly width: 1 | 2 | 4 | 8;
}

const ODD: Readonly<Record<Field['width'], readonly bigint[]>> = {
  1: [0n, 1n, 9n, 0x7fn, 0xffn],
  2: [0n, 1n, 0x7fffn, 0xffffn],
  4: [0n, 1n, 0x7fff_ffffn, 0xffff_ffffn],
  8: [0n, 8n, 96n, 2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 2n, 2n ** 64n - 1n],
};

const SUPERBLOCK: readonly Field[] = [
  { what: 'version', at: 8, width: 1 },
  { what: 'free space version', at: 9, width: 1 },
  { what: 'offset size', at: 13, width: 1 },
  { what: 'length size', at: 14, width: 1 },
  { what: 'leaf size', at: 16, width: 2 },
  { what: 'node size', at: 18, width: 2 },
  { what: 'flags', at: 20, width: 4 },
  { what: 'base address', at: 24, width: 8 },
  { what: 'end of file', at: 40, width: 8 },
  { what: 'driver', at: 48, width: 8 },
  { what: 'root name', at: 56, width: 8 },
  { what: 'root header', at: 64, width: 8 },
  { what: 'root cache type', at: 72, width: 4 },
  { what: 'root tree', at: 80, width: 8 },
  { what: 'root heap', at: 88, width: 8 },
];

/** Fields after a structure's four letters. */
const STRUCTURES: Readonly<Record<string, readonly Field[]>> = {
  TREE: [
    { what: 'kind', at: 4, width: 1 },
    { what: 'level', at: 5, width: 1 },
    { what: 'entries', at: 6, width: 2 },
    { what: 'left', at: 8, width: 8 },
    { what: 'key', at: 24, width: 8 },
    { what: 'child', at: 32, width: 8 },
    { what: 'second key', at: 40, width: 8 },
  ],
  HEAP: [
    { what: 'version', at: 4, width: 1 },
    { what: 'size', at: 8, width: 8 },
    { what: 'free list', at: 16, width: 8 },
    { what: 'data', at: 24, width: 8 },
  ],
  SNOD: [
    { what: 'version', at: 4, width: 1 },
    { what: 'symbols', at: 6, width: 2 },
    { what: 'name', at: 8, width: 8 },
    { what: 'header', at: 16, width: 8 },
    { what: 'cache type', at: 24, width: 4 },
    { what: 'scratch', at: 32, width: 8 },
    { what: 'second name', at: 48, width: 8 },
    { what: 'second header', at: 56, width: 8 },
  ],
  GCOL: [
    { what: 'version', at: 4, width: 1 },
    { what: 'size', at: 8, width: 8 },
    { what: 'index', at: 16, width: 2 },
    { what: 'length', at: 24, width: 8 },
  ],
};

/** The fields of a file with a version 0 superblock: those of known structures, and object headers with their messages. */
export function fieldsOf(bytes: Buffer): Field[] {
  const fields = SUPERBLOCK.map((field) => ({ ...field, what: `superblock ${field.what}` }));
  const headers = new Set([Number(bytes.readBigUInt64LE(64))]);
  for (const [signature, parts] of Object.entries(STRUCTURES)) {
    for (let at = bytes.indexOf(signature, 0, 'latin1'); at >= 0; at = bytes.indexOf(signature, at + 4, 'latin1')) {
      fields.push(
        ...parts.map(({ what, at: offset, width }) => ({ what: `${signature} ${what}`, at: at + offset, width })),
      );
      if (signature !== 'SNOD') continue;
      const symbols = bytes.readUInt16LE(at + 6);
      for (let i = 0; i < symbols; i++) headers.add(Number(bytes.readBigUInt64LE(at + 16 + i * 40)));
    }
  }
  for (const at of headers) fields.push(...headerFields(bytes, at));
  return fields.filter(({ at, width }) => at + width <= bytes.length);
}

function headerFields(bytes: Buffer, at: number): Field[] {
  const fields: Field[] = [
    { what: 'object version', at, width: 1 },
    { what: 'object messages', at: at + 2, width: 2 },
    { what: 'object size', at: at + 8, width: 4 },
  ];
  const end = at + 16 + bytes.readUInt32LE(at + 8);
  for (let message = at + 16; message + 8 <= end;) {
    const type = bytes.readUInt16LE(message);
    const size = bytes.readUInt16LE(message + 2);
    const what = `message ${type}`;
    fields.push({ what: `${what} type`, at: message, width: 2 }, { what: `${what} size`, at: message + 2, width: 2 });
    fields.push({ what: `${what} flags`, at: message + 4, width: 1 });
    for (let word = 0; word + 8 <= Math.min(size, 64); word += 8) {
      fields.push({ what: `${what} word ${word}`, at: message + 8 + word, width: 8 });
      fields.push({ what: `${what} byte ${word}`, at: message + 8 + word, width: 1 });
    }
    message += 8 + size;
  }
  return fields;
}

export function withField(bytes: Buffer, { at, width }: Field, value: bigint): Buffer {
  const copy = Buffer.from(bytes);
  const whole = Buffer.alloc(8);
  whole.writeBigUInt64LE(BigInt.asUintN(64, value));
  whole.copy(copy, at, 0, width);
  return copy;
}

export function hdf5Cases(): Case[] {
  const cases: Case[] = [];
  const bert = fixtureFiles('bert');
  const file = (name: string, bytes: Buffer, expect: Case['expect']) => {
    cases.push({ name: `hdf5/${name}`, files: { ...bert, 'tf_model.h5': bytes }, expect });
  };
  const sound = formatFixture('bert/tf_model.h5');
  file('sound', sound, 'accepted');
  for (const name of readdirSync(join(ROOT, 'test/fixtures/formats/hostile-h5'))) {
    if (name.endsWith('.h5.gz')) file(`kept ${name}`, formatFixture(`hostile-h5/${name.slice(0, -3)}`), 'refused');
  }
  const seen = new Map<string, number>();
  for (const field of fieldsOf(sound)) {
    // The first of each kind by hand; the mutants reach the rest.
    const times = (seen.get(field.what) ?? 0) + 1;
    seen.set(field.what, times);
    if (times > 1) continue;
    for (const value of ODD[field.width]) file(`${field.what} = ${value}`, withField(sound, field, value), 'any');
  }
  for (let i = 0; i < 16; i++)
    file(`cut after ${i}/16`, sound.subarray(0, Math.floor((sound.length * i) / 16)), 'refused');
  file('nothing but its signature', sound.subarray(0, 8), 'refused');
  file('a safetensors file', Buffer.from('\x02\0\0\0\0\0\0\0{}', 'latin1'), 'refused');
  return cases;
}
