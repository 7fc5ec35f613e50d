/**
 * What the files of a late-interaction model say of its texts and scores, wherever they say it: sentence-transformers'
 * MultiVectorEncoder in the settings of its modules, PyLate beside them, Stanford's ColBERT in a file of its own.
 */
import { type JsonObject, type JsonValue, isJsonObject } from '../../support/json';
import type { TokenInteraction } from '../architectures/architecture';
import { isOfClass } from '../architectures/index';
import type { CheckpointFiles } from '../checkpoint';
import { ConfigReader } from '../config';
import { MAX_POSITIONS, MAX_PREFIX_BYTES, MIN_LENGTH } from '../limits';
import type { InteractionFolders } from './modules';

/** Before the tokenizer has been asked. */
export interface InteractionSettings {
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  /** Beginnings of texts that were one token in training. */
  readonly markers: readonly string[];
  readonly queryLength: number | undefined;
  readonly documentLength: number | undefined;
  readonly expansion: ExpansionSettings | undefined;
  /** Tokens that do not score, as they stand in the vocabulary. */
  readonly skippedWords: readonly string[];
  readonly skipsQueryTokens: boolean;
  readonly normalizes: boolean;
  readonly similarity: TokenInteraction['similarity'];
  /** What the Dense modules read and write, that by default first. */
  readonly features: readonly [string, ...string[]];
  /** The file that most of it is from. */
  readonly source: ConfigReader;
}

export interface ExpansionSettings {
  /** Longer queries are cut. Else `length` is the least that a query has. */
  readonly isFixed: boolean;
  readonly length: number;
  readonly isAttended: boolean;
  /** Default: the mask token. */
  readonly token: string | undefined;
}

/** A file of sentence-transformers that has one of them is PyLate's. */
const PYLATE_KEYS = [
  ...['query_length', 'document_length', 'query_expansion', 'do_query_expansion', 'attend_to_expansion_tokens'],
  ...['attend_to_mask_tokens', 'query_prefix', 'document_prefix', 'skiplist_words'],
];
const EXPANSION_KEYS = ['strategy', 'attend', 'token', 'length'];
/** Of PyLate and of Stanford's ColBERT. */
const EXPANSION_LENGTH = 32;
const PUNCTUATION: readonly string[] = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'];
const STANFORD_MARKERS = { query_token_id: '[unused0]', doc_token_id: '[unused1]' } as const;
const MAX_SKIPPED_WORDS = 65_536;
/** What the transformer writes and all modules behind it read, and what they are called for in other models. */
const TOKENS = 'token_embeddings';
const SENTENCE = 'sentence_embedding';

/** Where modules.json says that vectors of tokens are made. `isColbert`: config.json names Stanford's class. */
export async function readModuleInteraction(
  checkpoint: CheckpointFiles,
  folders: InteractionFolders,
  settings: ConfigReader | undefined,
  transformer: ConfigReader | undefined,
  isColbert: boolean,
): Promise<InteractionSettings> {
  const source = settings ?? new ConfigReader({}, checkpoint.folder);
  const kind = source.string('model_type') ?? (isColbert ? 'MultiVectorEncoder' : undefined);
  const prefixes = ['query_prefix', 'document_prefix'].filter((key) => key in source.json);
  // PyLate did not say what it saved before sentence-transformers did.
  const isPyLate =
    kind === 'ColBERT' || (prefixes.length > 0 && (kind ?? 'SentenceTransformer') === 'SentenceTransformer');
  if (!isPyLate && kind !== 'MultiVectorEncoder') {
    source.unsupported(
      `model_type is ${kind ?? 'absent'}; Dense behind a Transformer makes scores in a ColBERT or a MultiVectorEncoder ` +
        'alone, and no embedding model is run',
    );
  }
  if (isPyLate && (folders.mask ?? folders.normalize) !== undefined) {
    source.unsupported('modules.json has a MultiVectorMask or Normalize, which a model of PyLate has without them');
  }
  const knobs = new ConfigReader(
    { ...readPyLateKnobs(source), ...transformer?.json },
    transformer?.path ?? source.path,
  );
  const expansion = readExpansion(knobs);
  if (expansion !== undefined && !isPyLate && folders.mask === undefined) {
    knobs.unsupported(
      'query_expansion is set and modules.json has no MultiVectorMask, without which it would not score',
    );
  }
  return {
    queryPrefix: readPrefix(source, 'query_prefix', 'query'),
    documentPrefix: readPrefix(source, 'document_prefix', 'document'),
    markers: prefixes.map((key) => source.string(key, '')),
    queryLength: readLength(knobs, 'query_length'),
    documentLength: readLength(knobs, 'document_length'),
    expansion,
    ...(isPyLate
      ? { skippedWords: readWords(source) ?? PUNCTUATION, skipsQueryTokens: false, normalizes: true }
      : { ...(await readMask(checkpoint, folders)), normalizes: await readNormalize(checkpoint, folders.normalize) }),
    similarity: source.get('similarity_fn_name') === 'meanmaxsim' ? 'meanmaxsim' : 'maxsim',
    // PyLate's Dense reads tokens whatever its settings say.
    features: isPyLate ? [TOKENS, SENTENCE] : [TOKENS],
    source,
  };
}

