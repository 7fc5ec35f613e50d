/** Hand-made config.json, tokenizer.json, tokenizer_config.json, vocab.txt and bpe.codes. */
import { type Case, either, refused } from '../case';
import { jsonVariants } from '../random';
import { CONFIG, SUBWORDS, TOKENIZER, TOKENIZER_CONFIG, TWEETS, VOCAB_TXT } from '../sound';

/** Fewer odd values than the mutants have: each key gets one of each kind. */
const ODD: readonly unknown[] = [null, -1, 0, 2 ** 53, 1e308, 'x', [], { a: {} }];

const DOCUMENTS: Readonly<Record<string, string>> = {
  nothing: '',
  'an open brace': '{',
  'an array': '[]',
  null: 'null',
  'a byte order mark': '\ufeff{}',
  'UTF-16': Buffer.from('{"a":1}', 'utf16le').toString('latin1'),
  'nested 100,000 deep': '['.repeat(100_000),
  'nested 100,000 objects': '{"a":'.repeat(100_000),
  'a key twice': '{"model_type":"bert","model_type":"bert"}',
  __proto__: '{"__proto__":{"model_type":"bert"}}',
  'constructor.prototype': '{"constructor":{"prototype":{"x":1}}}',
  NaN: '{"vocab_size":NaN}',
  Infinity: '{"vocab_size":Infinity}',
  'an open string': '{"a":"',
  'a bad escape': '{"a":"\\x"}',
  'half a surrogate': '{"a":"\\ud800"}',
  'a control character': '{"a":"\u0001"}',
  'a number of 100,000 digits': `{"vocab_size":${'9'.repeat(100_000)}}`,
};

export function textFileCases(): Case[] {
  const cases: Case[] = [];
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    for (const [what, text] of Object.entries(DOCUMENTS)) cases.push(either(`${file}/${what}`, { [file]: text }));
  }
  const variants = (file: string, sound: object) => {
    let count = 0;
    for (const changed of jsonVariants(sound, ODD)) {
      cases.push(either(`${file}/variant ${count++}`, { [file]: JSON.stringify(changed) }));
    }
  };
  variants('config.json', CONFIG);
  variants('tokenizer_config.json', TOKENIZER_CONFIG);
  variants('tokenizer.json', { ...TOKENIZER, added_tokens: TOKENIZER.added_tokens.slice(0, 1) });
  cases.push(
    refused('config.json/5 MiB', { 'config.json': JSON.stringify({ ...CONFIG, x: 'x'.repeat(5 * 2 ** 20) }) }),
  );
  const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, id) => [id, `l${id}`]));
  cases.push(
    refused('config.json/70,000 labels', {
      'config.json': JSON.stringify({ ...CONFIG, id2label: labels(70_000), label2id: undefined }),
    }),
  );
  tokenizers(cases);
  vocabularies(cases);
  subwords(cases);
  return cases;
}

