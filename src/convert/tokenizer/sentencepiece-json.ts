/** A tokenizer.json made up from a SentencePiece model, as transformers makes one; the class then builds its pipeline. */
import { EncoderError } from '../../errors';
import type { JsonObject } from '../../support/json';
import { MAX_MERGES } from '../limits';
import type { SentencePieceModel } from '../readers/sentencepiece';
import { type AddedToken, plainToken } from './special-tokens';
import type { ScoredToken } from './tokenizer-class';
import { CHARACTER_PAIRS, object, replace, sequenceOf, tokenizerDocument } from './tokenizer-components';

/** Splitting a piece takes time by the square of its length; SentencePiece's own default is 16 characters. */
const MAX_PIECE_LENGTH = 256;

/** `entries`: the pieces of `source` as the class arranges them. Throws `limit_exceeded`. */
export function synthesizeSentencePiece(
  source: SentencePieceModel,
  entries: readonly ScoredToken[],
  path: string,
): JsonObject {
  const charsmap =
    source.charsmap === undefined
      ? []
      : [object({ type: 'Precompiled', precompiled_charsmap: source.charsmap.toString('base64') })];
  // For a class of its own, only the charsmap of this is looked at.
  const normalizer = sequenceOf('normalizers', [...charsmap, replace({ String: ' ' }, '\u2581')]);
  const { byteFallback } = source;
  return tokenizerDocument({
    normalizer,
    model:
      source.model === 'Unigram'
        ? object({
            type: 'Unigram',
            unk_id: source.unkId,
            byte_fallback: byteFallback,
            vocab: entries.map(([text, score]) => [text, score]),
          })
        : object({
            ...CHARACTER_PAIRS,
            type: 'BPE',
            unk_token: source.special.unk ?? '<unk>',
            byte_fallback: byteFallback,
            ...bytePairs(entries, path),
          }),
  });
}

/** Control pieces are special tokens, pieces that the trainer was given are not; both are matched before anything else. */
export function tokensOf({ pieces }: SentencePieceModel): AddedToken[] {
  return pieces
    .filter(({ kind }) => kind === 'control' || kind === 'user-defined')
    .map(({ text, kind }) => ({ ...plainToken(text, kind === 'control'), normalized: false }));
}

/**
 * SentencePiece keeps no merges: every way to put a piece together from two others is one, earlier pieces first, and of
 * one piece that with the shorter left part.
 */
function bytePairs(entries: readonly ScoredToken[], path: string): { vocab: JsonObject; merges: [string, string][] } {
  const ids = new Map(entries.map(([text], id) => [text, id]));
  const merges: [string, string][] = [];
  for (const [text, id] of [...ids].sort(([, a], [, b]) => a - b)) {
    if (text.length > MAX_PIECE_LENGTH) {
      throw new EncoderError(
        'limit_exceeded',
        `${path}: piece ${id} has ${text.length} characters; at most ${MAX_PIECE_LENGTH} are read`,
      );
    }
    for (let end = 1; end < text.length; end++) {
      if (isLowSurrogate(text.charCodeAt(end))) continue;
      const pair: [string, string] = [text.slice(0, end), text.slice(end)];
      if (ids.has(pair[0]) && ids.has(pair[1])) merges.push(pair);
    }
    if (merges.length > MAX_MERGES) {
      throw new EncoderError('limit_exceeded', `${path}: its pieces make more than ${MAX_MERGES} merges`);
    }
  }
  return { vocab: object(Object.fromEntries(ids)), merges };
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
