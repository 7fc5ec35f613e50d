/** The chats of a call: what is read of them, and the texts that they become. */
import { EncoderError } from '../errors';
import type { NativeRunOptions } from '../native/bindings';
import { checkOptions, checkString, invalidType, isList, outOfRange, wrongValue } from '../support/arguments';
import { type Chat, type ChatMessage, type ChatPart, MAX_CHARACTERS, textsOf } from './chat';
import type { ChatLayout, ChatParts } from './chat-layout';
import { type InputColumns, type TextInput, readTextInput } from './inputs';
import type { TemplateVariables } from './template-variables';

/** A chat, which the checkpoint's chat template makes a text of. */
export interface ChatInput {
  readonly messages: readonly ChatMessage[];
}

/** @internal What chats are read with, and what is asked of the model about them. */
export interface ChatModel {
  readonly path: string;
  readonly chat: Chat | undefined;
  /** Rejects where a text holds a control token. */
  checkContents(contents: InputColumns): Promise<void>;
}

/** @internal */
export function isChat(input: unknown): input is ChatInput {
  return typeof input === 'object' && input !== null && 'messages' in input;
}

/** @internal Throws unless the input is a chat. */
export function checkChat(input: unknown, name: string): void {
  readMessages(input, name);
}

/** A chat of a call; `messagesName` is what the caller knows its messages by, none for a text that is read as a chat. */
interface NamedChat {
  readonly name: string;
  readonly messagesName: string | undefined;
  readonly messages: readonly ChatMessage[];
}

/**
 * @internal The chats of a call, or its texts for a model that reads those as chats, as the texts that the model reads. What
 * stands in a message is never taken for a token of the template: it is ordinary characters, or else refused.
 */
export async function chatColumns(
  inputs: readonly (TextInput | ChatInput)[],
  nameOf: (index: number) => string,
  model: ChatModel,
  run: NativeRunOptions,
  variables?: TemplateVariables,
): Promise<InputColumns> {
  const { chat } = model;
  const areChats = isChat(inputs[0]);
  const chats = inputs.map((input, index): NamedChat => {
    const name = nameOf(index);
    if (areChats) return { name, messagesName: `${name}.messages`, messages: readMessages(input, name) };
    const { text, pair } = readTextInput(input, name);
    const messages = chat!.messagesOf(wellFormed(text), pair && wellFormed(pair));
    checkCharacters(messages, name);
    return { name, messagesName: undefined, messages };
  });
  if (chat === undefined) {
    throw wrongValue(`${nameOf(0)}.messages: expected a text, since ${model.path} has no chat template`);
  }
  if (run.windows !== 'none') throw wrongValue('options.windows: expected none for chats, which are read as a whole');

  const layouts = new Map<string, ChatLayout | undefined>();
  const read = chats.map((own) => {
    const { messages, name, messagesName = name } = own;
    const text = chat.render(messages, messagesName, variables);
    const shape = JSON.stringify(messages.map(({ role, content }) => [role, isList(content) && content.length]));
    if (!layouts.has(shape)) layouts.set(shape, chat.layout(messages, name, variables));
    const parts = layouts.get(shape)?.partsOf(text, messages.flatMap(textsOf));
    return { own, text, parts };
  });
  if (run.specialTokens !== 'parse') {
    const isOpen = ({ parts }: (typeof read)[number]) => run.specialTokens === 'error' || parts?.callers === undefined;
    await model.checkContents(contentsOf(chats, new Set(read.filter(isOpen).map(({ own }) => own))));
  }
  const pairs = read.map(({ text, parts }) => bytesOf(text, parts, chat.answers));
  return { texts: read.map(({ text }) => text), pairs, nameOf };
}

/** The parts as the native side takes them: where the end begins that is kept, and what is the callers'. */
function bytesOf(text: string, parts: ChatParts | undefined, keepsEnd: boolean): Uint32Array {
  const { callers = [], end = text.length } = parts ?? {};
  const isAscii = Buffer.byteLength(text) === text.length;
  let [at, bytes] = [0, 0];
  const placeOf = (place: number) => {
    if (isAscii) return place;
    bytes += Buffer.byteLength(text.slice(at, place));
    at = place;
    return bytes;
  };
  const places = callers.flatMap(([begin, stop]) => [placeOf(begin), placeOf(stop)]);
  return Uint32Array.of(placeOf(keepsEnd ? end : text.length), ...places);
}

/** All roles, which a template writes as they are, so that they forge turns as well; few are different. Contents of `open`. */
function contentsOf(chats: readonly NamedChat[], open: ReadonlySet<NamedChat>): InputColumns {
  const texts: string[] = [];
  const names: string[] = [];
  const roles = new Set<string>();
  for (const chat of chats) {
    const { name, messagesName, messages } = chat;
    for (const [place, message] of messages.entries()) {
      const own = messagesName === undefined ? name : `${messagesName}[${place}]`;
      if (messagesName !== undefined && !roles.has(message.role)) {
        roles.add(message.role);
        texts.push(message.role);
        names.push(`${own}.role`);
      }
      if (!open.has(chat)) continue;
      for (const text of textsOf(message)) {
        texts.push(text);
        names.push(messagesName === undefined ? own : `${own}.content`);
      }
    }
  }
  return { texts, pairs: null, nameOf: (index) => names[index]! };
}

/** Copies, with nothing but role and content. */
function readMessages(input: unknown, name: string): readonly ChatMessage[] {
  if (!isChat(input)) throw invalidType(name, '{ messages }, as other inputs of the call are', input);
  checkOptions(input, ['messages'], name);
  const { messages } = input;
  if (!isList<unknown>(messages)) throw invalidType(`${name}.messages`, 'a list of { role, content }', messages);
  if (messages.length === 0) throw wrongValue(`${name}.messages: expected at least one message`);
  const read = Array.from(messages, (message, place): ChatMessage => {
    const own = `${name}.messages[${place}]`;
    if (typeof message !== 'object' || message === null) throw invalidType(own, '{ role, content }', message);
    checkOptions(message, ['role', 'content'], own);
    const { role, content } = message as Partial<ChatMessage>;
    return { content: readContent(content, `${own}.content`), role: checkString(`${own}.role`, role) };
  });
  checkCharacters(read, `${name}.messages`);
  return read;
}

function checkCharacters(messages: readonly ChatMessage[], name: string): void {
  const characters = messages.flatMap(textsOf).reduce((sum, { length }) => sum + length, 0);
  if (characters <= MAX_CHARACTERS) return;
  throw new EncoderError(
    'limit_exceeded',
    `${name}: a chat of ${characters} characters; at most ${MAX_CHARACTERS} are read`,
  );
}

function readContent(content: unknown, name: string): string | readonly ChatPart[] {
  if (typeof content === 'string') return wellFormed(content);
  const expected = "a string or a list of { type: 'text', text }";
  if (!isList<unknown>(content) || content.length === 0) throw invalidType(name, expected, content);
  return Array.from(content, (part, place): ChatPart => {
    const own = `${name}[${place}]`;
    if (typeof part !== 'object' || part === null) throw invalidType(own, "{ type: 'text', text }", part);
    checkOptions(part, ['type', 'text'], own);
    const { type, text } = part as Partial<ChatPart>;
    if (type !== 'text') throw outOfRange(`${own}.type`, '"text"', type);
    return { type, text: wellFormed(checkString(`${own}.text`, text)) };
  });
}

/** Half of a pair of surrogates counts as U+FFFD, as everywhere; two halves of different texts make no character. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
