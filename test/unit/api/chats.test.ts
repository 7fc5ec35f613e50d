// Chats of a call: what is read of them, what is refused, and what the template makes of them (scripts/make-chat-fixtures.py).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { Chat, type ChatMessage } from '../../../src/api/chat';
import { type ChatModel, chatColumns } from '../../../src/api/chats';
import { strftime } from '../../../src/api/strftime';
import { resolveTextOptions } from '../../../src/api/text-options';
import { EncoderError } from '../../../src/errors';

const TEMPLATE = `{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content | trim }};{% endfor %}`;
const { run } = resolveTextOptions({}, { maxLength: 16, truncationSide: 'right' });
const NO_ANSWER = { chatAnswer: null, chatGenerationPrompt: false };
const nameOf = (index: number): string => `inputs[${index}]`;

function model(source = TEMPLATE, refused?: string): ChatModel & { readonly contents: string[] } {
  const native = { chatSource: source, chatVariables: ['bos_token'], chatValues: ['<s>'], ...NO_ANSWER };
  const contents: string[] = [];
  return {
    path: '/m.gguf',
    chat: new Chat('/m.gguf', native),
    contents,
    checkContents: async ({ texts, nameOf: name }) => {
      contents.push(...texts);
      const place = texts.findIndex((text) => text === refused);
      if (place >= 0) throw new EncoderError('input_invalid', `${name!(place)} holds a token`);
      return Promise.resolve();
    },
  };
}

const chat = (...contents: string[]) => ({ messages: contents.map((content) => ({ role: 'user', content })) });

describe('chatColumns', () => {
  it("gives the rendered texts, which have their control tokens written out, with the parts that are the messages'", async () => {
    const own = model();
    const columns = await chatColumns([chat('a ', ' b'), chat(' \u00e9\ud83d\ude00'), chat('')], nameOf, own, run);
    expect(columns.texts).toEqual(['<s>[user]a;[user]b;', '<s>[user]\u00e9\ud83d\ude00;', '<s>[user];']);
    // In bytes: the end of the text, of which nothing is kept, and then begin and end of each part.
    expect(columns.pairs!.map((parts) => [...(parts as Uint32Array)])).toEqual([
      [19, 9, 10, 17, 18],
      [16, 9, 15],
      [10],
    ]);
    expect(own.contents).toEqual(['user']);
  });

  it('has half a surrogate pair in no text', async () => {
    const { texts, pairs } = await chatColumns([chat('a\ud83d', '\ude00')], nameOf, model(), run);
    expect(texts[0]).toBe('<s>[user]a\ufffd;[user]\ufffd;');
    expect([...(pairs![0] as Uint32Array)]).toEqual([24, 9, 13, 20, 23]);
  });

  it('refuses a control token where it cannot be told whose it is, and wherever it is an error', async () => {
    const looks = "{% for m in messages %}{{ 'x!' if m.content == 'x' else m.content | upper }}{% endfor %}";
    const forged = [chat('a'), chat('b', 'x')];
    const named = 'inputs[1].messages[1].content';
    await expect(chatColumns(forged, nameOf, model(looks, 'x'), run)).rejects.toThrow(named);
    const strict = { ...run, specialTokens: 'error' } as const;
    await expect(chatColumns(forged, nameOf, model(TEMPLATE, 'x'), strict)).rejects.toThrow(named);
    await expect(chatColumns(forged, nameOf, model(TEMPLATE, 'user'), run)).rejects.toThrow(
      'inputs[0].messages[0].role',
    );
    for (const own of [model(TEMPLATE, 'x'), model(looks, 'x')]) {
      const { texts } = await chatColumns(forged, nameOf, own, { ...run, specialTokens: 'parse' });
      expect(texts[1]).toContain('x');
      expect(own.contents).toEqual([]);
    }
  });

  it.each([
    ['no list', { messages: 'a' }, 'inputs[0].messages: expected a list'],
    ['none', { messages: [] }, 'inputs[0].messages: expected at least one'],
    ['a text among them', { messages: ['a'] }, 'inputs[0].messages[0]: expected { role, content }'],
    ['no role', { messages: [{ content: 'a' }] }, 'inputs[0].messages[0].role'],
    ['parts', { messages: [{ role: 'user', content: [] }] }, 'inputs[0].messages[0].content'],
    ['more than that', { messages: [{ role: 'user', content: 'a', name: 'b' }] }, 'inputs[0].messages[0].name'],
    ['a text beside them', { messages: [{ role: 'user', content: 'a' }], text: 'b' }, 'inputs[0].text'],
    ['too many characters', chat('x'.repeat(2 ** 19), 'y'), 'inputs[0].messages: a chat of 524289 characters'],
  ])('refuses messages with %s', async (_, input, message) => {
    await expect(chatColumns([input as never], nameOf, model(), run)).rejects.toThrow(message);
  });

  it('refuses windows, texts beside chats, and models without a template', async () => {
    const windows = { ...run, windows: 'text' } as const;
    await expect(chatColumns([chat('a')], nameOf, model(), windows)).rejects.toThrow('options.windows');
    await expect(chatColumns([chat('a'), 'b'], nameOf, model(), run)).rejects.toThrow(
      'inputs[1]: expected { messages }',
    );
    const without = { ...model(), chat: undefined };
    await expect(chatColumns([chat('a')], nameOf, without, run)).rejects.toThrow('/m.gguf has no chat template');
  });

  it('passes on what a template raises, and what makes it unreadable', async () => {
    const raises = model("{{ raise_exception('roles must alternate') }}");
    await expect(chatColumns([chat('a')], nameOf, raises, run)).rejects.toMatchObject({
      code: 'input_invalid',
      message: expect.stringMatching(/inputs\[0\]\.messages.*roles must alternate/) as string,
    });
    await expect(chatColumns([chat('a')], nameOf, model('{% for %}'), run)).rejects.toMatchObject({
      code: 'tokenizer_unsupported',
    });
    const endless = model('{% for i in range(2000) %}{% for j in range(2000) %}{{ i * j }}{% endfor %}{% endfor %}');
    await expect(chatColumns([chat('a')], nameOf, endless, run)).rejects.toMatchObject({
      code: 'tokenizer_unsupported',
    });
  });

  it('renders each chat within a budget of its own, long ones too', async () => {
    const long = chat(...Array.from({ length: 20 }, (_, turn) => `${turn}`.repeat(10_000)));
    const columns = await chatColumns(
      Array.from({ length: 50 }, () => long),
      nameOf,
      model(),
      run,
    );
    expect(new Set(columns.texts).size).toBe(1);
    expect(columns.texts[0]).toContain('1919');
  });

  it('reads a chat of many messages whose template looks back at them from each', async () => {
    const source = "{% for m in messages %}{{ m.content }}{{ '.' if m == messages[-1] }}{% endfor %}";
    const messages = Array.from({ length: 2000 }, (_, place) => ({ role: 'user', content: `${place} `.repeat(40) }));
    const columns = await chatColumns([{ messages }], nameOf, model(source), run);
    expect(columns.texts[0]).toHaveLength(messages.map(({ content }) => content).join('').length + 1);
  });

  it.each([
    ['loops', 'a'],
    ['calls of filters', "{{ 'abc' | upper | trim }}"],
    ['loops over a list that was there', '{% for m in messages %}{% endfor %}'],
    ['lists', '{% set list = range(1000) %}'],
  ])('ends a template of endless %s', async (_, body) => {
    const source = '{% for a in range(2000) %}{% for b in range(2000) %}' + body + '{% endfor %}{% endfor %}';
    const refused = chatColumns([chat(...Array<string>(500).fill('a'))], nameOf, model(source), run);
    await expect(refused).rejects.toMatchObject({ code: 'tokenizer_unsupported' });
  });

  it('knows the date', async () => {
    const own = model("{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% endif %}");
    const columns = await chatColumns([chat('a')], nameOf, own, run);
    expect(columns.texts[0]).toMatch(/^20\d\d$/);
  });
});

