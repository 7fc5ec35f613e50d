/** What scripts/prebuild.mjs refuses to call a library for macOS, on files that are written here. */
import { createHash } from 'node:crypto';

import { expect, test } from 'vitest';

interface Parts {
  cpuType?: number;
  minimum?: number;
  flags?: number;
  libraries?: readonly string[];
  runPaths?: readonly string[];
  installName?: string;
  /** Name, and the number of its library: 0 for one that the file defines. */
  symbols?: readonly (readonly [string, number])[];
}

const FLAT_LOOKUP = 0xfe;
const ADDON = 'ggml-encoder.node';
const BASE = 'libggml-base.dylib';

/** The names are kept out of the types: the script is no part of the package. */
async function faultsOf(files: Record<string, Buffer>, arch = 'arm64'): Promise<string[]> {
  const script = (await import('../../scripts/mach-o.mjs' as string)) as {
    machOFaults(contents: ReadonlyMap<string, Buffer>, arch: string): string[];
  };
  return script.machOFaults(new Map(Object.entries(files)), arch);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
  return bytes;
}

function command(kind: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const size = Math.ceil((body.length + 8) / 8) * 8;
  return Buffer.concat([words(kind, size), body], size);
}

function nameCommand(kind: number, name: string): Buffer {
  const isRunPath = kind === 0x8000001c;
  const rest = isRunPath ? [] : [words(2, 0x10000, 0x10000)];
  return command(kind, words(isRunPath ? 12 : 24), ...rest, Buffer.from(`${name}\0`));
}

/** As the linker signs ad hoc: a hash of each page before the signature. */
function sign(content: Buffer): Buffer {
  const pages = Math.ceil(content.length / 4096);
  const signature = Buffer.alloc(20 + 44 + pages * 32);
  signature.writeUInt32BE(0xfade0cc0, 0);
  signature.writeUInt32BE(signature.length, 4);
  signature.writeUInt32BE(1, 8);
  signature.writeUInt32BE(20, 16);
  const directory = signature.subarray(20);
  directory.writeUInt32BE(0xfade0c02, 0);
  directory.writeUInt32BE(44, 16);
  directory.writeUInt32BE(pages, 28);
  directory.writeUInt32BE(content.length, 32);
  directory.set([32, 2, 0, 12], 36);
  for (let page = 0; page < pages; page++) {
    const bytes = content.subarray(page * 4096, (page + 1) * 4096);
    createHash('sha256')
      .update(bytes)
      .digest()
      .copy(directory, 44 + page * 32);
  }
  return signature;
}

function write(fileType: number, parts: Parts): Buffer {
  const symbols = parts.symbols ?? [];
  const strings = Buffer.from(`\0${symbols.map(([name]) => `${name}\0`).join('')}`);
  const build = (tables: number, end: number): Buffer => {
    const commands = [
      ...(parts.installName === undefined ? [] : [nameCommand(0xd, parts.installName)]),
      ...(parts.libraries ?? []).map((name) => nameCommand(0xc, name)),
      ...(parts.runPaths ?? []).map((name) => nameCommand(0x8000001c, name)),
      command(0x1b, Buffer.alloc(16, 7)),
      command(0x32, words(1, parts.minimum ?? 0xb0000, 0xb0000, 0)),
      command(0x2, words(tables, symbols.length, tables + symbols.length * 16, strings.length)),
      command(0x1d, words(end, 0)),
    ];
    const body = Buffer.concat(commands);
    const cpuType = parts.cpuType ?? 0x0100000c;
    const header = words(0xfeedfacf, cpuType, 0, fileType, commands.length, body.length, parts.flags ?? 0x85, 0);
    return Buffer.concat([header, body]);
  };
  const tables = build(0, 0).length;
  const entries = symbols.map(([name, library]) => {
    const entry = words(strings.indexOf(`\0${name}\0`) + 1, 0, 0, 0);
    entry[4] = library === 0 ? 0x0f : 0x01;
    entry.writeUInt16LE(library << 8, 6);
    return entry;
  });
  const end = tables + entries.length * 16 + strings.length;
  const content = Buffer.concat([build(tables, end), ...entries, strings]);
  return Buffer.concat([content, sign(content)]);
}

