import { describe, expect, test } from 'vitest';

import { Session } from '../../../src/api/session';
import { ZeroShotClassifier } from '../../../src/api/zero-shot-classifier';
import { FakeModel } from './fake-model';

const NLI = { labels: ['contradiction', 'entailment', 'neutral'], numLabels: 3 };

function classifierOf(model: FakeModel, entailment?: string, maxLength?: number): ZeroShotClassifier {
  return ZeroShotClassifier.fromSession(new Session(model, '/models/fake.gguf', { maxLength }), entailment);
}

/** Entails a hypothesis by its length. */
const byLength = (info = NLI): FakeModel => new FakeModel((_, pair) => [1, pair!.length / 10, 0], info);

const softmax = (values: readonly number[]): number[] => {
  const powers = values.map(Math.exp);
  return powers.map((power) => power / powers.reduce((sum, value) => sum + value));
};

describe('classify', () => {
  test('one text gives one result over all labels, best first', async () => {
    const model = byLength();
    const result = await classifierOf(model).classify('text', ['a', 'ccc', 'bb'], { hypothesisTemplate: 'is {}' });
    const expected = softmax([0.6, 0.5, 0.4]);
    expect(result.labels).toEqual(['ccc', 'bb', 'a']);
    result.scores.forEach((score, index) => expect(score).toBeCloseTo(expected[index]!, 6));
    expect(result).toMatchObject({ label: 'ccc', score: result.scores[0], tokens: 18, truncated: false });
    expect(model.calls).toHaveLength(1);
    expect(model.calls[0]).toMatchObject({
      texts: ['text', 'text', 'text'],
      pairs: ['is a', 'is ccc', 'is bb'],
      options: { truncation: 'only_first' },
    });
  });

  test('texts and labels make one run, with labels per text where they are given', async () => {
    const model = byLength();
    const classifier = classifierOf(model);
    expect(await classifier.classify(['x', 'y'], ['a', 'b'])).toHaveLength(2);
    const [first, second] = await classifier.classify(['x', 'y'], [['a'], ['b', 'cc']]);
    expect([first!.labels, second!.labels]).toEqual([['a'], ['cc', 'b']]);
    expect(model.calls).toHaveLength(2);
    expect(model.calls[1]!.texts).toEqual(['x', 'y', 'y']);
    expect(await classifier.classify([], ['a'])).toEqual([]);
    expect(await classifier.classify([], [])).toEqual([]);
    expect(model.calls).toHaveLength(2);
  });

  test('a text whose result is not finite is named, not the pair that it is part of', async () => {
    const classifier = classifierOf(new FakeModel((text) => (text === 'bad' ? [NaN, 0, 0] : [0, 1, 0]), NLI));
    const message = expect.stringMatching(/^inputs\[2\]: the model's output is NaN/) as string;
    const texts = ['x', 'y', 'bad'];
    await expect(classifier.classify(texts, ['a', 'b'])).rejects.toMatchObject({ message });
    const stream = (async () => {
      for await (const result of classifier.classifyStream(texts, ['a', 'b'])) void result;
    })();
    await expect(stream).rejects.toMatchObject({ code: 'weights_not_finite', message });
  });

  test('multiLabel and a single label compare entailment with contradiction', async () => {
    const classifier = classifierOf(byLength());
    const { scores } = await classifier.classify('x', ['aaaa', 'a'], { multiLabel: true, hypothesisTemplate: '{}' });
    expect(scores[0]).toBeCloseTo(softmax([1, 0.4])[1]!, 6);
    expect(scores[1]).toBeCloseTo(softmax([1, 0.1])[1]!, 6);
    const one = await classifier.classify('x', ['aaaa'], { hypothesisTemplate: '{}' });
    expect(one.score).toBe(scores[0]);
  });

  test('where entailment is the first label, contradiction is the last', async () => {
    const labels = ['Entailment', 'neutral', 'contradiction'];
    const classifier = classifierOf(new FakeModel([2, 9, 1], { labels, numLabels: 3 }));
    expect((await classifier.classify('x', ['a'])).score).toBeCloseTo(softmax([1, 2])[1]!, 6);
    const two = { labels: ['entailment', 'not_entailment'], numLabels: 2 };
    expect((await classifierOf(new FakeModel([2, 1], two)).classify('x', ['a'])).score).toBeCloseTo(
      softmax([1, 2])[1]!,
      6,
    );
  });

  test('labels are those of the call, whatever becomes of the list meanwhile', async () => {
    const list = ['x', 'y'];
    const answer = classifierOf(byLength()).classify('a text', list);
    list[0] = 'another';
    list.length = 1;
    expect([...(await answer).labels].sort()).toEqual(['x', 'y']);
  });

  test('of equal scores the later label is first, duplicates are kept', async () => {
    const classifier = classifierOf(new FakeModel([0, 1, 0], NLI));
    expect((await classifier.classify('x', ['a', 'b', 'a'])).labels).toEqual(['a', 'b', 'a']);
    expect((await classifier.classify('x', ['a', 'b', 'c'])).labels).toEqual(['c', 'b', 'a']);
  });

  test('a label is literal, and the space around it is no part of the hypothesis', async () => {
    const model = byLength();
    const result = await classifierOf(model).classify('x', ["$& $1 $'", ' spaced '], { hypothesisTemplate: '<{}>' });
    expect(model.calls[0]!.pairs).toEqual(["<$& $1 $'>", '<spaced>']);
    expect([...result.labels].sort()).toEqual([' spaced ', "$& $1 $'"]);
  });

  test('a hypothesis without room for the text runs whole, the others are cut as asked', async () => {
    const limit = 20;
    const model = new FakeModel((_, pair) => [0, pair!.length, 0], { ...NLI, maxLength: limit });
    const { run } = model;
    const lengths: number[] = [];
    model.run = (texts, pairs, options) => {
      if (pairs!.some((pair) => pair!.length >= options.maxLength)) {
        const promise = Promise.reject(Object.assign(new Error('no room'), { code: 'input_too_long' }));
        return { promise, cancel: () => undefined };
      }
      lengths.push(options.maxLength);
      return run.call(model, texts, pairs, options);
    };
    const classifier = classifierOf(model, undefined, 8);
    const results = await classifier.classify(['x', 'y'], ['short', 'a long hypothesis'], { hypothesisTemplate: '{}' });
    expect(lengths).toEqual([8, limit]);
    for (const { labels, scores } of results) {
      expect(labels).toEqual(['a long hypothesis', 'short']);
      expect(scores[1]).toBeCloseTo(softmax([17, 5])[1]!, 6);
    }
    await expect(classifier.classify('x', ['longer than the model can take'])).rejects.toMatchObject({
      code: 'input_too_long',
    });
  });

  test.each<[string, unknown, unknown, unknown, string]>([
    ['a number', 5, ['a'], {}, 'input: expected a string, received 5'],
    ['a pair', [['a', 'b']], ['a'], {}, 'inputs[0]: expected a string, received an array of 2'],
    ['labels as one string', 'x', 'a,b', {}, 'labels: expected an array of strings, received "a,b"'],
    ['no labels', 'x', [], {}, 'labels: expected at least one label, received an array of 0'],
    ['no labels for one text', ['x', 'y'], [['a'], []], {}, 'labels[1]: expected at least one label'],
    ['an empty label', 'x', ['a', ' '], {}, 'labels[1]: expected a label that is not empty, received " "'],
    ['a label that is no string', 'x', ['a', 1], {}, 'labels[1]: expected a string, received 1'],
    ['labels per text for one text', 'x', [['a']], {}, 'labels: expected an array of strings'],
    ['too few lists', ['x', 'y'], [['a']], {}, 'labels: expected 2 arrays of labels, one per text'],
    ['mixed labels', ['x', 'y'], [['a'], 'b'], {}, 'labels[1]: expected an array of strings, received "b"'],
    ['no place', 'x', ['a'], { hypothesisTemplate: 'is' }, 'options.hypothesisTemplate: expected a text with {} once'],
    ['two places', 'x', ['a'], { hypothesisTemplate: '{} {}' }, 'options.hypothesisTemplate'],
    ['a brace', 'x', ['a'], { hypothesisTemplate: '{ {}' }, 'options.hypothesisTemplate'],
    ['a doubled brace', 'x', ['a'], { hypothesisTemplate: '{}}}' }, 'options.hypothesisTemplate'],
    ['a place in braces', 'x', ['a'], { hypothesisTemplate: '{{}}' }, 'options.hypothesisTemplate'],
    ['multiLabel 1', 'x', ['a'], { multiLabel: 1 }, 'options.multiLabel: expected true or false, received 1'],
    ['a truncation', 'x', ['a'], { truncation: 'longest_first' }, 'options.truncation'],
  ])('%s is refused before the model is asked', async (_, input, labels, options, message) => {
    const model = byLength();
    const call = classifierOf(model).classify(input as string, labels as string[], options as object);
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect((error as Error).message).toContain(message);
    expect(model.calls).toHaveLength(0);
  });

  test('a text that is refused is named once for all its labels', async () => {
    const model = byLength();
    model.refused = 'bad';
    const refused = { code: 'input_invalid', message: 'inputs[1]: no such text' };
    await expect(classifierOf(model).classify(['good', 'bad'], ['x', 'y'])).rejects.toMatchObject(refused);
    const stream = classifierOf(model).classifyStream(['good', 'bad'], ['x', 'y']);
    expect((await stream.next()).done).toBe(false);
    await expect(stream.next()).rejects.toMatchObject(refused);
  });

  test('an abort ends the run', async () => {
    const model = byLength();
    model.hold = true;
    const controller = new AbortController();
    const call = classifierOf(model).classify('x', ['a'], { signal: controller.signal });
    controller.abort('enough');
    await expect(call).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    expect(model.cancellations).toBe(1);
  });
});

describe('entailment', () => {
  test('is the first label whose name starts with it, or the one that is named', () => {
    expect(classifierOf(byLength()).entailment).toBe('entailment');
    const labels = ['NO', 'ENTAILS', 'entailment'];
    expect(classifierOf(byLength({ labels, numLabels: 3 })).entailment).toBe('ENTAILS');
    expect(classifierOf(byLength({ labels, numLabels: 3 }), 'NO').entailment).toBe('NO');
  });

  test('cannot be guessed', () => {
    const model = byLength({ labels: ['LABEL_0', 'LABEL_1', 'LABEL_2'], numLabels: 3 });
    expect(() => classifierOf(model)).toThrow(/none of its labels \(LABEL_0, LABEL_1, LABEL_2\) starts with "entail"/);
    expect(classifierOf(model, 'LABEL_1').entailment).toBe('LABEL_1');
    expect(() => classifierOf(model, 'entailment')).toThrow(RangeError);
    expect(() => classifierOf(FakeModel.reranker(() => 0, { labels: ['entailment'] }))).toThrow(/has one label/);
  });
});
