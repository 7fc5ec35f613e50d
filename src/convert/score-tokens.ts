/**
 * The tokens that a sequence-to-sequence reranker answers with; a classifier's stand in answers.ts. No file of such a
 * checkpoint says them: they are known by the names of those that are published, from pygaggle, or named by the caller.
 */
import { EncoderError } from '../errors';
import { shown } from '../support/json';
import type { ScoreTokens } from './architectures/architecture';
import type { PreparedTokenizer } from './tokenizer/prepare-tokenizer';

/** In the vocabulary, U+2581 for a space before the word: the relevant document's, then the other's. */
type Answers = readonly [positive: string, negative: string];

const PUBLISHED: readonly (readonly [name: RegExp, answers: Answers])[] = [
  [/^monot5-(small|base|large|3b)(-med)?-msmarco(-10k|-100k)?$/, ['\u2581true', '\u2581false']],
  [/^mt5-base-(en-msmarco|en-pt-msmarco-v[12]|mmarco-v[12]|multi-msmarco)$/, ['\u2581yes', '\u2581no']],
  [/^ptt5-base-(en-)?pt-msmarco-100?k-v[12]$/, ['\u2581sim', '\u2581n\u00e3o']],
  [/^mt5-13b-mmarco-100k$/, ['\u2581true', '\u2581false']],
  [/^mt5-3B-mmarco-en-pt$/, ['\u2581true', '\u2581']],
];

/**
 * `name`: of the folder or repository; `path`: of its configuration; `own`: what the caller names. Throws
 * `architecture_unsupported` where there are no tokens, or the vocabulary lacks one.
 */
export function readScoreTokens(
  name: string,
  path: string,
  tokenizer: PreparedTokenizer,
  own: readonly string[] | undefined,
): ScoreTokens {
  const answers = own ?? PUBLISHED.find(([pattern]) => pattern.test(name))?.[1];
  if (answers === undefined) {
    throw new EncoderError(
      'architecture_unsupported',
      `${path}: the model writes text, and ${shown(name, 80)} is no reranker that is known by its ` +
        'name. If it answers a query and a document with one of two words, convert it with scoreTokens (on the ' +
        'command line --score-tokens), the words as they stand in its vocabulary: that of a relevant document first. ' +
        'If it answers a text with one of its labels, convert it with answerTokens (--answer-tokens)',
    );
  }
  const [positive, negative] = answers.map((answer) => scoreTokenId(tokenizer, answer, path));
  return { positive: positive!, negative };
}

/** The id of a token that a score is made of, or of a token by its id. Throws `architecture_unsupported` for none. */
export function scoreTokenId({ tokens }: PreparedTokenizer, token: string | number, path: string): number {
  const found = [...tokens].findLast(([id, content]) => token === content || token === id);
  if (found !== undefined) return found[0];
  throw new EncoderError(
    'architecture_unsupported',
    `${path}: the score is made of the token ${shown(token, 80)}, which the vocabulary does not have`,
  );
}
