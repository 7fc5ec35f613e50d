import { describe, expect, it } from 'vitest';

import { scoreBlocks, splitIntoBlocks, toVectors } from '../../../src/api/list-ranking';

const NEVER = (): Promise<number> => Promise.reject(new Error('nothing is too long'));
const LIMITS = { maxDocuments: 125, maxDocumentTokens: 20, around: 10, perDocument: 5, maxLength: 10_000, room: 1000 };

describe('splitIntoBlocks', () => {
  it('ends a block with its last document', async () => {
    expect(await splitIntoBlocks([], LIMITS, NEVER)).toEqual([]);
    expect(await splitIntoBlocks([1], LIMITS, NEVER)).toEqual([[0, 1]]);
    const many = Array<number>(251).fill(1);
    expect(await splitIntoBlocks(many, LIMITS, NEVER)).toEqual([
      [0, 125],
      [125, 250],
      [250, 251],
    ]);
    expect(await splitIntoBlocks(many.slice(1), LIMITS, NEVER)).toHaveLength(2);
  });

  it('ends one that has no room for another document', async () => {
    // 980 tokens leave 20, which is no more than a document may have.
    const lengths = [500, 479, 1, 500, 480, 1];
    expect(await splitIntoBlocks(lengths, LIMITS, NEVER)).toEqual([
      [0, 3],
      [3, 5],
      [5, 6],
    ]);
    expect(await splitIntoBlocks([1, 1, 1], { ...LIMITS, room: -5 }, NEVER)).toHaveLength(3);
  });

  it('ends one before the document with which it would be too long for the model', async () => {
    const asked: (readonly [number, number])[] = [];
    const count = (begin: number, end: number): Promise<number> => {
      asked.push([begin, end]);
      return Promise.resolve(end - begin > 3 ? 101 : 100);
    };
    const lengths = [20, 20, 20, 20, 20];
    const blocks = await splitIntoBlocks(lengths, { ...LIMITS, maxLength: 80 }, (begin, end) =>
      count(begin, end).then((n) => n - 20),
    );
    expect(blocks).toEqual([
      [0, 3],
      [3, 5],
    ]);
    // Two documents are known to fit, and one is never parted.
    expect(asked).toEqual([
      [0, 3],
      [0, 4],
    ]);
    expect(await splitIntoBlocks([500, 500], { ...LIMITS, maxLength: 80 }, () => Promise.resolve(1000))).toHaveLength(
      2,
    );
  });
});

describe('scoreBlocks', () => {
  const block = (documents: readonly number[][], query: number[]) =>
    toVectors(Float32Array.from([...documents, query].flat()), documents.length);

  it('is the cosine of documents and query', () => {
    expect(scoreBlocks([])).toEqual([]);
    const scores = scoreBlocks([
      block(
        [
          [2, 0],
          [0, 3],
          [-1, 0],
          [1, 1],
        ],
        [5, 0],
      ),
    ]);
    [1, 0, -1, Math.SQRT1_2].forEach((expected, index) => {
      expect(scores[index]).toBeCloseTo(expected, 6);
    });
  });

  it('weighs the queries of several blocks by their best documents', () => {
    // The first block's best document is at a right angle to its query, which counts half as much.
    const scores = scoreBlocks([
      block([[0, 1]], [1, 0]),
      block(
        [
          [0, 2],
          [1, 0],
        ],
        [0, 1],
      ),
    ]);
    const length = Math.hypot(0.5, 1);
    [1 / length, 1 / length, 0.5 / length].forEach((expected, index) => {
      expect(scores[index]).toBeCloseTo(expected, 6);
    });
  });

  it('has no score for a vector without a direction', () => {
    expect(
      scoreBlocks([
        block(
          [
            [0, 0],
            [1, 0],
          ],
          [1, 0],
        ),
      ]),
    ).toEqual([NaN, 1]);
    // All documents opposite to their queries: no query weighs anything.
    expect(scoreBlocks([block([[-1, 0]], [1, 0]), block([[0, -1]], [0, 1])])).toEqual([NaN, NaN]);
  });
});
