import { describe, expect, expectTypeOf, test } from 'vitest';

import { Classifier } from '../../../src/api/classifier';
import type { Classification } from '../../../src/api/results';
import { Session } from '../../../src/api/session';
import { FakeModel } from './fake-model';

function classifierOf(model: FakeModel, overrides?: { labels?: string[]; maxLength?: number }): Classifier {
  return Classifier.fromSession(new Session(model, '/models/fake.gguf', overrides));
}

describe('classify', () => {
  test('one text gives one result, a list gives a list in the same order', async () => {
    const model = new FakeModel((text) => (text === 'ball' ? [0, 5, 0] : [5, 0, 0]));
    const classifier = classifierOf(model);

    const one = await classifier.classify('ball');
    expect(one.label).toBe('Sports');
    expect(one.score).toBe(one.scores[0]!.score);
    expect(one.activation).toBe('softmax');
    expect(one.tokens).toBe(6);
    expect(one.truncated).toBe(false);

    const many = await classifier.classify(['ball', 'war']);
    expect(many.map(({ label }) => label)).toEqual(['Sports', 'World']);
    expect(await classifier.classify(['ball'])).toHaveLength(1);
  });

  test('no option changes the shape of a result, logits apart', async () => {
    const classifier = classifierOf(new FakeModel([1, 2, 3]));
    const keys = ['activation', 'label', 'score', 'scores', 'tokens', 'truncated'];
    for (const options of [{}, { topK: 1 }, { topK: null }, { activation: 'none' as const }]) {
      expect(Object.keys(await classifier.classify('x', options)).sort()).toEqual(keys);
    }
    const withLogits = await classifier.classify('x', { logits: true });
    expect(Object.keys(withLogits).sort()).toEqual([...keys, 'logits'].sort());
    expect(withLogits.logits).toEqual(Float32Array.of(1, 2, 3));
  });

  test('scores fall, ties keep the order of the model, topK cuts', async () => {
    const classifier = classifierOf(new FakeModel([1, 3, 1, 3], { labels: ['a', 'b', 'c', 'd'], numLabels: 4 }));
    const { label, scores } = await classifier.classify('x');
    expect(label).toBe('b');
    expect(scores.map((entry) => entry.label)).toEqual(['b', 'd', 'a', 'c']);
    expect((await classifier.classify('x', { topK: 2 })).scores.map((entry) => entry.label)).toEqual(['b', 'd']);
    expect((await classifier.classify('x', { topK: 99 })).scores).toHaveLength(4);
    expect((await classifier.classify('x', { topK: null })).scores).toHaveLength(4);
  });

  test('problem types choose the activation and options override it', async () => {
    const multi = classifierOf(new FakeModel([0, 0, 0], { problemType: 'multi_label_classification' }));
    expect((await multi.classify('x')).scores.map(({ score }) => score)).toEqual([0.5, 0.5, 0.5]);
    expect((await multi.classify('x', { activation: 'softmax' })).score).toBeCloseTo(1 / 3, 12);

    const regression = classifierOf(
      new FakeModel([2.25], { problemType: 'regression', labels: ['LABEL_0'], numLabels: 1 }),
    );
    const { score, activation } = await regression.classify('x');
    expect(score).toBe(2.25);
    expect(activation).toBe('none');
  });

  test('softmax over one label is refused', async () => {
    const classifier = classifierOf(new FakeModel([2], { labels: ['LABEL_0'], numLabels: 1 }));
    expect((await classifier.classify('x')).activation).toBe('sigmoid');
    await expect(classifier.classify('x', { activation: 'softmax' })).rejects.toThrow(RangeError);
  });

  test('texts and pairs reach the model as columns, with the defaults filled in', async () => {
    const model = new FakeModel([0, 0, 1]);
    const classifier = classifierOf(model);
    await classifier.classify(['a', { text: 'b', textPair: 'c' }, { text: 'd' }]);
    await classifier.classify('a', { maxLength: 16, truncationSide: 'left', specialTokens: 'parse' });
    expect(model.calls[0]).toMatchObject({
      texts: ['a', 'b', 'd'],
      pairs: [null, 'c', null],
      options: { maxLength: 128, truncation: 'longest_first', truncationSide: 'right', specialTokens: 'text' },
    });
    expect(model.calls[1]).toMatchObject({
      pairs: null,
      options: { maxLength: 16, truncationSide: 'left', specialTokens: 'parse' },
    });
  });

  test('an empty list is answered without the model', async () => {
    const model = new FakeModel([1, 2, 3]);
    expect(await classifierOf(model).classify([])).toEqual([]);
    expect(model.calls).toHaveLength(0);
  });

  test('a logit that is no number is an error, not a rank', async () => {
    const model = new FakeModel((text) => (text === 'bad' ? [NaN, 1, 2] : [0, 1, 2]));
    await expect(classifierOf(model).classify(['good', 'bad'])).rejects.toMatchObject({
      code: 'weights_not_finite',
      message: expect.stringMatching(/^inputs\[1\]: the model's output is NaN at label 0; /) as string,
    });
    const alone = classifierOf(model).classify('bad');
    await expect(alone).rejects.toThrow(/^the model's output is NaN at label 0; /);
  });

  test('it is named by its place in the call, however the call was parted, by the native side too', async () => {
    const texts = Array.from({ length: 150 }, (_, index) => (index === 140 ? 'bad' : 'good'));
    const found = new FakeModel((text) => (text === 'bad' ? [NaN, 1, 2] : [0, 1, 2]));
    const reported = new FakeModel([0, 1, 2]);
    reported.notFinite = 'bad';
    for (const model of [found, reported]) {
      const classifier = classifierOf(model);
      const message = expect.stringMatching(
        /^inputs\[140\]: the model's (output|logits) (is|are) (?!.*input \d)/,
      ) as string;
      const failure = { code: 'weights_not_finite', message };
      await expect(classifier.classify(texts)).rejects.toMatchObject(failure);
      await expect(classifier.classify(texts, { onProgress: () => undefined })).rejects.toMatchObject(failure);
      const seen: unknown[] = [];
      const stream = (async () => {
        for await (const result of classifier.classifyStream(texts)) seen.push(result);
      })();
      await expect(stream).rejects.toMatchObject(failure);
      expect(seen).toHaveLength(140);
    }
  });

  test('a text of a list that is refused is named, also where progress is asked for', async () => {
    const model = new FakeModel([1, 2, 3]);
    model.refused = 'bad';
    const texts = Array.from({ length: 100 }, (_, index) => (index === 90 ? 'bad' : 'good'));
    const refused = { code: 'input_invalid', message: 'inputs[90]: no such text' };
    await expect(classifierOf(model).classify(texts)).rejects.toMatchObject(refused);
    await expect(classifierOf(model).classify(texts, { onProgress: () => undefined })).rejects.toMatchObject(refused);
    await expect(classifierOf(model).tokenize(texts)).rejects.toMatchObject(refused);
    await expect(classifierOf(model).classify('bad')).rejects.toMatchObject({ message: 'no such text' });
  });

  test('truncation is reported', async () => {
    const result = await classifierOf(new FakeModel([1, 2, 3])).classify('x'.repeat(50), { maxLength: 10 });
    expect(result).toMatchObject({ truncated: true, tokens: 10 });
  });

  test.each<[string, unknown, unknown, string]>([
    ['a number', 5, {}, 'input: expected a string or { text, textPair? }, received 5'],
    [
      'messages by themselves',
      [{ role: 'user', content: 'a' }],
      {},
      'inputs[0]: expected { messages: [{ role, content }',
    ],
    ['a nested list', [['a', 'b']], {}, 'inputs[0]: expected a string or { text, textPair? }'],
    ['a null in a list', ['a', null], {}, 'inputs[1]: expected'],
    ['a list with nothing in it', new Array(2), {}, 'inputs[0]: expected'],
    ['a pair that is no string', { text: 'a', textPair: 1 }, {}, 'input.textPair: expected a string, received 1'],
    ['topK 0', 'a', { topK: 0 }, 'options.topK: expected an integer of at least 1, received 0'],
    ['topK 1.5', 'a', { topK: 1.5 }, 'options.topK'],
    ['topK as text', 'a', { topK: '3' }, 'options.topK: expected an integer of at least 1, received "3"'],
    ['an unknown activation', 'a', { activation: 'relu' }, 'options.activation: expected one of "softmax"'],
    ['a limit above the model', 'a', { maxLength: 129 }, 'options.maxLength: expected an integer from 1 to 128'],
    ['text_pair, as JSON spells it', { text: 'a', text_pair: 'b' }, {}, 'input.text_pair: write textPair'],
    ['an unknown option', 'a', { best: 3 }, 'options.best: there is no such option; those there are: maxLength, '],
    ['an option of another library', 'a', { topN: 3 }, 'options.topN: there is no such option; did you mean topK?'],
    ['a letter too few', 'a', { treshold: 0.5 }, 'options.treshold: there is no such option; did you mean threshold?'],
    ['a letter too many', 'a', { logitss: true }, 'options.logitss: there is no such option; did you mean logits?'],
    ['an option as Python spells it', 'a', { top_k: 3 }, 'options.top_k: there is no such option; did you mean topK?'],
    ['no object', 'a', 'softmax', 'options: expected an object'],
    ['a signal that is none', 'a', { signal: {} }, 'options.signal: expected an AbortSignal'],
    ['an unknown strategy', 'a', { truncation: 'longest' }, 'options.truncation'],
    ['an unknown side', 'a', { truncationSide: 'middle' }, 'options.truncationSide'],
    ['an unknown handling', 'a', { specialTokens: 'drop' }, 'options.specialTokens'],
    ['logits 1', 'a', { logits: 1 }, 'options.logits: expected true or false, received 1'],
  ])('%s is refused before the model is asked', async (_, input, options, message) => {
    const model = new FakeModel([1, 2, 3]);
    const call = classifierOf(model).classify(input as string, options as object);
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect((error as Error).message).toContain(message);
    expect(model.calls).toHaveLength(0);
  });
});

describe('load', () => {
  test.each([
    ['', RangeError, 'source: expected a path or owner/name, received ""'],
    [null, TypeError, 'source: expected a string, received null'],
    [
      { threads: 2 },
      TypeError,
      'source: expected a string (options come second; for the model in the package pass undefined before them), received an object',
    ],
  ])('%j is no model, and not the one in the package', async (source, kind, message) => {
    const call = Classifier.load(source as string);
    await expect(call).rejects.toThrow(kind);
    await expect(call).rejects.toThrow(message);
  });
});

describe('labels', () => {
  test('can be named by the caller, in number as the head has rows', async () => {
    const classifier = classifierOf(new FakeModel([9, 0, 0]), { labels: ['x', 'y', 'z'] });
    expect((await classifier.classify('t')).label).toBe('x');
    expect(classifier.info.labels).toEqual(['x', 'y', 'z']);
    expect(() => classifierOf(new FakeModel([9, 0, 0]), { labels: ['x'] })).toThrow(/expected 3 labels/);
  });

  test('that the checkpoint does not name are worth a warning', () => {
    const model = new FakeModel([0, 0], { labels: ['LABEL_0', 'LABEL_1'], numLabels: 2, warnings: ['pooler_missing'] });
    expect(classifierOf(model).info.warnings.map(({ code }) => code)).toEqual([
      'pooler_missing',
      'label_names_missing',
    ]);
    expect(classifierOf(model, { labels: ['no', 'yes'] }).info.warnings).toHaveLength(1);
    expect(classifierOf(new FakeModel([0, 0, 0])).info.warnings).toEqual([]);
  });

  test('type the results', () => {
    const model = new FakeModel([0, 0, 0]);
    const classifier = Classifier.fromSession<'World' | 'Sports'>(new Session(model, 'p'));
    expectTypeOf(classifier.classify('x')).resolves.toEqualTypeOf<Classification<'World' | 'Sports'>>();
    expectTypeOf(classifier.classify(['x'])).resolves.toEqualTypeOf<Classification<'World' | 'Sports'>[]>();
    const named = () => Classifier.load('p', { labels: ['no', 'yes'] });
    const unnamed = () => Classifier.load('p');
    expectTypeOf(named).returns.resolves.toEqualTypeOf<Classifier<'no' | 'yes'>>();
    expectTypeOf(unnamed).returns.resolves.toEqualTypeOf<Classifier>();
  });
});

describe('tokenize', () => {
  test('gives each text its own ids', async () => {
    const classifier = classifierOf(new FakeModel([0, 0, 0]));
    const [first, second] = await classifier.tokenize(['ab', 'c']);
    expect(Array.from(first!.ids)).toEqual([97, 98]);
    expect(Array.from(second!.ids)).toEqual([99]);
    expect((await classifier.tokenize('d')).ids).toEqual(Int32Array.of(100));
  });
});

describe('abort and dispose', () => {
  test('an aborted signal rejects before any work, with its reason', async () => {
    const model = new FakeModel([1, 2, 3]);
    const reason = new Error('enough');
    await expect(classifierOf(model).classify('x', { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'aborted',
      cause: reason,
    });
    expect(model.calls).toHaveLength(0);
  });

  test('an abort while running cancels the job and leaves no listener', async () => {
    const model = new FakeModel([1, 2, 3]);
    model.hold = true;
    const controller = new AbortController();
    const { added, removed } = countListeners(controller.signal);
    const call = classifierOf(model).classify('x', { signal: controller.signal });
    controller.abort('stop');
    await expect(call).rejects.toMatchObject({ code: 'aborted', cause: 'stop' });
    expect(model.cancellations).toBe(1);
    expect(added()).toBe(1);
    expect(removed()).toBe(1);
  });

  test('listeners are gone after a call that was not aborted', async () => {
    const controller = new AbortController();
    const { added, removed } = countListeners(controller.signal);
    await classifierOf(new FakeModel([1, 2, 3])).classify('x', { signal: controller.signal });
    expect(added()).toBe(1);
    expect(removed()).toBe(1);
  });

  test('dispose is idempotent and ends the model', async () => {
    const model = new FakeModel([1, 2, 3]);
    const classifier = classifierOf(model);
    await Promise.all([classifier.dispose(), classifier.dispose()]);
    await classifier[Symbol.asyncDispose]();
    expect(model.disposals).toBe(1);
    await expect(classifier.classify('x')).rejects.toMatchObject({ code: 'model_disposed' });
    await expect(classifier.classify([])).rejects.toMatchObject({ code: 'model_disposed' });
    await expect(classifier.tokenize('x')).rejects.toMatchObject({ code: 'model_disposed' });
  });
});

function countListeners(signal: AbortSignal) {
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  let added = 0;
  let removed = 0;
  signal.addEventListener = ((...args: Parameters<typeof add>) => {
    added += 1;
    add(...args);
  }) as typeof add;
  signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
    removed += 1;
    remove(...args);
  }) as typeof remove;
  return { added: () => added, removed: () => removed };
}