/** Of a checkpoint of Stanford's class, whose settings may be missing. */
export function readStanfordInteraction(metadata: ConfigReader | undefined, folder: string): InteractionSettings {
  const source = metadata ?? new ConfigReader({}, folder);
  const [query, document] = (['query_token_id', 'doc_token_id'] as const).map(
    (key) => `${source.string(key, '') || STANFORD_MARKERS[key]} `,
  );
  const length = source.get('query_maxlen') === 0 ? undefined : readLength(source, 'query_maxlen');
  return {
    queryPrefix: query!,
    documentPrefix: document!,
    markers: [query!, document!],
    queryLength: undefined,
    documentLength: readLength(source, 'doc_maxlen'),
    expansion: {
      isFixed: true,
      length: length ?? EXPANSION_LENGTH,
      isAttended: source.boolean('attend_to_mask_tokens', false),
      token: undefined,
    },
    skippedWords: source.boolean('mask_punctuation', true) ? PUNCTUATION : [],
    skipsQueryTokens: false,
    normalizes: true,
    similarity: 'maxsim',
    features: [TOKENS],
    source,
  };
}

/** In the words of the settings of sentence-transformers' transformer, which go before these. */
function readPyLateKnobs(source: ConfigReader): JsonObject {
  const { json } = source;
  const set = ['query_length', 'document_length'].filter((key) => source.get(key) !== undefined);
  const knobs = Object.fromEntries(set.map((key) => [key, json[key]!]));
  if ('query_expansion' in json) return { ...knobs, query_expansion: json['query_expansion']! };
  if (!PYLATE_KEYS.some((key) => key in json)) return knobs;
  if (json['do_query_expansion'] === false) return { ...knobs, query_expansion: null };
  const attended = 'attend_to_expansion_tokens' in json ? 'attend_to_expansion_tokens' : 'attend_to_mask_tokens';
  const { query_length: length, ...rest } = knobs;
  const expansion = { strategy: 'fixed', attend: source.boolean(attended, false), length: length || EXPANSION_LENGTH };
  return { ...rest, query_expansion: expansion };
}

/** PyLate's prefix and the prompt behind it, which may begin with it. */
function readPrefix(source: ConfigReader, key: string, role: string): string {
  const prefix = source.string(key, '');
  const prompt = source.object('prompts')?.[role] ?? '';
  if (typeof prompt !== 'string') return source.malformed(`the prompt ${role} is no text`);
  const text =
    key in source.json ? prefix + (prompt.startsWith(prefix) ? prompt.slice(prefix.length) : prompt) : prompt;
  if (Buffer.byteLength(text) <= MAX_PREFIX_BYTES) return text;
  return source.malformed(`what stands before a ${role} has more than ${MAX_PREFIX_BYTES} bytes`);
}

