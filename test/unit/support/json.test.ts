import { describe, expect, it } from 'vitest';

import { type JsonObject, parseJson } from '../../../src/support/json';

const parse = (text: string) => parseJson(text, { what: 'x.json' });

describe('parseJson', () => {
  it('knows a byte order mark and a Git LFS pointer', () => {
    expect(() => parse('\ufeff{}')).toThrow('x.json is not valid JSON: a byte order mark');
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n';
    expect(() => parse(pointer)).toThrow(
      'x.json: it is a Git LFS pointer, not the file itself; fetch it with git lfs pull',
    );
  });

  it('agrees with JSON.parse', () => {
    const text = ' {"a": [1, -2.5e3, 0.1, true, false, null, "\\u00e9\\n\\"", {}], "": [[]], "ä": "\u2028"}\n';
    expect(JSON.parse(JSON.stringify(parse(text)))).toEqual(JSON.parse(text));
  });

  it('keeps __proto__ an ordinary key', () => {
    const value = parse('{"__proto__": {"polluted": 1}, "constructor": 2}') as JsonObject;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(value['hasOwnProperty']).toBeUndefined();
  });

  it.each([
    '',
    '{',
    '[1,]',
    '{"a":1,}',
    '{"a" 1}',
    '{a:1}',
    "{'a':1}",
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '"\n"',
    '"\\x"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"abc',
    '01',
    '1.',
    '.5',
    '+1',
    '-',
    'NaN',
    'Infinity',
    'nul',
    'true false',
    '[1 2]',
    '\ufeff{}',
    '/**/1',
  ])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'checkpoint_malformed' }));
  });

  it('refuses nesting beyond 64 levels, however deep', () => {
    expect(parse('['.repeat(64) + ']'.repeat(64))).toBeInstanceOf(Array);
    for (const depth of [65, 1_000_000]) {
      expect(() => parse('['.repeat(depth))).toThrow(expect.objectContaining({ code: 'limit_exceeded' }));
    }
  });

  it('refuses more values than take some seconds and a gigabyte', () => {
    const lists = (count: number) => `[${'[],'.repeat(count - 1)}[]]`;
    expect(parse(lists(2 ** 18))).toHaveLength(2 ** 18);
    expect(() => parse(lists(2 ** 22))).toThrow(expect.objectContaining({ code: 'limit_exceeded' }));
  });

  it('can insist on integers', () => {
    const integers = (text: string) => parseJson(text, { what: 'x.json', integersOnly: true });
    expect(integers('[0, 9007199254740991]')).toEqual([0, 9007199254740991]);
    for (const text of ['1.0', '1e3', '-1', '-0', '9007199254740992', '99999999999999999999']) {
      expect(() => integers(text)).toThrow(expect.objectContaining({ code: 'checkpoint_malformed' }));
    }
  });
});
