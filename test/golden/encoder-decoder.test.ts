// Models with a decoder, whose logits families.test.ts compares: what batches, stored types, zero-shot and broken files make of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier, ZeroShotClassifier, type TensorType } from 'ggml-encoder';
import { readGgufHead } from '../../src/gguf/reader';
import { type Engine, engineOptions } from './engines';
import { familyFile, familyNamed, ownTokenizer } from './family-checkpoints';
import { expectNear, expectSameAlone, expectWindows } from './family-expectations';

const NLI = familyNamed('bart-nli');
/** The decoder starts with the code of the text's language, or with its end. */
const LANGUAGES = [familyNamed('mbart-nli'), familyNamed('mbart-50')];
const QUIET = { onWarning: () => undefined };

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-decoders-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function makeFile(name: string, type: TensorType, family = NLI, tokenizer = ownTokenizer(family)) {
  return familyFile(folder, name, type, family, tokenizer);
}

let file = '';
beforeAll(async () => {
  file = await makeFile('nli', 'f32');
});

describe.each<Engine>(['auto', 'portable'])('on %s', (kernels) => {
  it('a text scores the same alone and among others, bit for bit', async () => {
    await expectSameAlone(file, kernels, NLI);
  });

  // Differences of the stored types are those of their rounding, on weights that are random and large.
  it.each([
    ['f16', 5e-4],
    ['bf16', 0.05],
    ['q8_0', 0.15],
    ['q5_0', 0.6],
    ['q4_0', 1.2],
  ] as const)('%s is near transformers in f32, and takes the memory that was estimated', async (type, bound) => {
    await expectNear(await makeFile(`nli-${type}-${kernels}`, type), kernels, NLI, bound);
  });
});

describe.each(LANGUAGES)('$name', (family) => {
  it.each<Engine>(['auto', 'portable', 'device'])(
    'reads long texts in windows as transformers does, on %s',
    async (engine) => {
      await expectWindows(await makeFile(`${family.name}-windows-${engine}`, 'f32', family), engine, family);
    },
  );

  it('a text scores the same alone and among others, bit for bit', async () => {
    await expectSameAlone(await makeFile(`${family.name}-alone`, 'f32', family), 'auto', family);
  });

  it('is refused with a language that the tokenizer does not know', async () => {
    const own = ownTokenizer(family)!;
    const config = { ...own.config, src_lang: 'xx_YY' };
    await expect(makeFile(`${family.name}-xx`, 'f32', family, { ...own, config })).rejects.toMatchObject({
      code: 'tokenizer_unsupported',
      message: expect.stringContaining('src_lang is "xx_YY"') as string,
    });
  });

  it('starts with the token that its file names, whatever config.json says of another', async () => {
    const config = { ...family.config, decoder_start_token_id: 5 };
    const { metadata } = await readGgufHead(await makeFile(`${family.name}-start`, 'f32', { ...family, config }));
    expect(metadata.get('general.architecture')?.value).toBe('mbart');
    expect(metadata.get('ggml_encoder.decoder.wrap_pad_token_id')?.value).toBe(1);
    expect(metadata.has('mbart.decoder_start_token_id')).toBe(false);
  });
});

it('is refused by name where the vocabulary has none of the languages', async () => {
  const own = ownTokenizer(familyNamed('mbart-nli'))!;
  const tokenizer = JSON.parse(JSON.stringify(own.tokenizer).replaceAll(/[a-z]{2}_[A-Z]{2}/g, '$&_')) as object;
  const config = { tokenizer_class: 'MBart50Tokenizer' };
  await expect(makeFile('no-languages', 'f32', LANGUAGES[1], { tokenizer, config })).rejects.toMatchObject({
    code: 'tokenizer_unsupported',
    message: expect.stringContaining("languages' codes") as string,
  });
});

it('classifies into labels of the call by the label that means entailment', async () => {
  await using zeroShot = await ZeroShotClassifier.load(file, { ...engineOptions('auto'), ...QUIET });
  await using model = await Classifier.load(file, { ...engineOptions('auto'), ...QUIET });
  expect(zeroShot.entailment).toBe('entailment');
  const labels = ['billing', 'support'] as const;
  const text = 'My invoice is wrong.';
  const { scores, labels: order } = await zeroShot.classify(text, labels);
  const pairs = order.map((label) => ({ text, textPair: `This example is ${label}.` }));
  const odds = (await model.classify(pairs, { logits: true })).map(({ logits }) => Math.exp(logits![2]!));
  const total = odds.reduce((sum, value) => sum + value, 0);
  expect(odds.map((value) => value / total)).toEqual(scores.map((score) => expect.closeTo(score, 5) as number));
});

it('is no file that llama.cpp would take for another architecture', async () => {
  const { metadata } = await readGgufHead(file);
  expect(metadata.get('general.architecture')?.value).toBe('bart');
  expect(metadata.get('ggml_encoder.llamacpp.compat')?.value).toBe('unsupported');
});

it('is refused where the tokenizer puts no end into a text', async () => {
  const own = ownTokenizer(NLI)!;
  const tokenizer = { ...(own.tokenizer as object), post_processor: null };
  const config = { tokenizer_class: 'PreTrainedTokenizerFast' };
  const endless = await makeFile('endless', 'f32', NLI, { tokenizer, config });
  await expect(Classifier.load(endless, engineOptions('auto'))).rejects.toMatchObject({ code: 'gguf_malformed' });
});

it('is refused where encoder and decoder have embedding tables of their own', async () => {
  const tensors = { ...NLI.tensors, 'model.decoder.embed_tokens.weight': NLI.tensors['model.shared.weight']! };
  await expect(makeFile('untied', 'f32', { ...NLI, tensors })).rejects.toMatchObject({
    code: 'architecture_unsupported',
    message: expect.stringContaining('model.decoder.embed_tokens.weight') as string,
  });
});
