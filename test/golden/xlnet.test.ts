// XLNet, whose logits families.test.ts compares: what batches, windows, limits and stored types make of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier, type TensorType } from 'ggml-encoder';
import { readGgufHead } from '../../src/gguf/reader';
import { type Engine, engineOptions } from './engines';
import { familyFile, familyNamed, ownTokenizer } from './family-checkpoints';
import { expectNear, expectSameAlone, expectWindows } from './family-expectations';

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
      await expectSameAlone(await makeFile(`${name}-alone-${kernels}`, 'f32', family), kernels, family);
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
    await expectNear(await makeFile(`${type}-${kernels}`, type), kernels, XLNET, bound);
  });
});

it.each<Engine>(['auto', 'portable', 'device'])(
  'reads long texts in windows as transformers does, on %s',
  async (engine) => {
    await expectWindows(file, engine, XLNET);
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
