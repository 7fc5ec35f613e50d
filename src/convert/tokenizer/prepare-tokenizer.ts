/**
 * The tokenizer that transformers would run for this checkpoint, as one tokenizer.json: the file itself with what its
 * class makes of it, or one made up from the vocabulary's files, and the same vocabulary in llama.cpp's terms.
 */
import { EncoderError } from '../../errors';
import { type JsonObject, type JsonValue, isJsonObject, shown } from '../../support/json';
import { SENTENCEPIECE_MODELS, type TokenizerFiles } from '../checkpoint';
import { ConfigReader } from '../config';
import {
  type PlacedToken,
  type SpecialTokens,
  addMissingTokens,
  plainToken,
  readSpecialTokens,
} from './special-tokens';
import type { PipelineSource, Role, TokenizerClass } from './tokenizer-class';
import { findTokenizerClass } from './tokenizer-registry';
import {
  bertNormalizer,
  countSegments,
  object,
  precompiledCharsmap,
  sequenceOf,
  template,
  withoutSegments,
} from './tokenizer-components';
import { type SentencePieceModel, readSentencePiece } from '../readers/sentencepiece';
import { synthesizeSentencePiece, tokensOf } from './sentencepiece-json';
import { type Vocabulary, readVocabulary } from './vocabulary';
import { dropLastEmptyToken, synthesize, synthesizeBpe, synthesizeSubwords } from './vocabulary-json';

/** Ids of the roles that the vocabulary fills; a role it lacks is undefined. */
export type SpecialIds = Readonly<Record<Role, number | undefined>>;

export interface PreparedTokenizer {
  /** The effective tokenizer.json. */
  readonly json: JsonObject;
  /** Id -> token, for the model's vocabulary and the added tokens together. */
  readonly tokens: ReadonlyMap<number, string>;
  /** Ids of added tokens: true for special ones. */
  readonly added: ReadonlyMap<number, boolean>;
  readonly ids: SpecialIds;
  readonly vocabulary: Vocabulary;
  /** As llama.cpp understands the normalizer; null means "as lowercase". */
  readonly lowercase: boolean;
  readonly stripAccents: boolean | null;
  /** The tokenizer's own limit, undefined when it has none. */
  readonly maxLength: number | undefined;
  /** The end at which it cuts what is longer. */
  readonly truncationSide: 'right' | 'left';
  /** That transformers pads on the left, in a sentence. */
  readonly padsLeft?: string | undefined;
  /** Segments that transformers 5 tells its model; undefined: it tells it none. */
  readonly numSegments?: number | undefined;
  /** Those of texts and of pairs, at least one; undefined: the model gets none, and takes all for the first. */
  readonly segments?: { readonly ofTexts: number; readonly ofPairs: number } | undefined;
  /** That transformers 5 gives no segments where this one does, in a sentence. */
  readonly segmentsKept?: string | undefined;
  readonly warnings: readonly string[];
}

/** What config.json says about the tokenizer. */
export interface TokenizerHints {
  readonly modelType: string;
  readonly tokenizerClass?: string | undefined;
  /** sentence-transformers lowers the case before the tokenizer's own normalizer. */
  readonly lowersCase?: boolean | undefined;
  /** Rows of the model's table of tokens. */
  readonly vocabSize?: number | undefined;
  /** The repository that has the tokenizer's files where the checkpoint has none. */
  readonly source?: string | undefined;
}

/** transformers writes 1e30 for "no limit"; anything this large is no limit. */
const NO_LIMIT = 1e9;

