/**
 * The tokenizer that transformers would run for this checkpoint, as one tokenizer.json: the file itself with what
 * tokenizer_config.json overrules, or one made up from vocab.txt, and the same vocabulary in llama.cpp's terms.
 */
import { EncoderError } from '../errors';
import { type JsonObject, type JsonValue, isJsonObject } from '../support/json';
import type { TokenizerFiles } from './checkpoint';
import { ConfigReader } from './config';
import { addMissingTokens, readSpecialTokens } from './special-tokens';
import { pairTemplate, readVocabulary, synthesize } from './wordpiece-json';

/** Ids of the roles that the vocabulary fills; a role it lacks is undefined. */
export interface SpecialIds {
  readonly cls: number | undefined;
  readonly sep: number | undefined;
  readonly unk: number | undefined;
  readonly pad: number | undefined;
  readonly mask: number | undefined;
}

export interface PreparedTokenizer {
  /** The effective tokenizer.json. */
  readonly json: JsonObject;
  /** Id -> token, for the model's vocabulary and the added tokens together. */
  readonly tokens: ReadonlyMap<number, string>;
  /** Ids of added tokens: true for special ones. */
  readonly added: ReadonlyMap<number, boolean>;
  readonly ids: SpecialIds;
  /** Prefix of tokens that continue a word, '##' as a rule. */
  readonly continuingPrefix: string;
  /** As llama.cpp understands the normalizer; null means "as lowercase". */
  readonly lowercase: boolean;
  readonly stripAccents: boolean | null;
  /** The tokenizer's own limit, undefined when it has none. */
  readonly maxLength: number | undefined;
  readonly warnings: readonly string[];
}

/** Classes whose normalizer follows tokenizer_config.json, whatever tokenizer.json says; `Fast` is cut off before. */
const BERT_CLASSES: readonly (string | undefined)[] = [undefined, 'BertTokenizer', 'DistilBertTokenizer'];
/** Classes that take tokenizer.json as it is. */
const GENERIC_CLASSES: readonly (string | undefined)[] = ['PreTrainedTokenizer', 'TokenizersBackend'];

/** transformers writes 1e30 for "no limit"; anything this large is no limit. */
const NO_LIMIT = 1e9;

/** Throws `tokenizer_missing`, `tokenizer_unsupported` or `checkpoint_malformed`. */
export function prepareTokenizer(files: TokenizerFiles, folder: string): PreparedTokenizer {
  const warnings: string[] = [];
  const config = new ConfigReader(files.config ?? emptyObject(), `${folder}/tokenizer_config.json`);
  const tokenizerClass = config.string('tokenizer_class')?.replace(/Fast$/, '');
  const isBert = BERT_CLASSES.includes(tokenizerClass);
  if (!isBert && !GENERIC_CLASSES.includes(tokenizerClass)) {
    throw new EncoderError(
      'tokenizer_unsupported',
      `${config.path}: tokenizer_class ${tokenizerClass} is not supported`,
    );
  }
  const specials = readSpecialTokens(files, config, isBert);
  const json = baseJson(files, config, isBert, specials.unk, folder, warnings);
  const vocabulary = readVocabulary(json, `${folder}/tokenizer.json`);
  const added = addMissingTokens(json, vocabulary, specials, `${folder}/tokenizer.json`);
  const tokens = new Map<number, string>(vocabulary.byId);
  for (const token of added) tokens.set(token.id, token.content);
  const idOf = (content: string | undefined) =>
    content === undefined
      ? undefined
      : (added.find((token) => token.content === content)?.id ?? vocabulary.ids.get(content));
  const ids = {
    cls: idOf(specials.cls),
    sep: idOf(specials.sep),
    unk: idOf(specials.unk),
    pad: idOf(specials.pad),
    mask: idOf(specials.mask),
  };
  if (isBert && !isJsonObject(json['post_processor'])) {
    const token = (role: 'cls' | 'sep') => ({ content: specials[role] ?? '', id: ids[role] ?? 0 });
    json['post_processor'] = pairTemplate(token('cls'), token('sep'));
  }
  return {
    json,
    tokens,
    added: new Map(added.map(({ id, special }) => [id, special])),
    ids,
    continuingPrefix: vocabulary.continuingPrefix,
    ...normalizerFlags(json['normalizer']),
    maxLength: readMaxLength(config),
    warnings,
  };
}

