/** The vocabulary as llama.cpp writes it: one token per embedding row, no two alike, with scores or merges. */
import { EncoderError } from '../../errors';
import { type JsonValue, isJsonObject, shown } from '../../support/json';
import type { PreparedTokenizer } from './prepare-tokenizer';
import { LLAMA3_REGEX, QWEN2_REGEX } from './tokenizer-components';

const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;
const BYTE = 6;

const WORD_START = '\u2581';

const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;

export interface GgmlVocabulary {
  readonly model: 'bert' | 'gpt2' | 'llama' | 't5';
  readonly pre: string;
  readonly tokens: string[];
  readonly types: Int32Array;
  readonly scores: Float32Array | undefined;
  readonly merges: string[] | undefined;
}

/**
 * `rows`: rows of token_embd. Tokens with an id at or above are left out, with a warning: a text that has one is refused when
 * it is read, so that only those around every text must not be among them. Rows without a token, and tokens that llama.cpp
 * could not tell apart, become [PADn] of type unused. The tokenizer.json in the file has all of them.
 */
export function ggmlVocabulary(tokenizer: PreparedTokenizer, rows: number, warnings: string[]): GgmlVocabulary {
  const { vocabulary, json } = tokenizer;
  const model = ggmlModel(tokenizer);
  const beyond = [...tokenizer.tokens].filter(([id]) => id >= rows);
  const around = templateIds(json['post_processor']);
  for (const [id, token] of beyond) {
    if (!around.has(id)) continue;
    throw new EncoderError(
      'checkpoint_malformed',
      `the tokenizer gives ${shown(token, 40)} the id ${id}, but the embedding table has ${rows} rows; resize it or use the model's own tokenizer`,
    );
  }
  if (beyond.length > 0) {
    const [[id, token] = []] = beyond;
    const tokens = beyond.length === 1 ? 'a token' : `${beyond.length} tokens`;
    warnings.push(
      `the tokenizer has ${tokens} for which the embedding table has no row (${shown(token, 40)} with the id ${id}, of ` +
        `${rows} rows); texts with such a token are refused`,
    );
  }
  const types = new Int32Array(rows).fill(UNUSED);
  const tokens = new Array<string>(rows);
  const taken = new Set<string>();
  const inexpressible: number[] = [];
  for (const [id, token] of [...tokenizer.tokens].sort(([a], [b]) => a - b)) {
    if (id >= rows) continue;
    const special = tokenizer.added.get(id);
    const written = special || model !== 'bert' ? token : phantomSpace(token, vocabulary.continuingPrefix);
    // llama.cpp keeps tokens as C strings and aborts on equal ones.
    if (written === '' || written.includes('\0') || taken.has(written)) {
      inexpressible.push(id);
      continue;
    }
    taken.add(written);
    tokens[id] = written;
    types[id] = special === undefined ? normalType(token, model) : special ? CONTROL : USER_DEFINED;
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
  return {
    model,
    pre: model === 'gpt2' ? preTokenizerName(json['pre_tokenizer']) : 'default',
    tokens,
    types,
    scores: model === 't5' || model === 'llama' ? scoresOf(tokenizer, model, rows) : undefined,
    merges: model === 'gpt2' ? vocabulary.merges.map(([left, right]) => `${left} ${right}`) : undefined,
  };
}

/** Ids of the tokens that a post-processor puts around texts. */
function templateIds(processor: JsonValue | undefined): ReadonlySet<number> {
  const found = new Set<number>();
  const visit = (value: JsonValue | undefined): void => {
    if (typeof value === 'number') found.add(value);
    else if (Array.isArray(value)) value.forEach(visit);
    else if (isJsonObject(value)) Object.values(value).forEach(visit);
  };
  if (!isJsonObject(processor)) return found;
  for (const key of ['special_tokens', 'cls', 'sep']) visit(processor[key]);
  for (const part of Array.isArray(processor['processors']) ? processor['processors'] : [])
    for (const id of templateIds(part)) found.add(id);
  return found;
}

function ggmlModel({ vocabulary, json }: PreparedTokenizer): GgmlVocabulary['model'] {
  if (vocabulary.model === 'WordPiece') return 'bert';
  if (vocabulary.model === 'Unigram') return 't5';
  return JSON.stringify([json['normalizer'] ?? null, json['pre_tokenizer'] ?? null]).includes('"ByteLevel"')
    ? 'gpt2'
    : 'llama';
}

function normalType(token: string, model: GgmlVocabulary['model']): number {
  return (model === 'llama' || model === 't5') && BYTE_TOKEN.test(token) ? BYTE : NORMAL;
}

/** Only the patterns whose names in llama.cpp mean exactly the same words. */
function preTokenizerName(block: JsonValue | undefined): string {
  if (!isJsonObject(block)) return 'default';
  if (block['type'] === 'ByteLevel' && block['use_regex'] !== false) return 'gpt-2';
  const parts = block['pretokenizers'];
  const first = Array.isArray(parts) ? parts[0] : undefined;
  const pattern = isJsonObject(first) && first['type'] === 'Split' ? first['pattern'] : undefined;
  const regex = isJsonObject(pattern) ? pattern['Regex'] : undefined;
  return regex === QWEN2_REGEX ? 'qwen2' : regex === LLAMA3_REGEX ? 'llama-bpe' : 'default';
}

function scoresOf({ vocabulary }: PreparedTokenizer, model: 'llama' | 't5', rows: number): Float32Array {
  const scores = new Float32Array(rows);
  if (model === 't5') {
    scores.set(vocabulary.scores.slice(0, rows));
    return scores;
  }
  vocabulary.merges.forEach(([left, right], rank) => {
    const id = vocabulary.ids.get(left + right);
    if (id !== undefined && id < rows) scores[id] = -rank;
  });
  return scores;
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
