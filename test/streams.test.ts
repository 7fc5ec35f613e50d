/** Streams over a real model: the same bits as a list, bounded memory, and nothing left behind by ends of any kind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { Classifier, CrossEncoder } from '../src/index';
import { goldenInputs, goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-streams-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function checkpoint(name: string): Promise<string> {
  await writeCheckpoint(goldenModel(name), join(folder, name));
  return join(folder, name);
}

async function load(name: string): Promise<Classifier> {
  return Classifier.load(await checkpoint(name), { cacheDir: join(folder, 'cache'), threads: 2 });
}

/** Texts without end, as fast as they are asked for. */
function* endless(): Generator<string> {
  for (let index = 0; ; index++) yield `text number ${index} of a source without end`;
}

async function take<Item>(source: AsyncIterable<Item>, count: number): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) if (items.push(item) === count) break;
  return items;
}

test('a stream gives the bits of a list', async () => {
  await using classifier = await load('bert-relu');
  const texts = (goldenInputs('texts') as string[]).slice(0, 150);
  const list = await classifier.classify(texts, { logits: true });
  expect(await take(classifier.classifyStream(texts, { logits: true }), 1000)).toEqual(list);

  const source = await checkpoint('bert-reranker');
  await using crossEncoder = await CrossEncoder.load(source, { cacheDir: join(folder, 'cache') });
  const pairs = (goldenInputs('pairs') as [string, string][]).slice(0, 150);
  expect(await take(crossEncoder.predictStream(pairs), 1000)).toEqual(await crossEncoder.predict(pairs));
});

test('20,000 texts of an endless source pass in bounded memory', async () => {
  await using classifier = await load('bert-relu');
  await take(classifier.classifyStream(endless()), 2000);
  const before = process.memoryUsage().rss;
  let passed = 0;
  for await (const _ of classifier.classifyStream(endless())) if (++passed === 20_000) break;
  expect(process.memoryUsage().rss - before).toBeLessThan(48 * 1024 * 1024);
});

test('aborts and early ends at random moments leave nothing running', async () => {
  await using classifier = await load('bert-relu');
  for (let round = 0; round < 100; round++) {
    const controller = new AbortController();
    const timer = setTimeout(Math.random() * 8).then(() => {
      controller.abort(round);
    });
    const end = await take(classifier.classifyStream(endless(), { signal: controller.signal }), 1 + (round % 300)).then(
      () => 'taken',
      (error: { code: string; cause: unknown }) => {
        expect(error).toMatchObject({ code: 'aborted', cause: round });
        return 'aborted';
      },
    );
    expect(['taken', 'aborted']).toContain(end);
    await timer;
  }
  // Whatever still ran would be in the way of this one.
  const startedMs = performance.now();
  await classifier.classify('still here');
  expect(performance.now() - startedMs).toBeLessThan(500);
});

test('a model that is disposed ends its streams', async () => {
  const classifier = await load('bert-relu');
  const stream = classifier.classifyStream(endless());
  await stream.next();
  await classifier.dispose();
  await expect(take(stream, Infinity)).rejects.toMatchObject({ code: 'model_disposed' });
});
