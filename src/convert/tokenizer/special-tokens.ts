/**
 * Which tokens play a role and which were added, gathered from tokenizer_config.json, special_tokens_map.json and
 * added_tokens.json in transformers' order of precedence.
 */
import { EncoderError } from '../../errors';
import { type JsonObject, type JsonValue, isJsonObject } from '../../support/json';
import type { TokenizerFiles } from '../checkpoint';
import type { ConfigReader } from '../config';
import { MAX_VOCAB_SIZE } from '../limits';
import type { Role, TokenizerClass } from './tokenizer-class';
import type { Vocabulary } from './vocabulary';

/** A token as tokenizer.json's `added_tokens` has it. */
export interface AddedToken {
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

export interface PlacedToken extends AddedToken {
  readonly id: number;
}

export interface SpecialTokens {
  /** Content of each role's token; a role without one is absent. */
  readonly contents: ReadonlyMap<Role, string>;
  /** Tokens that must exist, in the order in which missing ones get new ids. */
  readonly toAdd: readonly AddedToken[];
  /** Contents of those whose flags replace the ones in tokenizer.json. */
  readonly overruling: ReadonlySet<string>;
}

/** In transformers' order, which decides the ids of tokens that are missing from the vocabulary. */
const ROLES: readonly Role[] = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'];

export function readSpecialTokens(
  files: TokenizerFiles,
  config: ConfigReader,
  tokenizerClass: TokenizerClass,
  /** Those of a SentencePiece model, which stand in for a list in tokenizer_config.json, and before the older file's. */
  modelTokens?: readonly AddedToken[],
): SpecialTokens {
  const decoder = config.object('added_tokens_decoder');
  // Once a file has added_tokens_decoder, transformers no longer looks at the two older files.
  const legacy = decoder === undefined ? files.specialTokens : undefined;
  const named = new Map<Role, AddedToken>();
  for (const role of ROLES) {
    const key = `${role}_token`;
    const ofClass = tokenizerClass.defaults[role];
    const said = legacy !== undefined && key in legacy ? legacy[key] : config.json[key];
    const isNone = said === null && ofClass !== undefined;
    if (isNone && (role === 'cls' || role === 'sep'))
      config.malformed(`${key} is null, which stands around every text`);
    const value = said ?? (isNone && (role === 'mask' || role === 'pad') ? undefined : ofClass);
    if (value === undefined || value === null) continue;
    const token = toToken(config, value, key);
    const takesSpace = role === 'mask' && tokenizerClass.maskTakesSpace === true && typeof value === 'string';
    const isPlain = tokenizerClass.overrulesFlags === true && role !== 'mask';
    named.set(role, isPlain ? plainToken(token.content, true) : takesSpace ? { ...token, lstrip: true } : token);
  }
  // The older file's list under the older name counts where there is no other, and not for added_tokens.json.
  const recent = readExtra(config, legacy);
  const older = modelTokens === undefined ? listOf(config, legacy, 'additional_special_tokens') : undefined;
  const ofClass = tokenizerClass.extra?.(config).map((content) => plainToken(content, true)) ?? [];
  const own = recent ?? older ?? modelTokens ?? ofClass;
  const last = tokenizerClass.last?.(config).map(([content, isSpecial]) => plainToken(content, isSpecial)) ?? [];
  const extra = [...own, ...last];
  const unplaced = tokenizerClass.named?.(config).map((content) => plainToken(content, true)) ?? [];
  const contents = new Set([...named.values()].map(({ content }) => content));
  const special = new Set([...named.values(), ...(recent ?? [])].map(({ content }) => content));
  const declared =
    decoder === undefined
      ? readAddedTokens(config, files.addedTokens, special)
      : readDecoder(config, decoder, contents);
  const toAdd = new Map<string, AddedToken>();
  for (const token of [...declared, ...named.values(), ...unplaced, ...extra]) {
    if (!toAdd.has(token.content)) toAdd.set(token.content, token);
  }
  // What the model says of a token counts more than what is said of its role, if not in added_tokens_decoder.
  const ofFile = decoder === undefined ? [] : declared;
  const said = new Set(ofFile.map(({ content }) => content));
  for (const token of own === modelTokens ? own : []) {
    if (!said.has(token.content))
      toAdd.set(token.content, { ...token, special: token.special || contents.has(token.content) });
  }
  const isMaskNamed = (legacy?.['mask_token'] ?? config.get('mask_token')) !== undefined;
  const ofClassItself = [...toAdd.values()].filter((token) => !isMaskNamed || token !== named.get('mask'));
  const overruling = tokenizerClass.overrulesFlags === true ? ofClassItself : ofFile;
  return {
    contents: new Map([...named].map(([role, { content }]) => [role, content])),
    toAdd: [...toAdd.values()],
    overruling: new Set(overruling.map(({ content }) => content)),
  };
}

/**
 * Completes `json.added_tokens` as the tokenizers library does: a token that the vocabulary has keeps its id, a new one
 * gets the next free id. Returns all added tokens by id.
 */
export function addMissingTokens(
  json: JsonObject,
  vocabulary: Vocabulary,
  specials: SpecialTokens,
  path: string,
): readonly PlacedToken[] {
  const placed = readPlaced(json['added_tokens'], path);
  const known = new Map([...placed.values()].map(({ content, id }) => [content, id]));
  let highest = [...placed.keys()].reduce((a, b) => Math.max(a, b), -1);
  for (const token of specials.toAdd) {
    const present = known.get(token.content);
    if (present !== undefined && specials.overruling.has(token.content)) placed.set(present, { id: present, ...token });
    if (token.content === '' || present !== undefined) continue;
    const id = vocabulary.ids.get(token.content) ?? Math.max(vocabulary.ids.size, highest + 1);
    const other = placed.get(id)?.content ?? vocabulary.byId.get(id);
    if (other !== undefined && other !== '' && other !== token.content) {
      throw new EncoderError('checkpoint_malformed', `${path}: ${token.content} would get the id ${id} of ${other}`);
    }
    placed.set(id, { id, ...token });
    highest = Math.max(highest, id);
    known.set(token.content, id);
  }
  const ordered = [...placed.values()].sort((a, b) => a.id - b.id);
  json['added_tokens'] = ordered.map((token) => ({ ...token }));
  return ordered;
}

function readPlaced(value: JsonValue | undefined, path: string): Map<number, PlacedToken> {
  const placed = new Map<number, PlacedToken>();
  for (const item of Array.isArray(value) ? value : []) {
    const id = isJsonObject(item) ? item['id'] : undefined;
    const content = isJsonObject(item) ? item['content'] : undefined;
    const valid = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < MAX_VOCAB_SIZE && !placed.has(id);
    if (!valid || typeof content !== 'string' || !isJsonObject(item)) {
      throw new EncoderError('checkpoint_malformed', `${path}: an added token has no valid id and content`);
    }
    placed.set(id, { id, ...tokenFrom(item, content, item['special'] === true) });
  }
  return placed;
}

/** {"30522": {"content": "[NEW]", ...}}: sorted by id, though new ids follow the order only; `roles` are special all the same. */
function readDecoder(config: ConfigReader, decoder: JsonObject, roles: ReadonlySet<string>): AddedToken[] {
  return Object.entries(decoder)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([id, value]) => {
      const content = isJsonObject(value) ? value['content'] : undefined;
      if (!isJsonObject(value) || typeof content !== 'string')
        config.malformed(`added_tokens_decoder has no token for ${id}`);
      return tokenFrom(value, content, value['special'] === true || roles.has(content));
    });
}

