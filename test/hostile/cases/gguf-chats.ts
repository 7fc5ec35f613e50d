/** Hand-made GGUF files with a template of chats, which is a program: ones that never end, grow, or reach for what is not theirs. */
import type { Case } from '../case';
import { buildGguf, copyParts, entry, parseGguf, text, texts, u32 } from '../gguf-bytes';

const twice = (body: string, times: number) =>
  Array.from({ length: times }, (_, level) => `{% for i${level} in range(2000) %}`).join('') +
  body +
  '{% endfor %}'.repeat(times);

/** Templates that cannot be read, or that take or make too much. */
const REFUSED: Readonly<Record<string, string>> = {
  'loops in loops': twice('a', 4),
  'loops in loops over messages': twice("{{ messages[0]['content'] }}", 3),
  'a loop over more than can be counted': '{% for i in range(10**18) %}a{% endfor %}',
  'a loop with steps of zero': '{% for i in range(0, 9, 0) %}a{% endfor %}',
  'a text that doubles':
    "{% set ns = namespace(a='ab') %}{% for i in range(64) %}{% set ns.a = ns.a + ns.a %}{% endfor %}{{ ns.a }}",
  'lists of lists':
    '{% set ns = namespace(a=[]) %}{% for i in range(64) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}',
  'a namespace in itself': '{% set ns = namespace(a=1) %}{% set ns.a = ns %}{{ ns }}',
  'a join that grows': `{{ range(2000) | list | join('${'b'.repeat(20_000)}') }}`,
  'an indent of a billion': "{{ 'a\nb' | indent(1000000000) }}",
  'deep brackets': `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`,
  'deep lists': `{{ ${'['.repeat(5000)}${']'.repeat(5000)} }}`,
  'what is not closed': '{% for message in messages %}{{ message.content',
  'an expression of nothing': '{{ }}{% %}',
  'an include': "{% include '/etc/passwd' %}{% import 'fs' as fs %}",
  '24 KiB and one more': 'a'.repeat(24 * 1024 + 1),
};

/** Templates that a model has whose chats are refused at most: they raise an error, or ask for what is not there. */
const HARMLESS: Readonly<Record<string, string>> = {
  'a macro without end': '{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}',
  'two macros without end':
    '{% macro f(x) %}{{ g(x) }}{% endmacro %}{% macro g(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}',
  'a replacement that grows': `{{ ('${'a'.repeat(300)}' * 9) | replace('a', '${'b'.repeat(9000)}') }}`,
  'deep negations': `{{ ${'not '.repeat(5000)}true }}`,
  'deep ifs': `${'{% if true %}'.repeat(800)}a${'{% endif %}'.repeat(800)}`,
  'the prototype': "{{ messages.__proto__ }}{{ ''.constructor }}{{ messages['constructor']('return process')() }}",
  'the prototype is set': "{% set ns = namespace() %}{% set ns.__proto__ = messages %}{% set ns.constructor = 'a' %}a",
  'a date of every kind': "{{ strftime_now('%Q%E%O%-%%%') }}{{ strftime_now('%999999999Y') }}",
  'a format without end': `{{ '${'%s'.repeat(5000)}' | format('a') }}`,
  'nothing but NUL': '\0'.repeat(1000),
  'half a character': '{{ "\\ud800" }}',
};

export function ggufChatCases(sound: Buffer): Case[] {
  const parts = parseGguf(sound);
  const cases: Case[] = [];
  const add = (name: string, entries: readonly (readonly [string, number, Buffer])[], expect: Case['expect']) => {
    const copy = copyParts(parts);
    for (const [key, type, value] of entries) copy.entries.push(entry(key, type, value));
    cases.push({ name: `gguf chat/${name}`, gguf: buildGguf(copy), expect });
  };
  const template = (source: string) => ['tokenizer.chat_template', 8, text(source)] as const;
  const lists = (names: readonly string[], values: readonly string[]) =>
    [
      ['ggml_encoder.chat.variables', 9, texts(names)],
      ['ggml_encoder.chat.values', 9, texts(values)],
    ] as const;
  for (const [name, source] of Object.entries(REFUSED)) add(name, [template(source)], 'refused');
  for (const [name, source] of Object.entries(HARMLESS)) add(name, [template(source)], 'accepted');
  const plain = template('{{ messages[0].content }}{{ bos_token }}');
  add('more names than values', [plain, ...lists(['bos_token', 'eos_token'], ['a'])], 'refused');
  add('a value that the template is', [plain, ...lists(['bos_token'], ['{% for i in range(9) %}'])], 'accepted');
  add('the messages themselves', [plain, ...lists(['messages'], ['a'])], 'accepted');
  add(
    'names of every object',
    [plain, ...lists(['__proto__', 'constructor', 'toString'], ['a', 'b', 'c'])],
    'accepted',
  );
  add('a text of a million', [plain, ...lists(['bos_token'], ['a'.repeat(1_000_000)])], 'accepted');
  add('a template that is a number', [['tokenizer.chat_template', 4, u32(1)]], 'refused');
  return cases;
}
