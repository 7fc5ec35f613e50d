// Encoders under heads of sentence-transformers' modules, against the tokens and scores that its CrossEncoder has.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, convert, estimateMemory } from 'ggml-encoder';

import { type Engine, deviceSlack, engineOptions } from './golden/engines';
import { moduleHeadModel, moduleHeadModels, moduleHeadPairs, writeModuleHead } from './golden/module-head-checkpoints';
import { temporaryFolder } from './unit/convert/temp-folder';

/** Largest |logit - sentence-transformers float32|, and as much for its scores. */
const TOLERANCE = 1e-5;

const ENGINES: readonly Engine[] = ['auto', 'portable', 'device'];

function worstOf(ours: readonly ArrayLike<number>[], theirs: readonly (readonly number[])[]): number {
  expect(ours.map((row) => row.length)).toEqual(theirs.map((row) => row.length));
  return Math.max(...theirs.flatMap((row, index) => row.map((value, label) => Math.abs(ours[index]![label]! - value))));
}

describe.each(moduleHeadModels)('$name', (model) => {
  const { activation, maxLength, numLabels, calls } = model.expected;

  it.each(ENGINES)('has the tokens, scores and order of CrossEncoder: %s', async (engine) => {
    const folder = writeModuleHead(model);
    const options = { ...engineOptions(engine), cacheDir: temporaryFolder(), onWarning: () => undefined };
    await using encoder = await CrossEncoder.load(folder, options);
    expect(encoder.info).toMatchObject({ numLabels, maxLength });
    expect(encoder.info.activation).toBe(activation === 'identity' ? 'none' : activation);
    const pairs = moduleHeadPairs;
    const bound = TOLERANCE + deviceSlack(engine);
    for (const { prompt, ids, logits, scores, ranking } of calls) {
      const prompted = prompt === null ? {} : { prompt };
      expect((await encoder.tokenize(pairs, prompted)).map((row) => [...row.ids])).toEqual(ids);
      const results = await encoder.predict(pairs, { ...prompted, logits: true });
      const [ownLogits, ownScores] = [results.map((row) => row.logits!), results.map((row) => row.scores)];
      expect(worstOf(ownLogits, logits)).toBeLessThan(bound);
      expect(worstOf(ownScores, scores)).toBeLessThan(bound);
      if (ranking === undefined) continue;
      const documents = pairs.map(([, document]) => document);
      const ranked = await encoder.rank(pairs[0]![0], documents, prompted);
      expect(ranked.map(({ index }) => index)).toEqual(ranking);
    }
  });
});

describe('the fixtures', () => {
  it('tell pairs, prompts and cut texts apart, or the comparison would show nothing', () => {
    for (const { name, expected } of moduleHeadModels) {
      for (const { logits, ids } of expected.calls) {
        const first = logits.map(([value]) => value!);
        expect(Math.max(...first) - Math.min(...first), name).toBeGreaterThan(0.2);
        expect(ids.filter((row) => row.length === expected.maxLength).length, name).toBeGreaterThan(1);
      }
      expect(new Set(expected.calls.map(({ logits }) => logits.join())).size, name).toBe(expected.calls.length);
    }
  });
});

describe('a head of modules', () => {
  it('goes with the file, and names the class of the encoder under it', async () => {
    const path = join(temporaryFolder(), 'reranker.gguf');
    await convert(writeModuleHead(moduleHeadModel('modernbert-ettin')), { output: path });
    await using reranker = await CrossEncoder.load(path);
    expect(reranker.info).toMatchObject({ sourceClass: 'ModernBertModel', labels: ['LABEL_0'] });
    const pair = moduleHeadPairs[0]!;
    await using isolated = await CrossEncoder.load(path, { isolation: 'process' });
    expect(await isolated.predict(pair)).toEqual(await reranker.predict(pair));
    await using classifier = await Classifier.load(path);
    const [text, textPair] = pair;
    const logits = { logits: true } as const;
    expect((await classifier.classify({ text, textPair }, logits)).logits).toEqual(
      (await reranker.predict(pair, logits)).logits,
    );
    expect((await estimateMemory(path)).weightBytes).toBe(reranker.info.weightBytes);
  });

  it('has the names of the configuration where they are as many as its labels', async () => {
    const labelsOf = async (name: string): Promise<readonly string[]> => {
      await using encoder = await CrossEncoder.load(writeModuleHead(moduleHeadModel(name)), {
        cacheDir: temporaryFolder(),
      });
      return encoder.info.labels;
    };
    expect(await labelsOf('bert-labels')).toEqual(['no', 'maybe', 'yes']);
    expect(await labelsOf('xlm-roberta-labels')).toEqual(['LABEL_0', 'LABEL_1']);
  });

  it.each(['f16', 'q8_0'] as const)('stays f32 in a file of %s', async (type) => {
    const model = moduleHeadModel('deberta-v2');
    const path = join(temporaryFolder(), 'reranker.gguf');
    await convert(writeModuleHead(model), { output: path, type });
    await using encoder = await CrossEncoder.load(path, { onWarning: () => undefined });
    const logits = (await encoder.predict(moduleHeadPairs, { logits: true })).map((result) => result.logits!);
    expect(worstOf(logits, model.expected.calls[0]!.logits)).toBeLessThan(0.1);
  });
});
