/** Windows, budgets, prompts, the queue, progress and warnings: what the classes make of a model's answers. */
import { setImmediate } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { Classifier } from '../../../src/api/classifier';
import { CrossEncoder } from '../../../src/api/cross-encoder';
import { Session } from '../../../src/api/session';
import type { SessionOptions } from '../../../src/api/session';
import type { ModelWarning } from '../../../src/api/warnings';
import { ZeroShotClassifier } from '../../../src/api/zero-shot-classifier';
import type { NativeRunResult } from '../../../src/native/bindings';
import { FakeModel } from './fake-model';

function sessionOf(model: FakeModel, options: SessionOptions = {}): Session {
  return new Session(model, '/models/fake.gguf', { onWarning: () => undefined, ...options });
}

/** Input i has windows with the given rows of logits. */
function withWindows(model: FakeModel, windows: readonly (readonly (readonly number[])[])[]): FakeModel {
  const { run } = model;
  model.run = (texts, pairs, options) => {
    const job = run.call(model, texts, pairs, options);
    if (options.windows === 'none') return job;
    const offsets = [0];
    for (const rows of windows) offsets.push(offsets.at(-1)! + rows.length);
    const begins = windows.flatMap((rows) => rows.map((_, place) => place * 10));
    const result: NativeRunResult = {
      logits: Float32Array.from(windows.flat(2)),
      tokens: Int32Array.from(windows, (rows) => rows.length * 12),
      truncated: new Uint8Array(windows.length),
      windowOffsets: Int32Array.from(offsets),
      windowBegins: Int32Array.from(begins),
      windowEnds: Int32Array.from(begins, (begin) => begin + 10),
    };
    return { ...job, promise: Promise.resolve(result) };
  };
  return model;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe('windows', () => {
  test('classify takes the mean of their scores, or the largest', async () => {
    const info = { problemType: 'multi_label_classification' };
    const model = withWindows(new FakeModel([0, 0, 0], info), [
      [
        [1, -2, 0],
        [3, 2, 0],
      ],
      [[5, 6, 7]],
    ]);
    const classifier = Classifier.fromSession(sessionOf(model));
    const [first, second] = await classifier.classify(['long', 'short'], { windows: {}, logits: true });
    const scoreOf = (label: string): number => first!.scores.find((entry) => entry.label === label)!.score;
    expect(scoreOf('World')).toBeCloseTo((sigmoid(1) + sigmoid(3)) / 2, 12);
    expect(scoreOf('Sports')).toBeCloseTo((sigmoid(-2) + sigmoid(2)) / 2, 12);
    expect(first).toMatchObject({ label: 'World', tokens: 24, truncated: false, logits: Float32Array.of(2, 0, 0) });
    expect(first!.windows).toMatchObject([
      { begin: 0, end: 10, label: 'World', score: sigmoid(1) },
      { begin: 10, end: 20, label: 'World', score: sigmoid(3) },
    ]);
    expect(second!.windows).toHaveLength(1);
    expect(model.calls[0]!.options).toMatchObject({ windows: 'textPair', overlap: 64, maxWindows: 0 });

    const [max] = await classifier.classify(['long', 'short'], { windows: { aggregate: 'max', of: 'text' } });
    expect(max!.score).toBeCloseTo(sigmoid(3), 12);
    expect(max!.scores.find(({ label }) => label === 'Sports')!.score).toBeCloseTo(sigmoid(2), 12);
    await classifier.classify(['long', 'short'], { windows: { aggregate: 'first', overlap: 3 } });
    expect(model.calls[2]!.options).toMatchObject({ overlap: 3, maxWindows: 1 });
  });

  test('are aggregated however many there are', async () => {
    const many = Array.from({ length: 140_000 }, (_, place) => [place === 130_000 ? 3 : 0, 0, 0]);
    const classifier = Classifier.fromSession(sessionOf(withWindows(new FakeModel([0, 0, 0]), [many])));
    const options = { windows: { aggregate: 'max' }, activation: 'none' } as const;
    expect((await classifier.classify(['long'], options))[0]).toMatchObject({ label: 'World', score: 3 });
  });

  test('rank takes the best window of each document', async () => {
    const model = withWindows(
      FakeModel.reranker(() => 0),
      [[[1], [4], [2]], [[3]]],
    );
    const ranked = await CrossEncoder.fromSession(sessionOf(model)).rank('q', ['long', 'short'], {
      windows: { overlap: 0 },
      activation: 'none',
      maxQueryTokens: 8,
      maxDocumentTokens: 900,
    });
    expect(ranked.map(({ index, score }) => [index, score])).toEqual([
      [0, 4],
      [1, 3],
    ]);
    expect(ranked[0]!.windows!.map(({ score }) => score)).toEqual([1, 4, 2]);
    expect(model.calls[0]!.options).toMatchObject({ windows: 'textPair', maxTextTokens: 8, maxTextPairTokens: 900 });
  });

  test('predict names the label of the aggregated scores', async () => {
    const model = withWindows(new FakeModel([0, 0, 0]), [
      [
        [1, 0, 0],
        [0, 3, 0],
      ],
    ]);
    const result = await CrossEncoder.fromSession(sessionOf(model)).predict(['a', 'b'], { windows: {} });
    expect(result).toMatchObject({ label: 'Sports', scores: [1, 3, 0] });
  });

  test('zero-shot reads the window that entails most', async () => {
    const nli = { labels: ['contradiction', 'entailment'], numLabels: 2 };
    const model = withWindows(new FakeModel([0, 0], nli), [
      [
        [0, 1],
        [-1, 4],
      ],
      [[0, 2]],
    ]);
    const zeroShot = ZeroShotClassifier.fromSession(sessionOf(model));
    const { labels, scores } = await zeroShot.classify('long', ['a', 'b'], { windows: {} });
    expect(labels).toEqual(['a', 'b']);
    expect(scores[0]).toBeCloseTo(sigmoid(2), 12);
    expect(model.calls[0]!.options.windows).toBe('text');
  });

  test.each<[object, string]>([
    [{ windows: true }, 'options.windows: expected an object'],
    [
      { windows: { stride: 3 } },
      'options.windows.stride: there is no such option; those there are: overlap, aggregate',
    ],
    [{ windows: { overlap: -1 } }, 'options.windows.overlap: expected an integer of at least 0'],
    [{ windows: { aggregate: 'median' } }, 'options.windows.aggregate: expected one of'],
    [{ windows: { maxWindows: 0 } }, 'options.windows.maxWindows'],
    [{ maxTextTokens: 0 }, 'options.maxTextTokens: expected an integer of at least 1'],
    [{ threshold: NaN }, 'options.threshold: expected a finite number'],
  ])('%j is refused', async (options, message) => {
    const classifier = Classifier.fromSession(sessionOf(new FakeModel([1, 2, 3])));
    await expect(classifier.classify('x', options)).rejects.toThrow(message);
  });
});

test('threshold keeps the labels that reach it, none if need be, and the best label stands', async () => {
  const classifier = Classifier.fromSession(
    sessionOf(new FakeModel([2, 0, -2], { problemType: 'multi_label_classification' })),
  );
  const labelsAt = async (threshold: number): Promise<string[]> =>
    (await classifier.classify('x', { threshold })).scores.map(({ label }) => label);
  expect(await labelsAt(0.5)).toEqual(['World', 'Sports']);
  expect(await labelsAt(0.51)).toEqual(['World']);
  expect(await classifier.classify('x', { threshold: 0.99 })).toMatchObject({ label: 'World', scores: [] });
});

describe('prompts', () => {
  const file = { promptNames: ['query', 'none'], promptTexts: ['Query: ', ''], defaultPrompt: 'query' };

  test('stand before the first text: the default, a named one, or one of the call', async () => {
    const model = FakeModel.reranker(() => 1, file);
    const crossEncoder = CrossEncoder.fromSession(sessionOf(model));
    expect(crossEncoder.prompts).toEqual({ texts: { query: 'Query: ', none: '' }, defaultName: 'query' });
    await crossEncoder.predict(['a', 'b']);
    await crossEncoder.predict(['a', 'b'], { promptName: 'none' });
    await crossEncoder.rank('a', ['b', 'c'], { prompt: 'Find ' });
    await crossEncoder.tokenize(['a', 'b']);
    expect(model.calls.map(({ texts }) => texts)).toEqual([['Query: a'], ['a'], ['Find a', 'Find a'], ['Query: a']]);
    await expect(crossEncoder.predict(['a', 'b'], { promptName: 'x' })).rejects.toThrow('expected one of query, none');
    await expect(crossEncoder.predict(['a', 'b'], { prompt: 'p', promptName: 'none' })).rejects.toThrow(TypeError);
  });

  test('of the caller take the place of those in the file', () => {
    const session = sessionOf(
      FakeModel.reranker(() => 1, file),
      { prompts: { query: 'Q ' }, defaultPromptName: 'none' },
    );
    expect(session.prompts).toEqual({ texts: { query: 'Q ', none: '' }, defaultName: 'none' });
    expect(() =>
      sessionOf(
        FakeModel.reranker(() => 1),
        { defaultPromptName: 'x' },
      ),
    ).toThrow('options.defaultPromptName: expected no value: the model has no prompts, received "x"');
    expect(() =>
      sessionOf(
        FakeModel.reranker(() => 1, file),
        { defaultPromptName: 'x' },
      ),
    ).toThrow(RangeError);
  });
});

describe('textBytes', () => {
  const limits = { textBytes: 9 };

  test('is told of a text by its name where there are several', async () => {
    const classifier = Classifier.fromSession(sessionOf(new FakeModel([1, 2, 3]), { limits }));
    const message = async (call: Promise<unknown>) =>
      call.then(
        () => '',
        (error: unknown) => (error as Error).message,
      );
    expect(await message(classifier.classify('ten bytes.'))).toBe('the text has 10 bytes; the limit textBytes is 9');
    expect(await message(classifier.classify(['nine byte', 'ten bytes.']))).toMatch(
      /^inputs\[1\]: the text has 10 bytes;/,
    );
    expect(await message(classifier.classify(['', { text: 'a', textPair: 'ten bytes.' }]))).toMatch(
      /^inputs\[1\]: the second text has 10 bytes;/,
    );
  });

  test('is told of a document, and of the query, which is the first text of each pair', async () => {
    const crossEncoder = CrossEncoder.fromSession(
      sessionOf(
        FakeModel.reranker(() => 1),
        { limits },
      ),
    );
    await expect(crossEncoder.rank('q', ['a', 'ten bytes.'])).rejects.toThrow(
      'documents[1]: the second text has 10 bytes',
    );
    await expect(crossEncoder.rank('ten bytes.', ['a'])).rejects.toThrow('the first text has 10 bytes');
  });
});

describe('maxQueue', () => {
  test('refuses a call that goes beyond, and takes it when there is room', async () => {
    const model = new FakeModel([1, 2, 3]);
    const classifier = Classifier.fromSession(sessionOf(model, { maxQueue: 3 }));
    model.hold = true;
    const stop = new AbortController();
    const held = classifier.classify(['a', 'b'], { signal: stop.signal });
    model.hold = false;
    await expect(classifier.classify(['c', 'd'])).rejects.toMatchObject({
      code: 'queue_full',
      message: '2 inputs wait and 2 more came, which is beyond maxQueue, 3; try again later',
    });
    expect(await classifier.classify(['c'])).toHaveLength(1);
    stop.abort();
    await expect(held).rejects.toMatchObject({ code: 'aborted' });
    expect(await classifier.classify(['c', 'd', 'e'])).toHaveLength(3);
    await expect(classifier.classify(['a', 'b', 'c', 'd'])).rejects.toThrow('split it, or raise maxQueue');
  });

  test('holds a stream back instead', async () => {
    const classifier = Classifier.fromSession(sessionOf(new FakeModel([1, 2, 3]), { maxQueue: 2 }));
    let count = 0;
    for await (const { label } of classifier.classifyStream(new Array<string>(50).fill('x'))) {
      expect(label).toBe('Business');
      count += 1;
    }
    expect(count).toBe(50);
  });
});

describe('onProgress', () => {
  test('counts up to the number of inputs; results are those without', async () => {
    const classifier = Classifier.fromSession(sessionOf(new FakeModel((text) => [text.length, 1, 0])));
    const texts = Array.from({ length: 150 }, (_, index) => 'x'.repeat(index % 7));
    const seen: number[] = [];
    const results = await classifier.classify(texts, {
      onProgress: ({ done, total }) => {
        expect(total).toBe(150);
        seen.push(done);
      },
    });
    expect(seen).toEqual([64, 128, 150]);
    expect(results).toEqual(await classifier.classify(texts));
  });

  test('an abort or an error in the callback cancels what is under way', async () => {
    const model = new FakeModel([1, 2, 3]);
    const classifier = Classifier.fromSession(sessionOf(model));
    const texts = new Array<string>(200).fill('x');
    const fail = (): never => {
      throw new Error('enough');
    };
    await expect(classifier.classify(texts, { onProgress: fail })).rejects.toThrow('enough');
    model.hold = true;
    const stop = new AbortController();
    const call = classifier.classify(texts, { onProgress: () => undefined, signal: stop.signal });
    await setImmediate();
    stop.abort('later');
    await expect(call).rejects.toMatchObject({ code: 'aborted', cause: 'later' });
    expect(model.cancellations).toBeGreaterThanOrEqual(4);
  });
});

describe('warnings', () => {
  async function codesOf(model: FakeModel, use: (session: Session) => Promise<unknown>): Promise<string[]> {
    const heard: ModelWarning[] = [];
    await use(sessionOf(model, { onWarning: (warning) => heard.push(warning) }));
    return heard.map(({ code }) => code);
  }

  test('unnamed labels, once at loading', async () => {
    const model = new FakeModel([1, 2], { labels: ['LABEL_0', 'LABEL_1'], numLabels: 2 });
    expect(await codesOf(model, async () => undefined)).toEqual(['label_names_missing']);
  });

  test('a softmax over one logit', async () => {
    const model = FakeModel.reranker((document) => document.length, { activationFn: 'softmax' });
    const use = async (session: Session): Promise<unknown> => CrossEncoder.fromSession(session).predict(['a', 'b']);
    expect(await codesOf(model, use)).toEqual(['softmax_of_one_label']);
  });

  test('equal scores of different inputs, told once', async () => {
    const rank = (documents: string[]) => async (session: Session) => {
      const crossEncoder = CrossEncoder.fromSession(session);
      await crossEncoder.rank('q', documents);
      await crossEncoder.rank('q', documents);
    };
    const dead = FakeModel.reranker(() => 0.25);
    expect(await codesOf(dead, rank(['a', 'b', 'c']))).toEqual(['scores_equal']);
    expect(await codesOf(dead, rank(['a', 'a', 'a']))).toEqual([]);
    expect(await codesOf(dead, rank(['', ' ', '\n\n']))).toEqual([]);
    expect(await codesOf(dead, rank(['Yes', 'yes', 'YES']))).toEqual([]);
    expect(await codesOf(dead, rank(['a', 'b']))).toEqual([]);
    expect(
      await codesOf(
        FakeModel.reranker((text) => text.length),
        rank(['a', 'b', 'cc']),
      ),
    ).toEqual([]);
  });

  test('equal scores of texts that begin alike and are cut are none', async () => {
    const classify = (texts: string[]) => (session: Session) => Classifier.fromSession(session).classify(texts);
    const texts = ['one', 'two', 'three'];
    const letters = texts.map((text) => 'x'.repeat(20) + text);
    expect(await codesOf(new FakeModel([1, 2, 3], { maxLength: 10 }), classify(letters))).toEqual([]);
    expect(await codesOf(new FakeModel([1, 2, 3], { maxLength: 10 }), classify(texts))).toEqual(['scores_equal']);
  });

  test('a process warning names the model', async () => {
    const heard: string[] = [];
    const hear = ({ message }: Error): number => heard.push(message);
    process.on('warning', hear);
    const unnamed = { labels: ['LABEL_0', 'LABEL_1'], numLabels: 2 };
    new Session(new FakeModel([1, 2], { ...unnamed, name: 'tickets' }), '/models/fake.gguf');
    new Session(new FakeModel([1, 2], { ...unnamed, name: '' }), '/models/fake.gguf');
    await setImmediate();
    process.off('warning', hear);
    expect(heard).toEqual([
      expect.stringMatching(/^ggml-encoder: tickets: the checkpoint does not name/),
      expect.stringMatching(/^ggml-encoder: \/models\/fake\.gguf: the checkpoint does not name/),
    ]);
  });

  test('a share of truncated inputs', async () => {
    const model = new FakeModel((text) => [text.length, 1, 0], { maxLength: 10 });
    const classify = (numLong: number) => async (session: Session) => {
      const texts = Array.from({ length: 40 }, (_, index) => 'x'.repeat(index < numLong ? 20 : 1 + (index % 3)));
      await Classifier.fromSession(session).classify(texts);
    };
    expect(await codesOf(model, classify(4))).toEqual([]);
    expect(await codesOf(model, classify(5))).toEqual(['inputs_truncated']);
  });
});

test('ZeroShotClassifier.classifyStream gives what classify gives', async () => {
  const nli = { labels: ['contradiction', 'entailment', 'neutral'], numLabels: 3 };
  const model = new FakeModel((text, pair) => [1, text.length * pair!.length, 0], nli);
  const zeroShot = ZeroShotClassifier.fromSession(sessionOf(model));
  const texts = Array.from({ length: 100 }, (_, index) => 'x'.repeat(index % 5));
  const seen = [];
  for await (const result of zeroShot.classifyStream(texts, ['a', 'bb', 'ccc'])) seen.push(result);
  const runs = model.calls.length;
  expect(seen).toEqual(await zeroShot.classify(texts, ['a', 'bb', 'ccc']));
  expect(runs).toBe(3);
  expect(() => zeroShot.classifyStream(texts, [])).toThrow(RangeError);
});

test('a hypothesis that fills the model is named, with advice that fits', async () => {
  const nli = { labels: ['contradiction', 'entailment'], numLabels: 2 };
  const model = new FakeModel([0, 1], nli);
  model.run = () => {
    const promise = Promise.reject(Object.assign(new Error('cut the longest first'), { code: 'input_too_long' }));
    return { promise, cancel: () => undefined };
  };
  const call = ZeroShotClassifier.fromSession(sessionOf(model)).classify('x', ['long']);
  await expect(call).rejects.toMatchObject({
    code: 'input_too_long',
    message: expect.stringMatching(/"This example is long\." leaves no room.*shorten the label or the template/),
  });
});
