/** A checkpoint's chat template, rendered as transformers renders it, and what of the text is whose. */
import { BoundedTemplate } from '../convert/chat-template/bounded-template';
import { type MessageFormat, guessFormat, messageOf } from '../convert/chat-template/messages';
import { EncoderError } from '../errors';
import type { NativeModelInfo } from '../native/bindings';
import { ChatLayout } from './chat-layout';
import { strftime } from './strftime';
import type { TemplateVariables } from './template-variables';

/** A part of a message, for templates that take the content in parts. */
export interface ChatPart {
  readonly type: 'text';
  readonly text: string;
}

/** One turn of a chat. */
export interface ChatMessage {
  /** Mostly `system`, `user` or `assistant`: what the checkpoint's chat template knows. */
  readonly role: string;
  /** A text, or a list of parts for a template that takes these. */
  readonly content: string | readonly ChatPart[];
}

/** @internal Characters of the messages of a chat. */
export const MAX_CHARACTERS = 2 ** 19;

type ChatFacts = Pick<
  NativeModelInfo,
  'chatSource' | 'chatVariables' | 'chatValues' | 'chatAnswer' | 'chatGenerationPrompt'
>;

/** @internal */
export class Chat {
  /** The model answers chats, and reads a text as one. */
  readonly answers: boolean;
  readonly #variables: Readonly<Record<string, string>>;
  #template: BoundedTemplate | undefined;
  #format: MessageFormat | undefined;

  constructor(
    private readonly path: string,
    private readonly native: ChatFacts,
  ) {
    const { chatVariables, chatValues, chatAnswer } = native;
    this.answers = chatAnswer !== null;
    this.#variables = Object.fromEntries(chatVariables.map((name, place) => [name, chatValues[place]!]));
  }

  /** What a text is for a model that answers chats: what a user says; with a second text, what was said to that. */
  messagesOf(text: string, reply: string | null): readonly ChatMessage[] {
    const format = (this.#format ??= guessFormat(this.native.chatSource));
    const said = messageOf('user', text, format);
    return reply === null ? [said] : [said, messageOf('assistant', reply, format)];
  }

  /**
   * With the beginning of the answer, where the model answers chats. Throws `tokenizer_unsupported` for a template that
   * cannot be read, `input_invalid` for messages that it refuses.
   */
  render(messages: readonly ChatMessage[], name: string, variables: TemplateVariables = {}): string {
    const bounds = { maxText: 2 * MAX_CHARACTERS, startsAnew: true };
    this.#template ??= new BoundedTemplate(this.native.chatSource, `of ${this.path}`, bounds);
    const rendered = this.#template.tryRender({
      messages,
      tools: null,
      documents: null,
      add_generation_prompt: this.native.chatGenerationPrompt,
      strftime_now: (format: unknown) => strftime(String(format), new Date()),
      ...this.#variables,
      ...variables,
    });
    if (typeof rendered !== 'string') {
      throw new EncoderError(
        'input_invalid',
        `${name}: the model's chat template does not take them: ${rendered.failure}`,
      );
    }
    const answer = this.native.chatAnswer ?? '';
    return rendered.endsWith(answer) ? rendered : rendered + answer;
  }

  /** How the template lays out messages like these; undefined where it takes none with other contents. */
  layout(messages: readonly ChatMessage[], name: string, variables?: TemplateVariables): ChatLayout | undefined {
    try {
      return ChatLayout.of(messages, (marked) => this.render(marked, name, variables));
    } catch (error) {
      if (error instanceof EncoderError) return undefined;
      throw error;
    }
  }
}

/** @internal */
export function textsOf({ content }: ChatMessage): readonly string[] {
  return typeof content === 'string' ? [content] : content.map(({ text }) => text);
}
