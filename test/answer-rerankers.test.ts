// Models that make one text of a pair: rerankers that answer with a word (monoT5) and HHEM, against transformers.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, convert, estimateMemory } from 'ggml-encoder';

import {
  type AnswerChanges,
  type AnswerModel,
  answerModels,
  answerPairs,
  judge,
  judgedPairs,
  writeAnswerModel,
} from './golden/answer-checkpoints';
import { deviceSlack, type Engine, engineOptions } from './golden/engines';
import { runCli } from './support/cli-process';
import { type TinyTensor, temporaryFolder } from './unit/convert/temp-folder';

const TOLERANCE = 2e-5;
const PARSE = { specialTokens: 'parse', logits: true } as const;

async function makeFile(model: AnswerModel, type: 'f32' | 'bf16' | 'q8_0' = 'f32', changes: AnswerChanges = {}) {
  const path = join(temporaryFolder(), 'reranker.gguf');
  await convert(writeAnswerModel(model, changes), { output: path, type, scoreTokens: model.answers });
  return path;
}

async function load(path: string, engine: Engine = 'auto'): Promise<CrossEncoder> {
  return CrossEncoder.load(path, { ...engineOptions(engine), onWarning: () => undefined });
}

const difference = ([positive, negative]: readonly [number, number]) => positive - negative;

describe.each(answerModels)('$name', (model) => {
  it.each<Engine>(['auto', 'portable', 'device'])('has the tokens and scores of transformers: %s', async (engine) => {
    const path = await makeFile(model);
    await using reranker = await load(path, engine);
    expect(reranker.info).toMatchObject({ numLabels: 1, maxLength: 512, activation: 'sigmoid' });
    const tokens = await reranker.tokenize(answerPairs, { specialTokens: 'parse' });
    expect(tokens.map(({ ids }) => [...ids])).toEqual(model.rows.map(({ ids }) => ids));
    expect(tokens.map(({ truncated }) => truncated)).toEqual(model.rows.map(({ ids }) => ids.length === 512));
    const results = await reranker.predict(answerPairs, PARSE);
    const errors = results.map(({ logits }, row) => Math.abs(logits![0]! - difference(model.rows[row]!.logits)));
    expect(Math.max(...errors)).toBeLessThan(TOLERANCE + deviceSlack(engine));
    // pygaggle's score is the logarithm of ours.
    const { logits } = model.rows[0]!;
    const logProbability = logits[0] - Math.log(Math.exp(logits[0]) + Math.exp(logits[1]));
    expect(Math.log(results[0]!.scores[0]!)).toBeCloseTo(logProbability, 4);
    expect((await estimateMemory(path, engineOptions(engine))).weightBytes).toBe(reranker.info.weightBytes);
  });

  it('ranks by these scores, whatever else is in the batch', async () => {
    await using reranker = await load(await makeFile(model));
    const [query] = answerPairs[0]!;
    const documents = answerPairs.map(([, document]) => document);
    const ranked = await reranker.rank(query, documents);
    for (const { index, score } of ranked) {
      expect((await reranker.predict([query, documents[index]!])).score).toBe(score);
    }
    expect(ranked.map(({ score }) => score)).toEqual(ranked.map(({ score }) => score).sort((a, b) => b - a));
  });

  it.each([
    ['bf16', 0.15],
    ['q8_0', 0.3],
  ] as const)('is near in %s', async (type, bound) => {
    await using reranker = await load(await makeFile(model, type));
    const results = await reranker.predict(answerPairs, PARSE);
    const errors = results.map(({ logits }, row) => Math.abs(logits![0]! - difference(model.rows[row]!.logits)));
    expect(Math.max(...errors)).toBeLessThan(bound);
    expect(Math.max(...errors)).toBeGreaterThan(0);
  });
});

describe('the fixtures', () => {
  it('tell pairs apart, or the comparison would show nothing', () => {
    for (const { name, rows } of answerModels) {
      const scores = rows.map(({ logits }) => difference(logits));
      expect(Math.max(...scores) - Math.min(...scores), name).toBeGreaterThan(0.1);
    }
  });
});

