/** The tokenizer's keys of a converted file: tokenizer.json whole, and the vocabulary in llama.cpp's terms. */
import { EncoderError } from '../../errors';
import { flag, floats, ints, optional, text, texts, uint } from '../../gguf/entries';
import { TOKENIZER_KEYS } from '../../gguf/keys';
import type { GgufEntry } from '../../gguf/types';
import { DEFAULT_LIMITS } from '../../support/limits';
import { type JsonObject, type JsonValue, isJsonObject } from '../../support/json';
import { type GgmlVocabulary, ggmlVocabulary } from './ggml-vocabulary';
import type { PreparedTokenizer } from './prepare-tokenizer';
import { precompiledCharsmap, withPlainTemplate } from './tokenizer-components';

/** `rows`: of token_embd; `numTokenTypes`: rows of token_types, 0 for none. Adds to `warnings`. */
export function tokenizerEntries(
  tokenizer: PreparedTokenizer,
  rows: number,
  numTokenTypes: number,
  warnings: string[],
): GgufEntry[] {
  const vocabulary = ggmlVocabulary(tokenizer, rows, warnings);
  const { ids, segments } = tokenizer;
  checkSegments(tokenizer, numTokenTypes, warnings);
  const { json } = tokenizer;
  const isPlain = numTokenTypes >= 2 && segments === undefined;
  const written = isPlain ? { ...json, post_processor: withPlainTemplate(json['post_processor']) ?? null } : json;
  // A role may have a token that was added and that no row stands for, padding as a rule.
  const role = (key: string, id: number | undefined) =>
    optional(uint, key, id !== undefined && id < rows ? id : undefined);
  return [
    text(TOKENIZER_KEYS.model, vocabulary.model),
    text(TOKENIZER_KEYS.pre, vocabulary.pre),
    texts(TOKENIZER_KEYS.tokens, vocabulary.tokens),
    ints(TOKENIZER_KEYS.tokenTypes, vocabulary.types),
    ...modelEntries(vocabulary, tokenizer),
    uint(TOKENIZER_KEYS.tokenTypeCount, Math.max(numTokenTypes, 1)),
    ...role(TOKENIZER_KEYS.bosId, ids.cls ?? ids.bos),
    ...role(TOKENIZER_KEYS.eosId, ids.sep ?? ids.eos),
    ...role(TOKENIZER_KEYS.unknownId, ids.unk),
    ...role(TOKENIZER_KEYS.separatorId, ids.sep),
    ...role(TOKENIZER_KEYS.paddingId, ids.pad),
    ...role(TOKENIZER_KEYS.maskId, ids.mask),
    ...templateFlags(tokenizer.json['post_processor']),
    ...(vocabulary.model === 'bert' ? normalizerFlags(tokenizer) : []),
    text(TOKENIZER_KEYS.huggingFaceJson, minified(written)),
  ];
}

/** transformers fails where the model's table has no row for a segment. A table of one row takes all for that one here. */
function checkSegments({ segments, numSegments }: PreparedTokenizer, rows: number, warnings: string[]): void {
  if (rows === 0 || segments === undefined || (rows === 1 && numSegments === undefined)) return;
  const { ofTexts, ofPairs } = segments;
  if (ofTexts > rows || (ofPairs > rows && rows > 1)) {
    throw new EncoderError(
      'tokenizer_unsupported',
      `the tokenizer gives segment ${Math.max(ofTexts, ofPairs) - 1}, and the model's type_vocab_size is ${rows}; ` +
        'if it was trained without segments, set model_input_names in tokenizer_config.json to ["input_ids", "attention_mask"]',
    );
  }
  if (ofPairs > rows) {
    warnings.push(
      "the tokenizer gives a pair's second text segment 1, and the model has one segment: transformers fails on pairs " +
        'unless return_token_type_ids is false, and here all is of that segment',
    );
  }
}

