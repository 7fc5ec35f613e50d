/** What every family's models are held to, beside the logits that families.test.ts compares. */
import { Classifier, estimateMemory } from 'ggml-encoder';
import { expect } from 'vitest';

import { deviceSlack, type Engine, engineOptions } from './engines';
import { type Family, familyInputs } from './family-checkpoints';

const QUIET = { onWarning: () => undefined };
const LOGITS = { logits: true, specialTokens: 'parse' } as const;

/** Bit for bit. */
export async function expectSameAlone(file: string, engine: Engine, family: Family): Promise<void> {
  await using model = await Classifier.load(file, { ...engineOptions(engine), ...QUIET });
  const inputs = familyInputs(family);
  const together = await model.classify(inputs, LOGITS);
  for (const [index, input] of inputs.entries()) {
    expect((await model.classify(input, LOGITS)).logits).toEqual(together[index]!.logits);
  }
}

/** A file of a stored type: near transformers in f32 and not the same, in the memory that was estimated. */
export async function expectNear(file: string, engine: Engine, family: Family, bound: number): Promise<void> {
  const options = { ...engineOptions(engine), ...QUIET };
  await using model = await Classifier.load(file, options);
  expect((await estimateMemory(file, options)).weightBytes).toBe(model.info.weightBytes);
  const results = await model.classify(familyInputs(family), LOGITS);
  const worst = Math.max(
    ...results.flatMap(({ logits }, row) => family.rows[row]!.map((logit, i) => Math.abs(logits![i]! - logit))),
  );
  expect(worst).toBeLessThan(bound);
  expect(worst).toBeGreaterThan(0);
}

/** Long texts, in windows as transformers reads them. */
export async function expectWindows(file: string, engine: Engine, family: Family): Promise<void> {
  const { maxLength, overlap, inputs, rows } = family.windows!;
  await using model = await Classifier.load(file, { ...engineOptions(engine), ...QUIET });
  for (const [index, input] of inputs.entries()) {
    const item = typeof input === 'string' ? input : { text: input[0], textPair: input[1] };
    const options = { activation: 'none', maxLength, windows: { overlap }, specialTokens: 'parse' } as const;
    const { windows } = await model.classify(item, options);
    expect(windows).toHaveLength(rows[index]!.length);
    expect(windows!.length).toBeGreaterThan(2);
    windows!.forEach(({ scores }, window) => {
      rows[index]![window]!.forEach((logit, label) => {
        expect(Math.abs(scores[label]! - logit)).toBeLessThan(5e-4 + deviceSlack(engine));
      });
    });
  }
}
