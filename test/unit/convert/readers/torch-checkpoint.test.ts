// PyTorch's files: everything torch.save may write is read as torch reads it, everything else is refused by name.
import { describe, expect, it } from 'vitest';

import { DEFAULT_LIMITS } from '../../../../src/support/limits';
import { TorchCheckpoint } from '../../../../src/convert/readers/torch-checkpoint';
import { type ReadTensor, formatBytes, formatJson, readTorch, withFile } from './format-fixtures';
import {
  type BuiltTensor,
  legacyTorchFile,
  long,
  pickle,
  stateDict,
  tensorOpcodes,
  torchEntries,
  torchFile,
  unicode,
  zip,
} from './torch-builder';

const DTYPES: Readonly<Record<string, string>> = {
  'torch.float64': 'F64',
  'torch.float32': 'F32',
  'torch.float16': 'F16',
  'torch.bfloat16': 'BF16',
  'torch.int64': 'I64',
  'torch.int32': 'I32',
  'torch.int16': 'I16',
  'torch.int8': 'I8',
  'torch.uint8': 'U8',
  'torch.bool': 'BOOL',
};
const SIXTEEN = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);

function code(bytes: Uint8Array): Promise<unknown> {
  return readTorch(bytes).then(
    () => 'accepted',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  );
}

function message(bytes: Uint8Array): Promise<string> {
  return readTorch(bytes).then(
    () => 'accepted',
    (error: unknown) => (error as Error).message,
  );
}

describe('TorchCheckpoint', () => {
  it.each(['odd.bin', 'odd.legacy.bin'])('reads views, steps and every type as torch does from %s', async (name) => {
    const tensors = await readTorch(formatBytes(`odd/${name}`));
    const expected = formatJson('odd/odd.json') as Record<string, ReadTensor>;
    expect([...tensors.keys()]).toEqual(Object.keys(expected));
    for (const [name, { dtype, shape, values }] of Object.entries(expected)) {
      expect(tensors.get(name)).toEqual({ dtype: DTYPES[dtype], shape, values: values.map(Number) });
    }
  });

  it.each(['odd.bin', 'odd.legacy.bin'])('reads pieces of views and of plain tensors from %s', async (name) => {
    await withFile(formatBytes(`odd/${name}`), async (file) => {
      const source = await TorchCheckpoint.open(file);
      for (const name of ['transposed', 'contiguous_part']) {
        const { sizeBytes } = source.find(name)!;
        const whole = await source.read(name, 0, sizeBytes);
        const pieces: Buffer[] = [];
        for (let at = 0; at < sizeBytes; at += 20)
          pieces.push(await source.read(name, at, Math.min(20, sizeBytes - at)));
        expect(Buffer.concat(pieces)).toEqual(whole);
      }
      await expect(source.read('slice', 0, 25)).rejects.toMatchObject({ code: 'internal' });
      await expect(source.read('nothing', 0, 1)).rejects.toMatchObject({ code: 'internal' });
    });
  });

  it.each([
    ['script.bin', /TorchScript.*torch\.save\(model\.state_dict/],
    ['protocol4.bin', /protocol 2 expected.*torch\.save\(model\.state_dict/],
    ['training.bin', /epoch is no tensor.*torch\.save\(model\.state_dict/],
  ])('says how to save %s again', async (name, pattern) => {
    const bytes = formatBytes(`odd/${name}`);
    expect(await code(bytes)).toBe('checkpoint_malformed');
    expect(await message(bytes)).toMatch(pattern);
  });

  it.each(['ctorch._utils\n_rebuild_tensor_v3\n', 'ctorch\nComplexFloatStorage\n'])(
    'refuses %j, of types that no weight may have, by what it is',
    async (global) => {
      const bytes = torchFile(stateDict(pickle(global)));
      expect(await code(bytes)).toBe('dtype_unsupported');
      expect(await message(bytes)).toContain('such as float8');
    },
  );

  it('knows a Git LFS pointer, a tar archive and an empty file', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n';
    expect(await message(Buffer.from(pointer))).toMatch(/git lfs pull/);
    expect(await message(Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), Buffer.alloc(250)]))).toMatch(
      /tar archive/,
    );
    expect(await code(Buffer.alloc(0))).toBe('checkpoint_malformed');
    expect(await code(Buffer.from('PK'))).toBe('checkpoint_malformed');
  });

  it('reads a hand-made archive', async () => {
    const tensors = await readTorch(torchFile(stateDict(tensorOpcodes()), SIXTEEN));
    expect(tensors.get('x')).toEqual({ dtype: 'F32', shape: [2, 2], values: [1, 2, 3, 4] });
  });

  it('drops attributes of dictionaries, as state dicts have them', async () => {
    const dict = pickle(
      'ccollections\nOrderedDict\n)R',
      unicode('x'),
      tensorOpcodes(),
      's}',
      unicode('_metadata'),
      '}sb.',
    );
    expect(await code(torchFile(pickle(0x80, 2, dict), SIXTEEN))).toBe('accepted');
  });
});

