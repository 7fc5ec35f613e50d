/** What a tokenizer class of transformers 5 is: the tokens that it has by default, and what it builds around a vocabulary. */
import type { JsonObject, JsonValue } from '../../support/json';
import type { ConfigReader } from '../config';
import type { Piece } from '../readers/sentencepiece';
import { metaspace, object, replace, sequenceOf, template } from './tokenizer-components';
import type { Vocabulary } from './vocabulary';

export type Role = 'bos' | 'eos' | 'unk' | 'sep' | 'pad' | 'cls' | 'mask';

/** What a class builds around the vocabulary. */
export interface Pipeline {
  readonly normalizer: JsonValue;
  readonly pre_tokenizer: JsonValue;
  /** Everything of the model but its type, vocabulary and merges. */
  readonly model: JsonObject;
}

/** What a pipeline is built from. */
export interface PipelineSource {
  /** tokenizer_config.json. */
  readonly config: ConfigReader;
  readonly vocabulary: Vocabulary;
  /** The Precompiled normalizer that goes with the vocabulary. */
  readonly charsmap: JsonObject | undefined;
  /** What a SentencePiece model says about its unknown piece. */
  readonly unkId: number | undefined;
  /** Contents of the special tokens. */
  readonly token: (role: Role) => string;
}

export type ScoredToken = readonly [token: string, score: number];

export interface TokenizerClass {
  readonly name: string;
  /** Model that the class is made for. */
  readonly model?: Vocabulary['model'];
  readonly defaults: Readonly<Partial<Record<Role, string>>>;
  /** Whether a mask token named without flags takes the space before it along. */
  readonly maskTakesSpace?: boolean;
  /** Further special tokens unless tokenizer_config.json has its own list. */
  readonly extra?: (config: ConfigReader) => readonly string[];
  /** Special tokens that have no role, before all others that are not in the vocabulary, whatever lists the files have. */
  readonly named?: (config: ConfigReader) => readonly string[];
  /** Likewise behind all others; special as it says. */
  readonly last?: (config: ConfigReader) => readonly (readonly [content: string, special: boolean])[];
  /** Its special tokens have none of the flags in the files, but for a mask that these name, which has tokenizer.json's. */
  readonly overrulesFlags?: boolean;
  /** Why the class is refused without a tokenizer.json, and which class reads its other files. */
  readonly onlyFile?: string;
  /** Made from vocab.txt and bpe.codes, whatever tokenizer.json says, with these roles' tokens in front. */
  readonly subwords?: readonly Role[];
  /** Those of `extra` join the tokens of a SentencePiece model, instead of giving way to them. */
  readonly extraJoinsModel?: boolean;
  /** Vocabulary from a SentencePiece model's pieces; absent for a class that has no use for such a file. */
  readonly arrange?: (
    pieces: readonly Piece[],
    token: (role: Role) => string,
    config: ConfigReader,
  ) => readonly ScoredToken[];
  /** Absent: tokenizer.json is taken as it is. */
  readonly build?: (source: PipelineSource) => Pipeline;
  /** Every token of the vocabulary is looked for in the text before anything else is, as added tokens are. */
  readonly splitsAtAllTokens?: boolean;
  /** Of two texts that are both cut the first has the odd token, as in the classes that are written in Python. */
  readonly givesFirstOddToken?: boolean;
  /** transformers 5 gives its model segments unless `model_input_names` says otherwise; others give theirs none unless it does. */
  readonly givesSegments?: boolean;
  /** Likewise where `return_token_type_ids` is true, which other classes pass over. */
  readonly mayGiveSegments?: boolean;
  /** transformers 5 gives its model no segments, with which version 4 trained it; here it gets them, with a warning. */
  readonly losesSegments?: boolean;
  /** The template of tokenizer.json is passed over: the class makes one of `add_bos_token` and `add_eos_token`. */
  readonly dropsTemplate?: boolean;
  /** It sets its own only where tokenizer.json has none, or only in the place of one there. Default: in either case. */
  readonly setsTemplate?: 'absent' | 'present';
  /** The template, for a class that sets its own; `id` gives the id of a role's token, `find` that of any. */
  readonly template?: (
    source: PipelineSource,
    id: (role: Role) => number,
    find: (content: string) => number | undefined,
  ) => JsonObject;
}

export const BERT_TOKENS = { unk: '[UNK]', sep: '[SEP]', pad: '[PAD]', cls: '[CLS]', mask: '[MASK]' };
export const SENTENCEPIECE_BERT_TOKENS = { ...BERT_TOKENS, bos: '[CLS]', eos: '[SEP]' };
export const ROBERTA_TOKENS = {
  bos: '<s>',
  eos: '</s>',
  unk: '<unk>',
  sep: '</s>',
  pad: '<pad>',
  cls: '<s>',
  mask: '<mask>',
};

/** The pieces as they are. */
export function scored(pieces: readonly Piece[]): ScoredToken[] {
  return pieces.map(({ text, score }) => [text, score]);
}

/** The words of SentencePiece models: white space parts, and each word begins with U+2581. */
export function spacedWords(scheme: 'always' | 'never'): JsonObject {
  return sequenceOf('pretokenizers', [object({ type: 'WhitespaceSplit' }), metaspace(scheme, true)]);
}

/** Likewise, as tokenizer_config.json says. */
export function sentencePieceWords(config: ConfigReader): JsonObject {
  return spacedWords(config.boolean('add_prefix_space', true) ? 'always' : 'never');
}

/** TeX's quotation marks become plain ones. */
export const PLAIN_QUOTES: readonly JsonObject[] = ['``', "''"].map((quote) => replace({ String: quote }, '"'));

/** A template of roles' tokens: 'cls:0 A:0 sep:0'. */
export function templateOf(single: string, pair: string): NonNullable<TokenizerClass['template']> {
  const roles = single.split(' ').map((part) => part.slice(0, part.indexOf(':')));
  const named = [...new Set(roles)].filter((name): name is Role => name !== 'A');
  return ({ token }, id) =>
    template(single, pair, Object.fromEntries(named.map((role) => [role, [token(role), id(role)]])));
}

export function unigram(unkId: number): JsonObject {
  return object({ unk_id: unkId, byte_fallback: false });
}
