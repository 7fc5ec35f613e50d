/** What a model that ranks lists asks of its tokenizer: its two marks, and a way from tokens back to text. */
import { EncoderError } from '../errors';
import { isJsonObject } from '../support/json';
import type { DocumentList } from './architectures/architecture';
import type { PreparedTokenizer } from './tokenizer/prepare-tokenizer';

/** Throws `tokenizer_unsupported` for a tokenizer without them. */
export function checkListTokenizer(list: DocumentList, { json, tokens, added }: PreparedTokenizer, path: string): void {
  for (const mark of [list.documentMark, list.queryMark]) {
    const isAdded = [...added.keys()].some((id) => tokens.get(id) === mark);
    if (!isAdded) fail(path, `has no added token ${mark}, which the model reads documents by`);
  }
  const processor = json['post_processor'];
  if (isJsonObject(processor) ? processor['type'] !== 'ByteLevel' : processor !== null && processor !== undefined) {
    fail(path, 'adds tokens to a text, which the text of a list does not have');
  }
  const decoder = json['decoder'];
  // Texts that are too long are cut by their tokens and read again as text.
  if (!isJsonObject(decoder) || decoder['type'] !== 'ByteLevel') {
    fail(path, 'has another decoder than ByteLevel, which the model needs to cut texts');
  }
}

function fail(path: string, problem: string): never {
  throw new EncoderError('tokenizer_unsupported', `the tokenizer of ${path} ${problem}`);
}
