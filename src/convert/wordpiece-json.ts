/** The WordPiece part of a tokenizer.json: reading its vocabulary, and making the whole file up from vocab.txt. */
import { EncoderError } from '../errors';
import { type JsonObject, type JsonValue, isJsonObject } from '../support/json';
import { MAX_VOCAB_SIZE } from './limits';

export interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>;
  readonly byId: ReadonlyMap<number, string>;
  readonly continuingPrefix: string;
}

/** Throws `tokenizer_unsupported` for another model than WordPiece, `checkpoint_malformed` for a broken vocabulary. */
export function readVocabulary(json: JsonObject, path: string): Vocabulary {
  const model = json['model'];
  if (!isJsonObject(model) || model['type'] !== 'WordPiece') {
    const type = isJsonObject(model) ? JSON.stringify(model['type'] ?? null) : 'absent';
    throw new EncoderError(
      'tokenizer_unsupported',
      `${path}: the tokenizer model is ${type}; only "WordPiece" is supported`,
    );
  }
  const table = model['vocab'];
  if (!isJsonObject(table)) throw malformed(path, 'model.vocab is not an object');
  const ids = new Map<string, number>();
  const byId = new Map<number, string>();
  for (const [token, id] of Object.entries(table)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_VOCAB_SIZE) {
      throw malformed(path, `the token ${JSON.stringify(token.slice(0, 40))} has no valid id`);
    }
    if (byId.has(id)) throw malformed(path, `two tokens have the id ${id}`);
    ids.set(token, id);
    byId.set(id, token);
  }
  if (ids.size === 0) throw malformed(path, 'the vocabulary is empty');
  const prefix = model['continuing_subword_prefix'];
  return { ids, byId, continuingPrefix: typeof prefix === 'string' ? prefix : '##' };
}

/** What transformers' BertTokenizer makes of a vocab.txt, without added tokens and post-processor. */
export function synthesize(vocabulary: string, normalizer: JsonObject, unkToken: string, path: string): JsonObject {
  return object({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer,
    pre_tokenizer: object({ type: 'BertPreTokenizer' }),
    post_processor: null,
    decoder: object({ type: 'WordPiece', prefix: '##', cleanup: true }),
    model: object({
      type: 'WordPiece',
      unk_token: unkToken,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: readVocabularyText(vocabulary, path),
    }),
  });
}

/** A token of the template and its id. */
export interface TemplateToken {
  readonly content: string;
  readonly id: number;
}

/** [CLS] A [SEP] and [CLS] A [SEP] B [SEP] with segments 0 and 1. */
export function pairTemplate(cls: TemplateToken, sep: TemplateToken): JsonObject {
  const special = ({ content }: TemplateToken, segment: number) =>
    object({ SpecialToken: object({ id: content, type_id: segment }) });
  const sequence = (id: string, segment: number) => object({ Sequence: object({ id, type_id: segment }) });
  const single = [special(cls, 0), sequence('A', 0), special(sep, 0)];
  const entry = ({ content, id }: TemplateToken) => object({ id: content, ids: [id], tokens: [content] });
  return object({
    type: 'TemplateProcessing',
    single,
    pair: [...single, sequence('B', 1), special(sep, 1)],
    special_tokens: object({ [cls.content]: entry(cls), [sep.content]: entry(sep) }),
  });
}

/** White space that Rust's trim_end removes, which is how the tokenizers library reads a line. */
const TRAILING_SPACE = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/;

/** One token per line, its id the line's number; of two equal lines the later one holds. */
function readVocabularyText(text: string, path: string): JsonObject {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MAX_VOCAB_SIZE) {
    throw new EncoderError('limit_exceeded', `${path} has ${lines.length} lines; at most ${MAX_VOCAB_SIZE} are read`);
  }
  const vocabulary = object({});
  lines.forEach((line, id) => {
    vocabulary[line.replace(TRAILING_SPACE, '')] = id;
  });
  return vocabulary;
}

function object(entries: Record<string, JsonValue>): JsonObject {
  return Object.assign(Object.create(null) as JsonObject, entries);
}

function malformed(path: string, reason: string): EncoderError {
  return new EncoderError('checkpoint_malformed', `${path}: ${reason}`);
}