describe('an unsafe pickle', () => {
  const globals = [
    'os\nsystem',
    'posix\nsystem',
    'nt\nsystem',
    'builtins\neval',
    'builtins\nexec',
    'builtins\ngetattr',
    '__builtin__\neval',
    '__builtin__\nset',
    'subprocess\nPopen',
    'torch\nload',
    'torch\n_utils._rebuild_tensor_v2',
    'torch\nUntypedStorage',
    'torch.hub\nload',
    'torch.serialization\nload',
    'torch._utils\n_rebuild_tensor_v2.__globals__',
    'torch._utils\n_rebuild_device_tensor_from_numpy',
    'collections\nOrderedDict.__reduce__',
    'collections\ndefaultdict',
    'collections\nordereddict',
    'numpy.core.multiarray\n_reconstruct',
    '__main__\nx',
    '\n',
  ];
  it.each(globals)('with the global %j', async (global) => {
    const call = pickle(0x80, 2, `c${global}\n`, unicode('echo'), 0x85, 'R.');
    expect(await code(torchFile(call, SIXTEEN))).toBe('checkpoint_malformed');
    expect(await message(torchFile(call, SIXTEEN))).toMatch(/unsafe.*nothing was run/);
  });

  it('with any opcode that torch.save does not write', async () => {
    const known = '\x80.()}]GJKM\x8aN\x88\x89Xqrhjt\x85\x86\x87aesucRbQ';
    for (let opcode = 0; opcode < 256; opcode++) {
      if (known.includes(String.fromCharCode(opcode)) && opcode !== 0x80) continue;
      const bytes = torchFile(pickle(0x80, 2, '}', opcode, '\0\0\0\0\0\0\0\0\n\n.'), SIXTEEN);
      expect(await message(bytes)).toMatch(/unsafe: the opcode \w+ at 3/);
    }
  });

  const bodies: Readonly<Record<string, Uint8Array>> = {
    'REDUCE on text': pickle(unicode('x'), ')R.'),
    'REDUCE on a tensor': pickle(tensorOpcodes(), ')R.'),
    'REDUCE on a storage type': pickle('ctorch\nFloatStorage\n)R.'),
    'REDUCE on a dictionary': pickle('})R.'),
    'REDUCE with a list': pickle('ccollections\nOrderedDict\n]R.'),
    'REDUCE without anything': pickle('R.'),
    'OrderedDict of items': pickle('ccollections\nOrderedDict\n]', 0x85, 'R.'),
    'BUILD on a tensor': pickle('}', unicode('x'), tensorOpcodes(), '}bs.'),
    'BUILD on a list': pickle(']}b.'),
    'BUILD on text': pickle(unicode('x'), '}b.'),
    'a parameter of text': pickle('ctorch._utils\n_rebuild_parameter\n(', unicode('x'), 0x88, '}tR.'),
    'a parameter of a parameter function': pickle(
      'ctorch._utils\n_rebuild_parameter\n(',
      'ctorch._utils\n_rebuild_parameter\n',
      0x88,
      '}tR.',
    ),
    'a persistent id of text': pickle(unicode('storage'), 'Q.'),
    'a persistent id without a type': pickle(
      '(',
      unicode('storage'),
      unicode('os.system'),
      unicode('0'),
      unicode('cpu'),
      'K\x04tQ.',
    ),
    'a storage key that is a path': stateDict(tensorOpcodes({ key: '../data.pkl' })),
    'a list that holds itself': pickle(']q\0h\0a.'),
    'a dictionary that holds itself': pickle('}q\0', unicode('x'), 'h\0s.'),
    'a tuple for a key': pickle('}))s.'),
    'a key twice': pickle('}(', unicode('x'), 'N', unicode('x'), 'Nu.'),
    'a key without a value': pickle('}(', unicode('x'), 'u.'),
    'SETITEM on a list': pickle(']', unicode('x'), 'Ns.'),
    'SETITEM on a tensor': pickle(tensorOpcodes(), unicode('x'), 'Ns.'),
    'APPEND on a dictionary': pickle('}Na.'),
    'APPEND on a tuple': pickle(')Na.'),
    'a memo entry out of order': pickle('}r\xff\xff\xff\x7f.'),
    'a memo entry that is not there': pickle('h\x05.'),
    'a memo entry of nothing': pickle('q\0.'),
    'values left over': pickle('NN.'),
    'a mark left over': pickle('(N.'),
    'no value': pickle('.'),
    'no end': pickle('}'),
    'a second pickle behind': pickle('}.', 0x80, 2, '}.'),
    'a string longer than the file': pickle('X\xff\xff\xff\x7fabc'),
    'a string that is not UTF-8': pickle('X\x02\0\0\0\xc3\x28.'),
    'an integer of 255 bytes': pickle(0x8a, 255, Buffer.alloc(255), '.'),
    'an integer beyond 2^53': pickle(long(2n ** 60n), '.'),
    'a global without an end': pickle('c', 'x'.repeat(1000)),
    'a list for the whole': pickle('].'),
    'a number for a name': pickle('}K\x01', tensorOpcodes(), 's.'),
    'an empty name': pickle('}', unicode(''), tensorOpcodes(), 's.'),
    'a name with a line break': pickle('}', unicode('a\nb'), tensorOpcodes(), 's.'),
    'a name of 600 bytes': pickle('}', unicode('a'.repeat(600)), tensorOpcodes(), 's.'),
    'TUPLE3 of two values': pickle('NN', 0x87, '.'),
    'a TUPLE without a mark': pickle('Nt.'),
  };
  it.each(Object.entries(bodies))('with %s', async (_, body) => {
    const bytes = body[0] === 0x80 ? body : pickle(0x80, 2, body);
    expect(await code(torchFile(bytes, SIXTEEN))).toBe('checkpoint_malformed');
  });

  it('with too much of anything', { timeout: 60_000 }, async () => {
    const puts = Buffer.alloc(5 * 1_000_001, 'r');
    for (let index = 0; index <= 1_000_000; index++) puts.writeUInt32LE(index, 5 * index + 1);
    const limits: Readonly<Record<string, Uint8Array>> = {
      marks: Buffer.alloc(100, '('),
      stack: Buffer.alloc(2_000_000, 'N'),
      lists: pickle(']', Buffer.alloc(4_500_000, ']a')),
      'memo entries': pickle('N', puts),
      opcodes: pickle(']', Buffer.alloc(22_000_000, 'Na')),
    };
    for (const [what, body] of Object.entries(limits)) {
      expect(await code(torchFile(pickle(0x80, 2, body), SIXTEEN)), what).toBe('limit_exceeded');
    }
  });
});

