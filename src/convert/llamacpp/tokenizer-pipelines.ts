/** What stands around the vocabulary in a tokenizer.json, for each kind of vocabulary that is read. */
import { EncoderError } from '../../errors';
import { TOKENIZER_KEYS } from '../../gguf/keys';
import { type JsonObject, type JsonValue, shown } from '../../support/json';
import {
  BYTE_PAIRS,
  LLAMA3_REGEX,
  QWEN2_REGEX,
  byteLevel,
  metaspace,
  object,
  sequenceOf,
  splitThenBytes,
} from '../tokenizer/tokenizer-components';
import type { SpecialIds } from '../tokenizer/prepare-tokenizer';
import type { MetadataReader } from './metadata-reader';
import { NORMAL, UNUSED, type TokenTable } from './token-table';

export interface Pipeline {
  readonly model: JsonObject;
  readonly normalizer: JsonValue;
  readonly preTokenizer: JsonValue;
  readonly lowercase: boolean;
  readonly stripAccents: boolean | null;
  readonly isCasingAssumed: boolean;
  /** Whether the mask token takes the space before it along. */
  readonly maskTakesSpace: boolean;
  /** Tokens around the text where the file does not say; `isFixed`: the first and the last are always there. */
  readonly adds: {
    readonly bos: boolean;
    readonly eos: boolean;
    readonly separator: boolean;
    readonly isFixed: boolean;
  };
}

const PLAIN = { lowercase: false, stripAccents: null, isCasingAssumed: false } as const;

/** BERT's. Without a key for it, a vocabulary with capital letters is taken for a cased one. */
export function wordPiece(metadata: MetadataReader, { tokens, types }: TokenTable, ids: SpecialIds): Pipeline {
  const isCasingAssumed = !metadata.has(TOKENIZER_KEYS.lowercase);
  const isCased = () =>
    tokens.some((token, id) => types[id] === NORMAL && !token.startsWith('[') && /\p{Lu}/u.test(token));
  const lowercase = isCasingAssumed ? !isCased() : metadata.boolean(TOKENIZER_KEYS.lowercase, true);
  const stripAccents = metadata.has(TOKENIZER_KEYS.stripAccents)
    ? metadata.boolean(TOKENIZER_KEYS.stripAccents, true)
    : null;
  if (ids.unk === undefined || ids.cls === undefined || ids.sep === undefined) {
    metadata.malformed('its vocabulary has no unknown, first or separating token');
  }
  return {
    model: object({
      type: 'WordPiece',
      unk_token: tokens[ids.unk]!,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: vocabulary(metadata, tokens, types),
    }),
    normalizer: object({
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: stripAccents,
      lowercase,
    }),
    preTokenizer: object({ type: 'BertPreTokenizer' }),
    lowercase,
    stripAccents,
    isCasingAssumed,
    maskTakesSpace: false,
    adds: { bos: true, eos: true, separator: false, isFixed: true },
  };
}

/**
 * XLM-RoBERTa's. Runs of spaces count as one, whatever the file says: the converter writes another flag of transformers
 * there. Rows without a token get pieces with a space in front, which no word has, at the lowest score.
 */
export function unigram(metadata: MetadataReader, { tokens, types }: TokenTable, ids: SpecialIds): Pipeline {
  const scores = metadata.numbers(TOKENIZER_KEYS.scores);
  if (scores?.length !== tokens.length) {
    metadata.malformed(`${TOKENIZER_KEYS.scores} has not one entry for each of the ${tokens.length} tokens`);
  }
  if (ids.unk === undefined) metadata.malformed('its vocabulary has no unknown token');
  const lowest = scores.reduce((least, score, id) => (types[id] === UNUSED ? least : Math.min(least, score)), 0);
  if (!Number.isFinite(lowest) || !scores.every(Number.isFinite)) metadata.malformed('a score is no finite number');
  const pieces = tokens.map((token, id) => (types[id] === UNUSED ? [` ${token}`, lowest] : [token, scores[id]!]));
  const charsmap = metadata.bytes(TOKENIZER_KEYS.charsmap);
  const isSpaced = metadata.boolean(TOKENIZER_KEYS.addSpacePrefix, true);
  return {
    ...PLAIN,
    model: object({ type: 'Unigram', unk_id: ids.unk, byte_fallback: false, vocab: pieces }),
    normalizer:
      charsmap === undefined || charsmap.length === 0
        ? null
        : object({ type: 'Precompiled', precompiled_charsmap: Buffer.from(charsmap).toString('base64') }),
    preTokenizer: sequenceOf('pretokenizers', [
      object({ type: 'WhitespaceSplit' }),
      metaspace(isSpaced ? 'always' : 'never', true),
    ]),
    maskTakesSpace: true,
    adds: { bos: false, eos: true, separator: false, isFixed: false },
  };
}

interface Words {
  readonly normalizer: JsonValue;
  readonly preTokenizer: JsonValue;
  readonly ignoreMerges?: boolean;
  readonly addsSeparator?: boolean;
}

const GPT2_WORDS: Words = { normalizer: null, preTokenizer: byteLevel() };

/** llama.cpp's names of the patterns that words are cut by. */
const WORDS: ReadonlyMap<string, Words> = new Map<string, Words>([
  ['gpt-2', GPT2_WORDS],
  ['roberta-bpe', { ...GPT2_WORDS, addsSeparator: true }],
  ['modern-bert', { ...GPT2_WORDS, normalizer: object({ type: 'NFC' }) }],
  ['qwen2', { normalizer: object({ type: 'NFC' }), preTokenizer: splitThenBytes(QWEN2_REGEX, false) }],
  ['llama-bpe', { normalizer: null, preTokenizer: splitThenBytes(LLAMA3_REGEX, false), ignoreMerges: true }],
]);

export function bytePairs(metadata: MetadataReader, { tokens, types }: TokenTable): Pipeline {
  const pre = metadata.string(TOKENIZER_KEYS.pre, 'default');
  const words = WORDS.get(pre);
  if (words === undefined) {
    throw new EncoderError(
      'tokenizer_unsupported',
      `${metadata.path}: ${TOKENIZER_KEYS.pre} is ${shown(pre)}; supported are ${[...WORDS.keys()].join(', ')}. ` +
        'Convert the Hugging Face checkpoint instead',
    );
  }
  const merges = metadata.strings(TOKENIZER_KEYS.merges);
  if (merges === undefined) return metadata.malformed(`it lacks the key ${TOKENIZER_KEYS.merges}`);
  return {
    ...PLAIN,
    model: object({
      type: 'BPE',
      ...BYTE_PAIRS,
      ignore_merges: words.ignoreMerges ?? false,
      vocab: vocabulary(metadata, tokens, types),
      merges: merges.map((merge, rank) => {
        const pair = merge.split(' ', 3);
        return pair.length === 2 && !merge.includes('\0')
          ? pair
          : metadata.malformed(`merge ${rank} is not two tokens`);
      }),
    }),
    normalizer: words.normalizer,
    preTokenizer: words.preTokenizer,
    maskTakesSpace: true,
    adds: { bos: false, eos: false, separator: words.addsSeparator ?? false, isFixed: false },
  };
}

/** Token -> id; rows without a token are left out. */
function vocabulary(metadata: MetadataReader, tokens: readonly string[], types: readonly number[]): JsonObject {
  const table = object({});
  tokens.forEach((token, id) => {
    if (types[id] === UNUSED) return;
    if (Object.hasOwn(table, token)) metadata.malformed(`the token ${shown(token, 40)} occurs twice`);
    table[token] = id;
  });
  return table;
}
