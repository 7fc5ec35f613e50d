/**
 * The tokenizer classes of transformers 5: the special tokens that each has by default, and the pipeline that it builds
 * around the vocabulary of tokenizer.json. Some classes take that file as it is; most build their own normalizer,
 * pre-tokenizer and template and take only vocabulary and merges from it.
 */
import { EncoderError } from '../../errors';
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { MBART50_LANGUAGES, MBART_LANGUAGES } from './language-codes';
import type { Piece } from '../readers/sentencepiece';
import {
  BYTE_PAIRS,
  CHARACTER_PAIRS,
  QWEN2_REGEX,
  QWEN35_REGEX,
  bertNormalizer,
  byteLevel,
  metaspace,
  object,
  replace,
  robertaProcessing,
  sequenceOf,
  split,
  splitThenBytes,
  template,
} from './tokenizer-components';
import {
  BERT_TOKENS,
  PLAIN_QUOTES,
  ROBERTA_TOKENS,
  SENTENCEPIECE_BERT_TOKENS,
  type Pipeline,
  type PipelineSource,
  type ScoredToken,
  type TokenizerClass,
  scored,
  sentencePieceWords,
  spacedWords,
  templateOf,
  unigram,
} from './tokenizer-class';
import { tweetNormalizer } from './tweet-normalizer';
import type { Vocabulary } from './vocabulary';

export const GENERIC: TokenizerClass = {
  name: 'TokenizersBackend',
  defaults: {},
  losesSegments: true,
  arrange: scored,
};

function wordPiecePipeline({ config, token }: PipelineSource): Pipeline {
  return {
    normalizer: bertNormalizer(config),
    pre_tokenizer: object({ type: 'BertPreTokenizer' }),
    model: object({ unk_token: token('unk'), continuing_subword_prefix: '##', max_input_chars_per_word: 100 }),
  };
}

export const BERT: TokenizerClass = {
  name: 'BertTokenizer',
  model: 'WordPiece',
  defaults: BERT_TOKENS,
  givesSegments: true,
  build: wordPiecePipeline,
  template: templateOf('cls:0 A:0 sep:0', 'cls:0 A:0 sep:0 B:1 sep:1'),
};

export const DISTILBERT: TokenizerClass = { ...BERT, givesSegments: false };

export const MPNET: TokenizerClass = {
  name: 'MPNetTokenizer',
  model: 'WordPiece',
  defaults: { ...ROBERTA_TOKENS, unk: '[UNK]' },
  maskTakesSpace: true,
  build: wordPiecePipeline,
  template: ({ token }, id) =>
    robertaProcessing([token('sep'), id('sep')], [token('cls'), id('cls')], { trim: true, prefixSpace: false }),
};

function byteLevelPipeline({ config }: PipelineSource): Pipeline {
  const pre_tokenizer = byteLevel({ prefixSpace: config.boolean('add_prefix_space', false) });
  return { normalizer: null, pre_tokenizer, model: BYTE_PAIRS };
}

export const GPT2: TokenizerClass = {
  name: 'GPT2Tokenizer',
  model: 'BPE',
  defaults: { unk: '<|endoftext|>', bos: '<|endoftext|>', eos: '<|endoftext|>' },
  build: byteLevelPipeline,
};

export const OPENAI_GPT: TokenizerClass = {
  name: 'OpenAIGPTTokenizer',
  model: 'BPE',
  defaults: { unk: '<unk>' },
  build: ({ token }) => ({
    normalizer: object({
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    }),
    pre_tokenizer: object({ type: 'BertPreTokenizer' }),
    model: object({ ...BYTE_PAIRS, unk_token: token('unk'), end_of_word_suffix: '</w>' }),
  }),
};

export const CODEGEN: TokenizerClass = { ...GPT2, name: 'CodeGenTokenizer', mayGiveSegments: true };

export const GPT_NEOX: TokenizerClass = {
  name: 'GPTNeoXTokenizer',
  model: 'BPE',
  defaults: { unk: '<|endoftext|>', bos: '<|endoftext|>', eos: '<|endoftext|>', pad: '<|padding|>' },
  build: (source) => ({ ...byteLevelPipeline(source), normalizer: object({ type: 'NFC' }) }),
  dropsTemplate: true,
};

