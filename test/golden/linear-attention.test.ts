// Qwen 3.5, whose logits families.test.ts compares: what batches, threads and stored types make of layers that keep a state.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Classifier } from 'ggml-encoder';
import { familyFile, familyInputs, familyNamed } from './family-checkpoints';
import { expectNear, expectSameAlone } from './family-expectations';

const NAMES = ['qwen3.5', 'qwen3.5-linear-last'];
const LOGITS = { logits: true, specialTokens: 'parse' } as const;

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-linear-attention-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(['auto', 'portable'] as const)('on %s', (kernels) => {
  it.each(NAMES)('%s scores a text the same in every batch, bit for bit', async (name) => {
    const family = familyNamed(name);
    for (const type of ['f32', 'q8_0'] as const) {
      await expectSameAlone(await familyFile(folder, `${name}-${type}-${kernels}`, type, family), kernels, family);
    }
  });

  // Differences of the stored types are those of their rounding, on weights that are random and large.
  it.each([
    ['f16', 5e-4],
    ['bf16', 0.2],
    ['q8_0', 0.8],
  ] as const)('%s is near transformers in f32', async (type, bound) => {
    const family = familyNamed('qwen3.5-linear-last');
    await expectNear(await familyFile(folder, `${type}-${kernels}`, type, family), kernels, family, bound);
  });

  it('is the same for any number of threads, call after call with texts that begin alike', async () => {
    const family = familyNamed('qwen3.5');
    const file = await familyFile(folder, `threads-${kernels}`, 'f32', family);
    const beginning = Array.from({ length: 40 }, (_, index) => `river ${index}`).join(' ');
    const inputs = [...familyInputs(family), beginning, ...['north', 'south', 'a'].map((end) => `${beginning} ${end}`)];
    const rows: Float32Array[][] = [];
    for (const threads of [1, 2, 3]) {
      await using model = await Classifier.load(file, {
        device: 'cpu',
        kernels,
        threads,
        onWarning: () => undefined,
      });
      for (const call of [inputs, inputs]) {
        rows.push((await model.classify(call, LOGITS)).map((result) => result.logits!));
      }
    }
    for (const row of rows.slice(1)) expect(row).toEqual(rows[0]);
  });
});