/** Throws `tokenizer_missing`, `tokenizer_unsupported` or `checkpoint_malformed`. */
export function prepareTokenizer(given: TokenizerFiles, folder: string, hints: TokenizerHints): PreparedTokenizer {
  const warnings: string[] = [];
  const config = new ConfigReader(given.config ?? object({}), `${folder}/tokenizer_config.json`);
  const versions = [config.get('fast_tokenizer_files') ?? []].flat();
  if (versions.some((name) => name !== 'tokenizer.json')) {
    throw new EncoderError(
      'tokenizer_unsupported',
      `${config.path}: fast_tokenizer_files names ${shown(versions)}; give the newest the name tokenizer.json, and remove the key`,
    );
  }
  const named = config.string('tokenizer_class') ?? hints.tokenizerClass;
  const found = findTokenizerClass(named, hints.modelType, config.path, given.tokenizer !== undefined);
  const files = found.subwords === undefined ? given : { ...given, tokenizer: undefined };
  if (found.onlyFile !== undefined && files.tokenizer === undefined) {
    throw new EncoderError(
      'tokenizer_unsupported',
      `${folder}: ${found.name} without a tokenizer.json is not supported: ${found.onlyFile}. Set tokenizer_class to that`,
    );
  }
  const model = sentencePieceModel(files, found, folder);
  const tokenizerClass =
    model !== undefined && found.model === undefined ? { ...found, defaults: model.special } : found;
  const extra = found.extraJoinsModel === true ? found.extra!(config).map((content) => plainToken(content, true)) : [];
  const specials = readSpecialTokens(files, config, tokenizerClass, model && [...tokensOf(model), ...extra]);
  const token = (role: Role) => specials.contents.get(role) ?? '';
  const path = `${folder}/${model === undefined ? 'tokenizer.json' : files.sentencePiece!.name}`;
  const json =
    model === undefined
      ? baseJson(files, config, tokenizerClass, specials, { folder, source: hints.source }, warnings)
      : synthesizeSentencePiece(model, found.arrange!(model.pieces, token, config), path);
  // A class that makes its tokenizer itself adds what tokenizer_config.json lists, and nothing of tokenizer.json's list.
  if (config.object('added_tokens_decoder') !== undefined && tokenizerClass.name !== 'TokenizersBackend')
    json['added_tokens'] = [];
  const vocabulary = readVocabulary(json, path);
  const source: PipelineSource = {
    config,
    vocabulary,
    charsmap: precompiledCharsmap(json),
    unkId: model?.unkId,
    token,
  };
  if (tokenizerClass.build === undefined) json['model'] = ownModel(json['model'], vocabulary, tokenizerClass);
  else
    rebuild(
      json,
      source,
      tokenizerClass,
      { isFile: files.tokenizer !== undefined, isNamed: named !== undefined },
      warnings,
    );
  if (hints.lowersCase === true) lowerCaseFirst(json);
  addMissingTokens(json, vocabulary, withVocabulary(specials, vocabulary, tokenizerClass), path);
  const added = dropUnplaced(json, config, tokenizerClass, hints.vocabSize);
  const tokens = new Map<number, string>(vocabulary.byId);
  for (const token of added) tokens.set(token.id, token.content);
  if (files.tokenizer === undefined) dropLastEmptyToken(json, vocabulary, tokens);
  const known = new Map(added.map(({ content, id }) => [content, id]));
  const idOf = (content: string) => known.get(content) ?? vocabulary.ids.get(content);
  const ids = specialIds(specials, idOf);
  json['post_processor'] = postProcessor(json['post_processor'], source, tokenizerClass, { ids, idOf }, files);
  if (tokenizerClass.givesFirstOddToken === true) json['odd_token_first'] = true;
  const ofBatch = 'the padding of a batch changes scores; here they are those of each text alone';
  const inputs = config.get('model_input_names');
  const givesSegments = Array.isArray(inputs)
    ? inputs.includes('token_type_ids')
    : tokenizerClass.givesSegments === true ||
      (tokenizerClass.mayGiveSegments === true && config.boolean('return_token_type_ids', false));
  if (Array.isArray(inputs) && !inputs.includes('attention_mask')) {
    warnings.push(`${config.path}: model_input_names has no attention_mask, so that in transformers ${ofBatch}`);
  }
  const keepsSegments = !Array.isArray(inputs) && tokenizerClass.losesSegments === true;
  const inFirstSegment = withoutSegments(json['post_processor']) ?? null;
  // transformers gives the model no segments, and it takes all for the first one.
  if (!givesSegments && !keepsSegments) json['post_processor'] = inFirstSegment;
  const processor = json['post_processor'];
  const [ofTexts, ofPairs] = [countSegments(processor, 'single'), countSegments(processor, 'pair')];
  const hasSegments = Math.max(ofTexts, ofPairs) > 1;
  return {
    json,
    tokens,
    added: new Map(added.map(({ id, special }) => [id, special])),
    ids,
    // Classes of this model have no other mark.
    vocabulary: tokenizerClass.model === 'WordPiece' ? { ...vocabulary, continuingPrefix: '##' } : vocabulary,
    ...normalizerFlags(json['normalizer']),
    maxLength: readMaxLength(config),
    truncationSide: readSide(files, 'truncation'),
    padsLeft:
      readSide(files, 'padding') === 'left'
        ? `${config.path}: padding_side is left, so that in transformers ${ofBatch}`
        : undefined,
    numSegments: givesSegments ? Math.max(2, ofTexts, ofPairs) : undefined,
    segments: givesSegments || keepsSegments ? { ofTexts, ofPairs } : undefined,
    segmentsKept: hasSegments && keepsSegments ? keptSegments(tokenizerClass.name, ofTexts > 1) : undefined,
    warnings,
  };
}