function baseJson(
  files: TokenizerFiles,
  config: ConfigReader,
  isBert: boolean,
  unkToken: string | undefined,
  folder: string,
  warnings: string[],
): JsonObject {
  const { tokenizer, vocabulary } = files;
  if (isBert && !config.boolean('do_basic_tokenize', true)) {
    throw new EncoderError(
      'tokenizer_unsupported',
      `${config.path}: do_basic_tokenize is false; only true is supported`,
    );
  }
  if (tokenizer === undefined) {
    if (vocabulary === undefined || !isBert) {
      const missing = vocabulary === undefined ? 'tokenizer.json and vocab.txt' : 'tokenizer.json';
      throw new EncoderError(
        'tokenizer_missing',
        `${folder} has no ${missing}; add the tokenizer's files to the checkpoint`,
      );
    }
    return synthesize(vocabulary, bertNormalizer(config), unkToken ?? '[UNK]', `${folder}/vocab.txt`);
  }
  // Truncation and padding left over from training are no part of the vocabulary; callers set their own.
  const json = Object.assign(emptyObject(), tokenizer, { truncation: null, padding: null });
  if (isBert) overruleNormalizer(json, bertNormalizer(config), warnings);
  return json;
}

/** What BertTokenizer builds from tokenizer_config.json; absent keys have these defaults there too. */
function bertNormalizer(config: ConfigReader): JsonObject {
  const stripAccents = config.get('strip_accents');
  return Object.assign(emptyObject(), {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: config.boolean('tokenize_chinese_chars', true),
    strip_accents: stripAccents === undefined ? null : config.boolean('strip_accents', false),
    lowercase: config.boolean('do_lower_case', true),
  });
}

function overruleNormalizer(json: JsonObject, wanted: JsonObject, warnings: string[]): void {
  const found = json['normalizer'];
  if (!isJsonObject(found) || found['type'] !== 'BertNormalizer') {
    warnings.push('tokenizer.json has no BertNormalizer; its own normalizer is kept');
    return;
  }
  const changed = ['handle_chinese_chars', 'strip_accents', 'lowercase'].filter(
    (key) => (found[key] ?? null) !== (wanted[key] ?? null),
  );
  if (changed.length === 0) return;
  json['normalizer'] = Object.assign(emptyObject(), found, ...changed.map((key) => ({ [key]: wanted[key] })));
  const list = changed.map((key) => `${key} = ${JSON.stringify(wanted[key])}`).join(', ');
  warnings.push(`tokenizer_config.json overrules the normalizer of tokenizer.json, as in transformers: ${list}`);
}

function normalizerFlags(normalizer: JsonValue | undefined): { lowercase: boolean; stripAccents: boolean | null } {
  if (!isJsonObject(normalizer)) return { lowercase: false, stripAccents: false };
  if (normalizer['type'] === 'BertNormalizer') {
    const strip = normalizer['strip_accents'];
    return {
      lowercase: normalizer['lowercase'] !== false,
      stripAccents: typeof strip === 'boolean' ? strip : null,
    };
  }
  const parts = Array.isArray(normalizer['normalizers']) ? normalizer['normalizers'] : [normalizer];
  const has = (type: string) => parts.some((part) => isJsonObject(part) && part['type'] === type);
  return { lowercase: has('Lowercase'), stripAccents: has('StripAccents') };
}

function readMaxLength(config: ConfigReader): number | undefined {
  const value = config.get('model_max_length') ?? config.get('max_len');
  if (value === undefined || (typeof value === 'number' && value >= NO_LIMIT)) return undefined;
  return config.integer(['model_max_length', 'max_len'], 0, 1, NO_LIMIT);
}

function emptyObject(): JsonObject {
  return Object.create(null) as JsonObject;
}