/** {"[NEW]": 30522} of older releases; a token with a role is special and matched before normalization. */
function readAddedTokens(
  config: ConfigReader,
  table: JsonObject | undefined,
  special: ReadonlySet<string>,
): AddedToken[] {
  const entries = Object.entries(table ?? {}).map(([content, id]) => {
    if (typeof id !== 'number') return config.malformed(`added_tokens.json gives ${content.slice(0, 40)} no id`);
    return { content, id };
  });
  return entries.sort((a, b) => a.id - b.id).map(({ content }) => plainToken(content, special.has(content)));
}

/** The list in tokenizer_config.json, the older name's where the newer one has none, then the older file's; undefined without any. */
function readExtra(config: ConfigReader, legacy: JsonObject | undefined): AddedToken[] | undefined {
  const key = 'extra_special_tokens';
  const newer = listOf(config, config.json, key);
  const isNamed = newer !== undefined && newer.length > 0;
  const own = isNamed ? newer : (listOf(config, config.json, 'additional_special_tokens') ?? newer);
  const added = listOf(config, legacy, key);
  return added === undefined ? own : [...(own ?? []), ...added];
}

function listOf(config: ConfigReader, json: JsonObject | undefined, key: string): AddedToken[] | undefined {
  const list = json?.[key];
  return Array.isArray(list) ? list.map((value) => toToken(config, value, key)) : undefined;
}

/** "[CLS]" or {"content": "[CLS]", "lstrip": false, ...}, special whatever it says. */
function toToken(config: ConfigReader, value: JsonValue, key: string): AddedToken {
  if (typeof value === 'string') return plainToken(value, true);
  const content = isJsonObject(value) ? value['content'] : undefined;
  if (!isJsonObject(value) || typeof content !== 'string') config.malformed(`${key} is no token`);
  return tokenFrom(value, content, true);
}

export function plainToken(content: string, special: boolean): AddedToken {
  return { content, single_word: false, lstrip: false, rstrip: false, normalized: !special, special };
}

function tokenFrom(value: JsonObject, content: string, special: boolean): AddedToken {
  const normalized = value['normalized'];
  return {
    content,
    single_word: value['single_word'] === true,
    lstrip: value['lstrip'] === true,
    rstrip: value['rstrip'] === true,
    normalized: typeof normalized === 'boolean' ? normalized : !special,
    special,
  };
}
