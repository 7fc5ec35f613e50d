/** Hand-made pytorch_model.bin files: both kinds of container, archives and pickles. */
import type { Case } from '../case';
import { type SoundTensor, soundTensors } from '../sound';
import {
  type BuiltEntry,
  type BuiltTensor,
  legacyTorchFile,
  pickle,
  stateDict,
  tensorOpcodes,
  torchEntries,
  torchFile,
  unicode,
  zip,
} from '../../unit/convert/readers/torch-builder';

const BIN = 'pytorch_model.bin';
const STORAGE = Buffer.alloc(16);

/** The sound model as a pickle and its storages. */
export function soundTorch(): { pickle: Buffer; storages: Buffer[] } {
  const parts: Uint8Array[] = [pickle(0x80, 2, '}(')];
  const storages: Buffer[] = [];
  for (const [name, { shape, data }] of Object.entries(soundTensors() as Record<string, SoundTensor>)) {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
    const key = String(storages.length);
    parts.push(unicode(name), tensorOpcodes({ key, numElements: data.length / 4, shape, strides }));
    storages.push(data);
  }
  return { pickle: Buffer.concat([...parts, pickle('u.')]), storages };
}

export const GLOBALS = [
  'os\nsystem',
  'posix\nsystem',
  'nt\nsystem',
  'subprocess\nPopen',
  'subprocess\ncall',
  'builtins\neval',
  'builtins\nexec',
  '__builtin__\neval',
  'builtins\ngetattr',
  'builtins\n__import__',
  'importlib\nimport_module',
  'torch\nload',
  'torch.hub\nload',
  'torch.jit\nload',
  'torch.storage\n_load_from_bytes',
  'pickle\nloads',
  '_pickle\nloads',
  'runpy\nrun_path',
  'sys\nexit',
  'socket\nsocket',
  'webbrowser\nopen',
  'pty\nspawn',
  'torch._utils\n_rebuild_tensor',
  'torch._utils\n_rebuild_sparse_tensor',
  'torch._utils\n_rebuild_device_tensor_from_numpy',
  'numpy.core.multiarray\n_reconstruct',
  'collections\nCounter',
  'torch\nQInt8Storage',
  'torch\n',
  '\nsystem',
  'torch.nn\nModule',
  'transformers\nAutoModel',
  'torch\nFloatStorage.__init__',
] as const;

export function torchCases(): Case[] {
  const cases: Case[] = [];
  const bin = (name: string, bytes: Buffer, expect: Case['expect'] = 'refused') => {
    cases.push({ name: `torch/${name}`, files: { 'model.safetensors': undefined, [BIN]: bytes }, expect });
  };
  const sound = soundTorch();
  bin('sound', torchFile(sound.pickle, ...sound.storages), 'accepted');
  bin('sound, of old', legacyTorchFile(sound.pickle, sound.storages), 'accepted');
  // One tensor 'x' is a valid file of no model; what is asked here is that nothing else happens.
  for (let opcode = 0; opcode < 256; opcode++) {
    const name = `opcode 0x${opcode.toString(16).padStart(2, '0')}`;
    bin(`${name} for a value`, torchFile(pickle(0x80, 2, '}', unicode('x'), opcode, 's.'), STORAGE));
  }
  for (const name of GLOBALS) {
    bin(
      `global ${name.replace('\n', '.')}`,
      torchFile(pickle(0x80, 2, `c${name}\n`, unicode('touch /tmp/owned'), 0x85, 'R.')),
    );
  }
  for (const protocol of [0, 1, 3, 4, 5, 255]) bin(`protocol ${protocol}`, torchFile(pickle(0x80, protocol, '}.')));
  pickles(bin);
  views(bin);
  archives(bin, sound.pickle, sound.storages);
  return cases;
}

type Add = (name: string, bytes: Buffer, expect?: Case['expect']) => void;