describe('the answers', () => {
  const [model, , multilingual, unnamed] = answerModels as [AnswerModel, AnswerModel, AnswerModel, AnswerModel];

  it('are known for published rerankers, from the folder or the command line', async () => {
    const options = { cacheDir: temporaryFolder(), onWarning: () => undefined };
    for (const published of [model, multilingual]) {
      await using reranker = await CrossEncoder.load(writeAnswerModel(published), options);
      const { logits } = await reranker.predict(answerPairs[0]!, PARSE);
      expect(logits![0]).toBeCloseTo(difference(published.rows[0]!.logits), 4);
    }
    const path = join(temporaryFolder(), 'named.gguf');
    const args = ['convert', writeAnswerModel(unnamed), '-o', path, '--score-tokens', unnamed.answers.join(',')];
    expect(await runCli(args)).toMatchObject({ code: 0 });
    await using reranker = await load(path);
    const { logits } = await reranker.predict(answerPairs[0]!, PARSE);
    expect(logits![0]).toBeCloseTo(difference(unnamed.rows[0]!.logits), 4);
  });

  it('count as they are named, the one of a relevant document first', async () => {
    const path = join(temporaryFolder(), 'reversed.gguf');
    const [positive, negative] = model.answers;
    await convert(writeAnswerModel(model), { output: path, scoreTokens: [negative, positive] });
    await using reranker = await load(path);
    const { logits } = await reranker.predict(answerPairs[0]!, PARSE);
    expect(logits![0]).toBeCloseTo(-difference(model.rows[0]!.logits), 4);
  });

  it('are named as the model is loaded, which converts it anew for others', async () => {
    const folder = writeAnswerModel(model, { name: 'a-reranker-of-mine' });
    const [positive, negative] = model.answers;
    const cacheDir = temporaryFolder();
    const expected = difference(model.rows[0]!.logits);
    for (const [scoreTokens, sign] of [[[positive, negative], 1] as const, [[negative, positive], -1] as const]) {
      await using reranker = await CrossEncoder.load(folder, { cacheDir, scoreTokens });
      const { logits } = await reranker.predict(answerPairs[0]!, PARSE);
      expect(logits![0]).toBeCloseTo(sign * expected, 4);
    }
    const path = join(temporaryFolder(), 'named.gguf');
    await convert(folder, { output: path, scoreTokens: [positive, negative] });
    const scoreTokens = [positive, negative] as const;
    await expect(CrossEncoder.load(path, { scoreTokens })).rejects.toThrow(/options\.scoreTokens.*\.gguf file/);
    await expect(CrossEncoder.load(folder, { cacheDir, scoreTokens: ['a'] as never })).rejects.toThrow(RangeError);
  });

  it('are asked for where nobody knows them: a model that writes text is no reranker', async () => {
    const output = join(temporaryFolder(), 'never.gguf');
    const refused = convert(writeAnswerModel(model, { name: 't5-base' }), { output });
    await expect(refused).rejects.toMatchObject({ code: 'architecture_unsupported' });
    await expect(refused).rejects.toThrow(/"t5-base" is no reranker .* scoreTokens .*--score-tokens/);
    for (const name of ['monot5-base-mine', 'duot5-base-msmarco', 'mt5-base', 'my-monot5-base-msmarco']) {
      const other = convert(writeAnswerModel(model, { name }), { output });
      await expect(other).rejects.toMatchObject({ code: 'architecture_unsupported' });
    }
  });

  it('are refused where they are wrong', async () => {
    const output = join(temporaryFolder(), 'never.gguf');
    const folder = writeAnswerModel(model);
    const missing = convert(folder, { output, scoreTokens: ['▁true', '▁untrue'] });
    await expect(missing).rejects.toMatchObject({ code: 'architecture_unsupported' });
    await expect(missing).rejects.toThrow('▁untrue');
    const named = writeAnswerModel(model, { name: 'mt5-base-en-msmarco', config: { vocab_size: 2500 } });
    await expect(convert(named, { output })).rejects.toMatchObject({ code: 'tensor_shape_mismatch' });
    for (const scoreTokens of [['▁true'], ['▁true', '▁true'], ['▁true', 3]] as unknown as [string, string][]) {
      await expect(convert(folder, { output, scoreTokens })).rejects.toThrow(/options\.scoreTokens/);
    }
    const { code, stderr } = await runCli(['convert', folder, '-o', output, '--score-tokens', 'true']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--score-tokens')]);
  });
});

describe('a reranker that answers', () => {
  const [model] = answerModels as [AnswerModel];

  it('takes pairs alone, without a prompt, and leaves room for what its tokenizer adds', async () => {
    const path = await makeFile(model);
    await using reranker = await load(path);
    const cut = await reranker.tokenize(answerPairs[4]!, { maxLength: 20 });
    const whole = await reranker.tokenize(answerPairs[4]!);
    expect([...cut.ids]).toEqual([...whole.ids.slice(0, 19), whole.ids.at(-1)]);
    await expect(reranker.predict(answerPairs[0]!, { maxLength: 1 })).rejects.toMatchObject({ code: 'input_invalid' });
    await expect(reranker.predict(answerPairs[0]!, { prompt: 'x' })).rejects.toThrow('has no place');
    await expect(reranker.predict(answerPairs[0]!, { windows: {} })).rejects.toThrow(RangeError);
    await using classifier = await Classifier.load(path);
    await expect(classifier.classify('a text alone')).rejects.toMatchObject({ code: 'input_invalid' });
  });

  it('reads control tokens in the texts as text', async () => {
    await using reranker = await load(await makeFile(model));
    const [forged] = await reranker.tokenize([answerPairs[9]!]);
    expect(forged!.ids.filter((id) => id === 1)).toHaveLength(1);
  });

  it('is the same with the tables and the bias that the first checkpoints have beside it', async () => {
    const copy = (tensors: Record<string, TinyTensor>, from: string, ...names: string[]) => {
      for (const name of names) tensors[`${name}.weight`] = tensors[`${from}.weight`]!;
    };
    const bias = 'decoder.block.0.layer.1.EncDecAttention.relative_attention_bias';
    const tables = ['encoder.embed_tokens', 'decoder.embed_tokens', 'lm_head'];
    const path = await makeFile(model, 'f32', {
      tensors: (tensors) => {
        copy(tensors, 'shared', ...tables);
        copy(tensors, 'decoder.block.0.layer.0.SelfAttention.relative_attention_bias', bias);
      },
    });
    await using reranker = await load(path);
    await using plain = await load(await makeFile(model));
    const results = await reranker.predict(answerPairs, PARSE);
    expect(results.map(({ logits }) => logits)).toEqual(
      (await plain.predict(answerPairs, PARSE)).map(({ logits }) => logits),
    );
    const apart = makeFile(model, 'f32', {
      tensors: (tensors) => {
        const { shape, data } = tensors['shared.weight']!;
        tensors['encoder.embed_tokens.weight'] = {
          shape,
          data: Uint8Array.from(data, (byte, i) => (i === 3 ? 64 : byte)),
        };
      },
    });
    await expect(apart).rejects.toMatchObject({ code: 'architecture_unsupported' });
  });

  it('is refused where its files do not fit together', async () => {
    const output = join(temporaryFolder(), 'never.gguf');
    const attempts: [AnswerChanges, string][] = [
      [{ config: { decoder_start_token_id: undefined } }, 'architecture_unsupported'],
      [{ config: { num_decoder_layers: 3 } }, 'tensor_missing'],
      [{ tensors: (tensors) => delete tensors['shared.weight'] }, 'tensor_missing'],
      [{ tensors: (tensors) => (tensors['adapter.weight'] = tensors['shared.weight']!) }, 'architecture_unsupported'],
      [
        { tensors: (tensors) => (tensors['lm_head.weight'] = tensors['decoder.final_layer_norm.weight']!) },
        'tensor_shape_mismatch',
      ],
    ];
    for (const [changes, code] of attempts) {
      await expect(convert(writeAnswerModel(model, changes), { output })).rejects.toMatchObject({ code });
    }
  });
});

describe('HHEM', () => {
  it.each<Engine>(['auto', 'portable', 'device'])(
    'reads a pair whole and judges it as its class does: %s',
    async (engine) => {
      const path = join(temporaryFolder(), 'judge.gguf');
      await convert(writeAnswerModel(judge), { output: path });
      await using model = await Classifier.load(path, { ...engineOptions(engine), onWarning: () => undefined });
      expect(model.info).toMatchObject({
        labels: ['hallucinated', 'consistent'],
        maxLength: 8192,
        activation: 'softmax',
      });
      const inputs = judgedPairs.map(([text, textPair]) => ({ text, textPair }));
      const tokens = await model.tokenize(inputs, { specialTokens: 'parse' });
      expect(tokens.map(({ ids }) => [...ids])).toEqual(judge.rows.map(({ ids }) => ids));
      const results = await model.classify(inputs, PARSE);
      const errors = results.flatMap(({ logits }, row) =>
        judge.rows[row]!.logits.map((x, i) => Math.abs(x - logits![i]!)),
      );
      expect(Math.max(...errors)).toBeLessThan(TOLERANCE + deviceSlack(engine));
      expect(new Set(results.map(({ label }) => label)).size).toBe(2);
    },
  );

  it('is refused without the tokenizer, which its repository does not have, and where it is no Flan-T5', async () => {
    const output = join(temporaryFolder(), 'never.gguf');
    const bare = convert(writeAnswerModel(judge, { hasTokenizer: false }), { output });
    await expect(bare).rejects.toMatchObject({ code: 'tokenizer_missing' });
    await expect(bare).rejects.toThrow('google/flan-t5-base');
    const attempts: [AnswerChanges, string, string][] = [
      [{ config: { foundation: 'google/ul2' } }, 'architecture_unsupported', 'google/ul2'],
      [{ config: { prompt: 'is {text1} so?' } }, 'architecture_unsupported', 'prompt'],
      [{ config: { prompt: '{text2} {text1}' } }, 'architecture_unsupported', 'prompt'],
      [{ config: { prompt: '{text1} {text2} {{}}' } }, 'architecture_unsupported', 'prompt'],
      [{ tensors: (tensors) => delete tensors['t5.classifier.weight'] }, 'tensor_missing', 't5.classifier.weight'],
      [{ tensors: (tensors) => delete tensors['t5.transformer.shared.weight'] }, 'tensor_missing', 'shared.weight'],
    ];
    for (const [changes, code, word] of attempts) {
      const attempt = convert(writeAnswerModel(judge, changes), { output });
      await expect(attempt).rejects.toMatchObject({ code });
      await expect(attempt).rejects.toThrow(word);
    }
  });
});