function keptSegments(name: string, ofTexts: boolean): string {
  return (
    `${name} gives its model segments, as in transformers 4, which trained it with them; without return_token_type_ids ` +
    `transformers 5 leaves them out, and its scores ${ofTexts ? '' : 'of pairs '}differ`
  );
}

/** The added tokens, without those of the class alone that the model has no rows for, which no text may have. */
function dropUnplaced(
  json: JsonObject,
  config: ConfigReader,
  { named, last }: TokenizerClass,
  vocabSize = Infinity,
): readonly PlacedToken[] {
  const ofClass = new Set([...(named?.(config) ?? []), ...(last?.(config) ?? []).map(([content]) => content)]);
  const added = (json['added_tokens'] as unknown as PlacedToken[]).filter(
    ({ id, content }) => id < vocabSize || !ofClass.has(content),
  );
  json['added_tokens'] = added.map((token) => ({ ...token }));
  return added;
}

/** What has to be added, with all tokens of a vocabulary whose class splits at them; no flag of one has an effect there but this one. */
function withVocabulary(
  specials: SpecialTokens,
  { ids }: Vocabulary,
  { name, splitsAtAllTokens, subwords }: TokenizerClass,
): SpecialTokens {
  // Written in Python: they are looked for in the text itself.
  if (subwords !== undefined)
    return { ...specials, toAdd: specials.toAdd.map((token) => ({ ...token, normalized: false })) };
  if (splitsAtAllTokens !== true) return specials;
  const word = specials.toAdd.find(({ single_word }) => single_word);
  if (word !== undefined) {
    throw new EncoderError('tokenizer_unsupported', `${name} has the token ${word.content} as a single word`);
  }
  const own = [...ids.keys()].filter((content) => content !== '').map((content) => plainToken(content, false));
  return { ...specials, toAdd: [...specials.toAdd, ...own].map((token) => ({ ...token, normalized: false })) };
}

/** transformers goes by tokenizer_config.json first. */
function readSide({ tokenizer, config }: TokenizerFiles, what: 'truncation' | 'padding'): 'right' | 'left' {
  const own = tokenizer?.[what];
  const direction = isJsonObject(own) ? own['direction'] : undefined;
  return (config?.[`${what}_side`] ?? String(direction).toLowerCase()) === 'left' ? 'left' : 'right';
}

type FindId = (content: string) => number | undefined;

function specialIds(specials: SpecialTokens, find: FindId): SpecialIds {
  const idOf = (role: Role) => {
    const content = specials.contents.get(role);
    return content === undefined ? undefined : find(content);
  };
  return {
    bos: idOf('bos'),
    eos: idOf('eos'),
    unk: idOf('unk'),
    sep: idOf('sep'),
    pad: idOf('pad'),
    cls: idOf('cls'),
    mask: idOf('mask'),
  };
}

/** Undefined when the checkpoint has a tokenizer.json, or the class no use for a SentencePiece model. */
function sentencePieceModel(
  { tokenizer, sentencePiece }: TokenizerFiles,
  { arrange }: TokenizerClass,
  folder: string,
): SentencePieceModel | undefined {
  if (tokenizer !== undefined || sentencePiece === undefined || arrange === undefined) return undefined;
  return readSentencePiece(sentencePiece.bytes, `${folder}/${sentencePiece.name}`);
}