export const ROBERTA: TokenizerClass = {
  name: 'RobertaTokenizer',
  model: 'BPE',
  defaults: ROBERTA_TOKENS,
  build: byteLevelPipeline,
  template: ({ config, token }, id) =>
    robertaProcessing([token('sep'), id('sep')], [token('cls'), id('cls')], {
      trim: config.boolean('trim_offsets', true),
      prefixSpace: config.boolean('add_prefix_space', false),
    }),
};

/** Written in Python: words as they stand between white space, merged before they are looked for in the vocabulary. */
export const PHOBERT: TokenizerClass = {
  name: 'PhobertTokenizer',
  model: 'BPE',
  defaults: ROBERTA_TOKENS,
  subwords: ['bos', 'pad', 'eos', 'unk'],
  givesFirstOddToken: true,
  build: ({ token }) => ({
    normalizer: null,
    pre_tokenizer: object({ ...split({ Regex: '[^\\s\\x1c-\\x1f]+\\n?' }, 'Removed'), invert: true }),
    model: object({
      ...BYTE_PAIRS,
      unk_token: token('unk'),
      end_of_word_suffix: '</w>',
      continuing_subword_suffix: '@@',
    }),
  }),
  template: templateOf('cls:0 A:0 sep:0', 'cls:0 A:0 sep:0 sep:0 B:0 sep:0'),
};

export const BERTWEET: TokenizerClass = {
  ...PHOBERT,
  name: 'BertweetTokenizer',
  build: (source) => {
    const pipeline = PHOBERT.build!(source);
    return source.config.boolean('normalization', false) ? { ...pipeline, normalizer: tweetNormalizer() } : pipeline;
  },
};

export const DEBERTA: TokenizerClass = {
  name: 'DebertaTokenizer',
  givesSegments: true,
  model: 'BPE',
  defaults: SENTENCEPIECE_BERT_TOKENS,
  build: byteLevelPipeline,
  template: templateOf('cls:0 A:0 sep:0', 'cls:0 A:0 sep:0 sep:0 B:0 sep:0'),
};

export const QWEN2 = qwenTokenizer('Qwen2Tokenizer', QWEN2_REGEX);
export const QWEN35 = qwenTokenizer('Qwen3_5Tokenizer', QWEN35_REGEX);

function qwenTokenizer(name: string, words: string): TokenizerClass {
  return {
    name,
    model: 'BPE',
    defaults: { unk: '<|endoftext|>', eos: '<|endoftext|>', pad: '<|endoftext|>' },
    build: ({ config }) => ({
      normalizer: object({ type: 'NFC' }),
      pre_tokenizer: splitThenBytes(words, config.boolean('add_prefix_space', false)),
      model: BYTE_PAIRS,
    }),
  };
}

export const LLAMA: TokenizerClass = {
  name: 'LlamaTokenizer',
  model: 'BPE',
  defaults: { unk: '<unk>', bos: '<s>', eos: '</s>' },
  arrange: scored,
  build: ({ config }) => {
    const first = config.boolean('legacy', false) ? 'always' : 'first';
    const scheme = config.boolean('add_prefix_space', true) ? first : 'never';
    return { normalizer: null, pre_tokenizer: metaspace(scheme, false), model: CHARACTER_PAIRS };
  },
};

export const GEMMA: TokenizerClass = {
  name: 'GemmaTokenizer',
  model: 'BPE',
  defaults: { unk: '<unk>', bos: '<bos>', eos: '<eos>', pad: '<pad>', mask: '<mask>' },
  arrange: scored,
  build: ({ token }) => ({
    normalizer: replace({ String: ' ' }, '\u2581'),
    pre_tokenizer: split({ String: ' ' }, 'MergedWithPrevious'),
    model: object({ ...CHARACTER_PAIRS, unk_token: token('unk') }),
  }),
};

export const XLM_ROBERTA: TokenizerClass = {
  name: 'XLMRobertaTokenizer',
  model: 'Unigram',
  defaults: ROBERTA_TOKENS,
  // fairseq's ids: four tokens of its own in place of SentencePiece's three.
  arrange: (pieces, token) => [
    ...(['bos', 'pad', 'eos', 'unk'] as const).map((role): ScoredToken => [token(role), 0]),
    ...scored(pieces).slice(3),
    [token('mask'), 0],
  ],
  build: ({ config, charsmap }) => ({
    normalizer: charsmap ?? null,
    pre_tokenizer: sentencePieceWords(config),
    model: unigram(3),
  }),
  template: templateOf('bos:0 A:0 eos:0', 'bos:0 A:0 eos:0 eos:0 B:0 eos:0'),
};

