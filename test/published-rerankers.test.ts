// Rerankers whose files do not say how they score, known by their names, against what the code on their cards computes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Template } from '@huggingface/jinja';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, convert } from 'ggml-encoder';

import { causalModel, causalPairs, writeCausal } from './golden/causal-checkpoints';
import {
  type PublishedModel,
  chats,
  publishedModels,
  publishedPairs,
  rewardModels,
  templatedModels,
  tokenizerOf,
  writePublished,
} from './golden/published-checkpoints';
import { families, ownTokenizer, writeFamily } from './golden/family-checkpoints';
import { temporaryFolder } from './unit/convert/temp-folder';

/** Of one logit of up to 6; stock operations add Gemma's large states up in another order. */
const TOLERANCE = { auto: 2e-5, portable: 1e-4 };
/** Every role is rendered, as many chat models do. */
const ANY_ROLE = '{% for m in messages %}<|turn|>{{ m.role }}\n{{ m.content }}<|stop|>\n{% endfor %}';

async function load(folder: string, kernels: 'auto' | 'portable' = 'auto'): Promise<CrossEncoder> {
  return CrossEncoder.load(folder, { kernels, cacheDir: temporaryFolder(), onWarning: () => undefined });
}

/** The tokens and logits of every prompt, null being the model's own. */
async function expectCalls(
  reranker: CrossEncoder,
  pairs: readonly (readonly [string, string])[],
  calls: PublishedModel['calls'],
  tolerance: number,
): Promise<void> {
  for (const { prompt, ids, logits } of calls) {
    const options = { specialTokens: 'parse', ...(prompt === null ? {} : { prompt }) } as const;
    const tokens = await reranker.tokenize(pairs, options);
    expect(tokens.map((row) => [...row.ids])).toEqual(ids);
    const results = await reranker.predict(pairs, { ...options, logits: true });
    const errors = results.map((result, row) => Math.abs(result.logits![0]! - logits[row]!));
    expect(Math.max(...errors)).toBeLessThan(tolerance);
  }
}

describe.each(publishedModels)('$name', (model) => {
  it.each(['auto', 'portable'] as const)('has the tokens and logits of its card: %s', async (kernels) => {
    await using reranker = await load(writePublished(model), kernels);
    expect(reranker.info).toMatchObject({ numLabels: 1, activation: 'sigmoid', warnings: [] });
    await expectCalls(reranker, publishedPairs, model.calls, TOLERANCE[kernels]);
  });

  it('is told from others by its name alone, without which a warning says what was assumed', async () => {
    const [{ logits }] = model.calls as [(typeof model.calls)[0]];
    await using other = await load(writePublished(model, { name: 'mine' }));
    expect(other.info.warnings).toMatchObject([
      { code: 'conversion', message: expect.stringContaining('mine says how') },
    ]);
    const [row] = await other.predict([publishedPairs[0]!], { logits: true });
    expect(Math.abs(row!.logits![0]! - logits[0]!)).toBeGreaterThan(0.01);
  });
});

