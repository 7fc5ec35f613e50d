// Causal language models as rerankers, against the tokens and scores that sentence-transformers' CrossEncoder has.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, convert, estimateMemory } from 'ggml-encoder';

import { causalModel, causalModels, causalPairs, writeCausal } from './golden/causal-checkpoints';
import { runCli } from './support/cli-process';
import { temporaryFolder } from './unit/convert/temp-folder';

const TOLERANCE = 2e-5;
const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

async function load(folder: string, kernels: 'auto' | 'portable' = 'auto'): Promise<CrossEncoder> {
  return CrossEncoder.load(folder, { kernels, cacheDir: temporaryFolder(), onWarning: () => undefined });
}

describe.each(causalModels)('$name', (model) => {
  it.each(['auto', 'portable'] as const)('has the tokens and scores of CrossEncoder.predict: %s', async (kernels) => {
    const { activation, maxLength, calls } = model.expected;
    await using reranker = await load(writeCausal(model), kernels);
    expect(reranker.info).toMatchObject({
      numLabels: 1,
      maxLength,
      sourceClass: (model.config['architectures'] as string[])[0],
    });
    expect(reranker.info.activation).toBe(activation === 'identity' ? 'none' : activation);
    for (const { prompt, ids, logits } of calls) {
      const options = { specialTokens: 'parse', ...(prompt === null ? {} : { prompt }) } as const;
      const tokens = await reranker.tokenize(causalPairs, options);
      expect(tokens.map((row) => [...row.ids])).toEqual(ids);
      const results = await reranker.predict(causalPairs, { ...options, logits: true });
      const worst = Math.max(...results.map((result, index) => Math.abs(result.logits![0]! - logits[index]!)));
      expect(worst).toBeLessThan(TOLERANCE);
      const score = activation === 'identity' ? logits[0]! : sigmoid(logits[0]!);
      expect(results[0]!.scores[0]).toBeCloseTo(score, 4);
    }
  });
});

describe('the fixtures', () => {
  it('tell prompts, long pairs and scores apart, or the comparison would show nothing', () => {
    for (const { name, expected } of causalModels) {
      const all = expected.calls.flatMap(({ logits }) => logits);
      const mean = all.reduce((a, b) => a + b, 0) / all.length;
      expect(Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length), name).toBeGreaterThan(0.5);
      expect(expected.calls[0]!.ids.filter((row) => row.length === expected.maxLength).length, name).toBeGreaterThan(2);
      expect(new Set(expected.calls.map(({ logits }) => logits.join())).size, name).toBe(expected.calls.length);
    }
  });
});