function pickles(bin: Add): void {
  const raw: Readonly<Record<string, Buffer>> = {
    nothing: Buffer.alloc(0),
    'no end': pickle(0x80, 2, '}'),
    'an end without a value': pickle(0x80, 2, '.'),
    'two values': pickle(0x80, 2, '}}.'),
    'bytes after its end': pickle(0x80, 2, '}.', 'x'),
    'a list': pickle(0x80, 2, '].'),
    'a number': pickle(0x80, 2, 'K', 1, '.'),
    'a key without a value': pickle(0x80, 2, '}(', unicode('x'), 'u.'),
    'items set on a list': pickle(0x80, 2, ']', unicode('x'), 'K', 1, 's.'),
    'items set on a tensor': pickle(0x80, 2, tensorOpcodes(), unicode('x'), 'K', 1, 's.'),
    'a key twice': pickle(0x80, 2, '}', unicode('x'), 'K', 1, 's', unicode('x'), 'K', 2, 's.'),
    'a dictionary inside itself': pickle(0x80, 2, '}', 'q', 0, unicode('x'), 'h', 0, 's.'),
    'a list inside itself': pickle(0x80, 2, '}', unicode('x'), ']q', 0, 'h', 0, 'a', 's.'),
    'a memo entry of the future': pickle(0x80, 2, 'h', 200, '.'),
    'a memo entry far away': pickle(0x80, 2, '}r', 255, 255, 255, 255, '.'),
    'a million marks': Buffer.concat([pickle(0x80, 2), Buffer.alloc(1_000_000, '('), pickle('.')]),
    'a million lists': Buffer.concat([pickle(0x80, 2), Buffer.alloc(1_000_000, ']'), pickle('.')]),
    'three million tuples of tuples': Buffer.concat([pickle(0x80, 2, ')'), Buffer.alloc(3_000_000, 0x85), pickle('.')]),
    'a string of 4 GB': pickle(0x80, 2, 'X', 255, 255, 255, 255, '.'),
    'a string that is not UTF-8': pickle(0x80, 2, 'X', 2, 0, 0, 0, 255, 254, '.'),
    'an integer of 255 bytes': pickle(0x80, 2, 0x8a, 255, '.'),
    'a global without an end': pickle(0x80, 2, 'cos'),
    'a global of 100,000 letters': pickle(0x80, 2, `c${'x'.repeat(100_000)}\ny\n.`),
    'a call of a number': pickle(0x80, 2, 'K', 1, ')R.'),
    'a call of nothing': pickle(0x80, 2, ')R.'),
    'an OrderedDict with arguments': pickle(0x80, 2, 'ccollections\nOrderedDict\n', 'K', 1, 0x85, 'R.'),
    'attributes of a tensor': pickle(0x80, 2, tensorOpcodes(), '}b.'),
    'a training state': stateDict(pickle('}')),
    'a tensor with a number for a name': pickle(0x80, 2, '}K', 1, tensorOpcodes(), 's.'),
    'a tensor with an empty name': pickle(0x80, 2, '}', unicode(''), tensorOpcodes(), 's.'),
    'a persistent id that is a number': pickle(0x80, 2, 'K', 1, 'Q.'),
    'a persistent id that is a module': pickle(0x80, 2, '(', unicode('module'), 'K', 1, 'tQ.'),
  };
  for (const [what, bytes] of Object.entries(raw)) bin(`a pickle of ${what}`, torchFile(bytes, STORAGE));
}

function views(bin: Add): void {
  const wrong: Readonly<Record<string, BuiltTensor>> = {
    'a storage that is not there': { key: '9' },
    'a storage named ../0': { key: '../0' },
    'a storage named -1': { key: '-1' },
    'more elements than there are': { numElements: 5 },
    'fewer elements than there are': { numElements: 3 },
    '2^62 elements': { numElements: 2n ** 62n },
    'a negative number of elements': { numElements: -4 },
    'elements of another size': { type: 'DoubleStorage' },
    'an offset past the end': { offset: 4 },
    'a negative offset': { offset: -1 },
    'an offset of 2^62': { offset: 2n ** 62n },
    'a negative size': { shape: [-2, 2] },
    'a size of 2^40': { shape: [2n ** 40n], strides: [1] },
    'a size of 2^40 repeated': { shape: [2n ** 40n], strides: [0] },
    'sizes of 2^31 repeated': { shape: [2n ** 31n, 2n ** 31n], strides: [0, 0] },
    'a megabyte repeated to 16 GB': { shape: [2n ** 32n], strides: [0] },
    'a negative stride': { strides: [-2, 1] },
    'a stride of 2^62': { strides: [2n ** 62n, 1] },
    'strides that wrap': { shape: [3, 2], strides: [2n ** 62n, 2n ** 62n] },
    'fewer strides than sizes': { strides: [1] },
    'ten dimensions': { shape: new Array<number>(10).fill(1), strides: new Array<number>(10).fill(1) },
    'a zero among huge sizes': { shape: [0, 2n ** 40n], strides: [1, 1] },
  };
  for (const [what, tensor] of Object.entries(wrong))
    bin(`a tensor with ${what}`, torchFile(stateDict(tensorOpcodes(tensor)), STORAGE));
}