describe('the files that docs/hub.md has for any other name', () => {
  it('say the same as the name', async () => {
    const model = publishedModels.find(({ name }) => name === 'bge-reranker-v2-gemma')!;
    const [{ logits }] = model.calls as [(typeof model.calls)[0]];
    const page = readFileSync(join(__dirname, '..', 'docs', 'hub.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([\w/.]+)` \| `([[{].*?)`(,.*)? \|$/gm)];
    const prompt =
      "Given a query A and a passage B, determine whether the passage contains an answer to the query by providing a prediction of either 'Yes' or 'No'.";
    const files = Object.fromEntries(
      rows.map(([, file, content]) => [
        file,
        content!
          .replaceAll('\u23ce', '\n')
          .replace(/Given a query A.*/, prompt)
          .replace('1234', String(tokenizerOf(model).model.vocab['Yes'])),
      ]),
    );
    expect(Object.keys(files)).toHaveLength(5);
    await using reranker = await load(writePublished(model, { name: 'mine', files }));
    expect(reranker.info.warnings).toEqual([]);
    const results = await reranker.predict(publishedPairs, { specialTokens: 'parse', logits: true });
    const errors = results.map((result, row) => Math.abs(result.logits![0]! - logits[row]!));
    expect(Math.max(...errors)).toBeLessThan(TOLERANCE.auto);
  });
});

describe.each(['llama-nemotron-rerank-1b-v2', 'llama-3.2-nv-rerankqa-1b-v2'])('%s', (name) => {
  const family = families().find((candidate) => candidate.name === 'llama-bidirectional-last')!;
  const convertAs = async (folderName: string) => {
    const folder = join(temporaryFolder(), folderName);
    await writeFamily(family, folder, 'safetensors', 'F32', ownTokenizer(family));
    const output = join(temporaryFolder(), 'model.gguf');
    return convert(folder, { output });
  };

  it('reads a pair as the text of its card, which other models of the class are given', async () => {
    const known = await convertAs(name);
    const other = await convertAs('mine');
    expect([known.warnings, other.warnings]).toEqual([[], [expect.stringContaining('"mine" says what text')]]);
    await using reranker = await CrossEncoder.load(known.path);
    await using classifier = await Classifier.load(other.path, { onWarning: () => undefined });
    const texts = publishedPairs.map(([query, passage]) => `question:${query} \n \n passage:${passage}`);
    expect(await reranker.tokenize(publishedPairs)).toEqual(await classifier.tokenize(texts));
    const scores = (await reranker.predict(publishedPairs)).map(({ score }) => score);
    expect(scores).toEqual((await classifier.classify(texts)).map(({ score }) => score));
    expect(new Set(scores).size).toBeGreaterThan(6);
    await using own = await Classifier.load(known.path);
    await expect(own.classify(texts[0]!)).rejects.toMatchObject({ code: 'input_invalid' });
  });
});

describe('the fixtures', () => {
  it('tell pairs and prompts apart, and some are cut, or the comparison would show nothing', () => {
    for (const { name, calls } of publishedModels) {
      for (const { logits } of calls) expect(Math.max(...logits) - Math.min(...logits), name).toBeGreaterThan(0.3);
      expect(new Set(calls.map(({ logits }) => logits.join())).size, name).toBe(calls.length);
    }
    const cut = publishedModels.filter(({ calls }) => calls[0]!.ids.some(({ length }) => length === 288));
    expect(cut).toHaveLength(4);
  });
});

describe('a language model that no file and no name says more of', () => {
  it.each([
    ['without a template', 'llama-texts', {}],
    ['with one that renders any role', 'qwen3-texts', { 'chat_template.jinja': ANY_ROLE }],
  ] as const)('is scored with a warning: %s', async (_, name, files) => {
    const output = join(temporaryFolder(), 'model.gguf');
    const { warnings } = await convert(writeCausal(causalModel(name), { files }), { output });
    expect(warnings).toEqual([expect.stringContaining('modules.json with a LogitScore')]);
  });

  it.each(['qwen3-turns', 'qwen2-parts', 'qwen3-saved', 'qwen2-saved-texts'])(
    'and without, where one does: %s',
    async (name) => {
      const output = join(temporaryFolder(), 'model.gguf');
      expect((await convert(writeCausal(causalModel(name)), { output })).warnings).toEqual([]);
    },
  );

  it('is refused where the vocabulary lacks what the name stands for', async () => {
    const folder = writePublished(publishedModels[0]!, {
      name: 'bge-reranker-v2-gemma',
      files: { 'tokenizer.json': undefined },
    });
    await expect(load(folder)).rejects.toMatchObject({ code: 'tokenizer_missing' });
  });
});

describe.each(templatedModels)('a classifier with a chat template for pairs: $name', (model) => {
  it.each(['auto', 'portable'] as const)('has the tokens and scores of CrossEncoder.predict: %s', async (kernels) => {
    await using reranker = await load(writePublished(model), kernels);
    await expectCalls(reranker, causalPairs, model.expected.calls, TOLERANCE[kernels]);
    expect(new Set(model.expected.calls.map(({ logits }) => logits.join())).size).toBe(2);
  });
});

describe.each(rewardModels)('$name', (model) => {
  it('has the tokens and the reward of transformers for a chat that the caller renders', async () => {
    const template = new Template(model.tokenizerConfig['chat_template'] as string);
    const texts = chats.map((messages) => template.render({ messages, bos_token: '' }));
    const options = { cacheDir: temporaryFolder(), onWarning: () => undefined };
    await using classifier = await Classifier.load(writePublished(model), options);
    const tokens = await classifier.tokenize(texts, { specialTokens: 'parse' });
    expect(tokens.map(({ ids }) => [...ids])).toEqual(model.rows.map(({ ids }) => ids));
    const results = await classifier.classify(texts, { specialTokens: 'parse', activation: 'none' });
    const errors = results.map(({ score }, row) => Math.abs(score - model.rows[row]!.logit));
    expect(Math.max(...errors)).toBeLessThan(TOLERANCE.auto);
    const rewards = model.rows.map(({ logit }) => logit);
    expect(Math.max(...rewards) - Math.min(...rewards)).toBeGreaterThan(0.3);
  });
});
