import { describe, expect, test } from 'vitest';

import { describeResult, resultLine } from '../../../src/cli/commands/classify';
import { bar, formatBytes, painter, shorten, table, visible } from '../../../src/cli/style';

describe('visible', () => {
  test('control characters cannot reach the terminal', () => {
    expect(visible('a\u001b[31mred\u0007')).toBe('a\\u001b[31mred\\u0007');
    expect(visible('right\u202eleft')).toBe('right\\u202eleft');
    expect(visible('one\ntwo\tthree')).toBe('one two three');
    expect(visible('für 日本 🙂')).toBe('für 日本 🙂');
  });
});

test('shorten counts code points and marks the cut', () => {
  expect(shorten('🙂🙂🙂', 3)).toBe('🙂🙂🙂');
  expect(shorten('🙂🙂🙂🙂', 3)).toBe('🙂🙂…');
});

test('bar grows by eighths', () => {
  expect(bar(0, 4)).toBe('');
  expect(bar(0.5, 4)).toBe('██');
  expect(bar(1, 4)).toBe('████');
  expect(bar(7 / 32, 4)).toBe('▉');
  expect(bar(9, 4)).toBe('████');
});

test('table aligns columns', () => {
  expect(
    table(
      [
        ['a', '1'],
        ['bcd', '22'],
      ],
      [1],
    ),
  ).toEqual(['a     1', 'bcd  22']);
});

test('formatBytes', () => {
  expect([0, 999, 1000, 1_339_268, 2.5e9].map(formatBytes)).toEqual(['0 B', '999 B', '1.0 kB', '1.3 MB', '2.5 GB']);
});

test('colour needs a terminal and respects NO_COLOR', () => {
  expect(painter({ isTTY: true }, {})('bold', 'x')).toBe('\u001b[1mx\u001b[22m');
  expect(painter({ isTTY: true }, { NO_COLOR: '1' })('bold', 'x')).toBe('x');
  expect(painter({ isTTY: true }, { TERM: 'dumb' })('bold', 'x')).toBe('x');
  expect(painter({}, {})('bold', 'x')).toBe('x');
});

describe('classify output', () => {
  const result = {
    label: 'games',
    score: 0.75,
    scores: [
      { label: 'games', score: 0.75 },
      { label: 'x\u001b', score: 0.25 },
    ],
    tokens: 9,
    truncated: true,
    activation: 'softmax' as const,
  };

  test('the JSON line holds exactly the documented keys in order', () => {
    expect(resultLine(result)).toBe(
      '{"label":"games","score":0.75,"scores":[{"label":"games","score":0.75},{"label":"x\\u001b","score":0.25}],' +
        '"tokens":9,"truncated":true}',
    );
    expect(resultLine({ ...result, logits: Float32Array.of(1, -0.5) })).toMatch(
      /"truncated":true,"logits":\[1,-0.5\]}$/,
    );
  });

  test('the form for people is aligned and tells of truncation', () => {
    const lines = describeResult('a text', result, (_, text) => text).split('\n');
    expect(lines).toEqual([
      'a text',
      `  games    0.7500  ${'█'.repeat(18)}`,
      `  x\\u001b  0.2500  ${'█'.repeat(6)}`,
      '  only 9 tokens were read, the rest was cut',
    ]);
  });
});