describe('a tensor that is not in its storage', () => {
  const cases: Readonly<Record<string, BuiltTensor>> = {
    'a storage that is not there': { key: '1' },
    'a storage that is smaller than said': { numElements: 5 },
    'a storage that is larger than said': { numElements: 3 },
    'a storage of another type': { type: 'DoubleStorage' },
    'a view of a storage': { view: pickle('(', unicode('0'), 'K\x00K\x10t') },
    'two views of a storage': { view: 'NN' },
    'a storage of minus four elements': { numElements: -4 },
    'a storage of 2^62 + 4 elements': { numElements: 2n ** 62n + 4n },
    'a negative offset': { offset: -1 },
    'an offset behind the end': { offset: 1 },
    'an offset of 2^62': { offset: 2n ** 62n },
    'a negative size': { shape: [-2, 2] },
    'a size of 2^40': { shape: [2 ** 40, 1] },
    'a negative stride': { strides: [2, -1] },
    'a stride beyond the end': { strides: [3, 1] },
    'a stride of 2^52': { strides: [2 ** 52, 2 ** 52] },
    'strides that wrap': { shape: [2 ** 31 - 1, 2 ** 31 - 1], strides: [2 ** 33, 2 ** 33] },
    'more sizes than strides': { shape: [2, 2, 1] },
    'nine dimensions': { shape: Array<number>(9).fill(1), strides: Array<number>(9).fill(1) },
    'a stride-0 expansion to 4 TiB': { shape: [2 ** 20, 2 ** 20], strides: [0, 0] },
    'a stride-0 expansion to 17 MiB': { shape: [17, 2 ** 18], strides: [0, 0] },
    'overlapping strides to 2^60': { shape: [2 ** 30, 2 ** 30], strides: [0, 0], offset: 3 },
    'a sign to be turned': { metadata: pickle('}', unicode('neg'), 0x88, 's') },
    'flags that are no table': { metadata: 'K\x01' },
    'an empty tensor behind the end': { shape: [0], strides: [1], offset: 5 },
  };
  it.each(Object.entries(cases))('with %s', async (_, tensor) => {
    expect(await code(torchFile(stateDict(tensorOpcodes(tensor)), SIXTEEN))).toBe('checkpoint_malformed');
  });

  it.each([
    { shape: [4, 4], strides: [0, 1] },
    { shape: [], strides: [] },
    { shape: [0], strides: [1] },
    { shape: [0, 2 ** 30], strides: [1, 1] },
    { metadata: '}' },
    { metadata: pickle('}', unicode('neg'), 0x89, 's').toString('latin1') },
  ])('but %j is', async (tensor) => {
    expect(await code(torchFile(stateDict(tensorOpcodes(tensor)), SIXTEEN))).toBe('accepted');
  });
});

