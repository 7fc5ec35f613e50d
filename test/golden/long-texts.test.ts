// Models in which the length of a text, or the distance of its tokens, counts: the same bits whatever it is computed with.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, convert } from 'ggml-encoder';
import { temporaryFolder } from '../unit/convert/temp-folder';
import { type Engine, engineOptions } from './engines';
import { families, familyInputs, writeFamily } from './family-checkpoints';

describe.each(['phi3-longrope', 'phi3-longrope-whole', 'bloom', 'longformer', 'longformer-one-layer'])('%s', (name) => {
  const family = families().find((one) => one.name === name)!;
  // Behind the fixture's, texts that begin alike and end in either length.
  const alike = [20, 45, 46, 47, 60, 61].flatMap((count) => ['b', 'c'].map((end) => `${'the '.repeat(count)}${end}`));
  const inputs = [...alike, ...familyInputs(family)];

  async function load(engine: Engine): Promise<Classifier> {
    const folder = temporaryFolder();
    await writeFamily(family, folder, 'safetensors', 'F32');
    const file = path.join(folder, 'model.gguf');
    await convert(folder, { output: file, type: 'f32' });
    return Classifier.load(file, engineOptions(engine));
  }

  it.each(['auto', 'portable'] as const)('gives a text the same bits alone and among others: %s', async (engine) => {
    await using model = await load(engine);
    const together = await model.classify(inputs, { logits: true });
    const lengths = together.map(({ tokens }) => tokens);
    expect(lengths.filter((length) => length <= 48).length).toBeGreaterThan(5);
    expect(lengths.filter((length) => length > 48).length).toBeGreaterThan(5);
    expect(lengths.filter((length) => length === 48 || length === 49).length).toBeGreaterThan(1);
    for (const [index, input] of inputs.entries()) {
      const [alone] = await model.classify([input], { logits: true });
      expect(alone!.logits).toEqual(together[index]!.logits);
    }
  });
});
