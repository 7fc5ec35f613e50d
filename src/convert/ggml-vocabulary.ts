/** A WordPiece vocabulary as llama.cpp writes it: one token per embedding row, word starts marked, no two alike. */
import { EncoderError } from '../errors';
import type { PreparedTokenizer } from './tokenizer';

const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;

const WORD_START = '\u2581';

/**
 * `rows`: rows of token_embd; an id at or above is `checkpoint_malformed`. Rows without a token, and tokens that
 * llama.cpp could not tell apart, become [PADn] of type unused; the tokenizer.json in the file still has them.
 */
export function ggmlVocabulary(
  tokenizer: PreparedTokenizer,
  rows: number,
  warnings: string[],
): { tokens: string[]; types: Int32Array } {
  for (const [id, token] of tokenizer.tokens) {
    if (id < rows) continue;
    const shown = JSON.stringify(token.slice(0, 40));
    throw new EncoderError(
      'checkpoint_malformed',
      `the tokenizer gives ${shown} the id ${id}, but the embedding table has ${rows} rows; resize it or use the model's own tokenizer`,
    );
  }
  const types = new Int32Array(rows).fill(UNUSED);
  const tokens = new Array<string>(rows);
  const taken = new Set<string>();
  const inexpressible: number[] = [];
  for (const [id, token] of [...tokenizer.tokens].sort(([a], [b]) => a - b)) {
    const special = tokenizer.added.get(id);
    const written = special ? token : phantomSpace(token, tokenizer.continuingPrefix);
    // llama.cpp keeps tokens as C strings and aborts on equal ones.
    if (written === '' || written.includes('\0') || taken.has(written)) {
      inexpressible.push(id);
      continue;
    }
    taken.add(written);
    tokens[id] = written;
    types[id] = special === undefined ? NORMAL : special ? CONTROL : USER_DEFINED;
  }
  for (let id = 0; id < rows; id++) {
    tokens[id] ??= unusedName(id, taken);
  }
  if (inexpressible.length > 0) {
    const ids = inexpressible.slice(0, 5).join(', ');
    warnings.push(
      `${inexpressible.length} tokens cannot be written for llama.cpp (ids ${ids}...); ggml-encoder is not affected`,
    );
  }
  return { tokens, types };
}

function phantomSpace(token: string, continuingPrefix: string): string {
  return token.startsWith(continuingPrefix) ? token.slice(continuingPrefix.length) : `${WORD_START}${token}`;
}

function unusedName(id: number, taken: Set<string>): string {
  let name = `[PAD${id}]`;
  while (taken.has(name)) name = `[${name}]`;
  taken.add(name);
  return name;
}