describe('a file of before PyTorch 1.6', () => {
  const state = stateDict(tensorOpcodes());
  const sound = legacyTorchFile(state, [SIXTEEN]);
  const plain = (...opcodes: (string | number | Uint8Array)[]) => pickle(0x80, 2, ...opcodes, '.');
  const twoTensors = (second: BuiltTensor) =>
    plain('}', unicode('x'), tensorOpcodes(), 's', unicode('y'), tensorOpcodes(second), 's');

  it('is read', async () => {
    const expected = { dtype: 'F32', shape: [2, 2], values: [1, 2, 3, 4] };
    expect((await readTorch(sound)).get('x')).toEqual(expected);
    const dict = stateDict(tensorOpcodes({ view: 'N' }));
    expect((await readTorch(legacyTorchFile(dict, [SIXTEEN]))).get('x')).toEqual(expected);
    expect((await readTorch(legacyTorchFile(twoTensors({ offset: 0 }), [SIXTEEN]))).get('y')).toEqual(expected);
  });

  const cases: Readonly<Record<string, Uint8Array>> = {
    'another version': legacyTorchFile(state, [SIXTEEN], { version: plain('M\xea\x03') }),
    'a list of itself for its version': legacyTorchFile(state, [SIXTEEN], { version: plain(']q\x00h\x00a') }),
    'a call for its version': legacyTorchFile(state, [SIXTEEN], {
      version: plain('cos\nsystem\n', unicode('x'), 0x85, 'R'),
    }),
    'an attribute for its version': legacyTorchFile(state, [SIXTEEN], { version: plain('}}b') }),
    'a call of nothing for its version': legacyTorchFile(state, [SIXTEEN], { version: plain('})R') }),
    'big-endian numbers': legacyTorchFile(state, [SIXTEEN], {
      machine: plain('}', unicode('little_endian'), 0x89, 's'),
    }),
    'no machine': legacyTorchFile(state, [SIXTEEN], { machine: plain('N') }),
    'no list of storages': legacyTorchFile(state, [SIXTEEN], { keys: plain(unicode('0')) }),
    'an empty list of storages': legacyTorchFile(state, [SIXTEEN], { keys: plain(']') }),
    'a storage twice': legacyTorchFile(state, [SIXTEEN, SIXTEEN], {
      keys: plain('](', unicode('0'), unicode('0'), 'e'),
    }),
    'a storage of no tensor': legacyTorchFile(state, [SIXTEEN, SIXTEEN]),
    'a number for a storage': legacyTorchFile(state, [SIXTEEN], { keys: plain(']K\x00a') }),
    'a storage that is smaller than said': legacyTorchFile(state, [SIXTEEN], { counts: [3n] }),
    'a storage of -1 elements': legacyTorchFile(state, [SIXTEEN], { counts: [-1n] }),
    'a storage of 2^62 elements': legacyTorchFile(state, [SIXTEEN], { counts: [2n ** 62n] }),
    'a storage of 2^50 elements': legacyTorchFile(stateDict(tensorOpcodes({ numElements: 2 ** 50 })), [SIXTEEN]),
    'a storage that is described in two ways': legacyTorchFile(twoTensors({ numElements: 5 }), [SIXTEEN]),
    'a storage of two types': legacyTorchFile(twoTensors({ type: 'IntStorage' }), [SIXTEEN]),
    'bytes behind its end': legacyTorchFile(state, [SIXTEEN], { behind: Buffer.alloc(1) }),
    'a list for the whole': legacyTorchFile(plain(']'), []),
  };
  it.each(Object.entries(cases))('is refused with %s', async (_, bytes) => {
    expect(await code(bytes)).toBe('checkpoint_malformed');
  });

  it('is read with pickles of more than is read at first, unless it ends within them', async () => {
    const text = unicode('x'.repeat(700_000));
    const machine = plain(
      '}',
      unicode('little_endian'),
      '\x88s',
      ...['a', 'b'].flatMap((key) => [unicode(key), text, 's']),
    );
    const bytes = legacyTorchFile(state, [SIXTEEN], { machine });
    expect(await readTorch(bytes)).toEqual(await readTorch(sound));
    expect(await code(bytes.subarray(0, 1_200_000))).toBe('checkpoint_malformed');
  });

  it('is refused with pickles beyond the limit, and cut off anywhere', async () => {
    const limited = await withFile(sound, (file) =>
      TorchCheckpoint.open(file, { ...DEFAULT_LIMITS, pickleBytes: 100 }),
    ).catch((error: unknown) => error);
    expect(limited).toMatchObject({
      code: 'limit_exceeded',
      message: expect.stringContaining('pickleBytes') as string,
    });
    for (let length = 0; length < sound.length; length++) {
      expect(await code(sound.subarray(0, length)), String(length)).toBe('checkpoint_malformed');
    }
  });
});

