import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { SENTENCEPIECE_MODELS, type TokenizerFiles } from '../../../src/convert/checkpoint';
import { prepareTokenizer } from '../../../src/convert/tokenizer/prepare-tokenizer';
import { type JsonObject, parseJson } from '../../../src/support/json';

interface Case {
  readonly name: string;
  /** model_type of config.json; bert when absent. */
  readonly modelType?: string;
  readonly files: Readonly<Record<string, unknown>>;
  /** The backend tokenizer of transformers' AutoTokenizer for the same files. */
  readonly expected: Readonly<Record<string, unknown>>;
  /** Whether it tells its model segments. */
  readonly givesSegments: boolean;
}

const cases = JSON.parse(readFileSync(join(__dirname, 'fixtures/tokenizers.json'), 'utf8')) as Case[];

function tokenizerFiles(files: Readonly<Record<string, unknown>>): TokenizerFiles {
  const json = (name: string) =>
    files[name] === undefined ? undefined : (parseJson(JSON.stringify(files[name]), { what: name }) as JsonObject);
  return {
    tokenizer: json('tokenizer.json'),
    config: json('tokenizer_config.json'),
    specialTokens: json('special_tokens_map.json'),
    addedTokens: json('added_tokens.json'),
    vocabulary: files['vocab.txt'] as string | undefined,
    vocabularyTable: json('vocab.json'),
    merges: files['merges.txt'] as string | undefined,
    sentencePiece: SENTENCEPIECE_MODELS.filter((name) => name in files).map((name) => ({
      name,
      bytes: Buffer.from((files[name] as { readonly base64: string }).base64, 'base64'),
    }))[0],
  };
}

function prepare(files: Readonly<Record<string, unknown>>, modelType = 'bert') {
  return prepareTokenizer(tokenizerFiles(files), 'checkpoint', { modelType });
}

/** Decoders turn ids back into text, which nothing here does. */
function withoutDecoder(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...json, decoder: null };
}

const NAMED = { model_input_names: ['input_ids', 'token_type_ids'], tokenizer_class: 'PreTrainedTokenizerFast' };
const VOCABULARY = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n';

