import { setImmediate, setTimeout } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { Classifier } from '../../../src/api/classifier';
import { CrossEncoder } from '../../../src/api/cross-encoder';
import { streamResults } from '../../../src/api/result-stream';
import { Session } from '../../../src/api/session';
import { EncoderError } from '../../../src/errors';
import { FakeModel } from './fake-model';

const noCheck = (): void => undefined;
const double = async (inputs: readonly number[]): Promise<number[]> => inputs.map((input) => input * 2);

function streamOf(
  source: Iterable<number> | AsyncIterable<number>,
  run: (inputs: readonly number[], signal: AbortSignal) => Promise<number[]> = double,
  signal?: AbortSignal,
): AsyncGenerator<number> {
  return streamResults(source, { check: noCheck, run, signal });
}

async function collect<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** Numbers from 0, and what became of the source. */
class Source {
  read = 0;
  closed = 0;
  readonly #end: number;

  constructor(end = Infinity) {
    this.#end = end;
  }

  *sync(): Generator<number> {
    try {
      while (this.read < this.#end) yield this.read++;
    } finally {
      this.closed += 1;
    }
  }

  /** @param pause what to wait for before each number. */
  async *async(pause: () => Promise<unknown> = async () => setImmediate()): AsyncGenerator<number> {
    try {
      while (this.read < this.#end) {
        await pause();
        yield this.read++;
      }
    } finally {
      this.closed += 1;
    }
  }
}

const doubled = (count: number): number[] => Array.from({ length: count }, (_, index) => index * 2);

describe('streamResults', () => {
  test.each<[string, (source: Source) => Iterable<number> | AsyncIterable<number>]>([
    ['an iterable', (source) => source.sync()],
    ['an async iterable', (source) => source.async()],
    ['an async iterable that never waits', (source) => source.async(async () => Promise.resolve())],
  ])('%s: results in order, whatever the time each run takes', async (_, open) => {
    const source = new Source(3000);
    const slow = async (inputs: readonly number[]): Promise<number[]> => setTimeout(Math.random() * 3, double(inputs));
    expect(await collect(streamOf(open(source), slow))).toEqual(doubled(3000));
    expect(source.closed).toBe(1);
  });

  test('an array, nothing, and an iterator without return', async () => {
    expect(await collect(streamOf([1, 2, 3]))).toEqual([2, 4, 6]);
    expect(await collect(streamOf([]))).toEqual([]);
    let next = 0;
    const bare = { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false as const, value: next++ }) }) };
    for await (const result of streamOf(bare)) if (result === 20) break;
    expect(next).toBeGreaterThan(10);
  });

  test('a source that is always ahead is run in full chunks', async () => {
    const sizes: number[] = [];
    const run = async (inputs: readonly number[]): Promise<number[]> => {
      sizes.push(inputs.length);
      return double(inputs);
    };
    for (const source of [new Source(1000).sync(), new Source(1000).async(async () => Promise.resolve())]) {
      sizes.length = 0;
      await collect(streamOf(source, run));
      expect(sizes).toEqual([128, 128, 128, 128, 128, 128, 128, 104]);
    }
  });

  test('reads only as far ahead as its bound, however slow the model or the reader', async () => {
    for (const open of [(source: Source) => source.sync(), (source: Source) => source.async()]) {
      const stuck = new Source();
      const waiting = streamOf(open(stuck), async () => new Promise(() => undefined));
      void waiting.next();
      await setTimeout(50);
      expect(stuck.read).toBeLessThanOrEqual(256);
      expect(stuck.read).toBeGreaterThan(1);

      const unread = new Source();
      const results = streamOf(open(unread));
      await results.next();
      await setTimeout(50);
      expect(unread.read).toBeLessThanOrEqual(256);
      await results.return(undefined);
    }
  });

  test('never holds more than its bound, whatever the pace of source, model and reader', async () => {
    let mostOfAll = 0;
    for (const [slowSource, slowModel, slowReader] of [
      [0, 0.5, 0.9],
      [0.01, 0, 0.9],
      [0.3, 0.3, 0.3],
      [0.9, 0.1, 0],
      [0.02, 0.9, 0.05],
      [0.1, 1, 0.5],
    ] as const) {
      let state = 7;
      const random = () => (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff;
      const pause = async (share: number) =>
        random() >= share ? undefined : random() < 0.02 ? setTimeout(1) : setImmediate();
      let [read, answered, most] = [0, 0, 0];
      const source = async function* () {
        while (read < 1500) {
          await pause(slowSource);
          read += 1;
          most = Math.max(most, read - answered);
          yield read;
        }
      };
      const run = async (inputs: readonly number[]) => {
        await pause(slowModel);
        return double(inputs);
      };
      for await (const result of streamOf(source(), run)) {
        expect(result).toBe(2 * (answered + 1));
        await pause(slowReader);
        answered += 1;
      }
      expect(answered).toBe(1500);
      expect(most).toBeLessThanOrEqual(256);
      mostOfAll = Math.max(mostOfAll, most);
    }
    expect(mostOfAll).toBe(256);
  });

  test('a conversation gets each answer before it goes on', async () => {
    let answer: (value: number) => void = noCheck;
    async function* conversation(): AsyncGenerator<number> {
      let question = 1;
      for (let turn = 0; turn < 5; turn++) {
        const answered = new Promise<number>((resolve) => {
          answer = resolve;
        });
        yield question;
        question = await answered;
      }
    }
    const seen: number[] = [];
    for await (const result of streamOf(conversation())) {
      seen.push(result);
      answer(result);
    }
    expect(seen).toEqual([2, 4, 8, 16, 32]);
  });

  test('ending the loop early cancels what runs and closes the source', async () => {
    for (const open of [(source: Source) => source.sync(), (source: Source) => source.async(async () => undefined)]) {
      const source = new Source();
      const signals: AbortSignal[] = [];
      const run = async (inputs: readonly number[], signal: AbortSignal): Promise<number[]> => {
        signals.push(signal);
        return signals.length === 1 ? setTimeout(5, double(inputs)) : new Promise(() => undefined);
      };
      for await (const result of streamOf(open(source), run)) if (result === 10) break;
      expect(signals.length).toBeGreaterThan(1);
      expect(signals.every(({ aborted }) => aborted)).toBe(true);
      expect(source.closed).toBe(1);
    }
  });

  test('an abort ends a stream that waits for its model or its source, and one that is read', async () => {
    const never = async (): Promise<never> => new Promise(() => undefined);
    const cases: ((signal: AbortSignal) => AsyncGenerator<number>)[] = [
      (signal) => streamOf(new Source().sync(), never, signal),
      (signal) => streamOf(new Source().async(never), double, signal),
      (signal) => streamOf(new Source().async(), double, signal),
    ];
    for (const open of cases) {
      const controller = new AbortController();
      void setTimeout(10).then(() => {
        controller.abort('enough');
      });
      const drain = async (): Promise<void> => {
        for await (const _ of open(controller.signal)) await setTimeout(1);
      };
      await expect(drain()).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    }
    await expect(streamOf([1], double, AbortSignal.abort('before')).next()).rejects.toMatchObject({ cause: 'before' });
  });

  test('an error of the source, of an input or of the model comes after the results before it', async () => {
    async function* broken(): AsyncGenerator<number> {
      yield* [0, 1, 2];
      throw new Error('source');
    }
    const refusing = async (inputs: readonly number[]): Promise<number[]> => {
      if (inputs.includes(3)) throw new EncoderError('input_invalid', 'text 0 holds [SEP]');
      return double(inputs);
    };
    const check = (input: number, name: string): void => {
      if (input === 3) throw new TypeError(`${name}: expected another`);
    };
    const source = new Source();
    const checked = streamResults(source.sync(), { check, run: double, signal: undefined });
    const cases: [AsyncGenerator<number>, string][] = [
      [streamOf(broken()), 'source'],
      [streamOf(new Source().sync(), refusing), 'inputs[3]: text 0 holds [SEP]'],
      [checked, 'inputs[3]: expected another'],
    ];
    for (const [stream, message] of cases) {
      const seen: number[] = [];
      const consume = async (): Promise<void> => {
        for await (const result of stream) seen.push(result);
      };
      await expect(consume()).rejects.toThrow(message);
      expect(seen).toEqual([0, 2, 4]);
    }
    expect(source.closed).toBe(1);
  });

  test('an error of the model that is not about an input is not tried again', async () => {
    let calls = 0;
    const fail = async (): Promise<never> => {
      calls += 1;
      throw new EncoderError('out_of_memory', 'no memory');
    };
    await expect(streamOf([1, 2], fail).next()).rejects.toMatchObject({ code: 'out_of_memory' });
    expect(calls).toBe(1);
  });

  test('a source that fails to close does not hide why the stream ended', async () => {
    const close = (): never => {
      throw new Error('close');
    };
    const source = { [Symbol.iterator]: () => ({ next: () => ({ done: false as const, value: 1 }), return: close }) };
    for await (const _ of streamOf(source)) break;
    const fail = async (): Promise<never> => Promise.reject(new EncoderError('out_of_memory', 'no memory'));
    await expect(streamOf(source, fail).next()).rejects.toMatchObject({ code: 'out_of_memory' });
  });

  test.each([undefined, null, 'text', 5, {}])('%j is refused at once', (source) => {
    expect(() => streamOf(source as never)).toThrow('inputs: expected an iterable or async iterable');
  });
});

