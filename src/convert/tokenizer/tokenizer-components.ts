/** The components of a tokenizer.json, as the tokenizers library writes them. */
import { type JsonObject, type JsonValue, isJsonObject } from '../../support/json';
import type { ConfigReader } from '../config';
import { MAX_TOKEN_TYPES } from '../limits';

export const QWEN2_REGEX =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Marks are letters. */
export const QWEN35_REGEX = QWEN2_REGEX.replace('?\\p{L}+', '?[\\p{L}\\p{M}]+').replace(
  '[^\\s\\p{L}\\p{N}]',
  '[^\\s\\p{L}\\p{M}\\p{N}]',
);

export const LLAMA3_REGEX = QWEN2_REGEX.replace('|\\p{N}|', '|\\p{N}{1,3}|');

type Token = readonly [content: string, id: number];

export function object(entries: Readonly<Record<string, JsonValue>>): JsonObject {
  return Object.assign(Object.create(null) as JsonObject, entries);
}

/** A whole tokenizer.json of these parts; what is left out is empty. */
export function tokenizerDocument(parts: Readonly<Record<string, JsonValue>>): JsonObject {
  return object({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...parts,
  });
}

export function sequenceOf(key: 'normalizers' | 'pretokenizers', parts: JsonValue[]): JsonObject {
  return object({ type: 'Sequence', [key]: parts });
}

/** What BertTokenizer builds from tokenizer_config.json; absent keys have these defaults there too. */
export function bertNormalizer(config: ConfigReader): JsonObject {
  const stripAccents = config.get('strip_accents');
  return object({
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: config.boolean('tokenize_chinese_chars', true),
    strip_accents: stripAccents === undefined ? null : config.boolean('strip_accents', false),
    lowercase: config.boolean('do_lower_case', true),
  });
}

export function byteLevel({
  prefixSpace = false,
  useRegex = true,
}: { readonly prefixSpace?: boolean; readonly useRegex?: boolean } = {}): JsonObject {
  return object({ type: 'ByteLevel', add_prefix_space: prefixSpace, trim_offsets: true, use_regex: useRegex });
}

export function split(pattern: { readonly String: string } | { readonly Regex: string }, behavior: string): JsonObject {
  return object({ type: 'Split', pattern: object({ ...pattern }), behavior, invert: false });
}

/** Words by a regular expression, then bytes as characters. */
export function splitThenBytes(regex: string, prefixSpace: boolean): JsonObject {
  return sequenceOf('pretokenizers', [
    split({ Regex: regex }, 'Isolated'),
    byteLevel({ prefixSpace, useRegex: false }),
  ]);
}

export function metaspace(scheme: 'always' | 'first' | 'never', splits: boolean): JsonObject {
  return object({ type: 'Metaspace', replacement: '\u2581', prepend_scheme: scheme, split: splits });
}

export function replace(
  pattern: { readonly String: string } | { readonly Regex: string },
  content: string,
): JsonObject {
  return object({ type: 'Replace', pattern: object({ ...pattern }), content });
}

export function robertaProcessing(
  sep: Token,
  cls: Token,
  { trim, prefixSpace }: { readonly trim: boolean; readonly prefixSpace: boolean },
): JsonObject {
  return object({
    type: 'RobertaProcessing',
    sep: [...sep],
    cls: [...cls],
    trim_offsets: trim,
    add_prefix_space: prefixSpace,
  });
}

/** `single` and `pair`: names of tokens, or A and B, each with its segment: 'cls:0 A:0 sep:0'. */
export function template(single: string, pair: string, tokens: Readonly<Record<string, Token>>): JsonObject {
  const pieces = (text: string) =>
    text.split(' ').map((part) => {
      const [name, segment] = part.split(':') as [string, string];
      const token = tokens[name];
      const piece = object({ id: token === undefined ? name : token[0], type_id: Number(segment) });
      return object(token === undefined ? { Sequence: piece } : { SpecialToken: piece });
    });
  const entries = Object.values(tokens).map(([content, id]) => [
    content,
    object({ id: content, ids: [id], tokens: [content] }),
  ]);
  return object({
    type: 'TemplateProcessing',
    single: pieces(single),
    pair: pieces(pair),
    special_tokens: object(Object.fromEntries(entries) as Record<string, JsonValue>),
  });
}

