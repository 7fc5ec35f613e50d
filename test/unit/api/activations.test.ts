import { describe, expect, test } from 'vitest';

import { activate, classificationActivation, pairActivation } from '../../../src/api/activations';

const row = (...logits: number[]): Float32Array => Float32Array.from(logits);

describe('classificationActivation', () => {
  test.each([
    ['regression', 1, 'none'],
    ['regression', 3, 'none'],
    ['multi_label_classification', 4, 'sigmoid'],
    ['single_label_classification', 4, 'softmax'],
    ['', 1, 'sigmoid'],
    ['single_label_classification', 1, 'sigmoid'],
    ['', 2, 'softmax'],
  ])('problem type %j with %i labels takes %s', (problemType, numLabels, expected) => {
    expect(classificationActivation(problemType, numLabels)).toBe(expected);
  });
});

describe('pairActivation', () => {
  test.each([
    ['', 1, 'sigmoid'],
    ['', 3, 'none'],
    ['identity', 1, 'none'],
    ['none', 2, 'none'],
    ['sigmoid', 3, 'sigmoid'],
    ['tanh', 1, 'tanh'],
    ['softmax', 3, 'softmax'],
  ])('a checkpoint naming %j with %i labels takes %s', (named, numLabels, expected) => {
    expect(pairActivation(named, numLabels)).toBe(expected);
  });

  test('never a softmax over one logit, whatever the checkpoint names', () => {
    expect(pairActivation('softmax', 1)).toBe('sigmoid');
  });

  test('a name nobody knows counts as none', () => {
    expect(pairActivation('swish', 1)).toBe('sigmoid');
    expect(pairActivation('swish', 2)).toBe('none');
  });
});

describe('activate', () => {
  test('softmax sums to one and keeps the ratios', () => {
    const scores = activate(row(1, 2, 3), 'softmax');
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 12);
    expect(scores[2]! / scores[1]!).toBeCloseTo(Math.E, 12);
  });

  test('softmax of huge logits stays finite', () => {
    expect(activate(row(3e38, -3e38), 'softmax')).toEqual([1, 0]);
  });

  test('sigmoid is exact at zero, symmetric, and finite at both ends', () => {
    const [zero, plus, minus, high, low] = activate(row(0, 2.5, -2.5, 1e4, -1e4), 'sigmoid');
    expect(zero).toBe(0.5);
    expect(plus! + minus!).toBeCloseTo(1, 15);
    expect(high).toBe(1);
    expect(low).toBe(0);
  });

  test('sigmoid keeps small probabilities apart', () => {
    const [a, b] = activate(row(-80, -81), 'sigmoid');
    expect(a! / b!).toBeCloseTo(Math.E, 10);
  });

  test('none and tanh', () => {
    expect(activate(row(-1.5, 2), 'none')).toEqual([-1.5, 2]);
    expect(activate(row(0.5), 'tanh')).toEqual([Math.tanh(0.5)]);
  });
});