export const CAMEMBERT: TokenizerClass = {
  ...XLM_ROBERTA,
  name: 'CamembertTokenizer',
  maskTakesSpace: true,
  extra: () => ['<s>NOTUSED', '</s>NOTUSED', '<unk>NOTUSED'],
  arrange: (pieces, token) => [
    ['<s>NOTUSED', 0],
    [token('pad'), 0],
    ['</s>NOTUSED', 0],
    [token('unk'), 0],
    ['<unk>NOTUSED', -100],
    ...scored(pieces).slice(1),
    [token('mask'), 0],
  ],
  build: ({ config, charsmap, vocabulary, token }) => ({
    normalizer: charsmap ?? null,
    pre_tokenizer: sentencePieceWords(config),
    model: unigram(firstIdOf(vocabulary, token('unk')) ?? 0),
  }),
};

export const ALBERT: TokenizerClass = {
  name: 'AlbertTokenizer',
  losesSegments: true,
  model: 'Unigram',
  defaults: { ...SENTENCEPIECE_BERT_TOKENS, unk: '<unk>', pad: '<pad>' },
  arrange: scored,
  build: ({ config, charsmap }) => {
    const accents = config.boolean('keep_accents', false)
      ? []
      : [object({ type: 'NFKD' }), object({ type: 'StripAccents' })];
    const steps = [
      ...PLAIN_QUOTES,
      ...accents,
      ...(config.boolean('do_lower_case', true) ? [object({ type: 'Lowercase' })] : []),
      ...(charsmap === undefined ? [] : [charsmap]),
    ];
    return {
      normalizer: sequenceOf('normalizers', steps),
      pre_tokenizer: sentencePieceWords(config),
      model: unigram(1),
    };
  },
  setsTemplate: 'absent',
  // The names are fixed; the ids are those of the class and separator tokens.
  template: (_, id) =>
    template('cls:0 A:0 sep:0', 'cls:0 A:0 sep:0 B:1 sep:1', { cls: ['[CLS]', id('cls')], sep: ['[SEP]', id('sep')] }),
};

/** ALBERT's but for the case, the accents, which it never keeps, and the template, which ends with the class token. */
export const XLNET: TokenizerClass = {
  name: 'XLNetTokenizer',
  losesSegments: true,
  model: 'Unigram',
  defaults: { ...ROBERTA_TOKENS, sep: '<sep>', cls: '<cls>' },
  maskTakesSpace: true,
  extra: () => ['<eop>', '<eod>'],
  arrange: scored,
  build: ({ config, charsmap, vocabulary, unkId }) => ({
    normalizer: sequenceOf('normalizers', [
      ...PLAIN_QUOTES,
      object({ type: 'NFKD' }),
      object({ type: 'StripAccents' }),
      ...(config.boolean('do_lower_case', false) ? [object({ type: 'Lowercase' })] : []),
      ...(charsmap === undefined ? [] : [charsmap]),
    ]),
    pre_tokenizer: spacedWords('always'),
    model: unigram(unkId ?? config.integer('unk_id', 0, 0, Math.max(vocabulary.ids.size - 1, 0))),
  }),
  template: templateOf('A:0 sep:0 cls:2', 'A:0 sep:0 B:1 sep:1 cls:2'),
};

/** Without a template in tokenizer.json it adds no tokens. */
export const REMBERT: TokenizerClass = {
  name: 'RemBertTokenizer',
  losesSegments: true,
  model: 'Unigram',
  defaults: ALBERT.defaults,
  arrange: scored,
  build: ({ config, charsmap }) => ({
    normalizer: sequenceOf('normalizers', [
      ...PLAIN_QUOTES,
      replace({ Regex: ' {2,}' }, ' '),
      ...(config.boolean('keep_accents', true) ? [] : [object({ type: 'NFKD' }), object({ type: 'StripAccents' })]),
      ...(config.boolean('do_lower_case', false) ? [object({ type: 'Lowercase' })] : []),
      ...(charsmap === undefined ? [] : [charsmap]),
    ]),
    pre_tokenizer: metaspace(config.boolean('add_prefix_space', true) ? 'always' : 'never', true),
    model: unigram(2),
  }),
  setsTemplate: 'present',
  template: BERT.template!,
};