/** The post-processor with every token in segment 0. */
export function withoutSegments(processor: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(processor)) return processor;
  const { type, processors, cls, sep } = processor;
  if (type === 'Sequence' && Array.isArray(processors)) {
    return Object.assign(object({}), processor, { processors: processors.map((part) => withoutSegments(part)!) });
  }
  if (type === 'BertProcessing' && isToken(cls) && isToken(sep)) {
    return template('cls:0 A:0 sep:0', 'cls:0 A:0 sep:0 B:0 sep:0', { cls, sep });
  }
  if (type !== 'TemplateProcessing') return processor;
  const [single, pair] = [processor['single'], processor['pair']].map(inFirstSegment);
  return Object.assign(object({}), processor, { single, pair });
}

/** Segments that a text has, or a pair: one more than the highest. */
export function countSegments(processor: JsonValue | undefined, of: 'single' | 'pair'): number {
  if (!isJsonObject(processor)) return 1;
  const { type, processors } = processor;
  if (type === 'Sequence' && Array.isArray(processors) && !isBare(processor))
    return highest(processors.filter((part) => !isBare(part)).map((part) => countSegments(part, of)));
  if (type === 'BertProcessing' || isBare(processor)) return of === 'pair' ? 2 : 1;
  const pieces = type === 'TemplateProcessing' ? [processor[of]].flat() : [];
  const contents = pieces.flatMap((piece) => (isJsonObject(piece) ? Object.values(piece) : []));
  const segments = contents.map((content) => (isJsonObject(content) ? content['type_id'] : undefined));
  // What else stands there is refused when the tokenizer is loaded.
  const isSegment = (value: unknown): value is number => Number.isInteger(value) && Number(value) < MAX_TOKEN_TYPES;
  return highest(segments.filter(isSegment).map((segment) => segment + 1));
}

/** Of counts, 1 at least. */
function highest(counts: readonly number[]): number {
  return counts.reduce((most, count) => Math.max(most, count), 1);
}

/** A post-processor that adds nothing leaves texts as the library has them, the second in segment 1; here in segment 0. */
export function withPlainTemplate(processor: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(processor) || !isBare(processor)) return processor;
  const parts = Array.isArray(processor['processors']) ? processor['processors'] : [processor];
  return object({ type: 'Sequence', processors: [...parts, template('A:0', 'A:0 B:0', {})] });
}

function isBare(processor: JsonValue): boolean {
  if (!isJsonObject(processor)) return false;
  const { type, processors } = processor;
  return type === 'ByteLevel' || (type === 'Sequence' && Array.isArray(processors) && processors.every(isBare));
}

function inFirstSegment(pieces: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(pieces)) return pieces;
  return pieces.map((piece) => {
    if (!isJsonObject(piece)) return piece;
    const parts = Object.entries(piece).map(([kind, content]) => [
      kind,
      isJsonObject(content) ? Object.assign(object({}), content, { type_id: 0 }) : content,
    ]);
    return object(Object.fromEntries(parts) as Record<string, JsonValue>);
  });
}

function isToken(value: JsonValue | undefined): value is [string, number] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number';
}

/** The first Precompiled normalizer of a tokenizer.json, on its own or in a sequence. */
export function precompiledCharsmap(file: JsonObject | undefined): JsonObject | undefined {
  const normalizer = file?.['normalizer'];
  if (!isJsonObject(normalizer)) return undefined;
  const list = normalizer['type'] === 'Sequence' ? normalizer['normalizers'] : [normalizer];
  const parts = Array.isArray(list) ? list : [];
  return parts.filter(isJsonObject).find((part) => part['type'] === 'Precompiled');
}

/** BPE without unknown token, as the byte-level classes make it. */
export const BYTE_PAIRS = object({
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: '',
  end_of_word_suffix: '',
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
});

/** BPE of characters that falls back on tokens for single bytes. */
export const CHARACTER_PAIRS = object({
  ...BYTE_PAIRS,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: true,
  byte_fallback: true,
});
