/** Hand-made safetensors files and indexes of shards. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { type Case, either, refused } from '../case';
import { layOut, safetensors, soundTensors } from '../sound';

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

function length(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

export function safetensorsCases(): Case[] {
  const { header, data } = layOut(soundTensors());
  const sound = safetensors(header, data);
  const json = JSON.stringify(header);
  const cases: Case[] = [];
  const weights = (name: string, bytes: Buffer, expect: Case['expect'] = 'refused') => {
    cases.push({ name: `safetensors/${name}`, files: { [WEIGHTS]: bytes }, expect });
  };
  const first = Object.keys(header)[0]!;
  const entry = (changes: object) => safetensors({ ...header, [first]: { ...header[first], ...changes } }, data);

  weights('sound', sound, 'accepted');
  for (const claim of [0n, 1n, 2n, 7n, 100_000_001n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    weights(`a header of ${claim} bytes`, Buffer.concat([length(claim), sound.subarray(8)]));
  }
  for (let bytes = 0; bytes < 16; bytes++) weights(`cut to ${bytes} bytes`, sound.subarray(0, bytes));
  for (let i = 1; i < 24; i++) weights(`cut after ${i}/24`, sound.subarray(0, Math.floor((sound.length * i) / 24)));
  weights('one byte short', sound.subarray(0, -1));
  weights('one byte long', Buffer.concat([sound, Buffer.of(0)]));
  for (const tail of ['PK\x05\x06'.padEnd(22, '\0'), 'GGUF', '\x7fELF', '<script>']) {
    weights(`a tail of ${JSON.stringify(tail.slice(0, 4))}`, Buffer.concat([sound, Buffer.from(tail, 'latin1')]));
  }
  const texts: Readonly<Record<string, string>> = {
    'an array': '[]',
    null: 'null',
    'a number': '1',
    nothing: '',
    spaces: '    ',
    'a byte order mark': `\ufeff${json}`,
    'text after it': `${json}x`,
    'NUL after it': `${json}\0`,
    'a comment': `/* */${json}`,
    'a trailing comma': `${json.slice(0, -1)},}`,
    'single quotes': json.replaceAll('"', "'"),
    NaN: json.replace('"F32"', 'NaN'),
    'nested 10,000 deep': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    'nested 10,000 arrays': '['.repeat(10_000),
    'a name twice': json.replace('{', `{"${first}":${JSON.stringify(header[first])},`),
    'a name twice, once escaped': json.replace('{', `{"\\u0062${first.slice(1)}":${JSON.stringify(header[first])},`),
    'metadata that is a list': json.replace('{', '{"__metadata__":[],'),
    'metadata of numbers': json.replace('{', '{"__metadata__":{"a":1},'),
    'metadata twice': json.replace('{', '{"__metadata__":{},"__metadata__":{},'),
    'a leading zero': json.replace('"shape":[10', '"shape":[010'),
    'an exponent': json.replace('"shape":[10', '"shape":[1e1'),
    'a float': json.replace('"shape":[10', '"shape":[10.0'),
    'minus zero': json.replace('"data_offsets":[0', '"data_offsets":[-0'),
  };
  for (const [what, header_] of Object.entries(texts)) weights(`a header with ${what}`, safetensors(header_, data));
  weights('a header that is not UTF-8', Buffer.concat([length(4n), Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), data]));
  for (const shape of [[-1], ['4'], [2 ** 53], [1.5], null, 'x', {}, [[4]], new Array<number>(9).fill(1), [2 ** 31]]) {
    weights(`a shape of ${JSON.stringify(shape).slice(0, 30)}`, entry({ shape }));
  }
  for (const shape of [
    '[0,4611686018427387904,8]',
    '[4611686018427387904,8,0]',
    '[18446744073709551616]',
    '[4294967296,4294967296]',
  ]) {
    weights(`a shape of ${shape}`, safetensors(json.replace('"shape":[10,4]', `"shape":${shape}`), data));
  }
  for (const offsets of [
    [160, 0],
    [0],
    [0, 160, 320],
    [-1, 159],
    [0, 2 ** 60],
    ['0', '160'],
    null,
    [0, 161],
    [0, 159],
    [1, 161],
  ]) {
    weights(`offsets of ${JSON.stringify(offsets)}`, entry({ data_offsets: offsets }));
  }
  for (const dtype of ['F33', '', null, 1, 'f32', 'I64', 'BOOL', 'F4', 'F6_E2M3', 'C64', 'F64', 'F16', '__proto__']) {
    weights(`a dtype ${JSON.stringify(dtype)}`, entry({ dtype }));
  }
  for (const name of [
    '',
    '\0',
    'a\nb',
    '\\ud800',
    'x'.repeat(513),
    'x'.repeat(2 ** 20),
    '../../etc/passwd',
    '__proto__',
  ]) {
    weights(
      `a tensor named ${JSON.stringify(name.slice(0, 20))}`,
      safetensors(
        json.replace(
          '{',
          `{"${name.startsWith('\\') ? name : JSON.stringify(name).slice(1, -1)}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},`,
        ),
        data,
      ),
    );
  }
  const swapped = { ...header };
  const second = Object.keys(header)[1]!;
  [swapped[first], swapped[second]] = [header[second]!, header[first]!];
  weights('two tensors exchanged', safetensors(swapped, data));
  weights(
    'ten tensors in one place',
    safetensors(
      Object.fromEntries(
        Object.keys(header)
          .slice(0, 10)
          .map((name) => [name, header[first]]),
      ),
      data.subarray(0, 160),
    ),
  );
  weights(
    '70,000 tensors',
    safetensors(
      `{${Array.from({ length: 70_000 }, (_, i) => `"t${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`).join()}}`,
    ),
  );
  weights(
    '60,000 tensors of another model',
    safetensors(
      `{${Array.from({ length: 60_000 }, (_, i) => `"t${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`).join()}}`,
    ),
  );
  for (const name of Object.keys(header)) {
    const { [name]: _, ...rest } = soundTensors();
    const without = layOut(rest);
    weights(`without ${name}`, safetensors(without.header, without.data), 'any');
    for (const [what, value] of [
      ['NaN', NaN],
      ['infinity', Infinity],
    ] as const) {
      const bytes = Buffer.from(data);
      bytes.writeFloatLE(value, header[name]!.data_offsets[0]!);
      weights(`${name} holds ${what}`, safetensors(header, bytes));
    }
  }
  return [...cases, ...indexCases(sound)];
}

