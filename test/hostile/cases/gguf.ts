/** Hand-made GGUF files: every field of the format at the values that break readers, and every part of the contract. */
import type { Case } from '../case';
import {
  type GgufParts,
  type GgufTensorBytes,
  buildGguf,
  copyParts,
  entry,
  f32,
  parseGguf,
  relayout,
  text,
  u32,
  u64,
} from '../gguf-bytes';

type Expect = Case['expect'];

/** Values of every type under a key that wants an unsigned integer. */
export const WRONG_INTEGERS: readonly (readonly [string, number, Buffer])[] = [
  ['0', 4, u32(0)],
  ['2^32-1', 4, u32(0xffff_ffff)],
  ['2^31', 4, u32(0x8000_0000)],
  ['-1', 5, u32(-1)],
  ['2^63', 10, u64(2n ** 63n)],
  ['a float', 6, f32(1)],
  ['NaN', 6, f32(NaN)],
  ['a string', 8, text('4')],
  ['a boolean', 7, Buffer.of(1)],
  ['an array', 9, Buffer.concat([u32(4), u64(1), u32(4)])],
];

const INTEGER_KEYS = [
  'embedding_length',
  'block_count',
  'attention.head_count',
  'feed_forward_length',
  'context_length',
];

const WRONG_TYPES = [1, 2, 3, 8, 16, 30, 31, 39, 255, 0xffff_ffff];

export function ggufCases(sound: Buffer): Case[] {
  const parts = parseGguf(sound);
  const cases: Case[] = [];
  const add = (name: string, gguf: Buffer, expect: Expect = 'refused') => {
    cases.push({ name: `gguf/${name}`, gguf, expect });
  };
  const changed = (name: string, change: (copy: GgufParts) => void, expect: Expect = 'refused') => {
    const copy = copyParts(parts);
    change(copy);
    add(name, buildGguf(copy), expect);
  };
  const key = (copy: GgufParts, name: string) => copy.entries.find((item) => item.key.toString() === name)!;

  add('sound', sound, 'accepted');
  headers(parts, sound, add, changed);
  for (const name of INTEGER_KEYS) {
    for (const [what, type, value] of WRONG_INTEGERS) {
      changed(`bert.${name} is ${what}`, (copy) => Object.assign(key(copy, `bert.${name}`), { type, value }));
    }
  }
  for (const [what, type, value] of WRONG_INTEGERS) {
    changed(`general.alignment is ${what}`, (copy) => copy.entries.push(entry('general.alignment', type, value)));
    changed(
      `ggml_encoder.max_length is ${what}`,
      (copy) => Object.assign(key(copy, 'ggml_encoder.max_length'), { type, value }),
      'any',
    );
    changed(
      `ggml_encoder.format_version is ${what}`,
      (copy) => Object.assign(key(copy, 'ggml_encoder.format_version'), { type, value }),
      'any',
    );
  }
  for (const value of [1, 4, 12, 24, 33, 8192]) {
    changed(`alignment ${value}`, (copy) => copy.entries.push(entry('general.alignment', 4, u32(value))));
  }
  for (const value of [0, -1, NaN, Infinity, 1e30, 2]) {
    const eps = 'bert.attention.layer_norm_epsilon';
    // Zero is none, which transformers takes too.
    const expect = value === 0 ? 'any' : 'refused';
    changed(`epsilon ${value}`, (copy) => Object.assign(key(copy, eps), { value: f32(value) }), expect);
  }
  for (const { key: name } of parts.entries) {
    // Half of them are for people or for llama.cpp.
    changed(
      `without ${name.toString()}`,
      (copy) => (copy.entries = copy.entries.filter((item) => !item.key.equals(name))),
      'any',
    );
    changed(
      `${name.toString()} is a string`,
      (copy) => Object.assign(key(copy, name.toString()), { type: 8, value: text('\u0001 no value of this key') }),
      'any',
    );
    changed(
      `${name.toString()} is an array of nothing`,
      (copy) => Object.assign(key(copy, name.toString()), { type: 9, value: Buffer.concat([u32(8), u64(0)]) }),
      'any',
    );
  }
  tokenizers(changed, key);
  tensorCases(parts, changed);
  return cases;
}

type Add = (name: string, gguf: Buffer, expect?: Expect) => void;
type Changed = (name: string, change: (copy: GgufParts) => void, expect?: Expect) => void;
type Key = (copy: GgufParts, name: string) => { type: number; value: Buffer };

