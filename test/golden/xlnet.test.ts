// XLNet, whose logits families.test.ts compares: what batches, windows, limits and stored types make of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier, estimateMemory, type TensorType } from 'ggml-encoder';
import { readGgufHead } from '../../src/gguf/reader';
import { deviceSlack, type Engine, engineOptions } from './engines';
import { familyFile, familyInputs, familyNamed, ownTokenizer } from './family-checkpoints';

const XLNET = familyNamed('xlnet');
const QUIET = { onWarning: () => undefined };
const LOGITS = { logits: true, specialTokens: 'parse' } as const;

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-xlnet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function makeFile(name: string, type: TensorType, family = XLNET, tokenizer = ownTokenizer(family)) {
  return familyFile(folder, name, type, family, tokenizer);
}

let file = '';
beforeAll(async () => {
  file = await makeFile('plain', 'f32');
});

describe.each<Engine>(['auto', 'portable'])('on %s', (kernels) => {
  it.each(['xlnet', 'xlnet-clamped', 'xlnet-causal'])(
    '%s scores a text the same in every batch, bit for bit',
    async (name) => {
      const family = familyNamed(name);
      const stored = await makeFile(`${name}-alone-${kernels}`, 'f32', family);
      await using model = await Classifier.load(stored, { ...engineOptions(kernels), ...QUIET });
      const inputs = familyInputs(family);
      const together = await model.classify(inputs, LOGITS);
      for (const [index, input] of inputs.entries()) {
        expect((await model.classify(input, LOGITS)).logits).toEqual(together[index]!.logits);
      }
    },
  );

  // Differences of the stored types are those of their rounding, on weights that are random and large.
  it.each([
    ['f16', 5e-4],
    ['bf16', 0.02],
    ['q8_0', 0.03],
    ['q5_0', 0.2],
    ['q4_0', 0.3],
  ] as const)('%s is near transformers in f32, and takes the memory that was estimated', async (type, bound) => {
    const stored = await makeFile(`${type}-${kernels}`, type);
    const options = { ...engineOptions(kernels), ...QUIET };
    await using model = await Classifier.load(stored, options);
    expect((await estimateMemory(stored, options)).weightBytes).toBe(model.info.weightBytes);
    const results = await model.classify(familyInputs(XLNET), LOGITS);
    const worst = Math.max(
      ...results.flatMap(({ logits }, row) => XLNET.rows[row]!.map((logit, i) => Math.abs(logits![i]! - logit))),
    );
    expect(worst).toBeLessThan(bound);
    expect(worst).toBeGreaterThan(0);
  });
});

it.each<Engine>(['auto', 'portable', 'device'])(
  'reads long texts in windows as transformers does, on %s',
  async (engine) => {
    const { maxLength, overlap, inputs, rows } = XLNET.windows!;
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
  },
);

describe('the file', () => {
  it('is read up to the limit of the tokenizer, and without one up to 1,024 tokens', async () => {
    const own = ownTokenizer(XLNET)!;
    const limits = [512, 3000, 9000, undefined].map(async (limit) => {
      const config = { ...own.config, model_max_length: limit };
      const { metadata } = await readGgufHead(await makeFile(`limit-${limit}`, 'f32', XLNET, { ...own, config }));
      return metadata.get('ggml_encoder.max_length')?.value;
    });
    expect(await Promise.all(limits)).toEqual([512, 3000, 8192, 1024]);
  });

  it('is no file that llama.cpp would take for another architecture', async () => {
    const { metadata } = await readGgufHead(file);
    expect(metadata.get('general.architecture')?.value).toBe('xlnet');
    expect(metadata.get('ggml_encoder.llamacpp.compat')?.value).toBe('unsupported');
  });

  it('has no more distances than are told apart', async () => {
    const distances = ['xlnet', 'xlnet-clamped'].map(async (name) => {
      const { metadata } = await readGgufHead(await makeFile(`distances-${name}`, 'f32', familyNamed(name)));
      return metadata.get('ggml_encoder.max_relative_positions')?.value;
    });
    expect(await Promise.all(distances)).toEqual([8192, 13]);
  });
});

it('reads texts without segments where the tokenizer gives the model none', async () => {
  const own = ownTokenizer(XLNET)!;
  const config = { ...own.config, model_input_names: ['input_ids', 'attention_mask'] };
  const stored = await makeFile('one-segment', 'f32', XLNET, { ...own, config });
  await using model = await Classifier.load(stored, { ...engineOptions('auto'), ...QUIET });
  await using other = await Classifier.load(file, { ...engineOptions('auto'), ...QUIET });
  const text = 'Rivers run to the sea.';
  expect((await model.tokenize(text)).typeIds).toSatisfy((ids: Int32Array) => ids.every((id) => id === 0));
  expect((await model.classify(text, LOGITS)).logits).not.toEqual((await other.classify(text, LOGITS)).logits);
});