function indexCases(sound: Buffer): Case[] {
  const tensors = Object.keys(soundTensors());
  const map = (shard: unknown) => ({ weight_map: Object.fromEntries(tensors.map((name) => [name, shard])) });
  const SHARD = 'model-00001-of-00001.safetensors';
  const whole = { [WEIGHTS]: undefined, [SHARD]: sound };
  const cases: Case[] = [
    { name: 'index/sound', files: { ...whole, [INDEX]: JSON.stringify(map(SHARD)) }, expect: 'accepted' },
  ];
  const index = (what: string, json: unknown) => {
    const text = typeof json === 'string' ? json : JSON.stringify(json);
    cases.push(refused(`index/${what}`, { ...whole, [INDEX]: text }));
  };
  const names = [
    '../x.safetensors',
    '/etc/passwd',
    '/etc/x.safetensors',
    'a/b.safetensors',
    'a\\b.safetensors',
    'C:x.safetensors',
  ]
    .concat([
      '%2e%2e.safetensors',
      '..',
      '.',
      '',
      '.safetensors',
      'x.bin',
      'CON.safetensors',
      'a\0.safetensors',
      '~.safetensors',
    ])
    .concat([
      'x'.repeat(300) + '.safetensors',
      'model\u202e.safetensors',
      'absent.safetensors',
      'http://x.safetensors',
      '-.safetensors ',
    ]);
  for (const name of names) index(`a shard named ${JSON.stringify(name.slice(0, 40))}`, map(name));
  for (const odd of [null, 1, true, [], {}, [SHARD]]) index(`a shard that is ${JSON.stringify(odd)}`, map(odd));
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '{}',
    '{"weight_map":[]}',
    '{"weight_map":{}}',
    '{"weight_map":null}',
    '{"weight_map":"x"}',
  ]) {
    index(`the text ${JSON.stringify(text)}`, text);
  }
  const unread = { weight_map: { ...map(SHARD).weight_map, extra: SHARD } };
  const { [tensors[0]!]: _, ...rest } = map(SHARD).weight_map;
  // What lies in the shards counts.
  for (const [what, table] of [
    ['a tensor that no shard has and nothing reads', unread],
    ['a tensor left out', { weight_map: rest }],
  ] as const) {
    cases.push({ name: `index/${what}`, files: { ...whole, [INDEX]: JSON.stringify(table) }, expect: 'accepted' });
  }
  index('2,000 shards', {
    weight_map: Object.fromEntries(Array.from({ length: 2000 }, (_unused, i) => [`t${i}`, `s${i}.safetensors`])),
  });
  index('300,000 tensors', {
    weight_map: Object.fromEntries(Array.from({ length: 300_000 }, (_unused, i) => [`t${i}`, SHARD])),
  });
  index('a depth of 10,000', `{"weight_map":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_001)}`);
  cases.push(refused('index/itself as a shard', { [WEIGHTS]: undefined, [INDEX]: JSON.stringify(map(INDEX)) }));
  const arranged = (what: string, arrange: (folder: string) => void, expect: Case['expect'] = 'refused') => {
    cases.push({ name: `index/${what}`, files: { ...whole, [INDEX]: JSON.stringify(map(SHARD)) }, arrange, expect });
  };
  arranged('a shard that is a folder', (folder) => {
    rmSync(join(folder, SHARD));
    mkdirSync(join(folder, SHARD));
  });
  arranged('a shard that is a FIFO', (folder) => {
    rmSync(join(folder, SHARD));
    execFileSync('mkfifo', [join(folder, SHARD)]);
  });
  arranged('a shard that is a link to a device', (folder) => {
    rmSync(join(folder, SHARD));
    symlinkSync('/dev/zero', join(folder, SHARD));
  });
  arranged('a shard that is a link out of the folder', (folder) => {
    writeFileSync(join(folder, '..', 'outside.safetensors'), sound);
    rmSync(join(folder, SHARD));
    symlinkSync('../outside.safetensors', join(folder, SHARD));
  });
  arranged('a shard that is a link in a circle', (folder) => {
    rmSync(join(folder, SHARD));
    symlinkSync(SHARD, join(folder, SHARD));
  });
  arranged(
    'a shard that is a link inside the folder',
    (folder) => {
      writeFileSync(join(folder, 'real.safetensors'), sound);
      rmSync(join(folder, SHARD));
      symlinkSync('real.safetensors', join(folder, SHARD));
    },
    'accepted',
  );
  for (const file of ['config.json', WEIGHTS, 'tokenizer.json', 'vocab.txt']) {
    cases.push({
      name: `files/${file} is a folder`,
      // With a tokenizer.json, vocab.txt is not looked at.
      files: file === 'vocab.txt' ? { 'tokenizer.json': undefined } : {},
      arrange: (folder) => {
        rmSync(join(folder, file));
        mkdirSync(join(folder, file));
      },
      expect: 'refused',
    });
    cases.push(
      either(`files/${file} is absent`, { [file]: undefined }),
      either(`files/${file} is empty`, { [file]: '' }),
    );
  }
  return cases;
}
