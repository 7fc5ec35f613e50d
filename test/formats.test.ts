// Logits of the tiny models of test/fixtures/formats, from every weight format, against transformers.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier } from '../src/api/classifier';
import { formatCheckpoint, formatJson } from './unit/convert/readers/format-fixtures';
import { temporaryFolder } from './unit/convert/temp-folder';

/** Largest |logit - transformers float32| allowed. */
const BOUND = 5e-4;

describe.each(['bert', 'distilbert'] as const)('%s', (family) => {
  it.each(['model.safetensors', 'pytorch_model.bin', 'tf_model.h5', 'model.onnx'])('from %s', async (weights) => {
    const rows = formatJson(`${family}/logits.json`) as { text: string; logits: number[] }[];
    const cacheDir = path.join(temporaryFolder(), 'cache');
    await using model = await Classifier.load(formatCheckpoint(family, { [weights]: weights }), { cacheDir });
    expect(model.info.labels).toHaveLength(rows[0]!.logits.length);
    // Literal special tokens become control ids, as in transformers.
    const options = { logits: true, specialTokens: 'parse' } as const;
    const results = await model.classify(
      rows.map(({ text }) => text),
      options,
    );
    results.forEach(({ logits, label }, index) => {
      const expected = rows[index]!.logits;
      expected.forEach((logit, at) => expect(Math.abs(logits![at]! - logit)).toBeLessThanOrEqual(BOUND));
      expect(label).toBe(model.info.labels[expected.indexOf(Math.max(...expected))]);
    });
  });
});