const SYSTEM = '/usr/lib/libSystem.B.dylib';
const GOOD_BASE: Parts = {
  installName: `@rpath/${BASE}`,
  libraries: [SYSTEM],
  symbols: [
    ['_ggml_init', 0],
    ['_malloc', 1],
  ],
};
const GOOD_ADDON: Parts = {
  libraries: [`@rpath/${BASE}`, SYSTEM],
  runPaths: ['@loader_path'],
  symbols: [
    ['_napi_register_module_v1', 0],
    ['_ggml_init', 1],
    ['_free', 2],
    ['_napi_create_object', FLAT_LOOKUP],
  ],
};

function faults(addon: Parts, base: Parts = {}): Promise<string[]> {
  return faultsOf({ [ADDON]: write(8, { ...GOOD_ADDON, ...addon }), [BASE]: write(6, { ...GOOD_BASE, ...base }) });
}

test('files that find each other and the system are taken', async () => {
  expect(await faults({})).toEqual([]);
});

test.each<[string, Parts, Parts, RegExp]>([
  ['another processor', { cpuType: 0x01000007 }, {}, /^ggml-encoder\.node: it is not for arm64$/],
  ['a newer system', { minimum: 0xe0000 }, {}, /^ggml-encoder\.node: it is for platform 1, 14 or later$/],
  ['C++ that is merged', {}, { flags: 0x8085 }, /^libggml-base\.dylib: it shares symbols of C\+\+/],
  ['symbols of no library', {}, { flags: 0x5 }, /^libggml-base\.dylib: its symbols are not bound/],
  ['the folder that it was built in', {}, { installName: `/build/${BASE}` }, /its install name is \/build\//],
  ['no folder to search', { runPaths: [] }, {}, /^ggml-encoder\.node: it searches \[\]$/],
  ['another folder to search', { runPaths: ['/opt'] }, {}, /it searches \[\/opt\]$/],
  [
    'another library',
    { libraries: [...(GOOD_ADDON.libraries ?? []), '/opt/libomp.dylib'] },
    {},
    /it needs \/opt\/libomp\.dylib$/,
  ],
  ['a function that its library lacks', {}, { symbols: [] }, /^ggml-encoder\.node: nothing defines _ggml_init$/],
  ['no entry for Node', { symbols: [] }, {}, /it exports no napi_register_module_v1$/],
])('%s is refused', async (_, addon, base, fault) => {
  expect(await faults(addon, base)).toEqual([expect.stringMatching(fault)]);
});

test('only Node-API, and only in the addon, is looked up in the process', async () => {
  const symbols = [...(GOOD_ADDON.symbols ?? []), ['_cblas_sgemm', FLAT_LOOKUP] as const];
  expect(await faults({ symbols })).toEqual([`${ADDON}: nothing defines _cblas_sgemm`]);
  const base = [...(GOOD_BASE.symbols ?? []), ['_napi_create_object', FLAT_LOOKUP] as const];
  expect(await faults({}, { symbols: base })).toEqual([`${BASE}: nothing defines _napi_create_object`]);
});

test('a file that was changed after it was signed is refused', async () => {
  const base = write(6, GOOD_BASE);
  const last = base.indexOf('_malloc\0');
  base[last + 1] = 'M'.charCodeAt(0);
  expect(await faultsOf({ [BASE]: base })).toEqual([`${BASE}: it has no signature, or one of other bytes`]);
});

test('what is no Mach-O file, or ends early, is an error', async () => {
  await expect(faultsOf({ [BASE]: Buffer.alloc(64) })).rejects.toThrow('it is no 64-bit Mach-O file');
  const base = write(6, GOOD_BASE);
  for (const size of [40, 100, base.length - 100]) {
    await expect(faultsOf({ [BASE]: base.subarray(0, size) })).rejects.toThrow();
  }
  base.writeUInt32LE(4, 36);
  await expect(faultsOf({ [BASE]: base })).rejects.toThrow('a load command beyond their end');
});
