/**
 * Beginnings of texts that were one token in training. Where the tokenizer has the token and would take the text apart all the
 * same, it becomes a special token, as sentence-transformers has it for models of PyLate and of Stanford's ColBERT.
 */
import { type JsonObject, type JsonValue, isJsonObject } from '../../support/json';
import { object } from './tokenizer-components';
import type { PreparedTokenizer } from './prepare-tokenizer';

/** Normalizers that leave ASCII as it is, but for its case. */
const KEEPING_ASCII: readonly string[] = [
  ...['BertNormalizer', 'Lowercase', 'NFC', 'NFD', 'NFKC', 'NFKD', 'StripAccents', 'Nmt', 'Precompiled'],
];

/**
 * The tokenizer with those of `markers`, or of their first words, that it has. Control tokens are looked for before the
 * normalizer: behind it nobody knows which text is the caller's.
 */
export function registerMarkers(tokenizer: PreparedTokenizer, markers: readonly string[]): PreparedTokenizer {
  const placed = new Map(addedTokens(tokenizer.json).map((token) => [String(token['content']), token] as const));
  const tokens = new Map(tokenizer.tokens);
  const added = new Map(tokenizer.added);
  for (const [content, token] of placed) {
    if (token['special'] === true) placed.set(content, { ...token, normalized: false });
  }
  for (const marker of markers) {
    const known = [marker, firstWord(marker)].find(
      (candidate) => candidate !== '' && (placed.has(candidate) || tokenizer.vocabulary.ids.has(candidate)),
    );
    if (firstWord(marker) === '' || known === undefined) continue;
    const own = placed.get(known);
    if (own === undefined ? isWholeWord(tokenizer, known) : isFound(tokenizer.json, own, known)) continue;
    const id = own === undefined ? tokenizer.vocabulary.ids.get(known)! : (own['id'] as number);
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    placed.set(known, object({ id, content: known, ...flags }));
    tokens.set(id, known);
    added.set(id, true);
  }
  const ordered = [...placed.values()].sort((a, b) => (a['id'] as number) - (b['id'] as number));
  return { ...tokenizer, json: { ...tokenizer.json, added_tokens: ordered }, tokens, added };
}

function addedTokens(json: JsonObject): JsonObject[] {
  const list = json['added_tokens'];
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

function firstWord(text: string): string {
  return text.trim().split(/\s+/)[0] ?? '';
}

/** Whether an added token is found in its own text, under its own name. */
function isFound(json: JsonObject, token: JsonObject, content: string): boolean {
  return token['normalized'] === false || isKept(json['normalizer'], content);
}

/** Whether a token of the vocabulary is what its own text becomes; where that is not sure it counts as no. */
function isWholeWord({ json, vocabulary }: PreparedTokenizer, word: string): boolean {
  if (!isKept(json['normalizer'], word) || addsSpace(json['pre_tokenizer'])) return false;
  // What pre-tokenizers leave in one piece, whatever they are; some take digits apart.
  const isPiece = vocabulary.model === 'WordPiece' ? /^[a-z0-9]+$/i : /^[a-z]+$/i;
  if (!isPiece.test(word) && !/^[!-~]$/.test(word)) return false;
  return vocabulary.model !== 'BPE' || mergesInto(word, vocabulary.merges) || ignoresMerges(json);
}

function ignoresMerges(json: JsonObject): boolean {
  return isJsonObject(json['model']) && json['model']['ignore_merges'] === true;
}

function addsSpace(preTokenizer: JsonValue | undefined): boolean {
  return /"add_prefix_space":true|"prepend_scheme":"(always|first)"/.test(JSON.stringify(preTokenizer ?? null));
}

/** Whether a normalizer leaves the text as it is; of those that are not known it is not sure, and counts as no. */
function isKept(normalizer: JsonValue | undefined, text: string): boolean {
  if (!isJsonObject(normalizer)) return true;
  const { type, normalizers, lowercase } = normalizer;
  if (type === 'Sequence') return Array.isArray(normalizers) && normalizers.every((part) => isKept(part, text));
  if (type === 'Strip') return text === text.trim();
  const keepsCase = type !== 'Lowercase' && (type !== 'BertNormalizer' || lowercase === false);
  const isKnown = typeof type === 'string' && KEEPING_ASCII.includes(type);
  return isKnown && /^[ -~]*$/.test(text) && (keepsCase || text === text.toLowerCase());
}

/** The merges in order, each wherever it fits, as byte-pair encoding has it. */
function mergesInto(word: string, merges: readonly (readonly [string, string])[]): boolean {
  const ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank] as const));
  const parts = [...word];
  while (parts.length > 1) {
    let [best, place] = [Infinity, -1];
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(`${parts[i]!} ${parts[i + 1]!}`) ?? Infinity;
      if (rank < best) [best, place] = [rank, i];
    }
    if (place < 0) return false;
    parts.splice(place, 2, parts[place]! + parts[place + 1]!);
  }
  return true;
}
