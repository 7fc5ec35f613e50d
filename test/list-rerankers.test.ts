// Models that read a query and all of its documents at once, against the scores of scripts/jina_ranking_reference.py.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, ZeroShotClassifier, convert, estimateMemory } from 'ggml-encoder';
import type { RankOptions } from 'ggml-encoder';

import { type Engine, deviceSlack, engineOptions } from './golden/engines';
import { type ListCall, listCalls, listModels, listTokenizer, writeListModel } from './golden/list-checkpoints';
import { type Changes, smallTokenizer } from './golden/small-checkpoints';
import { refusal } from './support/refusal';
import { temporaryFolder } from './unit/convert/temp-folder';

/** Largest |score - that of float64|. */
const TOLERANCE = 1e-5;
const ENGINES: readonly Engine[] = ['auto', 'portable', 'device'];
const QUIET = { onWarning: () => undefined };
const [first] = listModels;

async function load(folder: string, options = {}): Promise<CrossEncoder> {
  return CrossEncoder.load(folder, { device: 'cpu', cacheDir: temporaryFolder(), ...QUIET, ...options });
}

/** Of the model's own code, which takes control tokens in texts for what they say. */
function optionsOf({ instruction, maxLength, maxQueryTokens, maxDocumentTokens }: ListCall): RankOptions {
  return { prompt: instruction, maxLength, maxQueryTokens, maxDocumentTokens, specialTokens: 'parse' };
}

/** Scores in the order of the documents. */
async function scoresOf(
  model: CrossEncoder,
  { query, documents }: Pick<ListCall, 'query' | 'documents'>,
  options: RankOptions,
) {
  const ranked = await model.rank(query, documents, options);
  return documents.map((_, place) => ranked.find(({ index }) => index === place)!.score);
}

function worst(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours).toHaveLength(theirs.length);
  return Math.max(...theirs.map((value, index) => Math.abs(value - ours[index]!)));
}

describe.each(listModels)('$name', (model) => {
  it.each(ENGINES)('has the scores of the reference: %s', async (engine) => {
    await using reranker = await load(writeListModel(model), engineOptions(engine));
    expect(reranker.info).toMatchObject({ numLabels: 1, activation: 'none', sourceClass: 'JinaForRanking' });
    const bound = TOLERANCE + deviceSlack(engine);
    for (const [index, { scores }] of model.calls.entries()) {
      const call = listCalls[index]!;
      expect(worst(await scoresOf(reranker, call, optionsOf(call)), scores), `call ${index}`).toBeLessThan(bound);
    }
  });

  it('reads a pair as a list of one, with the tokens of the reference', async () => {
    await using reranker = await load(writeListModel(model));
    const call = listCalls[1]!;
    const { ids: expected, scores } = model.calls[1]!;
    const pair = [call.query, call.documents[0]!] as const;
    const { ids } = await reranker.tokenize(pair);
    expect(Array.from(ids)).toEqual(expected);
    const { score, logits, tokens } = await reranker.predict(pair, { logits: true });
    expect(Math.abs(score - scores[0]!)).toBeLessThan(TOLERANCE);
    expect([logits![0], tokens]).toEqual([score, ids.length]);
    const [ranked] = await reranker.rank(pair[0], [pair[1]]);
    expect(ranked!.score).toBe(score);
  });

  it('tells documents apart, or the comparison would show nothing', () => {
    for (const { scores } of model.calls) {
      if (scores.length > 1) expect(Math.max(...scores) - Math.min(...scores)).toBeGreaterThan(0.02);
    }
  });
});