function archives(bin: Add, data: Buffer, storages: readonly Buffer[]): void {
  const entries = torchEntries(data, ...storages);
  const sound = zip(entries);
  const change = (index: number, changes: Partial<BuiltEntry>) =>
    zip(entries.with(index, { ...entries[index]!, ...changes }));
  for (let i = 0; i < 24; i++) bin(`cut after ${i}/24`, sound.subarray(0, Math.floor((sound.length * i) / 24)));
  bin('not an archive', Buffer.alloc(1000, 'x'));
  bin('an archive of nothing', zip([]));
  bin('an executable in front', zip(entries, { prefix: Buffer.from('\x7fELF'.padEnd(100, '\0'), 'latin1') }));
  bin('an archive in its comment', zip(entries, { comment: sound.subarray(-60) }));
  bin('two archives', Buffer.concat([sound, sound]));
  for (const count of [0, 1, 0xffff]) bin(`${count} entries claimed`, zip(entries, { numEntries: count }));
  const names = [
    '../data.pkl',
    '/archive/data.pkl',
    'archive//data.pkl',
    'archive/./data.pkl',
    'archive\\data.pkl',
    'C:/data.pkl',
    'archive/data.pkl\0',
    'x'.repeat(2000),
    '',
  ];
  for (const name of names) bin(`an entry named ${JSON.stringify(name.slice(0, 30))}`, change(0, { name }));
  bin('another name before the content', change(0, { localName: 'archive/other.pk' }));
  bin('other flags before the content', change(0, { localFlags: 8 }));
  for (const flags of [1, 0x20, 0x40, 0x2000]) bin(`flags ${flags}`, change(0, { flags }));
  for (const method of [8, 9, 12, 14, 99]) bin(`packed by method ${method}`, change(0, { method }));
  bin('a wrong checksum', change(0, { crc: 1 }));
  for (const sizeBytes of [0, 1, data.length + 1, 0xffff_fffe, 0xffff_ffff])
    bin(`a size of ${sizeBytes}`, change(0, { sizeBytes }));
  for (const localOffset of [1, 1_000_000, 0xffff_fffe, 0xffff_ffff])
    bin(`content at ${localOffset}`, change(0, { localOffset }));
  bin('two entries in one place', change(2, { localOffset: 0 }));
  bin('two data.pkl', zip([...entries, entries[0]!]));
  bin('no data.pkl', zip(entries.slice(1)));
  bin('two roots', zip([...entries, { name: 'other/x', data: STORAGE }]));
  bin('a program', zip([...entries, { name: 'archive/code/x.py', data: STORAGE }]));
  bin('constants of a program', zip([...entries, { name: 'archive/constants.pkl', data: STORAGE }]));
  bin('big-endian numbers', change(1, { data: Buffer.from('big') }));
  bin(
    '65,000 entries',
    zip([...entries, ...Array.from({ length: 65_000 }, (_, i) => ({ name: `archive/x/${i}`, data: Buffer.alloc(0) }))]),
    'any',
  );
  for (const head of ['80028a0a6cfc9c46f9206aa85019', '80025d7100', '504b0304', '504b0506'])
    bin(`begins with ${head}`, Buffer.from(head.padEnd(600, '0'), 'hex'));
  bin('a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'));
}