describe('prepareTokenizer', () => {
  it.each(cases)('gives what transformers gives: $name', ({ modelType, files, expected, givesSegments }) => {
    const { json: own, numSegments } = prepare(files, modelType);
    const json = JSON.parse(JSON.stringify(own)) as Record<string, unknown>;
    expect(withoutDecoder(json)).toEqual(withoutDecoder(expected));
    expect(numSegments !== undefined).toBe(givesSegments);
  });

  it('counts the segments of its template, two at least', () => {
    const json = prepare({ 'vocab.txt': VOCABULARY }).json;
    const piece = (type_id: unknown) => ({ Sequence: { id: 'A', type_id } });
    const template = (...ids: unknown[]) => ({
      type: 'TemplateProcessing',
      single: [piece(0)],
      pair: ids.map(piece),
      special_tokens: {},
    });
    const bytes = { type: 'ByteLevel' };
    const count = (post_processor: unknown) =>
      prepare({ 'tokenizer.json': { ...json, post_processor }, 'tokenizer_config.json': NAMED }).numSegments;
    expect(count(template(0, 0))).toBe(2);
    expect(count(template(0, 3))).toBe(4);
    expect(count({ type: 'Sequence', processors: [bytes, template(2, 1)] })).toBe(3);
    expect(count(bytes)).toBe(2);
    // What the tokenizer refuses when it is loaded.
    expect(count(template('7', 1e9, -1, 0.5))).toBe(2);
  });

  it('knows the ids of the special tokens', () => {
    expect(prepare({ 'vocab.txt': VOCABULARY }).ids).toMatchObject({ pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 });
  });

  it.each([
    ['BertProcessing', { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] }],
    ['the class itself', undefined],
    [
      'a sequence',
      { type: 'Sequence', processors: [{ type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] }] },
    ],
  ])('gives a model no segments that model_input_names does not ask for: of %s', (_, processor) => {
    const own = { ...prepare({ 'vocab.txt': VOCABULARY }).json, post_processor: processor };
    const segments = (names: readonly string[] | undefined) => {
      const config = names === undefined ? {} : { 'tokenizer_config.json': { model_input_names: names } };
      const files = processor === undefined ? { 'vocab.txt': VOCABULARY } : { 'tokenizer.json': own };
      const text = JSON.stringify(prepare({ ...files, ...config }).json['post_processor']);
      return [...new Set(text.match(/(?<="type_id":)\d/g) ?? [text.includes('BertProcessing') ? '1' : '?'])]
        .sort()
        .at(-1);
    };
    expect(segments(undefined)).toBe('1');
    expect(segments(['input_ids', 'token_type_ids', 'attention_mask'])).toBe('1');
    expect(segments(['input_ids', 'attention_mask'])).toBe('0');
  });

  it('drops truncation and padding that training left in tokenizer.json', () => {
    const { json } = prepare({ 'vocab.txt': VOCABULARY });
    const prepared = prepare({ 'tokenizer.json': { ...json, truncation: { max_length: 3 }, padding: {} } });
    expect([prepared.json['truncation'], prepared.json['padding']]).toEqual([null, null]);
  });

  it('warns when tokenizer_config.json overrules tokenizer.json', () => {
    const { json } = prepare({ 'vocab.txt': VOCABULARY });
    const prepared = prepare({ 'tokenizer.json': json, 'tokenizer_config.json': { do_lower_case: false } });
    expect(prepared.warnings.join()).toContain('lowercase = false');
    expect(prepared.lowercase).toBe(false);
  });

  it('makes of a tokenizer.json of BERT what it makes of its vocabulary alone, as transformers 5', () => {
    const { json } = prepare({ 'vocab.txt': VOCABULARY });
    const { vocab } = json['model'] as JsonObject;
    const model = { type: 'WordPiece', unk_token: '[PAD]', continuing_subword_prefix: '', vocab };
    const other = { ...json, normalizer: { type: 'Lowercase' }, pre_tokenizer: { type: 'Whitespace' }, model };
    const prepared = prepare({ 'tokenizer.json': other });
    expect(prepared.json).toEqual(json);
    expect(prepared.vocabulary.continuingPrefix).toBe('##');
    expect(prepared.warnings.join()).toContain('BertTokenizer brings its own normalizer and pre_tokenizer');
    const unclean = { ...json, normalizer: { ...(json['normalizer'] as JsonObject), clean_text: false } };
    expect(prepare({ 'tokenizer.json': unclean }).json).toEqual(json);
  });

  it.each(['umt5', 'ministral', 'granite', 'mistral'])('takes a tokenizer.json of %s as it is', (type) => {
    const { json } = prepare({ 'vocab.txt': VOCABULARY });
    const own = { ...json, pre_tokenizer: { type: 'Whitespace' } };
    const files = { 'tokenizer.json': own, 'tokenizer_config.json': { tokenizer_class: 'MPNetTokenizer' } };
    expect(prepare(files, type).json['pre_tokenizer']).toEqual({ type: 'Whitespace' });
  });

  it.each([
    ['BPE', { type: 'BPE', vocab: { a: 0 }, merges: [] }],
    ['Unigram', { type: 'Unigram', unk_id: 0, vocab: [['a', 0]] }],
  ])('refuses %s for BERT, and says how it is read all the same', (_, model) => {
    const { json } = prepare({ 'vocab.txt': VOCABULARY });
    const files = { 'tokenizer.json': { ...json, model } };
    for (const type of ['bert', 'distilbert', 'electra', 'nomic_bert']) {
      expect(() => prepare(files, type)).toThrow(/no tokenizer_class.*PreTrainedTokenizerFast/);
    }
    const named = (tokenizer_class: string) => ({ ...files, 'tokenizer_config.json': { tokenizer_class } });
    expect(() => prepare(named('BertTokenizer'))).toThrow(/BertTokenizer has a WordPiece vocabulary/);
    expect(prepare(named('PreTrainedTokenizerFast')).vocabulary.model).toBe(model.type);
  });

  it.each([
    ['MBartTokenizer', 'MBartTokenizer has no normalizer: that of tokenizer.json is passed over, as in transformers 5'],
    [
      'MBart50Tokenizer',
      'MBart50Tokenizer brings its own normalizer and pre_tokenizer: those of tokenizer.json are passed over, as in transformers 5',
    ],
  ])('says what %s makes of a normalizer and words of others', (tokenizer_class, warning) => {
    const { files } = cases.find(({ name }) => name === 'xlm-roberta')!;
    const tokenizer = files['tokenizer.json'] as {
      normalizer: { normalizers: object[] };
      model: { vocab: [string, number][] };
    };
    const [normalizer] = tokenizer.normalizer.normalizers;
    const vocab = [...tokenizer.model.vocab, ['en_XX', 0]];
    const words = prepare(files, 'xlm-roberta').json['pre_tokenizer'];
    const json = { ...tokenizer, normalizer, pre_tokenizer: words, model: { ...tokenizer.model, vocab } };
    const prepared = prepare({ 'tokenizer.json': json, 'tokenizer_config.json': { tokenizer_class } }, 'mbart');
    expect(prepared.warnings).toEqual([warning]);
  });

  it('reads the length limit and takes 1e30 for none', () => {
    const limit = (value: unknown) =>
      prepare({ 'vocab.txt': VOCABULARY, 'tokenizer_config.json': { model_max_length: value } }).maxLength;
    expect(limit(384)).toBe(384);
    expect(limit(1e30)).toBeUndefined();
    expect(limit(null)).toBeUndefined();
  });

  it('has no token for blank lines at the end of vocab.txt, but counts them before added tokens', () => {
    const files = { 'vocab.txt': `${VOCABULARY}\n\r\n` };
    const { json, tokens } = prepare(files);
    expect((json['model'] as JsonObject)['vocab']).toEqual(
      (prepare({ 'vocab.txt': VOCABULARY }).json['model'] as JsonObject)['vocab'],
    );
    expect([...tokens.values()]).not.toContain('');
    expect(prepare({ ...files, 'added_tokens.json': { new: 7 } }).tokens.get(7)).toBe('new');
  });

  it('has the newer of two limits', () => {
    const limits = { model_max_length: 128, max_len: 512 };
    expect(prepare({ 'vocab.txt': VOCABULARY, 'tokenizer_config.json': limits }).maxLength).toBe(128);
  });

  it('cuts long texts where transformers does', () => {
    const side = (files: Parameters<typeof prepare>[0]) => prepare(files).truncationSide;
    const vocabulary = { 'vocab.txt': VOCABULARY };
    expect(side(vocabulary)).toBe('right');
    expect(side({ ...vocabulary, 'tokenizer_config.json': { truncation_side: 'left' } })).toBe('left');
    const { json } = prepare(vocabulary);
    const file = (direction: string) => ({ 'tokenizer.json': { ...json, truncation: { direction, max_length: 9 } } });
    expect(side(file('Left'))).toBe('left');
    expect(side(file('Right'))).toBe('right');
    expect(side({ ...file('Left'), 'tokenizer_config.json': { truncation_side: 'right' } })).toBe('right');
  });

  it.each([
    ['no files at all', {}, 'tokenizer_missing'],
    [
      'vocab.txt for a generic class',
      { 'vocab.txt': VOCABULARY, 'tokenizer_config.json': { tokenizer_class: 'PreTrainedTokenizerFast' } },
      'tokenizer_missing',
    ],
    [
      'another class',
      { 'vocab.txt': VOCABULARY, 'tokenizer_config.json': { tokenizer_class: 'BertJapaneseTokenizer' } },
      'tokenizer_unsupported',
    ],
    [
      'tokenizers for versions',
      { 'vocab.txt': VOCABULARY, 'tokenizer_config.json': { fast_tokenizer_files: ['tokenizer.4.0.0.json'] } },
      'tokenizer_unsupported',
    ],
    [
      'null for a token that stands around texts',
      { 'vocab.txt': VOCABULARY, 'tokenizer_config.json': { sep_token: null } },
      'checkpoint_malformed',
    ],
    ['another model', { 'tokenizer.json': { model: { type: 'WordLevel', vocab: { a: 0 } } } }, 'tokenizer_unsupported'],
    ['no model', { 'tokenizer.json': {} }, 'tokenizer_unsupported'],
    ['an empty vocabulary', { 'tokenizer.json': { model: { type: 'WordPiece', vocab: {} } } }, 'checkpoint_malformed'],
    [
      'an id that is no integer',
      { 'tokenizer.json': { model: { type: 'WordPiece', vocab: { a: 0.5 } } } },
      'checkpoint_malformed',
    ],
    ['a negative id', { 'tokenizer.json': { model: { type: 'WordPiece', vocab: { a: -1 } } } }, 'checkpoint_malformed'],
    [
      'a huge id',
      { 'tokenizer.json': { model: { type: 'WordPiece', vocab: { a: 2 ** 40 } } } },
      'checkpoint_malformed',
    ],
    [
      'an id used twice',
      { 'tokenizer.json': { model: { type: 'WordPiece', vocab: { a: 0, b: 0 } } } },
      'checkpoint_malformed',
    ],
    [
      'an added token without id',
      { 'tokenizer.json': { added_tokens: [{ content: 'a' }], model: { type: 'WordPiece', vocab: { a: 0 } } } },
      'checkpoint_malformed',
    ],
    [
      'a limit of zero',
      { 'vocab.txt': VOCABULARY, 'tokenizer_config.json': { model_max_length: 0 } },
      'checkpoint_malformed',
    ],
  ])('refuses %s', (_, files, code) => {
    expect(() => prepare(files)).toThrow(expect.objectContaining({ code }));
  });
});