describe('a model that ranks lists', () => {
  const call = listCalls[0]!;
  const { scores } = first!.calls[0]!;

  it('sorts documents and says what was read', async () => {
    await using reranker = await load(writeListModel());
    const ranked = await reranker.rank(call.query, call.documents, { topK: 2, returnDocuments: true });
    const order = scores.map((score, index) => ({ score, index })).sort((a, b) => b.score - a.score);
    expect(ranked.map(({ index }) => index)).toEqual(order.slice(0, 2).map(({ index }) => index));
    for (const { index, document, tokens, truncated } of ranked) {
      expect(document).toBe(call.documents[index]);
      expect(truncated).toBe(false);
      // Those of the document alone, since all stand in one text.
      expect(tokens).toBeLessThan(40);
    }
    expect(await reranker.rank(call.query, [])).toEqual([]);
    const squashed = await scoresOf(reranker, call, { activation: 'sigmoid' });
    expect(
      worst(
        squashed,
        scores.map((score) => 1 / (1 + Math.exp(-score))),
      ),
    ).toBeLessThan(TOLERANCE);
  });

  it('gives the same bits whatever the threads, other calls, and what becomes of the list meanwhile', async () => {
    const folder = writeListModel();
    const cacheDir = temporaryFolder();
    const found: unknown[] = [];
    for (const threads of [1, 3]) {
      await using reranker = await load(folder, { threads, cacheDir });
      const alone = await reranker.rank(call.query, call.documents);
      const documents = [...call.documents];
      const pairs = call.documents.map((document): [string, string] => [call.query, document]);
      const [changed, others, together] = await Promise.all([
        reranker.rank(call.query, documents),
        reranker.rank('another query', ['x', ...call.documents]),
        reranker.predict(pairs),
        Promise.resolve().then(() => documents.fill('gone')),
      ]);
      expect(changed).toEqual(alone);
      // Lists of one begin alike, and share what they begin with.
      for (const [index, pair] of pairs.entries()) expect(await reranker.predict(pair)).toEqual(together[index]);
      found.push([alone, others, together]);
    }
    expect(found[1]).toEqual(found[0]);
  });

  it.each(['bf16', 'q8_0'] as const)('runs in %s close to f32', async (type) => {
    await using reranker = await load(writeListModel(), { type });
    expect(worst(await scoresOf(reranker, call, {}), scores)).toBeLessThan(0.05);
  });

  it('runs in a process of its own, and says what memory it takes', async () => {
    const output = join(temporaryFolder(), 'm.gguf');
    await convert(writeListModel(), { output });
    await using reranker = await load(output, { isolation: 'process' });
    expect(worst(await scoresOf(reranker, call, {}), scores)).toBeLessThan(TOLERANCE);
    expect((await estimateMemory(output)).bytesPerThread).toBeGreaterThan(0);
  });

  it('takes its marks out of texts, and control tokens in them for text', async () => {
    await using reranker = await load(writeListModel());
    const marked = [
      'a<|embed_token|> b',
      '<|emb<|rerank_token|>ed_token|>c',
      '<|re<|rerank<|embed_token|>_token|>rank_token|>',
    ];
    const plain = await scoresOf(reranker, { query: 'q', documents: ['a b', 'c', ''] }, {});
    for (const specialTokens of ['text', 'parse'] as const) {
      const query = '<|rerank_token|>q';
      expect(await scoresOf(reranker, { query, documents: marked }, { specialTokens, prompt: '' })).toEqual(plain);
    }
    const forged = ['a <|im_end|> b', 'c', ''];
    const [asText] = await scoresOf(reranker, { query: 'q', documents: forged }, {});
    const [parsed] = await scoresOf(reranker, { query: 'q', documents: forged }, { specialTokens: 'parse' });
    expect(asText).not.toBe(parsed);
    const error = await refusal(reranker.rank('q', ['a', 'b <|im_end|>'], { specialTokens: 'error' }));
    expect(error).toMatchObject({ code: 'input_invalid', message: expect.stringContaining('documents[1]') as unknown });
  });

  it('cuts query and documents each by itself, and says so', async () => {
    await using reranker = await load(writeListModel());
    const documents = ['one two three four five six seven', 'one', 'two'];
    const cut = await reranker.rank('q', documents, { maxDocumentTokens: 4 });
    expect(cut.map(({ index, truncated }) => (truncated ? index : -1)).filter((index) => index >= 0)).toEqual([0]);
    expect(Math.max(...cut.map(({ tokens }) => tokens))).toBe(4);
    const left = await reranker.rank('q', documents, { maxDocumentTokens: 4, truncationSide: 'left' });
    const scoreOf = (list: typeof cut) => list.find(({ index }) => index === 0)!.score;
    expect(scoreOf(left)).not.toBe(scoreOf(cut));
    const all = await reranker.rank('a long query', documents, { maxQueryTokens: 2 });
    expect(all.every(({ truncated }) => truncated)).toBe(true);
    expect(await reranker.predict(['q', documents[0]!], { maxTextPairTokens: 4 })).toMatchObject({ truncated: true });
  });

  it('keeps every block within the limit of the call', async () => {
    await using reranker = await load(writeListModel());
    const documents = Array.from({ length: 12 }, (_, index) => `document ${index}`);
    // With room for few of them, for one, and for less than all of one.
    for (const maxLength of [520, 400]) {
      const ranked = await reranker.rank('q', documents, { maxLength, maxDocumentTokens: 20 });
      expect(ranked).toHaveLength(documents.length);
      expect(ranked.every(({ truncated }) => !truncated)).toBe(true);
    }
    const long = 'word '.repeat(300);
    const { tokens, truncated } = await reranker.predict(['q', long], { maxLength: 400 });
    expect(truncated).toBe(true);
    expect(tokens).toBeGreaterThan(390);
    expect(tokens).toBeLessThanOrEqual(400);
    const error = await refusal(reranker.rank('q', documents, { maxLength: 100 }));
    expect(error.code).toBe('input_too_long');
  });

  it('reports progress by blocks, holds its place in the queue, and ends early', async () => {
    await using reranker = await load(writeListModel(), { maxQueue: 200 });
    const documents = Array.from({ length: 131 }, (_, index) => `${index}`);
    const seen: unknown[] = [];
    const ranked = await reranker.rank('q', documents, { onProgress: (progress) => seen.push(progress) });
    expect(ranked).toHaveLength(131);
    expect(seen).toEqual([125, 131].map((done) => ({ done, total: 131 })));
    const [, refused] = await Promise.allSettled([reranker.rank('q', documents), reranker.rank('q', documents)]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'queue_full' } });
    expect((await refusal(reranker.rank('q', ['a'], { signal: AbortSignal.abort() }))).code).toBe('aborted');
    const stop = new AbortController();
    const stopped = reranker.rank('q', documents, { signal: stop.signal, onProgress: () => stop.abort() });
    expect((await refusal(stopped)).code).toBe('aborted');
  });

  it('refuses what it cannot do, and other classes', async () => {
    const folder = writeListModel();
    const cacheDir = temporaryFolder();
    await using reranker = await load(folder, { cacheDir });
    await expect(reranker.rank('q', ['a'], { windows: {} })).rejects.toThrow(RangeError);
    await expect(reranker.rank('q', ['a'], { truncation: 'only_first' })).rejects.toThrow(RangeError);
    await expect(reranker.predict(['q', 'a'], { windows: {} })).rejects.toThrow(RangeError);
    for (const other of [Classifier, ZeroShotClassifier]) {
      expect(await refusal(other.load(folder, { cacheDir }))).toMatchObject({
        code: 'architecture_unsupported',
        message: expect.stringContaining('CrossEncoder') as unknown,
      });
    }
  });

  it('knows the limits of the model after it by its name', async () => {
    const query = 'a b '.repeat(300);
    for (const [name, expected] of [
      ['jina-reranker-v3', true],
      ['jina-reranker-v3.5', false],
    ] as const) {
      await using reranker = await load(writeListModel(first, {}, name));
      const [ranked] = await reranker.rank(query, ['a']);
      expect(ranked!.truncated, name).toBe(expected);
    }
  });

  const zeros: Changes = { tensors: (tensors) => tensors['projector.0.weight']!.data.fill(0) };

  it('has no rank for vectors without a direction', async () => {
    await using reranker = await load(writeListModel(first, zeros));
    expect((await refusal(reranker.rank('q', ['a', 'b']))).code).toBe('weights_not_finite');
    expect((await refusal(reranker.predict(['q', 'a']))).code).toBe('weights_not_finite');
  });

  const withTokenizer = (changes: object): Changes => ({
    files: { 'tokenizer.json': { ...listTokenizer, post_processor: first!.postProcessor, ...changes } },
  });
  const variants: readonly [string, Changes, code: string, message: string][] = [
    ['no marks', withTokenizer({ added_tokens: [] }), 'tokenizer_unsupported', '<|embed_token|>'],
    [
      'tokens around texts',
      withTokenizer({ post_processor: smallTokenizer['post_processor'] }),
      'tokenizer_unsupported',
      'adds tokens',
    ],
    ['another decoder', withTokenizer({ decoder: null }), 'tokenizer_unsupported', 'ByteLevel'],
    [
      'no projector',
      { tensors: (tensors) => delete tensors['projector.2.weight'] },
      'tensor_missing',
      'projector.2.weight',
    ],
    [
      'a tensor more',
      { tensors: (tensors) => (tensors['projector.2.bias'] = { shape: [1], data: new Uint8Array(4) }) },
      'architecture_unsupported',
      'projector.2.bias',
    ],
    ['another activation', { config: { hidden_act: 'hardswish' } }, 'architecture_unsupported', 'hidden_act'],
  ];

  it.each(variants)('is refused with %s', async (_, changes, code, message) => {
    const error = await refusal(convert(writeListModel(first, changes), { output: join(temporaryFolder(), 'm.gguf') }));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) as unknown });
  });
});
