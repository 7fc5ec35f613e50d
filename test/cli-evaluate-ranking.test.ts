/** ggml-encoder evaluate on judged documents and on several values (docs/cli.md), end to end. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Classifier, CrossEncoder } from '../src/index';
import { goldenInputs, goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';
import { runCli } from './support/cli-process';

const LABELS = ['calm', 'angry', 'happy', 'bored', '10'];
const texts = (goldenInputs('texts') as string[]).slice(0, 60);
const pairs = (goldenInputs('pairs') as [string, string][]).slice(0, 60);
let folder = '';

const path = (name: string): string => join(folder, name);
const jsonl = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const csvField = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const run = async (model: string, ...args: string[]) => runCli(['evaluate', '-m', path(model), ...args]);

async function line<Line>(model: string, ...args: string[]): Promise<Line> {
  const { code, stdout, stderr, json } = await run(model, ...args);
  expect({ code, stdout: stdout !== '' }, stderr).toEqual({ code: 0, stdout: true });
  return json()[0] as Line;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-evaluate-ranking-'));
  for (const name of ['bert-multilabel', 'bert-reranker']) {
    await writeCheckpoint(goldenModel(name), path(name));
    expect(await runCli(['convert', path(name), '-o', path(`${name}.gguf`)])).toMatchObject({ code: 0 });
    const args = ['convert', path(name), '-o', path(`${name}-q8_0.gguf`), '--type', 'q8_0'];
    expect(await runCli(args)).toMatchObject({ code: 0 });
  }
  const judged = pairs.map(([text, textPair], index) => ({ text, text_pair: textPair, label: index % 2 }));
  await writeFile(path('judged.jsonl'), jsonl(judged));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the order of documents', () => {
  interface Metrics {
    readonly ndcg: number;
    readonly mrr: number;
    readonly map: number;
    readonly recall: number;
    readonly hitRate: number;
  }
  interface Line extends Metrics {
    readonly examples: number;
    readonly queries: number;
    readonly withoutRelevant: number;
    readonly base: (Metrics & { readonly better: number; readonly worse: number }) | null;
    readonly compare: Metrics & { readonly maxLogitDifference: number };
  }
  interface Row extends Metrics {
    readonly query: string;
    readonly documents: number;
    readonly relevant: number;
    readonly base: Metrics | null;
  }
  const MODEL = 'bert-reranker.gguf';
  const METRICS = ['ndcg', 'mrr', 'map', 'recall', 'hitRate'];
  const queries = pairs.slice(0, 8).map(([query]) => query);
  const documents = pairs.slice(0, 12).map(([, document]) => document);
  /** u8[queries][documents]; nothing is relevant to the last query. */
  const grades = queries.map((_, query) =>
    documents.map((__, place) => (query < 7 && (place * 5 + query) % 7 === 0 ? (place % 2) + 1 : 0)),
  );
  const lists = queries.map((query, place) => ({ query, documents, relevance: grades[place] }));
  const input = ['--task', 'ranking', '--input'];

  beforeAll(async () => {
    await writeFile(path('lists.jsonl'), jsonl(lists));
  });

  test('prints exactly the documented keys, and each query for itself', async () => {
    const found = await line<Line>(MODEL, ...input, path('lists.jsonl'), '--per-query', path('queries.jsonl'));
    expect(Object.keys(found)).toEqual(
      [
        'model',
        'examples',
        'truncated',
        'task',
        'k',
        'relevanceLevel',
        'queries',
        'withoutRelevant',
        'documents',
      ].concat(['relevant', ...METRICS, 'base']),
    );
    expect(found).toMatchObject({ task: 'ranking', k: 10, relevanceLevel: null, examples: 96, queries: 8 });
    expect(found).toMatchObject({ withoutRelevant: 1, documents: { min: 12, max: 12, mean: 12 } });
    expect(Object.keys(found.base!)).toEqual([...METRICS, 'better', 'worse']);
    const rows = (await readFile(path('queries.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Row);
    expect(rows.map(({ query }) => query)).toEqual(queries);
    expect(Object.keys(rows[0]!)).toEqual(['query', 'documents', 'relevant', ...METRICS, 'base']);
    expect(rows[7]).toMatchObject({ relevant: 0, ndcg: 0, mrr: 0, map: 0, recall: 0, hitRate: 0 });
    for (const key of METRICS as (keyof Metrics)[]) {
      expect(found[key]).toBeCloseTo(rows.reduce((sum, row) => sum + row[key], 0) / 8, 12);
    }
  });

  test('is that of rank', async () => {
    const args = ['--at-k', '3', '--relevance-level', '2', '--per-query', path('queries.jsonl')];
    await line<Line>(MODEL, ...input, path('lists.jsonl'), ...args);
    const rows = (await readFile(path('queries.jsonl'), 'utf8')).trim().split('\n');
    await using reranker = await CrossEncoder.load(path(MODEL));
    let hits = 0;
    for (const [place, query] of queries.entries()) {
      const order = (await reranker.rank(query, documents)).map(({ index }) => grades[place]![index]!);
      const first = order.findIndex((grade) => grade >= 2);
      const row = JSON.parse(rows[place]!) as Row;
      expect(row.mrr).toBe(first < 0 || first >= 3 ? 0 : 1 / (first + 1));
      expect(row.hitRate).toBe(Number(first >= 0 && first < 3));
      const all = order.filter((grade) => grade >= 2).length;
      expect(row.recall).toBe(all === 0 ? 0 : order.slice(0, 3).filter((grade) => grade >= 2).length / all);
      hits += row.hitRate;
    }
    expect(hits).toBeGreaterThan(0);
    expect(hits).toBeLessThan(queries.length);
  });

  test('lists, a JSON list, rows and CSV give the same', async () => {
    const expected = (await run(MODEL, ...input, path('lists.jsonl'))).stdout;
    await writeFile(path('lists.json'), JSON.stringify(lists, null, 2));
    const judged = queries.flatMap((query, place) =>
      documents.map((document, index) => ({ qid: place, query, document, label: grades[place]![index] })),
    );
    // Rows of a query need not stand together.
    const scattered = documents.flatMap((_, index) => judged.filter((__, row) => row % documents.length === index));
    await writeFile(path('rows.jsonl'), jsonl(scattered));
    const rows = judged.map((row) => `${row.qid},${csvField(row.query)},${csvField(row.document)},${row.label}\n`);
    await writeFile(path('rows.csv'), `query_id,query,passage,score\n${rows.join('')}`);
    for (const name of ['lists.json', 'rows.jsonl', 'rows.csv']) {
      expect((await run(MODEL, ...input, path(name))).stdout, name).toBe(expected);
    }
    const piped = await runCli(['evaluate', '-m', path(MODEL), ...input, '-'], { input: JSON.stringify(lists) });
    expect(piped.stdout).toBe(expected);
  });

  test('positive and negative documents have no order to compare with', async () => {
    const sets = queries.slice(0, 7).map((query, place) => ({
      query,
      positive: documents.filter((_, index) => grades[place]![index]! > 0),
      negative: documents.filter((_, index) => grades[place]![index] === 0),
    }));
    await writeFile(path('sets.jsonl'), jsonl(sets));
    await writeFile(path('found.jsonl'), jsonl(lists.slice(0, 7)));
    const [set, list] = [
      await line<Line>(MODEL, ...input, path('sets.jsonl')),
      await line<Line>(MODEL, ...input, path('found.jsonl')),
    ];
    expect(set.base).toBe(null);
    expect(list.base).not.toBe(null);
    for (const key of ['mrr', 'map', 'recall'] as const) expect(set[key]).toBeCloseTo(list[key], 12);
  });

  test('the report and the text have the order in the file beside that of the model', async () => {
    const args = ['--compare', path('bert-reranker-q8_0.gguf'), '--report', path('ranking.html')];
    const { compare, base } = await line<Line>(MODEL, ...input, path('lists.jsonl'), ...args);
    expect(Object.keys(compare)).toEqual(['model', ...METRICS, 'maxLogitDifference']);
    expect(compare.maxLogitDifference).toBeGreaterThan(0);
    const { stdout } = await run(MODEL, ...input, path('lists.jsonl'), ...args, '--format', 'text');
    expect(stdout).toMatch(/^NDCG@10 +\d\.\d{4} -> \d\.\d{4} \([+−]\d\.\d{4}\)\nMRR@10 /);
    expect(stdout).toMatch(/\nqueries +8, 1 without a relevant document count 0\n/);
    expect(stdout).toContain(`${base!.better} queries became better, ${base!.worse} worse`);
    expect(stdout).toMatch(/\nits hit rate@10 +\d\.\d{4}\n/);
    const html = await readFile(path('ranking.html'), 'utf8');
    expect(html.match(/<svg /g)).toHaveLength(2);
    for (const text of ['Lowest NDCG@10', 'in the file', 'the other']) expect(html).toContain(text);
    expect(html).not.toMatch(/<script|<link|<img|https?:|url\(|NaN|undefined|null/);
  });

  test.each<[string, string[], string]>([
    ['queries without the task', ['--input', 'lists.jsonl'], 'queries with their documents need --task ranking'],
    ['a threshold', [...input, 'lists.jsonl', '--threshold', '0.5'], '--threshold is for multi-label models'],
    ['an activation', [...input, 'lists.jsonl', '--activation', 'sigmoid'], 'none changes their order'],
    ['k of nothing', [...input, 'lists.jsonl', '--at-k', '0'], 'It must be a positive integer'],
    ['a level of all', [...input, 'lists.jsonl', '--relevance-level', '0'], 'It must be a number above 0'],
    ['a level of none', [...input, 'lists.jsonl', '--relevance-level', '3'], 'no document of any query is relevant'],
    ['k of another task', ['--input', 'judged.jsonl', '--at-k', '3'], '--at-k is for --task ranking'],
    ['its titles', ['--input', 'judged.jsonl', '--column', 'query=text'], '--column query is for --task ranking'],
    ['an unknown task', ['--task', 'rank', '--input', 'lists.jsonl'], 'Allowed choices are'],
    ['nothing', [...input, 'nothing.jsonl'], 'holds no examples'],
  ])('%s is refused', async (_, args, message) => {
    await writeFile(path('nothing.jsonl'), '\n');
    const named = args.map((argument) => (argument.endsWith('.jsonl') ? path(argument) : argument));
    const { code, stdout, stderr } = await run(MODEL, ...named);
    expect({ failed: code === 1 || code === 2, stdout }).toEqual({ failed: true, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('a model with several labels', async () => {
    const { code, stderr } = await run('bert-multilabel.gguf', ...input, path('lists.jsonl'));
    expect(code).toBe(2);
    expect(stderr).toContain('--task ranking is for rerankers, which have one label;');
  });

  test('the input is not written over', async () => {
    const { code, stderr } = await run(MODEL, ...input, path('lists.jsonl'), '--per-query', path('lists.jsonl'));
    expect(code).toBe(2);
    expect(stderr).toContain('would overwrite the input');
  });
});

describe('several values', () => {
  interface Line {
    readonly mse: number;
    readonly labels: readonly { readonly label: string; readonly mse: number; readonly pearson: number }[];
    readonly compare: { readonly maxLogitDifference: number };
  }
  const MODEL = 'several.gguf';
  let values: number[][] = [];

  beforeAll(async () => {
    const config = { problem_type: 'regression' };
    await writeCheckpoint(goldenModel('bert-multilabel'), path('several'), { config });
    for (const [name, type] of [
      [MODEL, 'f32'],
      ['several-q8_0.gguf', 'q8_0'],
    ]) {
      expect(await runCli(['convert', path('several'), '-o', path(name!), '--type', type!])).toMatchObject({ code: 0 });
    }
    await using classifier = await Classifier.load(path(MODEL));
    const results = await classifier.classify(texts, { logits: true });
    // The first value is off by one, the others are right.
    values = results.map(({ logits }) => Array.from(logits!, (logit, place) => logit + Number(place === 0)));
    await writeFile(path('values.jsonl'), jsonl(texts.map((text, index) => ({ text, labels: values[index] }))));
  });

  test('each for itself, and their means', async () => {
    const found = await line<Line>(MODEL, '--input', path('values.jsonl'));
    expect(Object.keys(found)).toEqual([
      'model',
      'examples',
      'truncated',
      'task',
      'activation',
      'mse',
      'mae',
      'r2',
      'pearson',
      'spearman',
      'labels',
    ]);
    expect(found.labels.map(({ label }) => label)).toEqual(LABELS);
    expect(Object.keys(found.labels[0]!)).toEqual([
      'label',
      'mse',
      'mae',
      'r2',
      'pearson',
      'spearman',
      'values',
      'scores',
    ]);
    expect(found.labels[0]!.mse).toBeCloseTo(1, 10);
    expect(found.labels[1]!.mse).toBeLessThan(1e-20);
    expect(found.mse).toBeCloseTo(0.2, 10);
    expect(found.labels[0]!.pearson).toBeCloseTo(1, 10);
  });

  test('lists, maps, keys and CSV columns give the same', async () => {
    const expected = (await run(MODEL, '--input', path('values.jsonl'))).stdout;
    const maps = values.map((row) => Object.fromEntries(row.map((value, label) => [LABELS[label], value])));
    const files = {
      'value-maps.jsonl': jsonl(texts.map((text, index) => ({ text, labels: maps[index] }))),
      'value-keys.jsonl': jsonl(texts.map((text, index) => ({ text, ...maps[index] }))),
      'values.csv': `text,${LABELS.join(',')}\n${texts.map((text, index) => `${csvField(text)},${values[index]!.join(',')}\n`).join('')}`,
      'value-lists.csv': `text,labels\n${texts.map((text, index) => `${csvField(text)},"${JSON.stringify(values[index])}"\n`).join('')}`,
    };
    for (const [name, content] of Object.entries(files)) {
      await writeFile(path(name), content);
      expect((await run(MODEL, '--input', path(name))).stdout, name).toBe(expected);
    }
  });

  test('the report and the text name every value', async () => {
    const args = ['--input', path('values.jsonl'), '--compare', path('several-q8_0.gguf')];
    const found = await line<Line>(MODEL, ...args, '--report', path('values.html'));
    expect(found.compare.maxLogitDifference).toBeGreaterThan(0);
    const { stdout } = await run(MODEL, ...args, '--format', 'text');
    expect(stdout).toMatch(/^mean squared error +0\.2000\n/);
    expect(stdout).toMatch(/\nbored( +\d\.\d{4}){5} /);
    expect(stdout).toMatch(/\nits mean squared error /);
    const html = await readFile(path('values.html'), 'utf8');
    expect(html.match(/<svg /g)).toHaveLength(5);
    expect(html).not.toMatch(/<script|NaN|undefined|null/);
  });

  test.each<[string, string]>([
    [jsonl([{ text: 'a', labels: [1, 2] }]), '"labels" has 2 numbers; the model has 5 values'],
    [jsonl([{ text: 'a', labels: 3 }]), '"labels" is 3; expected 5 numbers'],
    [jsonl([{ text: 'a', labels: [1, 2, null, 4, 5] }]), '"happy" is null; expected a number'],
    [jsonl([{ text: 'a', calm: 1 }]), 'no "labels"; expected a list of 5 numbers, or a number for each of "calm"'],
    [jsonl([{ text: 'a', labels: { calm: 1 } }]), '"angry" is undefined; expected a number'],
  ])('%j is refused', async (content, message) => {
    await writeFile(path('wrong.jsonl'), content);
    const { code, stdout, stderr } = await run(MODEL, '--input', path('wrong.jsonl'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('is no other task', async () => {
    const { code, stderr } = await run(MODEL, '--input', path('values.jsonl'), '--task', 'multi-label');
    expect(code).toBe(2);
    expect(stderr).toContain('--task multi-label is not for a model with 5 values');
  });
});
