/** The reranking model of `ggml-encoder/ai-sdk` under the real SDK. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { rerank } from 'ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { rerankingModel } from '../src/ai-sdk';
import { CrossEncoder } from '../src/index';
import { goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';

const query = 'How do plants make food?';
const documents = ['Iron rusts in wet air.', 'Leaves turn light into sugar.', 'Salt dissolves.'];

let folder = '';
let reranker: CrossEncoder;
let nli: CrossEncoder;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-ai-sdk-'));
  const load = async (name: string): Promise<CrossEncoder> => {
    await writeCheckpoint(goldenModel(name), join(folder, name));
    return CrossEncoder.load(join(folder, name), { cacheDir: join(folder, 'cache') });
  };
  reranker = await load('bert-reranker');
  nli = await load('bert-old-names');
});

afterAll(async () => {
  await reranker.dispose();
  await nli.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe('rerank', () => {
  test('ranks as CrossEncoder.rank', async () => {
    const expected = await reranker.rank(query, documents);
    const { ranking, rerankedDocuments, response } = await rerank({
      model: rerankingModel(reranker),
      query,
      documents,
    });
    expect(ranking).toEqual(
      expected.map(({ index, score }) => ({ originalIndex: index, score, document: documents[index] })),
    );
    expect(rerankedDocuments).toEqual(expected.map(({ index }) => documents[index]));
    expect(response.modelId).toBe(reranker.info.name);
  });

  test('topN', async () => {
    const [best] = await reranker.rank(query, documents, { topK: 1 });
    const { ranking } = await rerank({ model: rerankingModel(reranker), query, documents, topN: 1 });
    expect(ranking.map(({ originalIndex }) => originalIndex)).toEqual([best!.index]);
  });

  test('objects are read as JSON, or as the caller says', async () => {
    const objects = documents.map((text, id) => ({ id, text }));
    const asJson = await reranker.rank(
      query,
      objects.map((value) => JSON.stringify(value)),
    );
    const plain = await rerank({ model: rerankingModel(reranker), query, documents: objects });
    expect(plain.ranking.map(({ score }) => score)).toEqual(asJson.map(({ score }) => score));
    expect(plain.ranking[0]!.document).toBe(objects[asJson[0]!.index]);

    const model = rerankingModel(reranker, { documentText: ({ text }) => String(text) });
    const asText = await reranker.rank(query, documents);
    const { ranking } = await rerank({ model, query, documents: objects });
    expect(ranking.map(({ score }) => score)).toEqual(asText.map(({ score }) => score));
  });

  test("rank's options, for all calls and for one", async () => {
    const expected = await nli.rank(query, documents, { label: 'yes', activation: 'softmax' });
    const model = rerankingModel(nli, { label: 'yes', activation: 'softmax' });
    const { ranking } = await rerank({ model, query, documents });
    expect(ranking.map(({ score }) => score)).toEqual(expected.map(({ score }) => score));

    const raw = await nli.rank(query, documents, { label: 'yes', activation: 'none' });
    const once = await rerank({ model, query, documents, providerOptions: { 'ggml-encoder': { activation: 'none' } } });
    expect(once.ranking.map(({ score }) => score)).toEqual(raw.map(({ score }) => score));
  });

  test('an abort rejects with the reason of the signal, before and during the call', async () => {
    const model = rerankingModel(reranker);
    const before = rerank({ model, query, documents, abortSignal: AbortSignal.abort(), maxRetries: 0 });
    await expect(before).rejects.toMatchObject({ name: 'AbortError' });

    const controller = new AbortController();
    const many = Array.from({ length: 5000 }, (_, index) => `document ${index} `.repeat(20));
    const during = rerank({ model, query, documents: many, abortSignal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(during).rejects.toMatchObject({ name: 'AbortError' });
    expect((await rerank({ model, query, documents })).ranking).toHaveLength(documents.length);
  });

  test('mistakes are errors and not retried', async () => {
    expect(() => rerankingModel('a path' as never)).toThrow(/crossEncoder: expected a loaded CrossEncoder/);
    expect(() => rerankingModel(reranker, { topK: 3 } as never)).toThrow(/options.topK/);
    expect(() => rerankingModel(reranker, { documentText: 'text' } as never)).toThrow(/options.documentText/);
    await expect(rerank({ model: rerankingModel(nli), query, documents })).rejects.toThrow(/has 3: /);
    const misspelt = { 'ggml-encoder': { activtion: 'none' } };
    await expect(
      rerank({ model: rerankingModel(reranker), query, documents, providerOptions: misspelt }),
    ).rejects.toThrow(/'ggml-encoder'\]\.activtion: /);
    expect(() => rerankingModel(reranker, { activtion: 'none' } as never)).toThrow(/options.activtion/);
    expect(() => rerankingModel(reranker, null as never)).toThrow(/options: expected an object/);
  });

  test('headers go nowhere, and the answer says so', async () => {
    const values = { type: 'text' as const, values: documents };
    const { warnings } = await rerankingModel(reranker).doRerank({ query, documents: values, headers: { a: 'b' } });
    expect(warnings).toMatchObject([{ type: 'unsupported', feature: 'headers' }]);
  });
});
