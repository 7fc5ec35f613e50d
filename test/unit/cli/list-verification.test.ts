// How lines become lists, and what is said about two models' scores of them.
import { describe, expect, test } from 'vitest';

import type { TextInput } from '../../../src/api/inputs';
import { ListComparison, type TextList, listsOf } from '../../../src/cli/list-verification';

async function* batches(values: readonly TextInput[]) {
  // In twos, so that lists lie across them.
  for (let begin = 0; begin < values.length; begin += 2) {
    yield values.slice(begin, begin + 2).map((value, index) => ({ line: begin + index + 1, value }));
  }
}

async function lists(values: readonly TextInput[]): Promise<TextList[]> {
  const found: TextList[] = [];
  for await (const list of listsOf(batches(values))) found.push(list);
  return found;
}

const pair = (text: string, textPair: string) => ({ text, textPair });

describe('listsOf', () => {
  test('takes the first of single texts for the query, and pairs of one first text for its documents', async () => {
    const values = ['q', 'a', { text: 'b' }, pair('r', 'c'), pair('r', 'd'), pair('s', 'e'), 'lone'];
    expect(await lists(values)).toEqual([
      { line: 1, query: 'q', documents: ['a', 'b'], texts: 3 },
      { line: 4, query: 'r', documents: ['c', 'd'], texts: 2 },
      { line: 6, query: 's', documents: ['e'], texts: 1 },
      { line: 7, query: 'lone', documents: ['lone'], texts: 1 },
    ]);
  });

  test('begins another list after 32 documents', async () => {
    const texts = Array.from({ length: 70 }, (_, index) => `${index}`);
    const single = await lists(texts);
    expect(single.map(({ query, documents }) => [query, documents.length])).toEqual([
      ['0', 32],
      ['33', 32],
      ['66', 3],
    ]);
    expect(single.map(({ texts: count }) => count)).toEqual([33, 33, 4]);
    const pairs = await lists(texts.map((text) => pair('q', text)));
    expect(pairs.map(({ line, documents }) => [line, documents.length])).toEqual([
      [1, 32],
      [33, 32],
      [65, 6],
    ]);
  });

  test('of nothing makes none', async () => {
    expect(await lists([])).toEqual([]);
  });
});

test('ListComparison counts best documents and pairs in order, equal scores among them', () => {
  const comparison = new ListComparison();
  comparison.add(4, Float64Array.of(0.5, 0.25, 0.125), Float64Array.of(0.5, 0.125, 0.25));
  comparison.add(2, Float64Array.of(0.5, 0.5), Float64Array.of(0.25, 0.5));
  expect(comparison.result).toEqual({
    texts: 6,
    lists: 2,
    maxScoreDifference: 0.25,
    bestAgreement: 0.5,
    orderAgreement: 0.5,
  });
  const alone = new ListComparison();
  alone.add(1, Float64Array.of(1), Float64Array.of(1));
  expect(alone.result.orderAgreement).toBeNull();
});
