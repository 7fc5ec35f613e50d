// Logits of models whose positions do not count one token (RoBERTa and its kind), of texts that hold it, against transformers.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier } from '../src/api/classifier';
import { temporaryFolder } from './unit/convert/temp-folder';

const FOLDER = path.join(__dirname, 'fixtures/padding');

/** Largest |logit - transformers float32| allowed. */
const BOUND = 5e-4;

describe('texts with padding in them', () => {
  it.each(readdirSync(FOLDER))('%s', async (name) => {
    const checkpoint = path.join(FOLDER, name);
    const json = readFileSync(path.join(checkpoint, 'logits.json'), 'utf8');
    const rows = JSON.parse(json) as { text: string; logits: number[] }[];
    await using model = await Classifier.load(checkpoint, { cacheDir: path.join(temporaryFolder(), 'cache') });
    const texts = rows.map(({ text }) => text);
    const results = await model.classify(texts, { logits: true, specialTokens: 'parse' });
    results.forEach(({ logits }, index) => {
      rows[index]!.logits.forEach((logit, at) => expect(Math.abs(logits![at]! - logit)).toBeLessThanOrEqual(BOUND));
    });
  });
});
