/** The vocabulary of a tokenizer.json: tokens and ids, whatever the model is called. */
import { EncoderError } from '../../errors';
import { type JsonObject, type JsonValue, isJsonObject, shown } from '../../support/json';
import { MAX_MERGES, MAX_VOCAB_SIZE } from '../limits';

export type TokenizerModel = 'WordPiece' | 'BPE' | 'Unigram';

export interface Vocabulary {
  readonly model: TokenizerModel;
  readonly ids: ReadonlyMap<string, number>;
  readonly byId: ReadonlyMap<number, string>;
  /** WordPiece's mark of a token that continues a word, '##' as a rule. */
  readonly continuingPrefix: string;
  /** Unigram's scores by id; empty for the others. */
  readonly scores: readonly number[];
  /** BPE's merges in order; empty for the others. */
  readonly merges: readonly (readonly [string, string])[];
}

/** Throws `tokenizer_unsupported` for a model of another kind, `checkpoint_malformed` for a broken vocabulary. */
export function readVocabulary(json: JsonObject, path: string): Vocabulary {
  const model = json['model'];
  const type = isJsonObject(model) ? modelType(model) : undefined;
  if (!isJsonObject(model) || type === undefined) {
    const found = isJsonObject(model) ? shown(model['type'] ?? null) : 'absent';
    throw new EncoderError(
      'tokenizer_unsupported',
      `${path}: the tokenizer model is ${found}; only "WordPiece", "BPE" and "Unigram" are supported`,
    );
  }
  const prefix = model['continuing_subword_prefix'];
  const continuingPrefix = typeof prefix === 'string' ? prefix : '##';
  const none = { model: type, continuingPrefix, scores: [], merges: [] };
  if (type === 'Unigram') return { ...none, ...readPieces(model['vocab'], path) };
  const vocabulary = { ...none, ...readTable(model['vocab'], path) };
  return type === 'BPE' ? { ...vocabulary, merges: readMerges(model['merges'], path) } : vocabulary;
}

/** Files from before the field existed are told by the others. */
function modelType(model: JsonObject): TokenizerModel | undefined {
  const type = model['type'];
  if (type === 'WordPiece' || type === 'BPE' || type === 'Unigram') return type;
  if (type !== undefined) return undefined;
  if (model['merges'] !== undefined) return 'BPE';
  if (model['continuing_subword_prefix'] !== undefined) return 'WordPiece';
  return model['unk_id'] === undefined ? undefined : 'Unigram';
}

function readTable(table: JsonValue | undefined, path: string): Pick<Vocabulary, 'ids' | 'byId'> {
  if (!isJsonObject(table)) throw malformed(path, 'model.vocab is not an object');
  const ids = new Map<string, number>();
  const byId = new Map<number, string>();
  for (const [token, id] of Object.entries(table)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_VOCAB_SIZE) {
      throw malformed(path, `the token ${shown(token, 40)} has no valid id`);
    }
    if (byId.has(id)) throw malformed(path, `two tokens have the id ${id}`);
    ids.set(token, id);
    byId.set(id, token);
  }
  if (ids.size === 0) throw malformed(path, 'the vocabulary is empty');
  return { ids, byId };
}

/** [["token", score], ...]; the place is the id. */
function readPieces(list: JsonValue | undefined, path: string): Pick<Vocabulary, 'ids' | 'byId' | 'scores'> {
  if (!Array.isArray(list)) throw malformed(path, 'model.vocab is not a list');
  if (list.length === 0) throw malformed(path, 'the vocabulary is empty');
  if (list.length > MAX_VOCAB_SIZE) throw malformed(path, `the vocabulary has more than ${MAX_VOCAB_SIZE} tokens`);
  const ids = new Map<string, number>();
  const byId = new Map<number, string>();
  const scores = list.map((entry, id) => {
    const [token, score] = Array.isArray(entry) ? entry : [];
    if (typeof token !== 'string' || typeof score !== 'number') {
      throw malformed(path, `model.vocab[${id}] is no token and score`);
    }
    ids.set(token, id);
    byId.set(id, token);
    return score;
  });
  return { ids, byId, scores };
}

/** [["a", "b"], ...], or ["a b", ...] in older files. */
function readMerges(list: JsonValue | undefined, path: string): (readonly [string, string])[] {
  if (!Array.isArray(list)) throw malformed(path, 'model.merges is not a list');
  if (list.length > MAX_MERGES) throw malformed(path, `model.merges has more than ${MAX_MERGES} entries`);
  return list
    .filter((entry) => typeof entry !== 'string' || !entry.startsWith('#version'))
    .map((entry, rank) => {
      const pair = typeof entry === 'string' ? entry.split(' ', 3) : Array.isArray(entry) ? entry : [];
      const [left, right] = pair;
      if (pair.length === 2 && typeof left === 'string' && typeof right === 'string') return [left, right] as const;
      throw malformed(path, `model.merges[${rank}] is not two tokens`);
    });
}

function malformed(path: string, reason: string): EncoderError {
  return new EncoderError('checkpoint_malformed', `${path}: ${reason}`);
}
