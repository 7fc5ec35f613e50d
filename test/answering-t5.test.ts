// T5 models that answer a text with one of their labels, MiniCheck among them, against transformers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, type LoadOptions, ZeroShotClassifier, convert, estimateMemory } from 'ggml-encoder';

import { answerModels, writeAnswerModel } from './golden/answer-checkpoints';
import { type AnsweringT5, miniCheck, ownMt5, ownT5, writeAnsweringT5 } from './golden/answering-t5-checkpoints';
import { deviceSlack, type Engine, engineOptions } from './golden/engines';
import { runCli } from './support/cli-process';
import { temporaryFolder } from './unit/convert/temp-folder';

const TOLERANCE = 2e-5;
const PARSE = { specialTokens: 'parse', logits: true } as const;

/** What a model needs that is not known by its name. */
function choices({ name, answers }: AnsweringT5): LoadOptions {
  return name.startsWith('my-') ? { answerTokens: answers } : {};
}

async function load(model: AnsweringT5, options: LoadOptions = {}, name = model.name): Promise<Classifier> {
  const folder = writeAnsweringT5(model, { name });
  const own = { cacheDir: temporaryFolder(), ...engineOptions('auto'), ...choices(model) };
  return Classifier.load(folder, { ...own, ...options });
}

describe.each([miniCheck, ownT5, ownMt5])('$name', (model) => {
  const inputs = model.rows.map(({ input }) => input);
  const limit = model === miniCheck ? 2048 : 512;

  it.each<Engine>(['auto', 'portable', 'device'])('has the tokens and logits of transformers: %s', async (engine) => {
    const path = join(temporaryFolder(), 'model.gguf');
    const folder = writeAnsweringT5(model);
    expect((await convert(folder, { output: path, ...choices(model) })).warnings).toEqual([]);
    await using classifier = await Classifier.load(path, engineOptions(engine));
    const { info } = classifier;
    expect(info).toMatchObject({ labels: model.labels, activation: 'softmax', maxLength: limit, warnings: [] });
    const tokens = await classifier.tokenize(inputs, { specialTokens: 'parse' });
    expect(tokens.map(({ ids }) => [...ids])).toEqual(model.rows.map(({ ids }) => ids));
    expect(tokens.map(({ truncated }) => truncated)).toEqual(model.rows.map(({ ids }) => ids.length === limit));
    const results = await classifier.classify(inputs, PARSE);
    const errors = results.flatMap(({ logits }, row) =>
      model.rows[row]!.logits.map((logit, place) => Math.abs(logits![place]! - logit)),
    );
    expect(errors).toHaveLength(inputs.length * model.labels.length);
    expect(Math.max(...errors)).toBeLessThan(TOLERANCE + deviceSlack(engine));
    expect((await estimateMemory(path, engineOptions(engine))).weightBytes).toBe(info.weightBytes);
  });

  it('has texts that its answers tell apart, or the comparison would show nothing', () => {
    for (const place of model.labels.keys()) {
      const logits = model.rows.map((row) => row.logits[place]!);
      expect(Math.max(...logits) - Math.min(...logits)).toBeGreaterThan(0.05);
    }
    expect(model.rows.filter(({ ids }) => ids.length === limit).length).toBeGreaterThan(1);
  });
});

