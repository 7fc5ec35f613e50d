import { describe, expect, test } from 'vitest';

import { CrossEncoder } from '../../../src/api/cross-encoder';
import { Session } from '../../../src/api/session';
import { FakeModel } from './fake-model';

function crossEncoderOf(model: FakeModel): CrossEncoder {
  return CrossEncoder.fromSession(new Session(model, '/models/fake.gguf'));
}

const NLI = { labels: ['contradiction', 'entailment', 'neutral'], numLabels: 3 };
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe('predict', () => {
  test('one label: its sigmoid', async () => {
    const result = await crossEncoderOf(FakeModel.reranker(() => 2)).predict(['query', 'document']);
    expect(result).toMatchObject({ label: 'LABEL_0', activation: 'sigmoid', scores: [result.score] });
    expect(result.score).toBeCloseTo(sigmoid(2), 12);
  });

  test('a checkpoint that names identity gives raw logits', async () => {
    const model = FakeModel.reranker(() => 8.5, { activationFn: 'identity' });
    expect(await crossEncoderOf(model).predict(['q', 'd'])).toMatchObject({ score: 8.5, activation: 'none' });
  });

  test('several labels: raw rows in label order, the label by argmax', async () => {
    const crossEncoder = crossEncoderOf(new FakeModel([-3, 4, 1], NLI));
    expect(await crossEncoder.predict(['premise', 'hypothesis'])).toMatchObject({
      label: 'entailment',
      score: 4,
      scores: [-3, 4, 1],
      activation: 'none',
    });
    const { scores, score } = await crossEncoder.predict(['premise', 'hypothesis'], { activation: 'softmax' });
    expect(scores.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
    expect(score).toBe(scores[1]);
  });

  test('two strings are one pair, a list of pairs is a list', async () => {
    const model = FakeModel.reranker((document) => document.length);
    const crossEncoder = crossEncoderOf(model);
    expect(Array.isArray(await crossEncoder.predict(['a', 'b']))).toBe(false);
    expect(await crossEncoder.predict([['a', 'b'], { text: 'c', textPair: 'dd' }])).toHaveLength(2);
    expect(await crossEncoder.predict([])).toEqual([]);
    expect(model.calls[1]).toMatchObject({ texts: ['a', 'c'], pairs: ['b', 'dd'] });
  });

  test.each<[unknown, string]>([
    ['text', 'input: expected [text, textPair] or { text, textPair }, received "text"'],
    [['a', 1], 'input[1]: expected a string, received 1'],
    [['a', 'b', 'c'], 'input: expected [text, textPair]'],
    [[['a']], 'inputs[0]: expected [text, textPair]'],
    [{ text: 'a' }, 'input: expected [text, textPair]'],
  ])('%j is refused', async (input, message) => {
    const call = crossEncoderOf(FakeModel.reranker(() => 0)).predict(input as [string, string]);
    await expect(call).rejects.toThrow(TypeError);
    await expect(call).rejects.toThrow(message);
  });

  test('logits on request, softmax over one label refused', async () => {
    const crossEncoder = crossEncoderOf(FakeModel.reranker(() => 1.5));
    expect((await crossEncoder.predict(['a', 'b'], { logits: true })).logits).toEqual(Float32Array.of(1.5));
    await expect(crossEncoder.predict(['a', 'b'], { activation: 'softmax' })).rejects.toThrow(RangeError);
  });
});

describe('rank', () => {
  const documents = ['aa', 'aaaa', 'a', 'bbbb'];

  test('falls by score, keeps the order of equal documents, carries indexes', async () => {
    const model = FakeModel.reranker((document) => document.length);
    const ranked = await crossEncoderOf(model).rank('q', documents);
    expect(ranked.map(({ index }) => index)).toEqual([1, 3, 0, 2]);
    expect(ranked[0]!.score).toBeCloseTo(sigmoid(4), 12);
    expect(Object.keys(ranked[0]!).sort()).toEqual(['index', 'score', 'tokens', 'truncated']);
    expect(model.calls[0]).toMatchObject({ texts: ['q', 'q', 'q', 'q'], pairs: documents });
  });

  test('topK and returnDocuments', async () => {
    const crossEncoder = crossEncoderOf(FakeModel.reranker((document) => document.length));
    const ranked = await crossEncoder.rank('q', documents, { topK: 2, returnDocuments: true });
    expect(ranked.map(({ document }) => document)).toEqual(['aaaa', 'bbbb']);
    expect(await crossEncoder.rank('q', [])).toEqual([]);
  });

  test('documents are those of the call, whatever becomes of the list meanwhile', async () => {
    const list = ['a', 'bb'];
    const crossEncoder = crossEncoderOf(FakeModel.reranker((document) => document.length));
    const ranking = crossEncoder.rank('q', list, { returnDocuments: true });
    list[0] = 'another';
    list.length = 1;
    expect((await ranking).map(({ document }) => document).sort()).toEqual(['a', 'bb']);
  });

  test('a model with several labels needs one named', async () => {
    const crossEncoder = crossEncoderOf(new FakeModel((_, pair) => [0, pair?.length ?? 0, 9], NLI));
    await expect(crossEncoder.rank('q', documents)).rejects.toThrow(
      'options.label: name the label to rank by, since this model has 3: contradiction, entailment, neutral',
    );
    await expect(crossEncoder.rank('q', documents, { label: 'entail' })).rejects.toThrow(RangeError);
    const ranked = await crossEncoder.rank('q', documents, { label: 'entailment' });
    expect(ranked.map(({ score }) => score)).toEqual([4, 4, 2, 1]);
  });

  test('a hole in the list of documents is no string', async () => {
    const call = crossEncoderOf(FakeModel.reranker(() => 0)).rank('q', new Array<string>(2));
    await expect(call).rejects.toThrow('documents[0]: expected a string, received undefined');
  });

  test('a document that is refused is named', async () => {
    const model = FakeModel.reranker(() => 0);
    model.refused = 'a';
    await expect(crossEncoderOf(model).rank('q', documents)).rejects.toThrow('documents[2]: no such text');
  });

  test('NaN is an error', async () => {
    const crossEncoder = crossEncoderOf(FakeModel.reranker((document) => (document === 'a' ? NaN : 1)));
    const message = expect.stringMatching(/^documents\[2\]: the model's output is NaN/) as string;
    await expect(crossEncoder.rank('q', documents)).rejects.toMatchObject({ code: 'weights_not_finite', message });
  });

  test.each<[unknown, unknown, string]>([
    [1, [], 'query: expected a string, received 1'],
    ['q', 'd', 'documents: expected an array of strings, received "d"'],
    ['q', ['a', 2], 'documents[1]: expected a string, received 2'],
  ])('rank(%j, %j) is refused', async (query, list, message) => {
    const call = crossEncoderOf(FakeModel.reranker(() => 0)).rank(query as string, list as string[]);
    await expect(call).rejects.toThrow(message);
  });
});

describe('info', () => {
  test('names the activation that predict applies', () => {
    expect(crossEncoderOf(FakeModel.reranker(() => 0)).info.activation).toBe('sigmoid');
    expect(crossEncoderOf(new FakeModel([0, 0, 0], NLI)).info.activation).toBe('none');
  });

  test('one unnamed label is no reason to warn', () => {
    expect(crossEncoderOf(FakeModel.reranker(() => 0)).info.warnings).toEqual([]);
  });
});