/** A vocabulary of subword-nmt, which llama.cpp has no model for. */
export function hasSubwords({ json }: PreparedTokenizer): boolean {
  return isJsonObject(json['model']) && json['model']['continuing_subword_suffix'] !== undefined;
}

function modelEntries(vocabulary: GgmlVocabulary, { json }: PreparedTokenizer): GgufEntry[] {
  const merges = vocabulary.merges?.length === 0 ? undefined : vocabulary.merges;
  const entries = [
    ...optional(floats, TOKENIZER_KEYS.scores, vocabulary.scores),
    ...optional(texts, TOKENIZER_KEYS.merges, merges),
  ];
  if (vocabulary.model === 'bert' || vocabulary.model === 'gpt2') return entries;
  const charsmap = precompiledCharsmap(json)?.['precompiled_charsmap'];
  if (typeof charsmap === 'string' && charsmap !== '')
    entries.push({ key: TOKENIZER_KEYS.charsmap, type: 'uint8[]', value: Buffer.from(charsmap, 'base64') });
  const words = JSON.stringify(json['pre_tokenizer'] ?? null);
  entries.push(flag(TOKENIZER_KEYS.addSpacePrefix, /"prepend_scheme":"(always|first)"/.test(words)));
  if (words.includes('"WhitespaceSplit"')) entries.push(flag(TOKENIZER_KEYS.removeExtraWhitespaces, true));
  return entries;
}

/**
 * Whether control tokens stand before the text and after it. llama.cpp ends the first text of a pair like any other, and
 * puts a separator behind that where there are two tokens between the texts.
 */
function templateFlags(postProcessor: JsonValue | undefined): GgufEntry[] {
  const processor = innermost(postProcessor);
  const isToken = (piece: JsonValue | undefined) => isJsonObject(piece) && piece['SpecialToken'] !== undefined;
  const { single = [], pair = [], type } = processor ?? {};
  // BertProcessing and RobertaProcessing have both; the second has two tokens between the texts.
  const isFixed = type === 'BertProcessing' || type === 'RobertaProcessing';
  const pieces = Array.isArray(single) ? single : [];
  return [
    flag(TOKENIZER_KEYS.addBos, isFixed || isToken(pieces[0])),
    flag(TOKENIZER_KEYS.addEos, isFixed || isToken(pieces.at(-1))),
    flag(TOKENIZER_KEYS.addSeparator, type === 'RobertaProcessing' || tokensBetween(pair) >= 2),
  ];
}

/** Undefined for ByteLevel, which adds no tokens. */
function innermost(postProcessor: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(postProcessor) || postProcessor['type'] === 'ByteLevel') return undefined;
  const parts = postProcessor['processors'];
  return Array.isArray(parts) ? parts.map(innermost).find((found) => found !== undefined) : postProcessor;
}

function tokensBetween(pair: JsonValue): number {
  const pieces = Array.isArray(pair) ? pair : [];
  const isText = (piece: JsonValue) => isJsonObject(piece) && piece['Sequence'] !== undefined;
  const first = pieces.findIndex(isText);
  const second = pieces.findIndex((piece, index) => index > first && isText(piece));
  return first < 0 || second < 0 ? 0 : second - first - 1;
}

function normalizerFlags({ lowercase, stripAccents }: PreparedTokenizer): GgufEntry[] {
  const strip = stripAccents === null ? [] : [flag(TOKENIZER_KEYS.stripAccents, stripAccents)];
  return [flag(TOKENIZER_KEYS.lowercase, lowercase), ...strip];
}

function minified(json: JsonObject): string {
  const written = textOf(json);
  if (written !== undefined && Buffer.byteLength(written) <= DEFAULT_LIMITS.ggufStringBytes) return written;
  throw new EncoderError(
    'limit_exceeded',
    `tokenizer.json takes more than the ${DEFAULT_LIMITS.ggufStringBytes} bytes that readers take`,
  );
}

/** Undefined for what is longer than a string of JavaScript's can be, as control characters make it, which are escaped. */
function textOf(json: JsonObject): string | undefined {
  try {
    return JSON.stringify(json);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
