// Where a template puts what messages say, and what it takes to be sure of that.
import { Template } from '@huggingface/jinja';
import { describe, expect, it } from 'vitest';

import type { ChatMessage } from '../../../src/api/chat';
import { ChatLayout } from '../../../src/api/chat-layout';

/** The parts of the messages' text as texts, undefined where they cannot be told, and the end. */
function partsOf(source: string, ...contents: string[]): [string[] | undefined, string] {
  const template = new Template(source);
  const messages = contents.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content }));
  const render = (own: readonly ChatMessage[]) => template.render({ messages: own });
  const text = render(messages);
  const { callers, end } = ChatLayout.of(messages, render).partsOf(text, contents);
  return [callers?.map(([begin, stop]) => text.slice(begin, stop)), text.slice(end)];
}

const TURNS = '{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}= ';

describe('ChatLayout', () => {
  it.each([
    ['contents as they are', TURNS, ['a', ' b\n'], [['a', ' b\n'], '\n= ']],
    ['empty ones', TURNS, ['', 'b'], [['b'], '\n= ']],
    [
      "contents that read like the template's own text",
      TURNS,
      ['[user] a\n= ', '= '],
      [['[user] a\n= ', '= '], '\n= '],
    ],
    ['no white space at their ends', '{{ messages[0].content | trim }}!', [' a b\n'], [['a b'], '!']],
    [
      'none at one end',
      "{{ messages[0].content.rstrip() ~ '!' ~ messages[0].content.lstrip() }}",
      [' a '],
      [[' a', 'a '], ''],
    ],
    ['one twice, the other never', '{{ messages[1].content }}-{{ messages[1].content }}', ['a', 'b'], [['b', 'b'], '']],
    ['another order', '{{ messages[1].content }}{{ messages[0].content }}.', ['a', 'b'], [['b', 'a'], '.']],
    ['none at all', 'x', ['a'], [[], 'x']],
  ] as const)('finds %s', (_, source, contents, expected) => {
    expect(partsOf(source, ...contents)).toEqual(expected);
  });

  it.each([
    ['changes them', '{{ messages[0].content | upper }}.', ['a'], '.'],
    ['looks into them', "{{ 'long' if messages[0].content | length > 4 else messages[0].content }}; x", ['a'], '; x'],
    ['leaves out what is empty', '{% if messages[0].content %}<{{ messages[0].content }}>{% endif %}.', [''], '.'],
    ['cuts them', '{{ messages[0].content[:2] }}', ['abc'], ''],
  ] as const)('is not sure of a template that %s, but of its end', (_, source, contents, end) => {
    expect(partsOf(source, ...contents)).toEqual([undefined, end]);
  });
});
