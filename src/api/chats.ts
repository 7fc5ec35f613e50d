/** Chats as the texts that a model was trained on: its checkpoint's chat template, rendered as transformers renders it. */
import { BoundedTemplate } from '../convert/chat-template/bounded-template';
import { EncoderError } from '../errors';
import type { NativeModelInfo, NativeRunOptions } from '../native/bindings';
import { checkOptions, checkString, invalidType, isList, wrongValue } from '../support/arguments';
import type { InputColumns, TextInput } from './inputs';
import { strftime } from './strftime';

/** One turn of a chat. */
export interface ChatMessage {
  /** Mostly `system`, `user` or `assistant`: what the checkpoint's chat template knows. */
  readonly role: string;
  readonly content: string;
}

/** A chat, which the checkpoint's chat template makes a text of. */
export interface ChatInput {
  readonly messages: readonly ChatMessage[];
}

/** @internal What a call gives the model. */
export interface RunInputs {
  readonly columns: InputColumns;
  readonly run: NativeRunOptions;
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

/** Characters of the messages of a chat. */
const MAX_CHARACTERS = 2 ** 19;

/** @internal The chat template of a checkpoint. */
export class Chat {
  readonly #variables: Readonly<Record<string, string>>;
  #template: BoundedTemplate | undefined;

  constructor(
    private readonly path: string,
    private readonly native: Pick<NativeModelInfo, 'chatSource' | 'chatVariables' | 'chatValues'>,
  ) {
    const { chatVariables, chatValues } = native;
    this.#variables = Object.fromEntries(chatVariables.map((name, place) => [name, chatValues[place]!]));
  }

  /** Throws `tokenizer_unsupported` for a template that cannot be read, `input_invalid` for messages that it refuses. */
  render(messages: readonly ChatMessage[], name: string): string {
    const bounds = { maxText: 2 * MAX_CHARACTERS, startsAnew: true };
    this.#template ??= new BoundedTemplate(this.native.chatSource, `of ${this.path}`, bounds);
    const rendered = this.#template.tryRender({
      messages,
      tools: null,
      documents: null,
      add_generation_prompt: false,
      strftime_now: (format: unknown) => strftime(String(format), new Date()),
      ...this.#variables,
    });
    if (typeof rendered === 'string') return rendered;
    throw new EncoderError(
      'input_invalid',
      `${name}: the model's chat template does not take them: ${rendered.failure}`,
    );
  }
}

/**
 * @internal The chats of a call as texts, and the options that such texts are read with. What stands in a message is never
 * taken for a token of the template: unless told otherwise a message that holds one is refused.
 */
export async function chatColumns(
  inputs: readonly (TextInput | ChatInput)[],
  nameOf: (index: number) => string,
  model: ChatModel,
  run: NativeRunOptions,
): Promise<RunInputs> {
  const chats = inputs.map((input, index) => readMessages(input, nameOf(index)));
  const { chat } = model;
  if (chat === undefined) {
    throw wrongValue(`${nameOf(0)}.messages: expected a text, since ${model.path} has no chat template`);
  }
  if (run.windows !== 'none') throw wrongValue('options.windows: expected none for chats, which are read as a whole');
  if (run.specialTokens !== 'parse') await model.checkContents(contentsOf(chats, nameOf));
  const texts = chats.map((messages, index) => chat.render(messages, `${nameOf(index)}.messages`));
  return { columns: { texts, pairs: null, nameOf }, run: { ...run, specialTokens: 'parse', addsSpecialTokens: false } };
}

/** A template writes roles as they are, so that they forge turns as well as contents do; few are different. */
function contentsOf(chats: readonly (readonly ChatMessage[])[], nameOf: (index: number) => string): InputColumns {
  const texts: string[] = [];
  const names: string[] = [];
  const roles = new Set<string>();
  for (const [index, messages] of chats.entries()) {
    for (const [place, { role, content }] of messages.entries()) {
      const name = `${nameOf(index)}.messages[${place}]`;
      if (!roles.has(role)) {
        roles.add(role);
        texts.push(role);
        names.push(`${name}.role`);
      }
      texts.push(content);
      names.push(`${name}.content`);
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
  let characters = 0;
  const read = Array.from(messages, (message, place): ChatMessage => {
    const own = `${name}.messages[${place}]`;
    if (typeof message !== 'object' || message === null) throw invalidType(own, '{ role, content }', message);
    checkOptions(message, ['role', 'content'], own);
    const { role, content } = message as Partial<ChatMessage>;
    characters += checkString(`${own}.content`, content).length;
    return { role: checkString(`${own}.role`, role), content: content! };
  });
  if (characters > MAX_CHARACTERS) {
    throw new EncoderError(
      'limit_exceeded',
      `${name}.messages have ${characters} characters; at most ${MAX_CHARACTERS} are read`,
    );
  }
  return read;
}