function tokenizers(cases: Case[]): void {
  const tokenizer = (what: string, json: unknown) => {
    cases.push(either(`tokenizer.json/${what}`, { 'tokenizer.json': JSON.stringify(json) }));
  };
  const model = (changes: object) => ({ ...TOKENIZER, model: { ...TOKENIZER.model, ...changes } });
  tokenizer(
    'a vocabulary of 250,000',
    model({ vocab: Object.fromEntries(Array.from({ length: 250_000 }, (_, id) => [`t${id}`, id])) }),
  );
  tokenizer('100,000 added tokens', {
    ...TOKENIZER,
    added_tokens: Array.from({ length: 100_000 }, (_, id) => ({
      ...TOKENIZER.added_tokens[0],
      id,
      content: `[T${id}]`,
    })),
  });
  tokenizer('1,000 added tokens of one content', {
    ...TOKENIZER,
    added_tokens: Array.from({ length: 1000 }, (_, id) => ({ ...TOKENIZER.added_tokens[0], id })),
  });
  for (const pattern of ['(a+)+$', '(a|a)*b', '.*.*.*.*.*x', '(?=a)'.repeat(1000), '[', '\\']) {
    const split = { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
    tokenizer(`split at ${pattern.slice(0, 12)}`, { ...TOKENIZER, pre_tokenizer: split });
    const replace = { type: 'Replace', pattern: { Regex: pattern }, content: 'x' };
    tokenizer(`replacing ${pattern.slice(0, 12)}`, { ...TOKENIZER, normalizer: replace });
  }
  for (const type of [
    'Sequence',
    'NFC',
    'NFKC',
    'Lowercase',
    'Precompiled',
    'Prepend',
    'ByteLevel',
    'Metaspace',
    'Digits',
    'Nmt',
  ]) {
    tokenizer(`normalizer ${type}`, { ...TOKENIZER, normalizer: { type } });
    tokenizer(`pre-tokenizer ${type}`, { ...TOKENIZER, pre_tokenizer: { type } });
  }
  const nested = (depth: number, key: string): unknown =>
    depth === 0 ? null : { type: 'Sequence', [key]: [nested(depth - 1, key)] };
  tokenizer('normalizers nested 50 deep', { ...TOKENIZER, normalizer: nested(25, 'normalizers') });
  tokenizer('10,000 normalizers', {
    ...TOKENIZER,
    normalizer: { type: 'Sequence', normalizers: new Array<object>(10_000).fill({ type: 'Lowercase' }) },
  });
  tokenizer('a broken charsmap', {
    ...TOKENIZER,
    normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA////' },
  });
  for (const type of ['BPE', 'Unigram', 'WordLevel', '', 'WordPiece\0'])
    tokenizer(`model ${JSON.stringify(type)}`, model({ type }));
  tokenizer('merges of themselves', model({ type: 'BPE', merges: [['a', 'a'], 'a a', ['b', 'zz'], [], 1] }));
  tokenizer('100,000 merges', model({ type: 'BPE', merges: Array.from({ length: 100_000 }, () => ['a', 'b']) }));
  tokenizer(
    'a Unigram of odd scores',
    model({ type: 'Unigram', unk_id: 99, vocab: [['a', 1e308], ['b', -1e308], ['', 0], ['c']] }),
  );
  const template = (single: unknown) => ({
    ...TOKENIZER,
    post_processor: { type: 'TemplateProcessing', single, pair: [], special_tokens: {} },
  });
  tokenizer('a template of 100,000', template(new Array<object>(100_000).fill({ Sequence: { id: 'A', type_id: 0 } })));
  tokenizer('a template with an unknown token', template([{ SpecialToken: { id: '[ZZ]', type_id: 0 } }]));
  tokenizer('a template with a segment of 2^31', template([{ Sequence: { id: 'A', type_id: 2 ** 31 } }]));
}

function subwords(cases: Case[]): void {
  const files = (vocabulary: string, codes: string) => ({ ...SUBWORDS, 'vocab.txt': vocabulary, 'bpe.codes': codes });
  cases.push({ name: 'bpe.codes/sound', files: SUBWORDS, expect: 'accepted' });
  cases.push({ name: 'bpe.codes/sound, of tweets', files: TWEETS, expect: 'accepted' });
  const changed = (what: string, vocabulary: string, codes: string) =>
    cases.push(either(`bpe.codes/${what}`, files(vocabulary, codes)));
  const { 'vocab.txt': vocabulary, 'bpe.codes': codes } = SUBWORDS;
  changed('nothing', '', '');
  changed('2 MiB of spaces', `${' '.repeat(2 ** 21)}x ${' '.repeat(2 ** 21)}9\n`, `${' '.repeat(2 ** 21)}a b 9\n`);
  changed('a merge of 10 MiB', vocabulary, `${'x'.repeat(10 * 2 ** 20)} b 9\n${codes}`);
  changed('200,000 merges of ever longer symbols', vocabulary, 'a a 1\n'.repeat(200_000));
  changed('symbols that double', vocabulary, doublings(22));
  changed('marks in the merges', 'a</w> 1\n@@ 2\n@@@@ 3\n', '@@ @@ 1\n</w> </w> 1\na </w> 2\n');
  changed('separators that only Python knows', `a\x1c 1\x1f\n`, 'a\x1cb\x1d3\n');
}

/** "a a", "aa aa", ...: each makes a symbol as long as all before it. */
function doublings(count: number): string {
  return Array.from({ length: count }, (_, power) => `${'a'.repeat(2 ** power)} ${'a'.repeat(2 ** power)} 1\n`).join(
    '',
  );
}

function vocabularies(cases: Case[]): void {
  const vocabulary = (what: string, text: Uint8Array | string) => {
    cases.push(either(`vocab.txt/${what}`, { 'vocab.txt': text, 'tokenizer.json': undefined }));
  };
  cases.push({
    name: 'vocab.txt/sound',
    files: { 'vocab.txt': VOCAB_TXT, 'tokenizer.json': undefined },
    expect: 'accepted',
  });
  vocabulary('nothing', '');
  vocabulary('one line', '[UNK]');
  vocabulary('no special tokens', 'a\nb\nc\n');
  vocabulary('a line twice', `${VOCAB_TXT}a\n`);
  vocabulary('Windows lines', VOCAB_TXT.replaceAll('\n', '\r\n'));
  vocabulary('a byte order mark', `\ufeff${VOCAB_TXT}`);
  vocabulary('NUL', `${VOCAB_TXT}\0\n`);
  vocabulary('not UTF-8', Buffer.concat([Buffer.from(VOCAB_TXT), Buffer.from([0xff, 0xfe, 0x0a])]));
  vocabulary('a line of 10 MiB', `${VOCAB_TXT}${'x'.repeat(10 * 2 ** 20)}\n`);
  vocabulary('more tokens than rows', `${VOCAB_TXT}${'x\ny\nz\nw\nv\n'}`);
  vocabulary('2,200,000 lines', '\n'.repeat(2_200_000));
  vocabulary('250,000 lines', Array.from({ length: 250_000 }, (_, i) => `t${i}`).join('\n'));
  vocabulary('empty lines', `${VOCAB_TXT}\n\n\n`);
  vocabulary('2 MiB of spaces before a token', `${VOCAB_TXT}${' '.repeat(2 ** 21)}x\n`);
  vocabulary('spaces', VOCAB_TXT.replaceAll('\n', ' \n'));
  vocabulary('no last line end', VOCAB_TXT.trimEnd());
  vocabulary('prefixes alone', VOCAB_TXT.replace('##c', '##'));
}