function baseJson(
  files: TokenizerFiles,
  config: ConfigReader,
  tokenizerClass: TokenizerClass,
  specials: SpecialTokens,
  { folder, source }: { readonly folder: string; readonly source: string | undefined },
  warnings: string[],
): JsonObject {
  const { tokenizer, vocabulary, vocabularyTable, merges, codes } = files;
  const isBert = tokenizerClass.name === 'BertTokenizer';
  if (isBert && !config.boolean('do_basic_tokenize', true)) {
    warnings.push(`${config.path}: do_basic_tokenize is false, which is passed over, as in transformers 5`);
  }
  if (tokenizer !== undefined) {
    // Truncation and padding left over from training are no part of the vocabulary; callers set their own.
    const json = Object.assign(object({}), tokenizer, { truncation: null, padding: null });
    if (isBert) overruleNormalizer(json, bertNormalizer(config), warnings);
    return json;
  }
  if (tokenizerClass.subwords !== undefined) {
    if (vocabulary !== undefined && codes !== undefined) {
      const first = tokenizerClass.subwords.map((role) => specials.contents.get(role) ?? '');
      return synthesizeSubwords({ vocabulary, codes }, first, folder);
    }
    const reason = `${folder} lacks vocab.txt or bpe.codes, which ${tokenizerClass.name} is made of; add them`;
    throw new EncoderError('tokenizer_missing', reason);
  }
  if (vocabulary !== undefined && tokenizerClass.model === 'WordPiece') {
    const unk = specials.contents.get('unk') ?? '[UNK]';
    return synthesize(vocabulary, bertNormalizer(config), unk, `${folder}/vocab.txt`);
  }
  if (vocabularyTable !== undefined && merges !== undefined && tokenizerClass.model === 'BPE') {
    return synthesizeBpe(vocabularyTable, merges, `${folder}/merges.txt`);
  }
  const where = source === undefined ? '' : `, those of ${source} on the Hub`;
  throw new EncoderError('tokenizer_missing', missingFiles(files, tokenizerClass, folder) + where);
}

function missingFiles(files: TokenizerFiles, { name, model, arrange }: TokenizerClass, folder: string): string {
  if (files.sentencePiece !== undefined) {
    return (
      `${folder} has ${files.sentencePiece.name}, which is no file of ${name}, and no tokenizer.json; ` +
      `set tokenizer_class in tokenizer_config.json to the class that the file belongs to`
    );
  }
  const missing =
    model === 'WordPiece'
      ? 'tokenizer.json, nor vocab.txt'
      : arrange !== undefined
        ? `tokenizer.json, nor a SentencePiece model (${SENTENCEPIECE_MODELS.join(', ')})`
        : model === 'BPE'
          ? 'tokenizer.json, nor vocab.json with merges.txt'
          : 'tokenizer.json';
  return `${folder} has no ${missing}, which ${name} needs; add the tokenizer's files to the checkpoint`;
}

/** The class's own pipeline around the vocabulary of `json`. */
function rebuild(
  json: JsonObject,
  source: PipelineSource,
  { name, model, build }: TokenizerClass,
  { isFile, isNamed }: { readonly isFile: boolean; readonly isNamed: boolean },
  warnings: string[],
): void {
  const { vocabulary } = source;
  if (vocabulary.model !== model) {
    const wrong = isNamed ? name : `no tokenizer_class, so that transformers 5 takes ${name}, which`;
    const advice = isNamed ? '' : ', or to "PreTrainedTokenizerFast" for tokenizer.json as it is';
    throw new EncoderError(
      'tokenizer_unsupported',
      `${source.config.path}: ${wrong} has a ${model} vocabulary, but the checkpoint's is ${vocabulary.model}; set tokenizer_class to the class that wrote it${advice}`,
    );
  }
  const pipeline = build!(source);
  const vocab = (json['model'] as JsonObject)['vocab']!;
  const merges = model === 'BPE' ? { merges: vocabulary.merges.map((pair) => [...pair]) } : {};
  const wanted = { normalizer: pipeline.normalizer, pre_tokenizer: pipeline.pre_tokenizer };
  const replaced = Object.entries(wanted).filter(([key, value]) => isFile && !isSameJson(json[key] ?? null, value));
  const [passed, own] = [true, false].map((isNull) => replaced.filter(([, value]) => (value === null) === isNull));
  const parts = [
    ...(own!.length > 0 ? [`brings its own ${namesOf(own!)}`] : []),
    ...(passed!.length > 0 ? [`has no ${namesOf(passed!)}`] : []),
  ];
  if (parts.length > 0) {
    const those = replaced.length > 1 ? 'those' : 'that';
    warnings.push(
      `${name} ${parts.join(' and ')}: ${those} of tokenizer.json ${replaced.length > 1 ? 'are' : 'is'} passed over, as in transformers 5`,
    );
  }
  Object.assign(json, wanted, { model: object({ type: model!, ...pipeline.model, vocab, ...merges }) });
}