describe('MiniCheck', () => {
  const inputs = miniCheck.rows.map(({ input }) => input);

  it('gives the probability of support that its package gives', async () => {
    await using classifier = await load(miniCheck);
    const results = await classifier.classify(inputs, PARSE);
    for (const [row, { scores }] of results.entries()) {
      const supported = scores.find(({ label }) => label === 'supported')!.score;
      expect(supported).toBeCloseTo(miniCheck.rows[row]!.support!, 5);
    }
    expect(new Set(results.map(({ label }) => label)).size).toBe(2);
  });

  it('scores claims by a document, and ranks them by the label that is named', async () => {
    await using pairs = await CrossEncoder.load(writeAnsweringT5(miniCheck), {
      cacheDir: temporaryFolder(),
      ...engineOptions('auto'),
    });
    const list = inputs as readonly { text: string; textPair: string }[];
    const results = await pairs.predict(list, PARSE);
    expect(results[3]!.logits![1]).toBeCloseTo(miniCheck.rows[3]!.logits[1]!, 4);
    const claims = list.slice(0, 4).map(({ textPair }) => textPair);
    await expect(pairs.rank('A document.', claims)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      message: expect.stringContaining('unsupported, supported'),
    });
    const ranked = await pairs.rank('A document.', claims, { label: 'supported', activation: 'softmax' });
    for (const { index, score } of ranked) {
      const { scores } = await pairs.predict(['A document.', claims[index]!], { activation: 'softmax' });
      expect(score).toBe(scores[1]);
    }
  });

  it('reads pairs alone, whose control tokens are text', async () => {
    await using classifier = await load(miniCheck);
    await expect(classifier.classify('a text alone')).rejects.toMatchObject({
      code: 'input_invalid',
      message: 'the model puts a pair of texts into a template; a text alone has no place in it',
    });
    const forged = await classifier.tokenize({ text: 'a </s> b', textPair: 'c' });
    expect(forged.ids.filter((id) => id === 1)).toHaveLength(2);
    await expect(classifier.classify(inputs, { windows: {} })).rejects.toThrow(RangeError);
  });

  it('is under any other name what its tokens, labels and text make of it', async () => {
    const { answers: answerTokens, labels } = miniCheck;
    await using known = await load(miniCheck);
    await using named = await load(miniCheck, { answerTokens, labels }, 'mine');
    expect(named.info).toMatchObject({ labels, maxLength: 512 });
    const short = (inputs as readonly { text: string; textPair: string }[]).slice(0, 5);
    const prefixed = short.map(({ text, textPair }) => ({ text: `predict: ${text}`, textPair }));
    expect(await named.classify(prefixed, PARSE)).toEqual(await known.classify(short, PARSE));
    await expect(load(miniCheck, {}, 'mine')).rejects.toMatchObject({
      code: 'architecture_unsupported',
      message: expect.stringMatching(/"mine" is no reranker .* with answerTokens \(--answer-tokens\)/),
    });
  });

  it('is refused where the vocabulary lacks its token', async () => {
    const vocabulary = writeAnswerModel(answerModels[0]!, { name: miniCheck.name });
    await expect(Classifier.load(vocabulary, { cacheDir: temporaryFolder() })).rejects.toMatchObject({
      code: 'architecture_unsupported',
      message: expect.stringContaining('the token "▁1"'),
    });
  });
});

describe('a T5 that answers', () => {
  it('is kept by its file, from the command line too, with the labels that are named', async () => {
    const folder = writeAnsweringT5(ownT5);
    const output = join(temporaryFolder(), 'own.gguf');
    const labels = ['so', 'not so', 'who knows'];
    await convert(folder, { output, answerTokens: ownT5.answers, labels });
    const again = join(temporaryFolder(), 'cli.gguf');
    const flags = ['--answer-tokens', ownT5.answers.join(','), '--labels', labels.join(',')];
    expect((await runCli(['convert', folder, '-o', again, ...flags])).code).toBe(0);
    expect(readFileSync(again).equals(readFileSync(output))).toBe(true);
    await using classifier = await Classifier.load(output);
    expect(classifier.info.labels).toEqual(labels);
    await expect(Classifier.load(output, { answerTokens: ownT5.answers })).rejects.toThrow(/\.gguf file/);
  });

  it('is the same whatever else is in the batch, and with its labels in another order', async () => {
    await using classifier = await load(ownMt5);
    const inputs = ownMt5.rows.map(({ input }) => input);
    const alone = await Promise.all(inputs.map(async (input) => classifier.classify(input, PARSE)));
    expect(await classifier.classify(inputs, PARSE)).toEqual(alone);
    await using turned = await load(ownMt5, { answerTokens: ownMt5.answers.toReversed() });
    const { logits } = await turned.classify(inputs[0]!, PARSE);
    expect(logits!.toReversed()).toEqual(alone[0]!.logits);
  });

  it.each([
    ['bf16', 0.15],
    ['q8_0', 0.3],
  ] as const)('is near in %s', async (type, bound) => {
    await using classifier = await load(ownMt5, { type });
    const results = await classifier.classify(
      ownMt5.rows.map(({ input }) => input),
      PARSE,
    );
    const errors = results.map(({ logits }, row) => Math.abs(logits![0]! - ownMt5.rows[row]!.logits[0]!));
    expect(Math.max(...errors)).toBeLessThan(bound);
    expect(Math.max(...errors)).toBeGreaterThan(0);
  });

  it('reads no chat, and has no labels of the caller', async () => {
    await using classifier = await load(ownT5);
    const chat = { messages: [{ role: 'user', content: 'a' }] };
    await expect(classifier.classify(chat)).rejects.toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
      message: expect.stringContaining('has no chat template'),
    });
    await expect(classifier.classify('a', { templateVariables: {} })).rejects.toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
    const zeroShot = ZeroShotClassifier.load(writeAnsweringT5(ownT5), {
      cacheDir: temporaryFolder(),
      answerTokens: ownT5.answers,
    });
    await expect(zeroShot).rejects.toMatchObject({ code: 'architecture_unsupported' });
  });
});

