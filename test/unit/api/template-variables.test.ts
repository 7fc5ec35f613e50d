// What a caller may give a chat template beside the messages, and what is refused, with its place.
import { describe, expect, it } from 'vitest';

import { checkTemplateVariables } from '../../../src/api/template-variables';

describe('checkTemplateVariables', () => {
  it('copies JSON, without what is undefined', () => {
    const given = { a: 'b', list: [1, true, null, { c: [] }], gone: undefined };
    const copy = checkTemplateVariables(given);
    given.list.push(2);
    expect(copy).toEqual({ a: 'b', list: [1, true, null, { c: [] }] });
    expect(Object.keys(copy)).toEqual(['a', 'list']);
  });

  it('takes a name that objects have for one like any other', () => {
    const copy = checkTemplateVariables(JSON.parse('{"__proto__": {"a": 1}}'));
    expect(Object.getOwnPropertyNames(copy)).toEqual(['__proto__']);
    expect('a' in copy).toBe(false);
  });

  const loop: Record<string, unknown> = {};
  loop['own'] = loop;

  it.each([
    ['no object', 'a', TypeError, 'options.templateVariables: expected an object, received "a"'],
    ['a list', [], TypeError, 'options.templateVariables'],
    ['null', null, TypeError, 'options.templateVariables'],
    ['messages', { messages: [] }, RangeError, 'options.templateVariables.messages'],
    ['a function', { a: [() => 1] }, TypeError, 'options.templateVariables.a[0]: expected JSON'],
    ['undefined in a list', { a: [undefined] }, TypeError, 'options.templateVariables.a[0]'],
    ['a large integer', { a: 1n }, TypeError, 'options.templateVariables.a'],
    ['no number', { a: { b: Number.NaN } }, RangeError, 'options.templateVariables.a.b: expected a finite number'],
    ['itself', loop, RangeError, 'at most 16 lists and objects'],
    ['too much text', { a: 'x'.repeat(2 ** 18) }, RangeError, 'at most 16384 values and 262144 characters'],
    ['too many values', { a: Array.from({ length: 2 ** 14 }, () => 0) }, RangeError, 'at most 16384 values'],
  ])('refuses %s', (_, value, kind, message) => {
    expect(() => checkTemplateVariables(value)).toThrow(kind);
    expect(() => checkTemplateVariables(value)).toThrow(message);
  });
});
