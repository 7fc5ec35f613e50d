// Methods that were taken off their model say so, in the place of the engine's words about private members.
import { describe, expect, test } from 'vitest';

import { Classifier } from '../../../src/api/classifier';
import { CrossEncoder } from '../../../src/api/cross-encoder';
import { Session } from '../../../src/api/session';
import { ZeroShotClassifier } from '../../../src/api/zero-shot-classifier';
import { FakeModel } from './fake-model';

type Method = (...args: unknown[]) => unknown;

const session = () =>
  new Session(
    new FakeModel([1, 2, 3], { labels: ['contradiction', 'entailment', 'neutral'], numLabels: 3 }),
    '/models/fake.gguf',
  );

const MODELS = [
  ['Classifier', () => Classifier.fromSession(session()), ['classify', 'classifyStream', 'tokenize', 'dispose']],
  [
    'CrossEncoder',
    () => CrossEncoder.fromSession(session()),
    ['predict', 'predictStream', 'rank', 'tokenize', 'dispose'],
  ],
  ['ZeroShotClassifier', () => ZeroShotClassifier.fromSession(session()), ['classify', 'classifyStream', 'dispose']],
] as const;

/** What a call throws, now or later. */
async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('it was answered');
}

describe.each(MODELS)('%s', (name, load, methods) => {
  test('every method of the class is tried', () => {
    const own = Object.getOwnPropertyNames(Object.getPrototypeOf(load())).filter((key) => key !== 'constructor');
    expect(own.sort()).toEqual([...methods].sort());
  });

  test.each([...methods, Symbol.asyncDispose])('%s', async (key) => {
    const model = load() as unknown as Record<string | symbol, Method>;
    const method = model[key]!;
    const alone = await failureOf(() => method('a', 0, ['a', 'b']));
    expect(alone).toMatchObject({ code: 'method_detached', name: 'EncoderError' });
    const called = typeof key === 'string' ? key : 'dispose';
    expect((alone as Error).message).toMatch(new RegExp(`without its ${name}, .+ write .+ => \\w+\\.${called}\\(`));
    for (const other of [new Proxy(model, {}), Object.create(model) as object, {}, { info: {} }]) {
      const error = await failureOf(() => method.call(other, 'a'));
      expect(error).toMatchObject({ code: 'method_detached' });
      expect((error as Error).message).toContain(`an object that is no loaded ${name}`);
    }
  });
});

test('map calls a method that was taken off with an index and the list; a bound one refuses the index by name', async () => {
  const classifier = Classifier.fromSession(session());

  const mapped = ['a', 'b'].map(classifier.classify as Method) as Promise<unknown>[];
  for (const result of await Promise.allSettled(mapped)) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'method_detached' } });
  }
  const bound = ['a', 'b'].map(classifier.classify.bind(classifier) as Method) as Promise<unknown>[];
  for (const result of await Promise.allSettled(bound)) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_INVALID_ARG_TYPE' } });
    expect(String((result as PromiseRejectedResult).reason)).toContain(
      'options: expected an object (map passes an index: write ',
    );
  }
  expect(await Promise.all(['a', 'b'].map((text) => classifier.classify(text)))).toHaveLength(2);
});

test.each([Classifier, CrossEncoder, ZeroShotClassifier])('new %s() says that load makes one', (Model) => {
  const make = () => new (Model as unknown as new () => unknown)();
  expect(make).toThrow(TypeError);
  expect(make).toThrow(`new ${Model.name}(): write await ${Model.name}.load(...)`);
});
