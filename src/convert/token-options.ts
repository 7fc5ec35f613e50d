/** The tokens that a language model answers with, as far as the caller names them. */
import { checkNames, checkString, outOfRange, wrongValue } from '../support/arguments';

export interface TokenOptions {
  readonly scoreTokens?: readonly [positive: string, negative: string] | undefined;
  readonly answerTokens?: readonly string[] | undefined;
  readonly answerPrefix?: string | undefined;
}

const MAX_ANSWERS = 1024;
const MAX_PREFIX = 4096;

/** Throws TypeError or RangeError for what are no tokens. */
export function checkTokenOptions({ scoreTokens, answerTokens, answerPrefix }: TokenOptions): void {
  if (scoreTokens !== undefined) {
    checkNames('options.scoreTokens', scoreTokens);
    if (scoreTokens.length !== 2) throw outOfRange('options.scoreTokens', 'two tokens', scoreTokens);
  }
  if (answerTokens !== undefined) {
    checkNames('options.answerTokens', answerTokens);
    const { length } = answerTokens;
    if (length < 2 || length > MAX_ANSWERS)
      throw outOfRange('options.answerTokens', `2 to ${MAX_ANSWERS} tokens`, answerTokens);
  }
  if (answerPrefix === undefined) return;
  const { length } = checkString('options.answerPrefix', answerPrefix);
  if (length > MAX_PREFIX) throw outOfRange('options.answerPrefix', `at most ${MAX_PREFIX} characters`, answerPrefix);
  if (answerTokens === undefined) throw wrongValue('options.answerPrefix: expected options.answerTokens beside it');
}

/** Throws RangeError where the caller names tokens for `what`, which has no use for them. */
export function refuseTokens(options: TokenOptions, what: string): void {
  refuseScoreTokens(options, what);
  if (options.answerTokens !== undefined)
    throw outOfRange('options.answerTokens', `nothing for ${what}`, options.answerTokens);
}

export function refuseScoreTokens({ scoreTokens }: TokenOptions, what: string): void {
  if (scoreTokens !== undefined) throw outOfRange('options.scoreTokens', `nothing for ${what}`, scoreTokens);
}