function headers(parts: GgufParts, sound: Buffer, add: Add, changed: Changed): void {
  for (const magic of ['GGML', 'gguf', 'FUGG', '\0\0\0\0', 'PK\x03\x04', '\x7fELF']) {
    changed(`magic ${JSON.stringify(magic)}`, (copy) => (copy.magic = Buffer.from(magic, 'latin1')));
  }
  for (const version of [0, 1, 4, 5, 0x0300_0000, 0xffff_ffff]) {
    changed(`version ${version}`, (copy) => (copy.version = version));
  }
  const tensors = BigInt(parts.tensors.length);
  const entries = BigInt(parts.entries.length);
  for (const count of [0n, 1n, 2n ** 16n, 2n ** 16n + 1n, 2n ** 31n, 2n ** 32n, 2n ** 61n, 2n ** 63n, 2n ** 64n - 1n]) {
    changed(`${count} tensors`, (copy) => (copy.numTensors = count));
    changed(`${count} entries`, (copy) => (copy.numEntries = count));
  }
  changed('a tensor more than there is', (copy) => (copy.numTensors = tensors + 1n));
  changed('a tensor less than there is', (copy) => (copy.numTensors = tensors - 1n));
  changed('an entry more than there is', (copy) => (copy.numEntries = entries + 1n));
  changed('an entry less than there is', (copy) => (copy.numEntries = entries - 1n));
  for (let i = 0; i < 40; i++) add(`cut after ${i}/40`, sound.subarray(0, Math.floor((sound.length * i) / 40)));
  add('one byte short', sound.subarray(0, -33));
  add('with a tail', Buffer.concat([sound, Buffer.alloc(4096)]));
  add('with a zip behind', Buffer.concat([sound, Buffer.from('PK\x05\x06'.padEnd(220, '\0'), 'latin1')]));
  const keys: readonly (readonly [string, Buffer])[] = [
    ['empty', Buffer.alloc(0)],
    ['with NUL', Buffer.from('a\0b')],
    ['not UTF-8', Buffer.from([0xff, 0xfe])],
    ['overlong UTF-8', Buffer.from([0xc0, 0x80])],
    ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
    ['256 bytes long', Buffer.alloc(256, 'k')],
    ['64 KiB long', Buffer.alloc(65_536, 'k')],
  ];
  for (const [what, name] of keys) changed(`a key ${what}`, (copy) => copy.entries.push(entry(name, 4, u32(1))));
  changed('a key twice', (copy) => copy.entries.push(copy.entries[0]!));
  for (const type of [13, 14, 255, 0xffff_ffff]) {
    changed(`value type ${type}`, (copy) => copy.entries.push(entry('x', type, u64(0))));
    changed(`array type ${type}`, (copy) =>
      copy.entries.push(entry('x', 9, Buffer.concat([u32(type), u64(1), u64(0)]))),
    );
  }
  changed('an array of arrays', (copy) =>
    copy.entries.push(entry('x', 9, Buffer.concat([u32(9), u64(1), u32(4), u64(0)]))),
  );
  for (const length of [2n ** 24n + 1n, 2n ** 32n, 2n ** 60n, 2n ** 61n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n]) {
    for (const type of [0, 4, 8, 10]) {
      changed(`an array of ${length} of type ${type}`, (copy) =>
        copy.entries.push(entry('x', 9, Buffer.concat([u32(type), u64(length)]))),
      );
    }
    changed(`a string of ${length}`, (copy) => copy.entries.push(entry('x', 8, u64(length))));
  }
  changed('a boolean 2', (copy) => copy.entries.push(entry('x', 7, Buffer.of(2))));
  changed('5000 entries', (copy) => {
    for (let i = 0; i < 5000; i++) copy.entries.push(entry(`x${i}`, 4, u32(i)));
  });
  changed(
    '4000 entries',
    (copy) => {
      for (let i = 0; i < 4000; i++) copy.entries.push(entry(`x${i}`, 4, u32(i)));
    },
    'accepted',
  );
}

function tokenizers(changed: Changed, key: Key): void {
  const tokenizer = 'tokenizer.huggingface.json';
  const documents: Readonly<Record<string, string>> = {
    empty: '',
    'no JSON': '{',
    null: 'null',
    'an array': '[]',
    'an empty object': '{}',
    'nested 100,000 deep': '['.repeat(100_000),
    'nested 100,000 objects': '{"a":'.repeat(100_000),
    'a number of a megabyte': '1'.repeat(2 ** 20),
    'a string of a megabyte': JSON.stringify('x'.repeat(2 ** 20)),
    'a lone surrogate': '{"version":"\\ud800"}',
    'with NUL': '{"version":"1.0\\u0000"}',
    'with a byte order mark': '\ufeff{}',
  };
  for (const [what, document] of Object.entries(documents)) {
    changed(`tokenizer ${what}`, (copy) => (key(copy, tokenizer).value = text(document)));
  }
  const rewrite = (what: string, replace: (json: string) => string, expect: Expect = 'refused') => {
    changed(
      `tokenizer ${what}`,
      (copy) => {
        const { value } = key(copy, tokenizer);
        key(copy, tokenizer).value = text(replace(value.subarray(8).toString()));
      },
      expect,
    );
  };
  rewrite('with ids past the embedding', (json) => json.replace('"a":5', '"a":5000'));
  rewrite('with a negative id', (json) => json.replace('"a":5', '"a":-5'));
  rewrite('with an id of 2^53', (json) => json.replace('"a":5', '"a":9007199254740992'));
  rewrite('with an id of 1e9', (json) => json.replace('"a":5', '"a":1e9'));
  rewrite('with an id twice', (json) => json.replace('"a":5', '"a":6'), 'any');
  rewrite('with a token twice', (json) => json.replace('"a":5', '"a":5,"a":5'), 'any');
  rewrite('without its unknown token', (json) => json.replace('"[UNK]":1', '"zz":1'), 'any');
  rewrite('of another kind', (json) => json.replaceAll('"WordPiece"', '"SentencePiece"'));
  rewrite('with an unknown normalizer', (json) => json.replace('"BertNormalizer"', '"Evil"'));
  rewrite('with words of 2^40 letters', (json) => json.replace('word":100', 'word":1099511627776'));
  rewrite('with a version of the future', (json) => json.replace('"1.0"', '"9.0"'));
  for (const labels of [0, 1, 3, 70_000]) {
    const names = Array.from({ length: labels }, (_, index) => text(`label ${index}`));
    changed(
      `${labels} labels for two rows`,
      (copy) =>
        Object.assign(key(copy, 'bert.classifier.output_labels'), {
          type: 9,
          value: Buffer.concat([u32(8), u64(labels), ...names]),
        }),
      'any',
    );
  }
}