function readLength(config: ConfigReader, key: string): number | undefined {
  if (config.get(key) === undefined) return undefined;
  return config.integer(key, 0, MIN_LENGTH, Number.MAX_SAFE_INTEGER);
}

function readExpansion(knobs: ConfigReader): ExpansionSettings | undefined {
  const value = knobs.object('query_expansion');
  if (value === undefined) return undefined;
  const expansion = new ConfigReader(value, `${knobs.path}, query_expansion`);
  const unknown = Object.keys(value).find((key) => !EXPANSION_KEYS.includes(key));
  if (unknown !== undefined) expansion.unsupported(`${unknown.slice(0, 40)} is not known`);
  if (expansion.get('length') === undefined) expansion.malformed('length is absent');
  const length = expansion.integer('length', 0, MIN_LENGTH, MAX_POSITIONS);
  const most = readLength(knobs, 'query_length');
  if (most !== undefined && most < length) {
    knobs.malformed(`query_length is ${most}, less than the ${length} tokens that queries are filled up to`);
  }
  return {
    isFixed: expansion.oneOf('strategy', '', ['fixed', 'min']) === 'fixed',
    length,
    isAttended: expansion.boolean('attend', false),
    token: expansion.string('token'),
  };
}

/** Undefined where there is no list. */
function readWords(config: ConfigReader): readonly string[] | undefined {
  const words = config.get('skiplist_words');
  if (words === undefined) return undefined;
  const isList = Array.isArray(words) && words.length <= MAX_SKIPPED_WORDS;
  if (!isList || !words.every((word) => typeof word === 'string'))
    config.malformed('skiplist_words is no list of words');
  return words;
}

async function readMask(
  checkpoint: CheckpointFiles,
  { mask }: InteractionFolders,
): Promise<Pick<InteractionSettings, 'skippedWords' | 'skipsQueryTokens'>> {
  const config = mask === undefined ? undefined : await checkpoint.optionalModuleConfig(mask);
  if (config === undefined) return { skippedWords: [], skipsQueryTokens: false };
  const kept = config.get('keep_only_token_ids') ?? [];
  if (!Array.isArray(kept) || kept.length > 0) {
    config.unsupported('keep_only_token_ids is set; which tokens score is said by skiplist_words alone');
  }
  const words = readWords(config) ?? [];
  const tasks: JsonValue[] = [config.get('skiplist_tasks') ?? 'document'].flat();
  const [ofQueries, ofDocuments] = ['query', 'document'].map((task) => tasks.includes(task));
  if (words.length > 0 && ofQueries === true && ofDocuments === false) {
    config.unsupported('skiplist_tasks has query and not document; tokens of documents are skipped first');
  }
  return {
    skippedWords: ofDocuments === true ? words : [],
    skipsQueryTokens: ofQueries === true && ofDocuments === true,
  };
}

async function readNormalize(checkpoint: CheckpointFiles, folder: string | undefined): Promise<boolean> {
  if (folder === undefined) return false;
  const config =
    (await checkpoint.optionalModuleConfig(folder)) ?? new ConfigReader({}, `${checkpoint.folder}/${folder}`);
  const input = config.string('module_input_name', SENTENCE);
  for (const name of [input, config.string('module_output_name', input)]) {
    if (name !== TOKENS) config.unsupported(`it reads or writes ${name.slice(0, 40)}; only ${TOKENS} is supported`);
  }
  return true;
}

/** Whether the class in config.json is Stanford's. */
export function isStanfordColbert(config: ConfigReader): boolean {
  return isOfClass(config, 'HF_ColBERT');
}

/** The tokenizer pads on the left, so that what fills up a query would stand before it. */
export function padsLeft(tokenizer: JsonObject | undefined, transformer: ConfigReader | undefined): boolean {
  const own = [transformer?.get('processor_kwargs'), transformer?.get('tokenizer_args')].filter(isJsonObject);
  const sides = [...own, tokenizer ?? {}].map((from) => from['padding_side']);
  return sides.find((side) => side !== undefined && side !== null) === 'left';
}
