/**
 * Where a chat template puts what the messages say: found out with words in the place of the contents, and held against each
 * text that it then makes, so that nothing of a caller's is ever taken for the template's own.
 */
import { PYTHON_SPACES, stripEnd, stripStart } from '../support/white-space';
import type { ChatMessage } from './chat';

/** @internal What stands where in a text, in its UTF-16 units. */
export interface ChatParts {
  /** Begin and end of each part that is a message's, in order; undefined where that cannot be told. */
  readonly callers: readonly (readonly [begin: number, end: number])[] | undefined;
  /** Where the template's own end begins. */
  readonly end: number;
}

/** No text of anyone's, and of no use to a template that looks into contents. */
const MARK = 'q7x0z4';
const MARKS = new RegExp(`${MARK}(\\d+)${MARK}`);

/** Contents as they are, and without white space at their ends, the longest first; what else a template makes of one is not looked for. */
const WRITTEN: readonly ((content: string) => string)[] = [
  (content) => content,
  (content) => stripEnd(content, PYTHON_SPACES),
  (content) => stripStart(content, PYTHON_SPACES),
  (content) => stripStart(stripEnd(content, PYTHON_SPACES), PYTHON_SPACES),
];

/** @internal */
export class ChatLayout {
  /** The template's own texts. */
  readonly #pieces: readonly string[];
  /** The contents between them, by their places among those of all messages. */
  readonly #places: readonly number[];

  private constructor(private readonly marked: string) {
    const parts = marked.split(MARKS);
    this.#pieces = parts.filter((_, index) => index % 2 === 0);
    this.#places = parts.filter((_, index) => index % 2 === 1).map(Number);
  }

  /** Of messages like these, whatever they say. */
  static of(messages: readonly ChatMessage[], render: (messages: readonly ChatMessage[]) => string): ChatLayout {
    let place = 0;
    const mark = () => `${MARK}${place++}${MARK}`;
    const marked = messages.map(({ role, content }): ChatMessage => {
      if (typeof content === 'string') return { role, content: mark() };
      return { role, content: content.map(({ type }) => ({ type, text: mark() })) };
    });
    return new ChatLayout(render(marked));
  }

  /** The parts of the text that the template made of such messages with these contents. */
  partsOf(text: string, contents: readonly string[]): ChatParts {
    const callers: (readonly [number, number])[] = [];
    let at = this.#pieces[0]!.length;
    let fits = text.startsWith(this.#pieces[0]!);
    for (const [index, place] of this.#places.entries()) {
      const piece = this.#pieces[index + 1]!;
      const content = contents[place] ?? '';
      const stands = (own: string) => text.startsWith(own, at) && text.startsWith(piece, at + own.length);
      const write = WRITTEN.find((written) => stands(written(content)));
      fits &&= write !== undefined;
      if (!fits) break;
      const end = at + write!(content).length;
      if (end > at) callers.push([at, end]);
      at = end + piece.length;
    }
    if (fits && at === text.length) return { callers, end: at - this.#pieces.at(-1)!.length };
    return { callers: undefined, end: text.length - commonEnd(text, this.marked) };
  }
}

function commonEnd(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.at(-1 - length) === b.at(-1 - length)) length += 1;
  return length;
}