export function tensorCases(parts: GgufParts, changed: Changed): void {
  for (const [index, tensor] of parts.tensors.entries()) {
    const name = tensor.name.toString();
    const at = (copy: GgufParts) => copy.tensors[index]!;
    changed(
      `without ${name}`,
      (copy) => {
        copy.tensors.splice(index, 1);
        relayout(copy);
      },
      'any', // a bias or a pooler may be absent
    );
    changed(`${name} under another name`, (copy) => (at(copy).name = Buffer.from('other')), 'refused');
    changed(`${name} of one more column`, (copy) => at(copy).dims[0]!++);
    changed(`${name} of rank one more`, (copy) => at(copy).dims.push(1n));
    for (const [what, value] of [
      ['NaN', NaN],
      ['infinity', -Infinity],
    ] as const) {
      changed(
        `${name} holds ${what}`,
        (copy) => {
          at(copy).data = Buffer.from(at(copy).data);
          at(copy).data.writeFloatLE(value, 0);
        },
        // Scores are looked at, not weights: the rows of the padding and of the farthest tokens are never read, and
        // infinity may end in a finite score.
        /^(token|rel)_embd\.weight/.test(name) || value === -Infinity ? 'any' : 'refused',
      );
    }
    if (tensor.dims.length > 1 && tensor.dims[0] !== tensor.dims[1]) {
      changed(`${name} transposed`, (copy) => at(copy).dims.reverse());
    }
    if (tensor.dims.length > 1) {
      // The embedding tables say themselves how many rows they have, and a head without a bias how many labels.
      const isHead =
        name === 'cls.output.weight' &&
        !parts.tensors.some((other) => other.name.equals(Buffer.from('cls.output.bias')));
      const expect = isHead || /^token_(embd|types)/.test(name) ? 'any' : 'refused';
      changed(`${name} of one row less`, (copy) => at(copy).dims[1]!--, expect);
    }
  }
  const first = (copy: GgufParts): GgufTensorBytes => copy.tensors[0]!;
  for (const type of WRONG_TYPES) changed(`tensor type ${type}`, (copy) => (first(copy).type = type));
  const sizes = [0n, 2n ** 31n, 2n ** 32n, 2n ** 40n, 2n ** 61n, 2n ** 62n - 1n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n];
  for (const size of [...sizes, 1_024_819_115_206_086_208n]) {
    changed(`a first dimension of ${size}`, (copy) => (first(copy).dims = [size]));
    changed(`a second dimension of ${size}`, (copy) => (first(copy).dims = [4n, size]));
    changed(`a fourth dimension of ${size}`, (copy) => (first(copy).dims = [1n, 1n, 1n, size]));
    changed(`an offset of ${size}`, (copy) => (copy.tensors[1]!.offset = size));
  }
  changed('four dimensions of 2^31-1', (copy) => (first(copy).dims = new Array<bigint>(4).fill(2n ** 31n - 1n)));
  changed('no dimensions', (copy) => (first(copy).dims = []));
  changed('five dimensions', (copy) => (first(copy).dims = [1n, 1n, 1n, 1n, 1n]));
  changed('a million dimensions', (copy) => (copy.tail = Buffer.concat([text('t'), u32(1_000_000)])));
  changed('a tensor twice', (copy) => {
    copy.tensors.push({ ...first(copy) });
    relayout(copy);
  });
  changed('a tensor nobody asked for', (copy) => {
    copy.tensors.push({ ...first(copy), name: Buffer.from('extra') });
    relayout(copy);
  });
  for (const name of [Buffer.alloc(0), Buffer.from('a\0b'), Buffer.from([0xff]), Buffer.alloc(64, 'n')]) {
    changed(
      `a tensor name of ${name.length} bytes ${name.toString('hex').slice(0, 8)}`,
      (copy) => (first(copy).name = name),
    );
  }
  changed('two tensors in one place', (copy) => (copy.tensors[1]!.offset = 0n));
  changed('no data at all', (copy) => (copy.tail = Buffer.alloc(0)));
}
