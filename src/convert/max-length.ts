/** How many tokens a text may have. */
import { EncoderError } from '../errors';
import type { ConfigReader } from './config';
import { MIN_LENGTH } from './limits';

/** sentence-transformers' limit, which takes the place of the tokenizer's; never more than the position table has rows. */
export function readMaxLength(
  settings: ConfigReader | undefined,
  numPositions: number,
  tokenizerLimit: number | undefined,
  folder: string,
): number {
  const isDeclared = settings?.get('max_seq_length') !== undefined;
  const declared = isDeclared ? settings?.integer('max_seq_length', 0, 1, Number.MAX_SAFE_INTEGER) : undefined;
  const maxLength = Math.min(numPositions, declared ?? tokenizerLimit ?? numPositions);
  if (maxLength >= MIN_LENGTH) return maxLength;
  throw new EncoderError(
    'checkpoint_malformed',
    `${folder} allows ${maxLength} tokens; no text fits between [CLS] and [SEP]`,
  );
}
