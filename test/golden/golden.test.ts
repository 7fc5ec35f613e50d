// Logits of whole models against transformers: same-shape random checkpoints, converted and run in every type, on our
// kernels, on the portable graph and on a device that GGML_ENCODER_TEST_DEVICE names.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier, convert, type Classification, type TensorType } from 'ggml-encoder';
import { deviceSlack, type Engine, engineOptions, IS_REAL_DEVICE } from './engines';
import { goldenModels, goldenRows, writeCheckpoint, type GoldenRow } from './checkpoint-fixture';

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-golden-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const models = goldenModels();
const engines: readonly Engine[] = IS_REAL_DEVICE ? ['auto', 'portable', 'device'] : ['auto', 'portable'];

/**
 * Largest |logit - transformers float32| allowed, and the share of inputs whose best label must agree. F32 and F16
 * bounds are promises; BF16 and Q8_0 bounds are what these random weights measured, at most 0.1 and 0.184.
 */
const BOUNDS = {
  f32: { logit: 2e-4, agreement: 1 },
  f16: { logit: 5e-3, agreement: 1 },
  bf16: { logit: 0.2, agreement: 0.9 },
  q8_0: { logit: 0.2, agreement: 0.9 },
} satisfies Partial<Record<TensorType, { logit: number; agreement: number }>>;

function argmax(values: ArrayLike<number>): number {
  return Array.from(values).reduce((best, value, index, all) => (value > all[best]! ? index : best), 0);
}

async function classify(model: Classifier, rows: readonly GoldenRow[]): Promise<Classification[]> {
  // Literal special tokens become control ids, as in transformers.
  const options = { logits: true, specialTokens: 'parse' } as const;
  return model.classify(
    rows.map((row) => (row.pair === null ? row.text : { text: row.text, textPair: row.pair })),
    options,
  );
}

describe.each(models)('$name', (golden) => {
  const checkpoint = path.join(folder, golden.name);
  let rows: GoldenRow[];
  beforeAll(async () => {
    rows = await goldenRows(golden);
    await writeCheckpoint(golden, checkpoint);
  });

  it.each(['f32', 'f16', 'bf16', 'q8_0'] as const)('%s', async (type) => {
    const file = path.join(folder, `${golden.name}-${type}.gguf`);
    await convert(checkpoint, { output: file, type });
    for (const engine of engines) {
      await using model = await Classifier.load(file, engineOptions(engine));
      // Stock ggml operations are an order of magnitude slower: they see twenty inputs.
      const step = engine === 'auto' ? 1 : Math.ceil(rows.length / 20);
      const inputs = rows.filter((_, index) => index % step === 0);
      const results = await classify(model, inputs);
      let worst = 0;
      let agreeing = 0;
      results.forEach((result, index) => {
        const expected = inputs[index]!;
        expect(result.tokens).toBe(expected.numTokens);
        const logits = result.logits!;
        expected.logits.forEach((logit, label) => (worst = Math.max(worst, Math.abs(logits[label]! - logit))));
        if (argmax(logits) === argmax(expected.logits)) agreeing++;
      });
      const agreement = agreeing / inputs.length;
      console.log(
        `${golden.name} ${type} ${engine}: max |logit difference| ${worst.toExponential(2)}, labels agree on ${(100 * agreement).toFixed(1)} % of ${inputs.length}`,
      );
      expect(worst).toBeLessThanOrEqual(BOUNDS[type].logit + deviceSlack(engine));
      expect(agreement).toBeGreaterThanOrEqual(BOUNDS[type].agreement);
    }
    rmSync(file);
  });

  it.each([
    ['f32', 'auto', 5],
    ['bf16', 'auto', 5],
    ['q8_0', 'auto', 5],
    ['f32', 'portable', 20],
  ] as const)(
    '%s %s: a text has the same bits alone, in any company, on any number of threads',
    async (type, kernels, step) => {
      const options = { type, device: 'cpu', kernels, cacheDir: path.join(folder, 'cache') };
      await using one = await Classifier.load(checkpoint, { ...options, threads: 1 });
      await using three = await Classifier.load(checkpoint, { ...options, threads: 3 });
      // More than its matrices have panels.
      await using forty = await Classifier.load(checkpoint, { ...options, threads: 40 });
      const sample = rows.filter((_, index) => index % step === 0);
      const together = await classify(three, sample);
      const reversed = (await classify(one, [...sample].reverse())).reverse();
      for (const [index, row] of sample.entries()) {
        const [alone] = await classify(three, [row]);
        expect(together[index]!.logits).toEqual(alone!.logits);
        expect(reversed[index]!.logits).toEqual(alone!.logits);
        const [shared] = await classify(forty, [row]);
        expect(shared!.logits).toEqual(alone!.logits);
      }
    },
  );
});