describe('a zip archive that readers could understand differently', () => {
  const state = stateDict(tensorOpcodes());
  const entries = torchEntries(state, SIXTEEN);
  const good = zip(entries);
  const changed = (index: number, change: object) =>
    zip(entries.map((entry, at) => (at === index ? { ...entry, ...change } : entry)));
  const cut = (from: number, ...bytes: number[]) => {
    const copy = Buffer.from(good);
    copy.set(bytes, copy.length - from);
    return copy;
  };
  const zip64 = (...values: bigint[]) => {
    const extra = Buffer.alloc(4 + 8 * values.length);
    extra.writeUInt16LE(1);
    extra.writeUInt16LE(8 * values.length, 2);
    values.forEach((value, index) => extra.writeBigUInt64LE(value, 4 + 8 * index));
    return extra;
  };
  const cases: Readonly<Record<string, Uint8Array>> = {
    'a second archive in the comment': zip(entries, {
      comment: zip(torchEntries(stateDict(tensorOpcodes()), SIXTEEN)),
    }),
    'bytes behind the end': Buffer.concat([good, Buffer.from('x')]),
    'a comment longer than the file': cut(2, 9, 0),
    'another number of parts': cut(18, 1),
    'a directory elsewhere': cut(6, 1),
    'more entries than there are': zip(entries, { numEntries: 4 }),
    'fewer entries than there are': zip(entries, { numEntries: 2 }),
    '65535 entries without zip64': zip(entries, { numEntries: 65_535 }),
    'an encrypted entry': changed(0, { flags: 1 }),
    'a patched entry': changed(0, { flags: 0x20 }),
    'a masked header': changed(0, { flags: 0x2000 }),
    'other flags before the content': changed(0, { localFlags: 1 }),
    'a deflated entry': changed(0, { method: 8 }),
    'a deflated storage': changed(2, { method: 8 }),
    'another name before the content': changed(0, { localName: 'archive/other.p' }),
    'a wrong checksum': changed(0, { crc: 1 }),
    'data.pkl twice': zip([...entries, entries[0]!]),
    'a storage inside the pickle': changed(2, { localOffset: 0 }),
    'a header behind the end': changed(2, { localOffset: good.length }),
    'a header at 2^32 - 1': changed(2, { localOffset: 0xffff_ffff }),
    'a header at 2^63 by zip64': changed(2, { localOffset: 0xffff_ffff, extra: zip64(2n ** 63n) }),
    'a header at 2^52 by zip64': changed(2, { localOffset: 0xffff_ffff, extra: zip64(2n ** 52n) }),
    'a size that wraps by zip64': changed(2, { sizeBytes: 0xffff_ffff, extra: zip64(2n ** 64n - 1n, 2n ** 64n - 1n) }),
    'two zip64 fields': changed(2, { sizeBytes: 0xffff_ffff, extra: Buffer.concat([zip64(16n, 16n), zip64(8n, 8n)]) }),
    'an extra field cut short': changed(2, { extra: Buffer.from([1, 0, 99, 0]) }),
    'a size beyond the next entry': changed(1, { sizeBytes: 4000 }),
    'a name with ..': changed(2, { name: 'archive/../data/0' }),
    'a name with a backslash': changed(2, { name: 'archive\\data/0' }),
    'an absolute name': changed(2, { name: '/archive/data/0' }),
    'a name with a NUL': changed(2, { name: 'archive/data/0\0' }),
    'an empty name': changed(2, { name: '' }),
    'a folder': zip([...entries, { name: 'archive/', data: Buffer.alloc(0) }]),
    'two folders': zip([...entries, { name: 'other/data.pkl', data: state }]),
    'a file beside the folder': zip([...entries, { name: 'data.pkl', data: state }]),
    'no data.pkl': zip(entries.slice(1)),
    'no entries': zip([]),
    'code of TorchScript': zip([...entries, { name: 'archive/code/x.py', data: Buffer.alloc(0) }]),
    'constants of TorchScript': zip([...entries, { name: 'archive/constants.pkl', data: Buffer.alloc(0) }]),
    'big-endian numbers': changed(1, { data: Buffer.from('big') }),
    'a program in front that shifts it': Buffer.concat([Buffer.from('\x7fELF'), good]),
    'a program in front': zip(entries, { prefix: Buffer.from('\x7fELF') }),
  };
  it.each(Object.entries(cases))('with %s', async (_, bytes) => {
    expect(await code(bytes)).toBe('checkpoint_malformed');
  });

  it('but sizes by zip64 and a plain comment are well defined', async () => {
    const extended = changed(2, { sizeBytes: 0xffff_ffff, extra: zip64(16n, 16n) });
    expect(await code(extended)).toBe('accepted');
    expect(await code(zip(entries, { comment: Buffer.from('made by hand') }))).toBe('accepted');
  });

  it('with a 64-bit end that contradicts the 32-bit one or itself', async () => {
    const original = formatBytes('odd/odd.bin');
    const record = original.lastIndexOf('PK\x06\x06', undefined, 'latin1');
    const locator = original.lastIndexOf('PK\x06\x07', undefined, 'latin1');
    // Its size, parts, both counts, size and offset of the directory; then the locator's part, place and number of parts.
    const fields = [4, 16, 20, 24, 32, 40, 48]
      .map((offset) => record + offset)
      .concat([4, 8, 16].map((at) => locator + at));
    for (const at of fields) {
      for (const byte of [0, 3, 7].filter((index) => index < 4 || at - record < 56)) {
        const copy = Buffer.from(original);
        copy[at + byte] = copy[at + byte]! + 2;
        expect(await code(copy), `${at - record} + ${byte}`).toBe('checkpoint_malformed');
      }
    }
  });

  it('with as many entries as may be, in good time', async () => {
    const many = Array.from({ length: 60_000 }, (_, index) => ({ name: `archive/${index}`, data: Buffer.alloc(0) }));
    const started = performance.now();
    expect(await code(zip([...many, ...entries]))).toBe('accepted');
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('cut off anywhere', async () => {
    for (let length = 0; length < good.length; length++) {
      expect(await code(good.subarray(0, length)), String(length)).toBe('checkpoint_malformed');
    }
  });
});