function namesOf(parts: readonly (readonly [string, JsonValue])[]): string {
  return parts.map(([key]) => key).join(' and ');
}

/**
 * The model as the tokenizers library reads it from a file. It parses scores a little off, which decides between
 * segmentations that are equally good; classes that build their own pipeline get the exact ones.
 */
function ownModel(model: JsonValue | undefined, vocabulary: Vocabulary, { name }: TokenizerClass): JsonValue {
  const own = model as JsonObject;
  if (vocabulary.model === 'BPE') {
    return Object.assign(object({}), own, { merges: vocabulary.merges.map((pair) => [...pair]) });
  }
  if (vocabulary.model !== 'Unigram' || name !== 'TokenizersBackend') return own;
  const vocab = (own['vocab'] as [string, number][]).map(([token, score]) => [token, librarysNumber(score)]);
  return Object.assign(object({}), own, { vocab });
}

/** `value` as the library parses its shortest decimal form: digits as an integer, once scaled by a power of ten. */
function librarysNumber(value: number): number {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null) return value;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = Number(whole + fraction);
  const power = Number(exponent) - fraction.length;
  const scaled = power < 0 ? digits / Number(`1e${-power}`) : digits * Number(`1e${power}`);
  return sign === '-' ? -scaled : scaled;
}

function postProcessor(
  own: JsonValue | undefined,
  source: PipelineSource,
  tokenizerClass: TokenizerClass,
  { ids, idOf }: { readonly ids: SpecialIds; readonly idOf: FindId },
  files: TokenizerFiles,
): JsonValue {
  const token = (role: Role): [string, number] => [source.token(role), ids[role] ?? 0];
  const found = isJsonObject(own) ? 'present' : 'absent';
  const { setsTemplate = found, dropsTemplate } = tokenizerClass;
  if (tokenizerClass.template !== undefined && setsTemplate === found) {
    return tokenizerClass.template(source, (role) => token(role)[1], idOf);
  }
  if (isJsonObject(own) && !dropsTemplate) return own;
  // With a tokenizer.json, transformers ignores the two flags.
  const flag = (role: 'bos' | 'eos') =>
    files.tokenizer === undefined && ids[role] !== undefined && source.config.boolean(`add_${role}_token`, false);
  const [bos, eos] = [flag('bos'), flag('eos')];
  const around = (sequence: string, segment: number) =>
    [...(bos ? [`bos:${segment}`] : []), `${sequence}:${segment}`, ...(eos ? [`eos:${segment}`] : [])].join(' ');
  const tokens = { ...(bos ? { bos: token('bos') } : {}), ...(eos ? { eos: token('eos') } : {}) };
  return template(around('A', 0), `${around('A', 0)} ${around('B', 1)}`, tokens);
}

function isSameJson(a: JsonValue, b: JsonValue): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((v, i) => isSameJson(v, b[i]!));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSameJson(a[key]!, b[key]!));
}

/** Where only flags of BERT's normalizer differ, says which. */
function overruleNormalizer(json: JsonObject, wanted: JsonObject, warnings: string[]): void {
  const found = json['normalizer'];
  if (!isJsonObject(found) || found['type'] !== 'BertNormalizer') return;
  const changed = Object.keys(wanted).filter((key) => (found[key] ?? null) !== (wanted[key] ?? null));
  json['normalizer'] = wanted;
  if (changed.length === 0) return;
  const list = changed.map((key) => `${key} = ${JSON.stringify(wanted[key])}`).join(', ');
  warnings.push(`tokenizer_config.json overrules the normalizer of tokenizer.json, as in transformers: ${list}`);
}

function lowerCaseFirst(json: JsonObject): void {
  const found = json['normalizer'];
  const parts =
    isJsonObject(found) && Array.isArray(found['normalizers']) ? found['normalizers'] : found ? [found] : [];
  if (parts.some((part) => isJsonObject(part) && part['type'] === 'Lowercase')) return;
  json['normalizer'] = sequenceOf('normalizers', [object({ type: 'Lowercase' }), ...parts]);
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
  // Files that were saved again by later releases have the older key too, with what it once was.
  const key = config.get('model_max_length') === undefined ? 'max_len' : 'model_max_length';
  const value = config.get(key);
  if (value === undefined || (typeof value === 'number' && value >= NO_LIMIT)) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  return config.malformed(
    `${key} is ${shown(value)}; a number of tokens expected: correct it, or remove the key where there is no limit`,
  );
}