interface Fixtures {
  readonly variables: Readonly<Record<string, string>>;
  readonly templates: readonly {
    readonly name: string;
    readonly template: string;
    /** A text of null: transformers refuses the messages. */
    readonly rows: readonly { readonly messages: readonly ChatMessage[]; readonly text: string | null }[];
  }[];
}

describe('a template', () => {
  const path = join(__dirname, '..', '..', 'fixtures', 'chats.json');
  const { variables, templates } = JSON.parse(readFileSync(path, 'utf8')) as Fixtures;

  it.each(templates)("makes transformers' texts: $name", ({ template, rows }) => {
    const chatVariables = Object.keys(variables);
    const own = new Chat('/m.gguf', {
      chatSource: template,
      chatVariables,
      chatValues: Object.values(variables),
      ...NO_ANSWER,
    });
    for (const { messages, text } of rows) {
      if (text === null) expect(() => own.render(messages, 'input.messages')).toThrow('please');
      else expect(own.render(messages, 'input.messages')).toBe(text);
    }
  });

  it('is refused where it makes another text than Python would', () => {
    const refused = (source: string, content: string): void => {
      const own = new Chat('/m.gguf', { chatSource: source, chatVariables: [], chatValues: [], ...NO_ANSWER });
      expect(() => own.render([{ role: 'user', content }], 'input.messages')).toThrow('input.messages');
    };
    refused('{{ messages }}', 'a');
    refused('{{ messages[0] }}', 'a');
    refused('{{ messages[0].content | indent }}', 'a\r\nb');
  });
});

describe('strftime', () => {
  it("writes what Python's does", () => {
    const date = new Date(2026, 7, 3, 15, 4, 5);
    expect(strftime('%d %b %Y', date)).toBe('03 Aug 2026');
    expect(strftime('%A, %B %d, %y %% %a %m %H:%M:%S %I %p', date)).toBe(
      'Monday, August 03, 26 % Mon 08 15:04:05 03 PM',
    );
    expect(strftime('%I %p', new Date(2026, 0, 1))).toBe('12 AM');
    expect(() => strftime('%Q', date)).toThrow('%Q');
    expect(() => strftime('%', date)).toThrow('not known');
  });
});
