/** Where a checkpoint keeps its chat template, what that is given beside the messages, and whether chats are what it is for. */
import { EncoderError } from '../../errors';
import { type JsonObject, type JsonValue, isJsonObject } from '../../support/json';
import type { CheckpointFiles } from '../checkpoint';
import type { PreparedTokenizer, SpecialIds } from '../tokenizer/prepare-tokenizer';
import { MAX_SOURCE } from './bounded-template';

export interface TemplateSource {
  readonly source: string;
  readonly path: string;
  /** One of several templates: sentence-transformers then does not look into it. */
  readonly isNamed?: boolean;
}

/** chat_template.jinja, else what tokenizer_config.json has: one template, or several of which "default" is taken. */
export async function findTemplate(
  checkpoint: CheckpointFiles,
  tokenizerConfig: JsonObject | undefined,
): Promise<TemplateSource | undefined> {
  const file = await checkpoint.chatTemplate();
  if (file !== undefined) return file;
  const path = `${checkpoint.modelFolder}/tokenizer_config.json`;
  const value = tokenizerConfig?.['chat_template'] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'string') return { source: value, path };
  const templates: readonly JsonValue[] = Array.isArray(value) ? value : [];
  const found = templates.filter(isJsonObject).find(({ name }) => name === 'default')?.['template'];
  if (typeof found === 'string') return { source: found, path, isNamed: true };
  throw new EncoderError('checkpoint_malformed', `${path}: chat_template has no template of the name default`);
}

/** A template that was made for rerankers names the roles that it is given; one of a chat model may render any. */
export function isForPairs({ source }: TemplateSource): boolean {
  return source.includes('query') && source.includes('document');
}

/** bos_token and the like, where the tokenizer has one. */
export function tokenVariables({ ids, tokens }: PreparedTokenizer): Record<string, string> {
  const roles = (Object.keys(ids) as (keyof SpecialIds)[]).filter((role) => ids[role] !== undefined);
  return Object.fromEntries(roles.map((role) => [`${role}_token`, tokens.get(ids[role]!)!]));
}

/** What makes a text of a chat that a classifier reads. */
export interface CheckpointChat {
  /** Jinja. */
  readonly source: string;
  readonly variables: Readonly<Record<string, string>>;
  /** For a model whose labels are tokens that an answer may begin with. */
  readonly answer?: { readonly prefix: string; readonly isPrompted: boolean };
}

/** Of a model that is asked by means of it. Throws `tokenizer_unsupported` for one that is too large. */
export function readAnsweredChat({ source, path }: TemplateSource, tokenizer: PreparedTokenizer): CheckpointChat {
  if (source.length <= MAX_SOURCE) return { source, variables: tokenVariables(tokenizer) };
  throw new EncoderError(
    'tokenizer_unsupported',
    `the chat template of ${path} has ${source.length} characters, of which up to ${MAX_SOURCE} are read`,
  );
}

/** Undefined for a template that takes pairs, and one that is too large to be rendered: `leftOut` then says so. */
export function readChat(
  found: TemplateSource,
  tokenizer: PreparedTokenizer,
): { readonly chat?: CheckpointChat; readonly leftOut?: string } {
  if (isForPairs(found)) return {};
  const { source, path } = found;
  if (source.length > MAX_SOURCE) {
    const leftOut = `the chat template of ${path} has ${source.length} characters, of which up to ${MAX_SOURCE} are read: it is left out, and chats ({ messages }) with it`;
    return { leftOut };
  }
  return { chat: { source, variables: tokenVariables(tokenizer) } };
}
