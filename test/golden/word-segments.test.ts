// GPT-2's kind with segments, whose logits families.test.ts compares: what batches, earlier calls, threads and stored types make of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier, type ClassifierInput, type LoadOptions } from 'ggml-encoder';
import type { Engine } from './engines';
import { familyFile, familyNamed } from './family-checkpoints';
import { expectNear, expectSameAlone } from './family-expectations';

const NAMES = ['gpt2-word-segments', 'gpt2-input-names', 'gpt-neo', 'gptj'];
const QUIET = { onWarning: () => undefined };
const LOGITS = { logits: true, specialTokens: 'parse' } as const;

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-word-segments-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function logits(file: string, calls: readonly (readonly ClassifierInput[])[], options: LoadOptions = {}) {
  await using model = await Classifier.load(file, { device: 'cpu', threads: 1, ...options, ...QUIET });
  const rows: number[][][] = [];
  for (const inputs of calls) {
    rows.push((await model.classify(inputs, LOGITS)).map((result) => [...result.logits!]));
  }
  return rows;
}

describe.each<Engine>(['auto', 'portable'])('on %s', (kernels) => {
  it.each(NAMES)('%s scores a text the same in every batch, bit for bit', async (name) => {
    const family = familyNamed(name);
    for (const type of ['f32', 'q8_0'] as const) {
      await expectSameAlone(await familyFile(folder, `${name}-${type}-${kernels}`, type, family), kernels, family);
    }
  });

  // Differences of the stored types are those of their rounding, on weights that are random and large.
  it.each([
    ['f16', 5e-4],
    ['bf16', 0.02],
    ['q8_0', 0.1],
  ] as const)('%s is near transformers in f32', async (type, bound) => {
    const family = familyNamed('gpt2-word-segments');
    await expectNear(await familyFile(folder, `${type}-${kernels}`, type, family), kernels, family, bound);
  });
});

describe('the same tokens in other segments', () => {
  const words = Array.from({ length: 60 }, (_, index) => ` river ${index}`);
  /** Two texts whose tokens together are those of all words. */
  const cut = (at: number) => ({ text: words.slice(0, at).join(''), textPair: words.slice(at).join('') });
  const inputs: ClassifierInput[] = [cut(0).textPair, cut(30), cut(20), cut(59), cut(1)];
  let file = '';
  beforeAll(async () => {
    file = await familyFile(folder, 'same-tokens', 'f32', familyNamed('gpt2-input-names'));
  });

  it('have scores of their own', async () => {
    await using model = await Classifier.load(file, { device: 'cpu', ...QUIET });
    const tokens = await Promise.all(inputs.map((input) => model.tokenize(input)));
    for (const { ids } of tokens) expect(ids).toEqual(tokens[0]!.ids);
    expect(tokens[0]!.ids.length).toBeGreaterThan(100);
    const [rows] = await logits(file, [inputs]);
    expect(new Set(rows!.map(String)).size).toBe(inputs.length);
  });

  it('share no more than their first segment, in a call and with earlier ones, for any number of threads', async () => {
    const alone = await Promise.all(inputs.map(async (input) => (await logits(file, [[input]]))[0]![0]!));
    for (const kernels of ['auto', 'portable'] as const) {
      for (const threads of [1, 2, 3]) {
        const [first, ...later] = await logits(file, [inputs, [...inputs].reverse()], { kernels, threads });
        expect(first).toHaveLength(inputs.length);
        if (kernels === 'auto') expect(first).toEqual(alone);
        for (const rows of later) expect(rows.reverse()).toEqual(first);
      }
    }
    // Beginnings are kept that came twice: each text meets what the others left.
    const again = [...inputs, ...inputs, ...[...inputs].reverse()];
    const calls = await logits(
      file,
      again.map((input) => [input]),
    );
    calls.forEach(([row], index) => expect(row).toEqual(alone[inputs.indexOf(again[index]!)]));
  });
});
