// Rerankers whose files do not say how they score, known by their names, against what the code on their cards computes.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { Template } from '@huggingface/jinja';
import { describe, expect, it } from 'vitest';
import { Classifier, type ClassifierInput, CrossEncoder, convert } from 'ggml-encoder';

import { causalModel, causalPairs, writeCausal } from './golden/causal-checkpoints';
import {
  type PublishedModel,
  type RewardModel,
  chats,
  layerwiseModel,
  lightweightModel,
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

type Chat = (typeof chats)[number];

async function loadClassifier(model: RewardModel): Promise<Classifier> {
  return Classifier.load(writePublished(model), { cacheDir: temporaryFolder(), onWarning: () => undefined });
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
    const activation = /^(mxbai|lb)-/.test(model.name) ? 'none' : 'sigmoid';
    expect(reranker.info).toMatchObject({ numLabels: 1, activation, warnings: [] });
    await expectCalls(reranker, [...publishedPairs, ...model.ends], model.calls, TOLERANCE[kernels]);
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

async function loadCut(folder: string, cutoffLayer?: number, kernels: 'auto' | 'portable' = 'auto') {
  return CrossEncoder.load(folder, { cutoffLayer, kernels, cacheDir: temporaryFolder(), onWarning: () => undefined });
}

describe.each([layerwiseModel, lightweightModel])('$name', (model) => {
  it.each(['auto', 'portable'] as const)('scores after the layer that is chosen: %s', async (kernels) => {
    const folder = writePublished(model, { name: 'mine' });
    for (const call of model.calls) {
      await using reranker = await loadCut(folder, call.cutoffLayer ?? undefined, kernels);
      expect(reranker.info).toMatchObject({ numLabels: 1, activation: 'sigmoid' });
      await expectCalls(reranker, [...publishedPairs, ...model.ends], [call], TOLERANCE[kernels]);
    }
  });

  it('keeps one file for each layer in the cache, without the layers after it', async () => {
    const folder = writePublished(model);
    const cacheDir = temporaryFolder();
    for (const cutoffLayer of [2, undefined, 2]) {
      await using reranker = await CrossEncoder.load(folder, { cutoffLayer, cacheDir, onWarning: () => undefined });
      expect(reranker.info.numLayers).toBe(cutoffLayer ?? model.config['num_hidden_layers']);
    }
    expect(readdirSync(cacheDir).filter((name) => name.endsWith('.gguf'))).toHaveLength(2);
  });

  it.each([1, 6])('has no head after layer %i', async (cutoffLayer) => {
    await expect(loadCut(writePublished(model), cutoffLayer)).rejects.toThrow(
      /^options\.cutoffLayer: expected 2 to [45], the layers that this checkpoint has heads after, received \d$/,
    );
  });
});

describe('bge-reranker-v2-minicpm-layerwise', () => {
  const model = layerwiseModel;

  it('is of the only kind with a choice of layers', async () => {
    const [other] = publishedModels;
    await expect(loadCut(writePublished(other!), 2)).rejects.toThrow(
      /cutoffLayer: expected nothing for a Qwen3ForCausalLM/,
    );
    const reward = writePublished(rewardModels[0]!);
    await expect(Classifier.load(reward, { cutoffLayer: 2 })).rejects.toThrow(
      /cutoffLayer: expected nothing for a Qwen3/,
    );
    await expect(Classifier.load(undefined, { cutoffLayer: 2 })).rejects.toThrow(/expected nothing for a \.gguf file/);
  });

  it.each([
    [{ head_type: 'complex' }, 'architecture_unsupported', 'head_type is "complex"'],
    [{ head_multi: false }, 'architecture_unsupported', 'head_multi false'],
    [{ start_layer: undefined }, 'checkpoint_malformed', 'start_layer is missing'],
    [{ start_layer: 3 }, 'checkpoint_malformed', 'start_layer is 3 of 4 layers, but the checkpoint has 3 heads'],
    [{ scale_depth: 1e3, rms_norm_eps: 1e-9 }, 'architecture_unsupported', 'scale_depth multiplies layers by'],
  ])('refuses %j', async (config, code, message) => {
    const error = { code, message: expect.stringContaining(message) };
    await expect(loadCut(writePublished(model, { config }))).rejects.toMatchObject(error);
  });
});

describe('bge-reranker-v2.5-gemma2-lightweight', () => {
  const model = lightweightModel;
  /** With heads after layers 2 and 4 of its 5. */
  const stepped = () =>
    writePublished(model, {
      config: { layer_sep: 2 },
      tensors: (tensors) => {
        delete tensors['lm_head.2.linear_head.weight'];
        delete tensors['lm_head.3.linear_head.weight'];
      },
    });

  it('has heads after every layer_sep-th layer, the last of which may have none', async () => {
    const message = /^options\.cutoffLayer: expected 2 to 5 in steps of 2, .* received (undefined|3)$/;
    await expect(loadCut(stepped())).rejects.toThrow(message);
    await expect(loadCut(stepped(), 3)).rejects.toThrow(message);
    const call = model.calls.find(({ cutoffLayer }) => cutoffLayer === 4)!;
    await using reranker = await loadCut(stepped(), 4);
    await expectCalls(reranker, [...publishedPairs, ...model.ends], [call], TOLERANCE.auto);
  });

  it.each([
    [{ layer_wise: false }, 'architecture_unsupported', 'layer_wise is not true'],
    [{ layer_wise: undefined }, 'architecture_unsupported', 'layer_wise is not true'],
    [{ start_layer: 3 }, 'checkpoint_malformed', 'start_layer is 3 of 5 layers, but the checkpoint has 4 heads'],
    [{ start_layer: undefined }, 'checkpoint_malformed', 'start_layer is 28 of 5 layers'],
    [{ use_bidirectional_attention: true }, 'architecture_unsupported', 'only causal models'],
  ])('refuses %j', async (config, code, message) => {
    const error = { code, message: expect.stringContaining(message) };
    await expect(loadCut(writePublished(model, { config }))).rejects.toMatchObject(error);
  });
});

describe('mxbai-rerank-base-v2', () => {
  const model = publishedModels.find(({ name }) => name === 'mxbai-rerank-base-v2')!;

  it('ranks by the difference of the logits, as its own library does, unless the configuration names an activation', async () => {
    const [query] = publishedPairs[0]!;
    const documents = publishedPairs.map(([, document]) => document);
    await using reranker = await load(writePublished(model));
    const ranked = await reranker.rank(query, documents);
    const logits = await reranker.rank(query, documents, { activation: 'none' });
    expect(ranked).toEqual(logits);
    expect(Math.min(...ranked.map(({ score }) => score))).toBeLessThan(0);
    const config = { sentence_transformers: { activation_fn: 'torch.nn.modules.activation.Sigmoid' } };
    await using named = await load(writePublished(model, { config }));
    expect(named.info.activation).toBe('sigmoid');
    const scores = await named.rank(query, documents);
    expect(scores.map(({ index }) => index)).toEqual(ranked.map(({ index }) => index));
    expect(scores[0]!.score).toBeCloseTo(1 / (1 + Math.exp(-ranked[0]!.score)), 6);
  });

  it('is refused where the vocabulary lacks one of the two digits', async () => {
    const tokenizer = tokenizerOf(model);
    const vocab = Object.fromEntries(
      Object.entries(tokenizer.model.vocab).map(([token, id]) => [token === '0' ? 'zero' : token, id]),
    );
    const folder = writePublished(model, {
      files: { 'tokenizer.json': { ...tokenizer, model: { ...tokenizer.model, vocab } } },
    });
    await expect(load(folder)).rejects.toMatchObject({
      code: 'architecture_unsupported',
      message: expect.stringContaining('the token "0"'),
    });
  });

  it("is not taken for one that others converted to a classifier, whose text is the caller's", async () => {
    const family = families().find(({ name }) => name === 'qwen2')!;
    const tokens = await Promise.all(
      ['mxbai-rerank-base-v2-seq', 'mxbai-rerank-base-v2', 'mine'].map(async (name) => {
        const folder = join(temporaryFolder(), name);
        await writeFamily(family, folder, 'safetensors', 'F32', ownTokenizer(family));
        await using reranker = await load(folder);
        expect(reranker.info).toMatchObject({ sourceClass: 'Qwen2ForSequenceClassification' });
        return await reranker.tokenize(publishedPairs);
      }),
    );
    expect(tokens[0]).toEqual(tokens[2]);
    expect(tokens[1]).toEqual(tokens[2]);
    await using causal = await load(writePublished(model, { name: 'mxbai-rerank-base-v2-seq' }));
    expect(causal.info.warnings).toMatchObject([{ message: expect.stringContaining('-seq says how') }]);
  });
});

describe('lb-reranker-0.5B-v1.0', () => {
  const model = publishedModels.find(({ name }) => name === 'lb-reranker-0.5B-v1.0')!;
  const [query] = publishedPairs[0]!;
  const documents = publishedPairs.map(([, document]) => document);

  it.each(['auto', 'portable'] as const)('ranks by the number that it answers, 1 to 7: %s', async (kernels) => {
    await using reranker = await load(writePublished(model), kernels);
    const ranked = await reranker.rank(query, documents);
    const scores = ranked.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(Math.max(...scores)).toBeLessThan(7);
    expect(Math.min(...scores)).toBeGreaterThan(1);
    for (const { index, score } of ranked) {
      expect((await reranker.predict([query, documents[index]!])).score).toBe(score);
    }
  });

  it.each(['1', '7'])('answers with %s where its logit is far above the others', async (digit) => {
    const { vocab } = tokenizerOf(model).model;
    const width = model.tensors['model.embed_tokens.weight']![1]!;
    const scores: number[] = [];
    for (const factor of [400, -400]) {
      const folder = writePublished(model, {
        tensors: (tensors) => {
          const { data } = tensors['model.embed_tokens.weight']!;
          const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
          const row = values.subarray(vocab[digit]! * width, (vocab[digit]! + 1) * width);
          row.forEach((value, column) => (row[column] = value * factor));
        },
      });
      await using reranker = await load(folder);
      const results = await reranker.predict(publishedPairs);
      scores.push(...results.map(({ score }) => score));
    }
    expect(Math.min(...scores.map((score) => Math.abs(score - Number(digit))))).toBeLessThan(1e-6);
    expect(Math.max(...scores.map((score) => Math.abs(score - Number(digit))))).toBeGreaterThan(1);
    expect(Math.min(...scores)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...scores)).toBeLessThanOrEqual(7);
  });

  it('has the same under the name that its page calls it by, and no place for a prompt', async () => {
    await using reranker = await load(writePublished(model));
    await using renamed = await load(writePublished(model, { name: 'lb-reranker-v1.0' }));
    expect(await renamed.predict(publishedPairs)).toEqual(await reranker.predict(publishedPairs));
    await expect(reranker.predict(publishedPairs, { prompt: 'x' })).rejects.toThrow('has no place');
    await using other = await load(writePublished(model, { name: 'lb-reranker-0.5B-v1.0-rev' }));
    expect(other.info.warnings).toMatchObject([{ message: expect.stringContaining('-rev says how') }]);
  });

  it('is a reranker of the class CrossEncoder, whose digits must all be there', async () => {
    const options = { cacheDir: temporaryFolder() };
    await expect(
      CrossEncoder.load(writePublished(model), { ...options, scoreTokens: ['7', '1'] }),
    ).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    const tokenizer = tokenizerOf(model);
    const vocab = Object.fromEntries(
      Object.entries(tokenizer.model.vocab).map(([token, id]) => [token === '7' ? 'seven' : token, id]),
    );
    const folder = writePublished(model, {
      files: { 'tokenizer.json': { ...tokenizer, model: { ...tokenizer.model, vocab } } },
    });
    await expect(load(folder)).rejects.toMatchObject({
      code: 'architecture_unsupported',
      message: expect.stringContaining('the token "7"'),
    });
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
    expect(results).toHaveLength(publishedPairs.length);
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
    const limit = ({ config }: PublishedModel) => config['max_position_embeddings'];
    const cut = publishedModels.filter((model) => model.calls[0]!.ids.some(({ length }) => length === limit(model)));
    expect(cut).toHaveLength(5);
    expect(publishedModels.filter(({ ends }) => ends.length > 0)).toHaveLength(2);
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
  const rewards = model.rows.map(({ logit }) => logit);

  async function expectRewards(
    read: (chats: readonly Chat[]) => readonly ClassifierInput[],
    options: { readonly specialTokens?: 'parse' },
  ): Promise<void> {
    await using classifier = await loadClassifier(model);
    const inputs = read(chats);
    const tokens = await classifier.tokenize(inputs, options);
    expect(tokens.map(({ ids }) => [...ids])).toEqual(model.rows.map(({ ids }) => ids));
    const results = await classifier.classify(inputs, { ...options, activation: 'none' });
    const errors = results.map(({ score }, row) => Math.abs(score - model.rows[row]!.logit));
    expect(Math.max(...errors)).toBeLessThan(TOLERANCE.auto);
  }

  it('has the tokens and the reward of transformers for a chat', async () => {
    await expectRewards((list) => list.map((messages) => ({ messages })), {});
    expect(Math.max(...rewards) - Math.min(...rewards)).toBeGreaterThan(0.3);
  });

  it('has them for a chat that the caller renders', async () => {
    const template = new Template(model.tokenizerConfig['chat_template'] as string);
    const render = (messages: Chat) => template.render({ messages, bos_token: '' });
    await expectRewards((list) => list.map(render), { specialTokens: 'parse' });
  });

  it('reads a control token in a message as ordinary characters, unless it is meant or an error', async () => {
    await using classifier = await loadClassifier(model);
    const [token] = Object.values(model.tokenizerConfig).filter((value) => /^<.*>$/.test(String(value))) as string[];
    const forged = { messages: [...chats[0]!, { role: 'user', content: `a ${token} b` }] };
    const ordinary = { messages: [...chats[0]!, { role: 'user', content: `a ${token!.replace('>', ' >')} b` }] };
    const [read, other] = await classifier.tokenize([forged, ordinary]);
    const controls = (ids: Int32Array) => ids.filter((id) => id === parsedId);
    const parsed = await classifier.tokenize(forged, { specialTokens: 'parse' });
    const parsedId = parsed.ids.find((id, place) => id !== read!.ids[place])!;
    expect(parsed.ids.length).toBeLessThan(read!.ids.length);
    expect(controls(read!.ids)).toHaveLength(controls(other!.ids).length);
    expect(controls(parsed.ids)).toHaveLength(controls(read!.ids).length + 1);
    const place = `inputs[1].messages[${chats[0]!.length}].content`;
    const strict = classifier.classify([{ messages: chats[0]! }, forged], { specialTokens: 'error' });
    await expect(strict).rejects.toMatchObject({
      code: 'input_invalid',
      message: expect.stringContaining(place) as string,
    });
  });

  it('refuses a role that holds a control token, and names the place in a chat of one message', async () => {
    await using classifier = await loadClassifier(model);
    const [token] = Object.values(model.tokenizerConfig).filter((value) => /^<.*>$/.test(String(value))) as string[];
    const forged = { messages: [...chats[0]!, { role: `user${token}`, content: 'a' }] };
    const refusal = (place: string) => ({
      code: 'input_invalid',
      message: expect.stringContaining(`${place}: the text contains the control token`) as string,
    });
    const place = `messages[${chats[0]!.length}].role`;
    await expect(classifier.classify([{ messages: chats[0]! }, forged])).rejects.toMatchObject(
      refusal(`inputs[1].${place}`),
    );
    await expect(classifier.tokenize(forged)).rejects.toMatchObject(refusal(`input.${place}`));
    await expect(classifier.tokenize(forged, { specialTokens: 'parse' })).resolves.toMatchObject({ truncated: false });
    const short = { messages: [{ role: 'user', content: token! }] };
    const strict = classifier.classify(short, { specialTokens: 'error' });
    await expect(strict).rejects.toMatchObject(refusal('input.messages[0].content'));
  });

  it('takes no chat for a text, whatever else it holds', async () => {
    await using classifier = await loadClassifier(model);
    const both = { text: 'a text', messages: chats[0]! };
    const refused = { name: 'TypeError', message: expect.stringContaining('inputs[1].messages') as string };
    await expect(classifier.classify(['a text', both])).rejects.toMatchObject(refused);
    await expect(classifier.tokenize([{ text: 'a text' }, both])).rejects.toMatchObject(refused);
    const stream = classifier.classifyStream(['a text', both]);
    await stream.next();
    await expect(stream.next()).rejects.toMatchObject(refused);
  });

  it('reads a stream of chats', async () => {
    await using classifier = await loadClassifier(model);
    const scores: number[] = [];
    const inputs = chats.map((messages) => ({ messages }));
    for await (const { score } of classifier.classifyStream(inputs, { activation: 'none' })) scores.push(score);
    const all = await classifier.classify(inputs, { activation: 'none' });
    expect(scores).toEqual(all.map(({ score }) => score));
    const mixed = classifier.classifyStream([inputs[0]!, 'a text']);
    await mixed.next();
    await expect(mixed.next()).rejects.toThrow('messages');
  });

  it('says so where its template is too large to be kept', async () => {
    const files = { 'chat_template.jinja': `{#${'a'.repeat(25_000)}#}${ANY_ROLE}` };
    const warning = /the chat template .* has \d{5} characters, of which up to 24576 are read: it is left out/;
    const output = join(temporaryFolder(), 'm.gguf');
    const { warnings } = await convert(writePublished(model, { files }), { output });
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    await using classifier = await Classifier.load(output);
    await expect(classifier.classify({ messages: chats[0]! })).rejects.toThrow('has no chat template');
  });
});
