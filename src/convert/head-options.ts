/** What the caller says of a checkpoint's head: the tokens that a language model answers with, the layer that is scored. */
import { checkInteger, checkNames, checkString, outOfRange, wrongValue } from '../support/arguments';
import { MAX_LAYERS } from './limits';

export interface HeadOptions {
  readonly scoreTokens?: readonly [positive: string, negative: string] | undefined;
  readonly answerTokens?: readonly string[] | undefined;
  readonly answerPrefix?: string | undefined;
  readonly cutoffLayer?: number | undefined;
}

/** These alone, of options that have others too. */
export function headOptions({ scoreTokens, answerTokens, answerPrefix, cutoffLayer }: HeadOptions): HeadOptions {
  return { scoreTokens, answerTokens, answerPrefix, cutoffLayer };
}

const MAX_ANSWERS = 1024;
const MAX_PREFIX = 4096;

/** Throws TypeError or RangeError for what are no tokens, and no layer. */
export function checkHeadOptions({ scoreTokens, answerTokens, answerPrefix, cutoffLayer }: HeadOptions): void {
  if (cutoffLayer !== undefined) checkInteger('options.cutoffLayer', cutoffLayer, 1, MAX_LAYERS);
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

/** Throws RangeError where the caller names tokens or a layer for `what`, which has no use for them. */
export function refuseHeadOptions(options: HeadOptions, what: string): void {
  refuseTokens(options, what);
  refuseCutoff(options, what);
}

export function refuseTokens(options: HeadOptions, what: string): void {
  refuseScoreTokens(options, what);
  if (options.answerTokens !== undefined)
    throw outOfRange('options.answerTokens', `nothing for ${what}`, options.answerTokens);
}

export function refuseScoreTokens({ scoreTokens }: HeadOptions, what: string): void {
  if (scoreTokens !== undefined) throw outOfRange('options.scoreTokens', `nothing for ${what}`, scoreTokens);
}

export function refuseCutoff({ cutoffLayer }: HeadOptions, what: string): void {
  if (cutoffLayer !== undefined) throw outOfRange('options.cutoffLayer', `nothing for ${what}`, cutoffLayer);
}