describe('on the classes', () => {
  test('classifyStream gives what classify gives', async () => {
    const model = new FakeModel((text) => [text.length, 3, 0]);
    const classifier = Classifier.fromSession(new Session(model, '/models/fake.gguf'));
    const texts = ['a', 'bb', { text: 'cccc', textPair: 'd' }];
    const list = await classifier.classify(texts, { topK: 2 });
    expect(await collect(classifier.classifyStream(new Set(texts), { topK: 2 }))).toEqual(list);
    expect(() => classifier.classifyStream(texts, { topK: 0 })).toThrow(RangeError);
    await expect(collect(classifier.classifyStream(['a', 5 as never]))).rejects.toThrow(
      'inputs[1]: expected a string or { text, textPair? }, received 5',
    );
  });

  test('predictStream gives what predict gives', async () => {
    const model = FakeModel.reranker((document) => document.length);
    const crossEncoder = CrossEncoder.fromSession(new Session(model, '/models/fake.gguf'));
    const pairs = [['a', 'b'], { text: 'c', textPair: 'dd' }] as const;
    expect(await collect(crossEncoder.predictStream(pairs))).toEqual(await crossEncoder.predict(pairs));
    await expect(collect(crossEncoder.predictStream(['a', 'b'] as never))).rejects.toThrow(
      'inputs[0]: expected [text, textPair] or { text, textPair }, received "a"',
    );
  });

  test('an abort cancels the native runs', async () => {
    const model = new FakeModel([1, 2, 3]);
    model.hold = true;
    const classifier = Classifier.fromSession(new Session(model, '/models/fake.gguf'));
    const controller = new AbortController();
    const result = classifier.classifyStream(new Array(500).fill('x'), { signal: controller.signal }).next();
    await setImmediate();
    controller.abort();
    await expect(result).rejects.toMatchObject({ code: 'aborted' });
    expect(model.cancellations).toBe(2);
  });
});
