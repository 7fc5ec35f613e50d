/** The vocabulary's arrays, undone to what Hugging Face's tokenizers call the tokens. */
import { TOKENIZER_KEYS } from '../../gguf/keys';
import { MAX_VOCAB_SIZE } from '../limits';
import type { MetadataReader } from './metadata-reader';

/** Entries of `tokenizer.ggml.token_type`. */
export const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
export const UNUSED = 5;

export interface TokenTable {
  /** By id. */
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  /** Ids that are matched before the model runs; true for special ones. */
  readonly added: ReadonlyMap<number, boolean>;
}

const WORD_START = '\u2581';
/** Early converters left names in brackets as they were and called them normal. */
const BRACKETED = /^\[\w+\]$/;

/** `numRows`: of the embedding table. */
export function readTokenTable(metadata: MetadataReader, model: string, numRows: number): TokenTable {
  const written = metadata.strings(TOKENIZER_KEYS.tokens);
  if (written === undefined) return metadata.malformed(`it lacks the key ${TOKENIZER_KEYS.tokens}`);
  if (written.length === 0 || written.length > MAX_VOCAB_SIZE || written.length > numRows) {
    metadata.malformed(`it has ${written.length} tokens for the ${numRows} rows of its embedding table`);
  }
  const types = metadata.numbers(TOKENIZER_KEYS.tokenTypes) ?? written.map(() => NORMAL);
  if (types.length !== written.length) metadata.malformed(`${TOKENIZER_KEYS.tokenTypes} has ${types.length} entries`);
  const tokens = model === 'bert' ? written.map((token, id) => withoutPhantomSpace(token, types[id]!)) : written;
  const added = new Map<number, boolean>();
  tokens.forEach((token, id) => {
    if (token === '') return;
    const isNamed = model === 'bert' && types[id] === NORMAL && BRACKETED.test(token) && written[id] === token;
    if (types[id] === CONTROL || isNamed || (types[id] === UNKNOWN && model === 't5')) added.set(id, true);
    else if (types[id] === USER_DEFINED) added.set(id, false);
  });
  return { tokens, types, added };
}

/** Word starts carry a mark, continuations lost theirs; control tokens are as they were. */
function withoutPhantomSpace(token: string, type: number): string {
  if (type === CONTROL) return token;
  if (token.startsWith(WORD_START)) return token.slice(WORD_START.length);
  return BRACKETED.test(token) ? token : `##${token}`;
}
