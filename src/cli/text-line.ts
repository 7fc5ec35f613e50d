/** What a line of input may say: a JSON string, an object with `text` and perhaps `text_pair`, or one with `messages`. */
import type { ChatMessage, ChatPart } from '../api/chat';
import { isChat } from '../api/chats';
import type { ChatInput } from '../api/chats';
import type { ClassifierInput } from '../api/classifier';
import type { TextInput } from '../api/inputs';

/** @throws Error with what is wrong about the line, for the caller to put its number in front. */
export function parseTextLine(line: string): TextInput {
  return parseLine(line, readTextInput, EXPECTED);
}

/** The same for lines of single texts, of which no pair can be made. */
export function parseSingleTextLine(line: string): string {
  return parseLine(line, readSingleText, 'a JSON string or {"text": ...}');
}

/** The same for lines of one file that `Classifier` reads, all chats or none: what is wrong has the number of its line. */
export function classifierLines(): (line: string) => ClassifierInput {
  const check = sameKind();
  return (line) => check(parseLine(line, readClassifierInput, `${EXPECTED}, or {"messages": [...]}`));
}

/** Gives back inputs that are all chats, or none of which is. */
export function sameKind(): (input: ClassifierInput) => ClassifierInput {
  let areChats: boolean | undefined;
  return (input) => {
    areChats ??= isChat(input);
    if (isChat(input) === areChats) return input;
    throw new Error(areChats ? 'a text, where the lines before are chats' : 'a chat, where the lines before are texts');
  };
}

function parseLine<Input extends ClassifierInput>(
  line: string,
  read: (value: unknown) => Input | { problem: string },
  expected: string,
): Input {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error(`not JSON; expected ${expected}`, { cause });
  }
  const input = read(value);
  if (isProblem(input)) throw new Error(`${input.problem}; expected ${expected}`);
  return input;
}

function isProblem(input: ClassifierInput | { problem: string }): input is { problem: string } {
  return typeof input === 'object' && 'problem' in input;
}

/**
 * A document for `rank`: lines as above, or the line itself as plain text when it is anything else, so that both a
 * .jsonl and a .txt file can be ranked.
 */
export function parseDocumentLine(line: string): string {
  try {
    const input = readTextInput(JSON.parse(line));
    if (typeof input === 'string') return input;
    if (!isProblem(input)) return input.text;
  } catch {
    // Not JSON, so plain text.
  }
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

const EXPECTED = 'a JSON string, {"text": ...} or {"text": ..., "text_pair": ...}';

/** The text or pair that a JSON value stands for, or what is wrong with it. */
export function readTextInput(value: unknown): TextInput | { problem: string } {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problem: `found ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`}` };
  }
  if (!('text' in value)) return { problem: 'found an object without "text"' };
  if (typeof value.text !== 'string') return { problem: '"text" is no string' };
  const pair = 'text_pair' in value ? value.text_pair : undefined;
  if (pair === undefined || pair === null) return { text: value.text };
  if (typeof pair !== 'string') return { problem: '"text_pair" is no string' };
  return { text: value.text, textPair: pair };
}

function readSingleText(value: unknown): string | { problem: string } {
  const input = readTextInput(value);
  if (typeof input === 'string' || isProblem(input)) return input;
  return input.textPair === undefined ? input.text : { problem: 'found "text_pair"' };
}

/** Of a message; others may be null, as the exports of tables have them. */
const KEYS: readonly string[] = ['role', 'content'];

/** The text, pair or chat that a JSON value stands for, or what is wrong with it. */
export function readClassifierInput(value: unknown): ClassifierInput | { problem: string } {
  if (!isChat(value)) return readTextInput(value);
  const messages: unknown = value.messages;
  if (!Array.isArray(messages) || messages.length === 0) return { problem: '"messages" is no list with messages' };
  const wrong = messages.findIndex((message) => !isMessage(message));
  if (wrong >= 0)
    return { problem: `"messages" has no "role" and "content", a string and a string or parts of text, at ${wrong}` };
  for (const [place, message] of messages.entries()) {
    const other = Object.entries(message as object).find(([key, own]) => !KEYS.includes(key) && own !== null);
    if (other !== undefined) {
      return { problem: `"messages" has ${JSON.stringify(other[0])} at ${place}, which is given to no template` };
    }
  }
  return {
    messages: messages.map(({ role, content }: ChatMessage) => ({ role, content: readContent(content) })),
  } satisfies ChatInput;
}

/** Without what else stands in the parts. */
function readContent(content: ChatMessage['content']): ChatMessage['content'] {
  return typeof content === 'string' ? content : content.map(({ type, text }) => ({ type, text }));
}

function isMessage(value: unknown): value is ChatMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { role, content } = value as Partial<ChatMessage>;
  return typeof role === 'string' && (typeof content === 'string' || isParts(content));
}

function isParts(content: unknown): content is readonly ChatPart[] {
  if (!Array.isArray(content) || content.length === 0) return false;
  return content.every((part: Partial<ChatPart> | null) => part?.type === 'text' && typeof part.text === 'string');
}
