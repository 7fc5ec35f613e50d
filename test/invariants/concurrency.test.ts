// Many callers at once get the bits that each would get alone; aborted calls leave nothing behind.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Classifier, isEncoderError } from 'ggml-encoder';

const CALLERS = 64;
const CALLS = 20_000;
const ABORTS = 500;
const MAX_GROWTH_BYTES = 32 * 2 ** 20;
/** Of 300 ms; a thread that still works takes nearly all of it. */
const MAX_IDLE_CPU_MICROSECONDS = 100_000;

const texts = Array.from({ length: 200 }, (_, index) => `text ${index} `.repeat(1 + (index % 12)));
let model: Classifier;
let alone: Float32Array[];

beforeAll(async () => {
  model = await Classifier.load();
  alone = [];
  for (const text of texts) alone.push((await model.classify(text, { logits: true })).logits!);
});
afterAll(() => model.dispose());

it(`${CALLERS} callers over ${CALLS} calls`, async () => {
  let next = 0;
  let wrong = 0;
  async function call(): Promise<void> {
    while (next < CALLS) {
      const index = (next++ * 7919) % texts.length;
      const { logits } = await model.classify(texts[index]!, { logits: true });
      if (Buffer.compare(Buffer.from(logits!.buffer), Buffer.from(alone[index]!.buffer)) !== 0) wrong++;
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, call));
  expect(wrong).toBe(0);
});

it('a small call is answered before a large one that came first', async () => {
  const order: string[] = [];
  const large = model.classify(Array.from({ length: 40 }, () => texts).flat()).then(() => order.push('large'));
  const small = model.classify(texts[7]!, { logits: true }).then(({ logits }) => {
    order.push('small');
    expect(logits).toEqual(alone[7]);
  });
  await Promise.all([large, small]);
  expect(order).toEqual(['small', 'large']);
});

it('nor for the rest of one that reports its progress', async () => {
  const total = 6_400;
  let done = 0;
  let answered: Promise<number> | undefined;
  const onProgress = (progress: { done: number }) => {
    ({ done } = progress);
    answered ??= model.classify(texts[7]!).then(() => done);
  };
  await model.classify(Array<string>(total).fill(texts[7]!), { onProgress });
  expect(await answered).toBeLessThan(0.9 * total);
});

it(`${ABORTS} aborts at random moments`, async () => {
  // A fixed sequence, so that a failure can be repeated: an odd multiplier walks through all delays.
  let aborted = 0;
  let rssBefore = 0;
  for (let round = 0; round < ABORTS; round++) {
    if (round === ABORTS / 2) rssBefore = process.memoryUsage.rss();
    const controller = new AbortController();
    const delayMicroseconds = (round * 2654435761) % 3000;
    const answer = model.classify(texts, { signal: controller.signal }).catch((error: unknown) => error);
    const start = process.hrtime.bigint();
    while (process.hrtime.bigint() - start < delayMicroseconds * 1000) await new Promise(setImmediate);
    controller.abort();
    const outcome = await answer;
    if (isEncoderError(outcome, 'aborted')) aborted++;
    else expect(outcome).toHaveLength(texts.length);
  }
  expect(aborted).toBeGreaterThan(0);
  // The second half of the aborts left no memory behind, and nothing computes any more.
  expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(MAX_GROWTH_BYTES);
  const idle = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { user, system } = process.cpuUsage(idle);
  expect(user + system).toBeLessThan(MAX_IDLE_CPU_MICROSECONDS);
  const after = await model.classify(texts, { logits: true });
  after.forEach(({ logits }, index) => expect(logits).toEqual(alone[index]));
});
