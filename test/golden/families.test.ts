// Logits of every family against transformers, from checkpoints in every format, on our kernels, the portable graph and a device.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Classifier, convert, estimateMemory } from 'ggml-encoder';
import type { StoredType } from './checkpoint-fixture';
import { deviceSlack, type Engine, engineOptions } from './engines';
import { type Family, type Format, families, familyInputs, ownTokenizer, writeFamily } from './family-checkpoints';

/** Largest |logit - transformers float32|. */
const BOUND = 5e-4;

const FORMATS: readonly [Format, StoredType, Engine][] = [
  ['safetensors', 'F32', 'auto'],
  ['safetensors', 'F32', 'portable'],
  ['safetensors', 'F32', 'device'],
  ['sharded safetensors', 'BF16', 'auto'],
  ['bin', 'F16', 'auto'],
  ['sharded bin', 'BF16', 'auto'],
];

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-families-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function argmax(values: ArrayLike<number>): number {
  return Array.from(values).reduce((best, value, index, all) => (value > all[best]! ? index : best), 0);
}

async function logits(family: Family, file: string, engine: Engine): Promise<Float32Array[]> {
  const options = engineOptions(engine);
  await using model = await Classifier.load(file, options);
  expect(model.info.warnings.map(({ code }) => code)).not.toContain('pooler_missing');
  expect((await estimateMemory(file, options)).weightBytes).toBe(model.info.weightBytes);
  const results = await model.classify(familyInputs(family), { logits: true, specialTokens: 'parse' });
  return results.map((result) => result.logits!);
}

describe.each(families())('$name', (family) => {
  it.each(FORMATS)('%s of %s on %s', async (format, dtype, engine) => {
    const checkpoint = path.join(folder, `${family.name}-${format.replace(' ', '-')}-${engine}`);
    await writeFamily(family, checkpoint, format, dtype, ownTokenizer(family));
    const file = `${checkpoint}.gguf`;
    await convert(checkpoint, { output: file, type: 'f32' });
    const rows = await logits(family, file, engine);
    rmSync(checkpoint, { recursive: true });
    rmSync(file);
    expect(rows).toHaveLength(family.rows.length);
    let worst = 0;
    rows.forEach((row, index) => {
      const expected = family.rows[index]!;
      expected.forEach((logit, label) => (worst = Math.max(worst, Math.abs(row[label]! - logit))));
      expect(argmax(row)).toBe(argmax(expected));
    });
    expect(worst).toBeLessThanOrEqual(BOUND + deviceSlack(engine));
  });
});
