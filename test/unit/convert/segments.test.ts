/** Which segments a tokenizer gives a model that has some, as transformers 5.18 does it, and what is said of them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { convert } from '../../../src/convert/convert';
import { readGgufHead } from '../../../src/gguf/reader';
import { type JsonObject, parseJson } from '../../../src/support/json';
import { ownTokenizer, writeFamily } from '../../golden/family-checkpoints';
import { family } from './describe-family';
import { counted, writeMicro } from './micro-checkpoint';
import { temporaryFolder } from './temp-folder';

const TOKENS = { '[CLS]': 2, '[SEP]': 3 };
const WITH = ['input_ids', 'token_type_ids', 'attention_mask'];
const WITHOUT = ['input_ids', 'attention_mask'];
const BYTES = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };

/** 'CLS:0 A:0 SEP:0' */
function template(single: string, pair: string): object {
  const pieces = (text: string) =>
    text.split(' ').map((part) => {
      const [name, segment] = part.split(':') as [string, string];
      const piece = { id: name.length > 1 ? `[${name}]` : name, type_id: Number(segment) };
      return name.length > 1 ? { SpecialToken: piece } : { Sequence: piece };
    });
  const special_tokens = Object.fromEntries(
    Object.entries(TOKENS).map(([id, token]) => [id, { id, ids: [token], tokens: [id] }]),
  );
  return { type: 'TemplateProcessing', single: pieces(single), pair: pieces(pair), special_tokens };
}

const TEXT = 'CLS:0 A:0 SEP:0';
const PAIR = template(TEXT, `${TEXT} B:1 SEP:1`);

/** The tokenizer of the families that have none of their own. */
function wordPiece() {
  const folder = path.join(__dirname, '../../fixtures/tokenizers/wordpiece-uncased');
  const read = (name: string) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Record<string, unknown>;
  return { tokenizer: read('tokenizer.json'), config: read('tokenizer_config.json') };
}

interface Given {
  /** Of the model. */
  readonly rows?: number;
  readonly names?: readonly string[] | undefined;
  readonly processor?: object;
  /** Further settings of the tokenizer. */
  readonly config?: object;
}

async function converted(tokenizer_class: string, { rows = 2, names, processor = PAIR, config }: Given = {}) {
  const vocab = { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, '[MASK]': 4, a: 5, b: 6 };
  const isWords = /Bert|Fast|Esm/.test(tokenizer_class) && !/Albert|RemBert/.test(tokenizer_class);
  const isPieces = /Albert|RemBert|BigBird/.test(tokenizer_class);
  const model = isWords
    ? { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab }
    : isPieces
      ? { type: 'Unigram', unk_id: 1, vocab: Object.keys(vocab).map((token) => [token, -1]) }
      : { type: 'BPE', vocab, merges: [] };
  const added = Object.entries(vocab).filter(([content]) => content.startsWith('['));
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const file = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.map(([content, id]) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: processor,
    decoder: null,
    model,
  };
  const roles = { pad: '[PAD]', unk: '[UNK]', cls: '[CLS]', sep: '[SEP]', mask: '[MASK]', bos: '[CLS]', eos: '[SEP]' };
  const named = Object.fromEntries(Object.entries(roles).map(([role, content]) => [`${role}_token`, content]));
  const folder = writeMicro({
    config: { type_vocab_size: rows },
    tensors: (tensors) => {
      tensors['bert.embeddings.token_type_embeddings.weight'] = counted(rows, 4);
    },
    files: {
      'tokenizer.json': JSON.stringify(file),
      'tokenizer_config.json': JSON.stringify({ ...named, tokenizer_class, model_input_names: names, ...config }),
    },
  });
  const output = path.join(folder, 'model.gguf');
  const { warnings } = await convert(folder, { output });
  const { metadata } = await readGgufHead(output);
  const text = String(metadata.get('tokenizer.huggingface.json')?.value);
  const { post_processor } = parseJson(text, { what: 'tokenizer.json' }) as { readonly post_processor: JsonObject };
  const written = JSON.stringify(post_processor);
  const segments = Array.from(written.matchAll(/"type_id":(\d)/g), ([, segment]) => Number(segment));
  return { written, highest: Math.max(-1, ...segments), warnings: warnings.join('\n') };
}

const KEPT = 'gives its model segments, as in transformers 4';

describe.each([
  'DistilBertTokenizer',
  'GPT2Tokenizer',
  'LlamaTokenizer',
  'Qwen2Tokenizer',
  'BigBirdTokenizer',
  'EsmTokenizer',
])('%s on BERT', (name) => {
  it('gives no segments unless it is asked for them', async () => {
    expect(await converted(name)).toMatchObject({ highest: 0 });
    expect(await converted(name, { names: WITHOUT })).toMatchObject({ highest: 0 });
    expect(await converted(name, { names: WITH })).toMatchObject({ highest: 1 });
    expect((await converted(name)).warnings).not.toContain(KEPT);
  });
});