export const DEBERTA_V2: TokenizerClass = {
  name: 'DebertaV2Tokenizer',
  givesSegments: true,
  model: 'Unigram',
  defaults: SENTENCEPIECE_BERT_TOKENS,
  arrange: scored,
  build: ({ config, vocabulary, unkId, token }) => {
    const unk = firstIdOf(vocabulary, token('unk'));
    const isControl = unk !== undefined && vocabulary.scores[unk] === 0;
    const words = metaspace(config.boolean('add_prefix_space', true) ? 'always' : 'first', true);
    const punctuation = object({ type: 'Punctuation', behavior: 'Isolated' });
    return {
      normalizer: sequenceOf('normalizers', [
        ...(config.boolean('do_lower_case', false) ? [object({ type: 'Lowercase' })] : []),
        replace({ Regex: '\\s{2,}|[\\n\\r\\t]' }, ' '),
        object({ type: 'NFC' }),
        object({ type: 'Strip', strip_left: false, strip_right: true }),
      ]),
      pre_tokenizer: sequenceOf(
        'pretokenizers',
        config.boolean('split_by_punct', false) ? [punctuation, words] : [words],
      ),
      model: unigram(isControl ? unk : (unkId ?? config.integer('unk_id', 1, 0, Math.max(vocabulary.ids.size - 1, 0)))),
    };
  },
  template: templateOf('cls:0 A:0 sep:0', 'cls:0 A:0 sep:0 B:1 sep:1'),
};

function sentinels(config: ConfigReader): string[] {
  return Array.from({ length: config.integer('extra_ids', 100, 0, 1000) }, (_, i) => `<extra_id_${i}>`);
}

export const T5: TokenizerClass = {
  name: 'T5Tokenizer',
  model: 'Unigram',
  defaults: { eos: '</s>', unk: '<unk>', pad: '<pad>' },
  extra: sentinels,
  extraJoinsModel: true,
  // The model has none of the sentinels; the last stands first.
  arrange: (pieces, _, config) => [
    ...scored(pieces),
    ...sentinels(config)
      .reverse()
      .map((token): ScoredToken => [token, 0]),
  ],
  build: ({ charsmap }) => ({
    normalizer: charsmap ?? null,
    pre_tokenizer: spacedWords('always'),
    model: unigram(2),
  }),
  template: (_, id) => template('A:0 eos:0', 'A:0 eos:0 B:0 eos:0', { eos: ['</s>', id('eos')] }),
};

/** The four tokens of fairseq, the pieces without SentencePiece's three, the codes of the languages, and the mask. */
function languagePieces(
  pieces: readonly Piece[],
  first: readonly string[],
  languages: readonly string[],
  mask: string,
): ScoredToken[] {
  const special = (token: string): ScoredToken => [token, 0];
  return [...first.map(special), ...scored(pieces).slice(3), ...languages.map(special), special(mask)];
}

/** The code of the language that texts are in; transformers takes English where no file says it. */
function sourceLanguage(
  config: ConfigReader,
  find: (content: string) => number | undefined,
  languages?: readonly string[],
): [code: string, id: number] {
  const code = config.string('src_lang', 'en_XX');
  const id = languages === undefined || languages.includes(code) ? find(code) : undefined;
  if (id !== undefined) return [code, id];
  throw new EncoderError(
    'tokenizer_unsupported',
    `${config.path}: src_lang is ${shown(code)}, which is no language of the tokenizer; ` +
      `set it to the code of the language that the texts are in, such as "en_XX"`,
  );
}