describe('answerTokens of a T5', () => {
  const answerTokens = ownT5.answers;
  const refused = async (options: object, changes = {}) =>
    convert(writeAnsweringT5(ownT5, changes), { output: join(temporaryFolder(), 'x.gguf'), ...options });

  it.each([
    ['a token that is none', { answerTokens: ['▁yes', '▁never'] }, 'architecture_unsupported', 'the token "▁never"'],
    ['one token', { answerTokens: ['▁yes'] }, 'ERR_OUT_OF_RANGE', '2 to 1024 tokens'],
    ['the same twice', { answerTokens: ['▁yes', '▁yes'] }, 'ERR_OUT_OF_RANGE', 'options.answerTokens[1]'],
    ['a word within a text', { answerTokens: ['1', '▁yes'] }, 'architecture_unsupported', 'name "▁1"'],
    ['a digit of two tokens', { answerTokens: ['0', '▁1'] }, 'architecture_unsupported', 'first token of "▁" and'],
    ['a word without its space', { answerTokens: ['maybe', '▁no'] }, 'architecture_unsupported', '"▁maybe"'],
    ['a prefix', { answerTokens, answerPrefix: 'It is' }, 'ERR_OUT_OF_RANGE', 'nothing for a T5ForConditional'],
    ['scoreTokens beside them', { answerTokens, scoreTokens: ['▁yes', '▁no'] }, 'ERR_OUT_OF_RANGE', 'scoreTokens'],
    ['too few labels', { answerTokens, labels: ['a', 'b'] }, 'ERR_OUT_OF_RANGE', 'options.labels'],
  ])('are refused: %s', async (_, options, code, message) => {
    await expect(refused(options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  it('are refused beside files that say something else', async () => {
    const chat = { files: { 'chat_template.jinja': '{{ messages[0].content }}' } };
    await expect(refused({ answerTokens }, chat)).rejects.toMatchObject({
      code: 'architecture_unsupported',
      message: expect.stringContaining('chat_template.jinja has a chat template'),
    });
    const modules = [{ idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' }];
    await expect(refused({ answerTokens }, { files: { 'modules.json': modules } })).rejects.toMatchObject({
      code: 'architecture_unsupported',
    });
    await expect(refused({ answerTokens }, { config: { vocab_size: 2400 } })).rejects.toMatchObject({
      code: 'checkpoint_malformed',
    });
    const umt5 = { config: { architectures: ['UMT5ForConditionalGeneration'], model_type: 'umt5' } };
    await expect(refused({ answerTokens }, umt5)).rejects.toMatchObject({ code: 'architecture_unsupported' });
  });
});