describe.each(['AlbertTokenizer', 'RemBertTokenizer', 'PreTrainedTokenizerFast'])('%s on BERT', (name) => {
  it('keeps the segments of transformers 4, and says so', async () => {
    const own = await converted(name);
    expect(own.highest).toBe(1);
    expect(own.warnings).toContain(`${KEPT}, which trained it with them`);
    expect(own.warnings).toContain('its scores of pairs differ');
    expect((await converted(name, { names: WITH })).warnings).not.toContain(KEPT);
    expect((await converted(name, { rows: 1 })).warnings).not.toContain('segment');
    const without = await converted(name, { names: WITHOUT });
    expect([without.highest, without.warnings.includes(KEPT)]).toEqual([0, false]);
  });
});

it('takes return_token_type_ids from CodeGenTokenizer alone', async () => {
  const config = { return_token_type_ids: true };
  expect(await converted('CodeGenTokenizer', { config })).toMatchObject({ highest: 1 });
  expect(await converted('CodeGenTokenizer', { config, names: WITHOUT })).toMatchObject({ highest: 0 });
  expect(await converted('CodeGenTokenizer')).toMatchObject({ highest: 0 });
  expect(await converted('GPT2Tokenizer', { config })).toMatchObject({ highest: 0 });
});

it('keeps the segments of XLNet, which even a text has', async () => {
  const folder = temporaryFolder();
  await writeFamily(family('xlnet'), folder, 'safetensors', 'F32', ownTokenizer(family('xlnet')));
  const { warnings } = await convert(folder, { output: path.join(folder, 'model.gguf') });
  expect(warnings.join()).toMatch(/XLNetTokenizer gives its model segments, .* and its scores differ/);
});

describe('a template that adds nothing', () => {
  it.each([BYTES, { type: 'Sequence', processors: [BYTES, BYTES] }])('leaves no segments: %j', async (processor) => {
    const { written, highest } = await converted('GPT2Tokenizer', { processor });
    expect(highest).toBe(0);
    expect(written.match(/"ByteLevel"/g)).toHaveLength('processors' in processor ? 2 : 1);
    expect(await converted('GPT2Tokenizer', { processor, names: WITH })).toMatchObject({ highest: -1 });
    expect(await converted('GPT2Tokenizer', { processor, rows: 1 })).toMatchObject({ highest: -1 });
  });

  it('gives a pair segments where they are kept', async () => {
    const { warnings } = await converted('PreTrainedTokenizerFast', { processor: BYTES });
    expect(warnings).toContain('its scores of pairs differ');
  });
});

describe('a segment that the model has no row for', () => {
  const third = template(TEXT, `${TEXT} B:2 SEP:2`);
  const ofTexts = template('CLS:1 A:0 SEP:0', `${TEXT} B:0 SEP:0`);

  it.each([
    [third, 2, 2],
    [template('CLS:3 A:0 SEP:0', `${TEXT} B:0 SEP:0`), 3, 3],
    [ofTexts, 1, 1],
  ])('is refused', async (processor, rows, segment) => {
    const message = `the tokenizer gives segment ${segment}, and the model's type_vocab_size is ${rows}`;
    await expect(converted('GPT2Tokenizer', { processor, rows, names: WITH })).rejects.toMatchObject({
      code: 'tokenizer_unsupported',
      message: expect.stringContaining(message) as string,
    });
  });

  it('is none where there are more rows, or where none is given', async () => {
    expect(await converted('GPT2Tokenizer', { processor: third, rows: 3, names: WITH })).toMatchObject({ highest: 2 });
    expect(await converted('GPT2Tokenizer', { processor: third })).toMatchObject({ highest: 0 });
    expect((await converted('GPT2Tokenizer', { processor: ofTexts, rows: 1 })).warnings).not.toContain('segment');
  });

  it('is passed over in pairs of a model with one, with a warning', async () => {
    expect((await converted('BertTokenizer', { rows: 1 })).warnings).toContain('transformers fails on pairs');
    expect((await converted('BertTokenizer', { rows: 2 })).warnings).not.toContain('transformers fails');
    expect((await converted('BertTokenizer', { rows: 1, names: WITHOUT })).warnings).not.toContain('segment');
  });
});

it('says that scores depend on padding where transformers gives no mask', async () => {
  const message = 'model_input_names has no attention_mask';
  expect((await converted('BertTokenizer', { names: ['input_ids', 'token_type_ids'] })).warnings).toContain(message);
  expect((await converted('BertTokenizer', { names: WITH })).warnings).not.toContain(message);
  expect((await converted('BertTokenizer')).warnings).not.toContain(message);
});

it('says so where padding on the left is read, attended to or counted', async () => {
  const message = 'padding_side is left';
  expect((await converted('BertTokenizer', { config: { padding_side: 'left' } })).warnings).toContain(message);
  expect((await converted('BertTokenizer', { config: { padding_side: 'right' } })).warnings).not.toContain(message);
  const families = { roberta: true, gpt2: true, t5: true, opt: false, llama: false, xlnet: false };
  for (const [name, isMessage] of Object.entries(families)) {
    const own = ownTokenizer(family(name)) ?? wordPiece();
    const folder = temporaryFolder();
    const config = { ...own.config, padding_side: 'left' };
    await writeFamily(family(name), folder, 'safetensors', 'F32', { ...own, config });
    const { warnings } = await convert(folder, { output: path.join(folder, 'model.gguf') });
    expect(warnings.join().includes(message), name).toBe(isMessage);
  }
});