/** A text is followed by its end and its language. No normalizer: the class has none, whatever the file says. */
export const MBART: TokenizerClass = {
  name: 'MBartTokenizer',
  model: 'Unigram',
  defaults: ROBERTA_TOKENS,
  maskTakesSpace: true,
  extra: () => MBART_LANGUAGES,
  extraJoinsModel: true,
  arrange: (pieces, token) => {
    const first = [token('bos'), token('pad'), token('eos'), token('unk')];
    return languagePieces(pieces, first, MBART_LANGUAGES, token('mask'));
  },
  build: () => ({
    normalizer: null,
    pre_tokenizer: spacedWords('always'),
    model: unigram(3),
  }),
  template: ({ config, token }, id, find) =>
    template('A:0 eos:0 language:0', 'A:0 B:0 eos:0 language:0', {
      eos: [token('eos'), id('eos')],
      language: sourceLanguage(config, find),
    }),
};

/** A text stands between its language and its end. */
export const MBART50: TokenizerClass = {
  ...MBART,
  name: 'MBart50Tokenizer',
  defaults: { eos: '</s>', unk: '<unk>', sep: '</s>', pad: '<pad>', cls: '<s>', mask: '<mask>' },
  extra: () => MBART50_LANGUAGES,
  arrange: (pieces, token) => {
    const first = [token('cls'), token('pad'), token('eos'), token('unk')];
    return languagePieces(pieces, first, MBART50_LANGUAGES, token('mask'));
  },
  build: ({ config, charsmap, vocabulary }) => {
    if (!MBART50_LANGUAGES.some((code) => vocabulary.ids.has(code))) {
      throw new EncoderError(
        'tokenizer_unsupported',
        `${config.path}: MBart50Tokenizer has its languages' codes in its vocabulary, but the checkpoint's has none`,
      );
    }
    const spaces = replace({ Regex: ' {2,}' }, ' ');
    return {
      normalizer: sequenceOf('normalizers', [...(charsmap === undefined ? [] : [charsmap]), spaces]),
      pre_tokenizer: metaspace('always', true),
      model: unigram(3),
    };
  },
  template: ({ config, token }, id, find) =>
    template('language:0 A:0 eos:0', 'language:0 A:0 B:0 eos:0', {
      language: sourceLanguage(config, find, MBART50_LANGUAGES),
      eos: [token('eos'), id('eos')],
    }),
};

/** Each residue is a token wherever it stands; what is between them is unknown, word by word. */
export const ESM: TokenizerClass = {
  name: 'EsmTokenizer',
  model: 'WordPiece',
  defaults: { eos: '<eos>', unk: '<unk>', pad: '<pad>', cls: '<cls>', mask: '<mask>' },
  splitsAtAllTokens: true,
  givesFirstOddToken: true,
  build: ({ token }) => ({
    normalizer: null,
    pre_tokenizer: sequenceOf('pretokenizers', [
      object({ type: 'WhitespaceSplit' }),
      // White space to Python alone.
      ...['\x1c', '\x1d', '\x1e', '\x1f'].map((separator) => split({ String: separator }, 'Removed')),
    ]),
    model: object({ unk_token: token('unk'), continuing_subword_prefix: '##', max_input_chars_per_word: 100 }),
  }),
  template: templateOf('cls:0 A:0 eos:0', 'cls:0 A:0 eos:0 B:1 eos:1'),
};

/** Its unknown token is where fairseq has it, or where the pieces do. No charsmap: the class makes nothing of it. */
export const BIG_BIRD: TokenizerClass = {
  name: 'BigBirdTokenizer',
  model: 'Unigram',
  defaults: { ...ROBERTA_TOKENS, sep: '[SEP]', cls: '[CLS]', mask: '[MASK]' },
  maskTakesSpace: true,
  arrange: scored,
  build: ({ config, vocabulary, token }) => {
    const unk = firstIdOf(vocabulary, token('unk'));
    return {
      normalizer: sequenceOf('normalizers', [
        object({ type: 'Strip', strip_left: false, strip_right: false }),
        replace({ Regex: ' {2,}' }, '\u2581'),
      ]),
      pre_tokenizer: metaspace(config.boolean('add_prefix_space', true) ? 'always' : 'never', true),
      model: unigram(unk !== undefined && vocabulary.scores[unk] === 0 ? unk : 100),
    };
  },
  template: templateOf('cls:0 A:0 sep:0', 'cls:0 A:0 sep:0 B:1 sep:1'),
};

function firstIdOf({ byId }: Vocabulary, token: string): number | undefined {
  for (const [id, other] of byId) if (other === token) return id;
  return undefined;
}
