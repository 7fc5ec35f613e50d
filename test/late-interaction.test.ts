// Models of late interaction, against the tokens and scores that sentence-transformers' MultiVectorEncoder gives them.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, ZeroShotClassifier, convert, estimateMemory } from 'ggml-encoder';

import { type Engine, deviceSlack, engineOptions } from './golden/engines';
import {
  type InteractionCheckpoint,
  interactionDocuments,
  interactionModel,
  interactionModels,
  interactionQueries,
  writeInteraction,
} from './golden/interaction-checkpoints';
import { temporaryFolder } from './unit/convert/temp-folder';

/** Largest |score - sentence-transformers in f64|, for scores beyond 1 or -1 as a part of them. */
const TOLERANCE = 2e-6;
const ENGINES: readonly Engine[] = ['auto', 'portable', 'device'];
const PAIRS = interactionQueries.flatMap((query) =>
  interactionDocuments.map((document): [string, string] => [query, document]),
);
/** As Python reads texts. */
const PARSE = { specialTokens: 'parse' } as const;

async function load(model: InteractionCheckpoint, options = {}): Promise<CrossEncoder> {
  const quiet = { cacheDir: temporaryFolder(), onWarning: () => undefined };
  return CrossEncoder.load(writeInteraction(model), { ...engineOptions('auto'), ...quiet, ...options });
}

function worst(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours).toHaveLength(theirs.length);
  return Math.max(...theirs.map((value, index) => Math.abs(value - ours[index]!) / Math.max(1, Math.abs(value))));
}

/** Places of the scores, the best first. */
function order(scores: readonly number[]): number[] {
  return scores.map((_, index) => index).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

describe.each(interactionModels)('$name', (model) => {
  const { queries, documents, scores } = model.expected;

  it.each(ENGINES)('has the tokens, scores and order of MultiVectorEncoder: %s', async (engine) => {
    await using reranker = await load(model, engineOptions(engine));
    expect(reranker.info).toMatchObject({ numLabels: 1, activation: 'none' });
    const tokens = await reranker.tokenize(PAIRS, PARSE);
    expect(tokens.map(({ ids }) => [...ids])).toEqual(
      queries.flatMap((query) => documents.map((document) => [...query, ...document])),
    );
    const bound = TOLERANCE + deviceSlack(engine);
    const predicted = await reranker.predict(PAIRS, { ...PARSE, logits: true });
    expect(
      worst(
        predicted.map(({ score }) => score),
        scores.flat(),
      ),
    ).toBeLessThan(bound);
    expect(predicted.map(({ logits }) => logits![0])).toEqual(predicted.map(({ score }) => score));
    for (const [index, query] of interactionQueries.entries()) {
      const ranked = await reranker.rank(query, interactionDocuments, PARSE);
      expect(ranked.map(({ index }) => index)).toEqual(order(scores[index]!));
      for (const { index: place, score } of ranked) {
        const alone = predicted[index * interactionDocuments.length + place]!.score;
        // Devices compute a batch of another shape with other bits.
        if (engine === 'device') expect(worst([score], [alone])).toBeLessThan(bound);
        else expect(score).toBe(alone);
      }
    }
  });
});

describe('the fixtures', () => {
  it('tell documents apart, and cut, fill up and empty some, or the comparison would show nothing', () => {
    for (const { name, expected } of interactionModels) {
      for (const row of expected.scores) expect(Math.max(...row) - Math.min(...row), name).toBeGreaterThan(0.1);
    }
    const { scores } = interactionModel('native-states').expected;
    // A document without a token that scores.
    expect(scores.flat().filter((score) => score === -1e9).length).toBeGreaterThan(0);
  });
});

describe('a model of late interaction', () => {
  const model = interactionModel('pylate-bert');
  const expected = model.expected.scores.flat();

  it('goes with its file, and runs in a process of its own', async () => {
    const output = join(temporaryFolder(), 'colbert.gguf');
    await convert(writeInteraction(model), { output });
    await using isolated = await CrossEncoder.load(output, { isolation: 'process' });
    const found = await isolated.predict(PAIRS, PARSE);
    expect(
      worst(
        found.map(({ score }) => score),
        expected,
      ),
    ).toBeLessThan(TOLERANCE);
    expect(isolated.info).toMatchObject({ sourceClass: 'BertModel', labels: ['LABEL_0'] });
    expect((await estimateMemory(output)).weightBytes).toBe(isolated.info.weightBytes);
  });

  it.each([
    ['f16', 2e-3],
    ['bf16', 2e-2],
    ['q8_0', 0.1],
  ] as const)('runs in %s close to f32', async (type, bound) => {
    await using reranker = await load(model, { type });
    const found = await reranker.predict(PAIRS, PARSE);
    expect(
      worst(
        found.map(({ score }) => score),
        expected,
      ),
    ).toBeLessThan(bound);
  });

  it('takes control tokens in texts for text by default', async () => {
    await using reranker = await load(model);
    const [plain, parsed] = [
      await reranker.predict(['[Q] x', '[MASK] y']),
      await reranker.predict(['[Q] x', '[MASK] y'], PARSE),
    ];
    expect(Math.abs(plain.score - parsed.score)).toBeGreaterThan(1e-3);
  });

  it('is for CrossEncoder alone, and has no place for prompts and windows', async () => {
    const refusal = { code: 'architecture_unsupported', message: expect.stringContaining('CrossEncoder') as string };
    for (const other of [Classifier, ZeroShotClassifier]) {
      const options = { cacheDir: temporaryFolder(), onWarning: () => undefined };
      await expect(other.load(writeInteraction(model), options)).rejects.toMatchObject(refusal);
    }
    await using reranker = await load(model);
    for (const options of [{ prompt: 'a' }, { windows: { overlap: 2 } }, { truncation: 'only_first' } as const]) {
      await expect(reranker.rank('a', ['b'], options)).rejects.toThrow(RangeError);
    }
  });

  it('reads more of a query and a document than its file says where a call asks for it', async () => {
    await using reranker = await load(model);
    const long = 'word '.repeat(40);
    const [own] = await reranker.rank(long, [long]);
    const [more] = await reranker.rank(long, [long], { maxQueryTokens: 20, maxDocumentTokens: 30 });
    expect(own).toMatchObject({ tokens: 14 + 26, truncated: true });
    expect(more!.tokens).toBeGreaterThan(20 + 30);
  });
});