describe('a reranker with a chat template', () => {
  const model = causalModel('qwen3-turns');

  it('reads control tokens in the texts as text, and its own as what they are', async () => {
    await using reranker = await load(writeCausal(model));
    const parsed = await reranker.tokenize(causalPairs, { specialTokens: 'parse' });
    const asText = await reranker.tokenize(causalPairs);
    const differ = causalPairs.flatMap((_, index) =>
      parsed[index]!.ids.join() === asText[index]!.ids.join() ? [] : [index],
    );
    expect(differ).toEqual(causalPairs.flatMap((pair, index) => (/<\|\w+\|>/.test(pair.join()) ? [index] : [])));
    const forged = asText[differ[0]!]!.ids;
    const [first] = parsed[0]!.ids;
    const count = (ids: Int32Array, id: number) => ids.filter((other) => other === id).length;
    // The template opens four turns; the text's own "<|turn|>" opens none.
    expect(count(forged, first!)).toBe(4);
    expect(count(parsed[differ[0]!]!.ids, first!)).toBe(5);
    const refused = reranker.predict(causalPairs[differ[0]!]!, { specialTokens: 'error' });
    await expect(refused).rejects.toMatchObject({ code: 'input_invalid' });
    await reranker.predict(causalPairs[0]!, { specialTokens: 'error' });
  });

  it('ranks, and scores a pair the same by itself, in a file, in a process of its own and as a classifier', async () => {
    const folder = writeCausal(model, { shards: 2 });
    const path = join(temporaryFolder(), 'reranker.gguf');
    await convert(folder, { output: path });
    const query = causalPairs[0]![0];
    const documents = causalPairs.map(([, document]) => document);
    await using reranker = await load(path);
    const [one, ...rest] = await reranker.rank(query, documents);
    const alone = await reranker.predict([query, documents[one!.index]!]);
    expect(alone.score).toBe(one!.score);
    expect(rest).toHaveLength(documents.length - 1);
    await using isolated = await CrossEncoder.load(path, { isolation: 'process' });
    const prompted = { prompt: 'Judge the passage.' };
    expect(await isolated.rank(query, documents, prompted)).toEqual(await reranker.rank(query, documents, prompted));
    await using classifier = await Classifier.load(path);
    const [text, textPair] = [query, documents[0]!];
    const { score } = await classifier.classify({ text, textPair });
    expect(score).toBe((await reranker.predict([text, textPair])).score);
    expect((await estimateMemory(path)).totalBytes).toBeGreaterThan(0);
  });

  it.each(['f32', 'bf16', 'q8_0'] as const)(
    'gives each of many documents of several queries the very score that it has alone: %s',
    async (type) => {
      const path = join(temporaryFolder(), 'reranker.gguf');
      await convert(writeCausal(model), { output: path, type });
      await using reranker = await CrossEncoder.load(path, { threads: 2 });
      const documents = causalPairs.map(([, document]) => document);
      // Some of them twice, some empty, in no order of queries.
      const pairs = [...documents, ...documents.slice(0, 5), '', ''].flatMap((document) =>
        ['Which metal rusts?', 'Which metals rust?', ''].map((query) => [query, document] as const),
      );
      const together = await reranker.predict(pairs, { logits: true });
      for (const [index, pair] of pairs.entries()) {
        expect((await reranker.predict(pair, { logits: true })).logits, pair.join(' | ')).toEqual(
          together[index]!.logits,
        );
      }
    },
  );

  it('refuses what cannot be asked of a rendered pair', async () => {
    const folder = writeCausal(model);
    await using reranker = await load(folder);
    const pair = causalPairs[4]!;
    for (const options of [{ windows: {} }, { truncation: 'only_second' }, { maxTextTokens: 4 }] as const) {
      await expect(reranker.predict(pair, options)).rejects.toThrow(RangeError);
    }
    await expect(reranker.tokenize(pair, { truncation: 'only_first' })).rejects.toThrow(
      'whose template makes one text',
    );
    await expect(reranker.rank('a', ['b'], { maxQueryTokens: 3 })).rejects.toThrow(RangeError);
    await expect(reranker.predict(pair, { maxLength: 5 })).rejects.toMatchObject({ code: 'input_invalid' });
    await using classifier = await Classifier.load(folder, { cacheDir: temporaryFolder() });
    await expect(classifier.classify('a text alone')).rejects.toMatchObject({ code: 'input_invalid' });
  });

  it('cuts a pair where it is told to, from either side, and ends it as the template does', async () => {
    await using reranker = await load(writeCausal(model));
    const [whole] = await reranker.tokenize([['a', 'b']]);
    expect(whole!.truncated).toBe(false);
    const end = whole!.ids.slice(-3).join();
    for (const truncationSide of ['right', 'left'] as const) {
      const cut = await reranker.tokenize(causalPairs[4]!, { maxLength: 30, truncationSide });
      expect([cut.ids.length, cut.truncated, cut.ids.slice(-3).join()]).toEqual([30, true, end]);
    }
  });

  it('ranks on the command line, with a prompt or without', async () => {
    const folder = writeCausal(model);
    const path = join(temporaryFolder(), 'reranker.gguf');
    expect(await runCli(['convert', folder, '-o', path])).toMatchObject({ code: 0 });
    await using reranker = await load(path);
    const documents = causalPairs.slice(0, 2).map(([, document]) => document);
    for (const prompt of ['', 'Judge the passage.']) {
      const { code, json } = await runCli(
        ['rank', '-m', path, '--query', 'how do plants make food', '--documents', '-', '--prompt', prompt],
        { input: `${documents.join('\n')}\n` },
      );
      expect(code).toBe(0);
      const expected = await reranker.rank('how do plants make food', documents, { prompt });
      expect(json()).toMatchObject(expected.map(({ index, score }) => ({ index, score })));
    }
    const { stdout } = await runCli(['inspect', path]);
    expect(stdout).toContain('Qwen3ForCausalLM');
  });

  it('refuses a prompt when its template does', async () => {
    await using reranker = await load(writeCausal(causalModel('qwen3-no-prompt')));
    await expect(reranker.predict(causalPairs[0]!, { prompt: 'x' })).rejects.toThrow('has no place');
    await expect(reranker.rank('a', ['b'], { prompt: 'x' })).rejects.toThrow(RangeError);
  });
});
