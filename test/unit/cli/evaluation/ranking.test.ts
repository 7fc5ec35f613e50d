/** Ranking metrics against scikit-learn and sentence-transformers, and the forms that judged documents come in. */
import { Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import type { ColumnTitles } from '../../../../src/cli/evaluation/input/columns';
import { examples } from '../../../../src/cli/evaluation/input/examples';
import { JudgedDocuments } from '../../../../src/cli/evaluation/input/judged-documents';
import { meanRetrieval, ndcgGain, retrievalMetrics } from '../../../../src/cli/evaluation/metrics/retrieval';
import type { RetrievalMetrics } from '../../../../src/cli/evaluation/metrics/retrieval';
import { RankingTask } from '../../../../src/cli/evaluation/tasks/ranking';
import { expectEqual, fixture, fixtureNames } from './metric-fixtures';

interface RankingFixture {
  readonly k: number;
  readonly relevanceLevel: number | null;
  readonly rows: readonly (RetrievalMetrics & { readonly grades: number[]; readonly scores: number[] })[];
  readonly expected: RetrievalMetrics;
}

interface SamplesFixture {
  readonly k: number;
  /** Samples of CrossEncoderRerankingEvaluator. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** In thousandths, by document. */
  readonly scores: Readonly<Record<string, number>>;
  readonly expected: Means & { readonly base: Means | null };
}

type Means = Pick<RetrievalMetrics, 'ndcg' | 'mrr' | 'map'>;

const KEYS = ['ndcg', 'mrr', 'map', 'recall', 'hitRate'] as const;

describe("scikit-learn's and sentence-transformers' numbers of an order", () => {
  test.each(fixtureNames('ranking'))('%s', (name) => {
    const { k, relevanceLevel, rows, expected } = fixture<RankingFixture>('ranking', name);
    const judgement = { k, relevanceLevel: relevanceLevel ?? undefined };
    const found = rows.map(({ grades, scores }) => retrievalMetrics(grades, scores, judgement));
    found.forEach((metrics, query) => KEYS.forEach((key) => expectEqual(metrics[key], rows[query]![key])));
    const mean = meanRetrieval(found);
    for (const key of KEYS) expectEqual(mean[key], expected[key]);
  });

  test('the recorded queries have what is easily counted wrong', () => {
    const { rows } = fixture<RankingFixture>('ranking', 'binary.json');
    expect(rows.some(({ grades }) => !grades.includes(1))).toBe(true);
    const ties = fixture<RankingFixture>('ranking', 'ties.json').rows;
    expect(ties.filter(({ scores }) => new Set(scores).size < scores.length).length).toBeGreaterThan(10);
  });

  test('one document alone, which scikit-learn refuses', () => {
    const judgement = { k: 10, relevanceLevel: undefined };
    const all = { ndcg: 1, mrr: 1, map: 1, recall: 1, hitRate: 1 };
    expect(retrievalMetrics([2], [-3], judgement)).toEqual(all);
    expect(retrievalMetrics([0], [-3], judgement)).toEqual({ ndcg: 0, mrr: 0, map: 0, recall: 0, hitRate: 0 });
  });

  test('a gain is none where sums differ in the last digit alone', () => {
    const order = { ndcg: 0.3, mrr: 0, map: 0, recall: 0, hitRate: 0 };
    expect(ndcgGain({ ...order, ndcg: 0.1 + 0.2 }, order)).toBe(0);
    expect(ndcgGain({ ...order, ndcg: 0.4 }, order)).toBeCloseTo(0.1, 12);
    expect(ndcgGain(order, null)).toBe(0);
  });
});

const judgedFile = (text: string, format: JudgedDocuments, path: string, titles: ColumnTitles = {}) =>
  examples(Readable.from([Buffer.from(text)]), { path, titles, format });

describe("CrossEncoderRerankingEvaluator's numbers of the same samples", () => {
  test.each(fixtureNames('samples'))('%s', async (name) => {
    const { k, rows, scores, expected } = fixture<SamplesFixture>('samples', name);
    const task = new RankingTask(undefined, { k, relevanceLevel: undefined });
    for await (const batch of judgedFile(rows.map((row) => JSON.stringify(row)).join('\n'), task.format, '-')) {
      for (const { value } of batch) {
        const { textPair } = value.input as { textPair: string };
        task.add(value.target, true, Float32Array.of(scores[textPair]!), undefined);
      }
    }
    const line = task.finish().line as unknown as SamplesFixture['expected'] & { queries: number };
    expect(line.queries).toBe(rows.length);
    for (const key of ['ndcg', 'mrr', 'map'] as const) {
      expectEqual(line[key], expected[key]);
      if (expected.base === null) expect(line.base).toBe(null);
      else expectEqual(line.base![key], expected.base[key]);
    }
  });
});

/** [query, document, grade, origin] */
type Pair = [number, string, number, string];

async function read(text: string, path = 'x.jsonl', titles: ColumnTitles = {}): Promise<[string[], Pair[]]> {
  const format = new JudgedDocuments();
  const pairs: Pair[] = [];
  for await (const batch of judgedFile(text, format, path, titles)) {
    for (const { value } of batch) {
      const { query, grade, origin } = value.target;
      pairs.push([query, (value.input as { textPair: string }).textPair, grade, origin]);
    }
  }
  return [format.queries, pairs];
}

describe('judged documents', () => {
  const SET: Pair[] = [
    [0, 'a', 1, 'unordered'],
    [0, 'b', 0, 'unordered'],
    [0, 'c', 0, 'unordered'],
  ];
  const LIST: Pair[] = [
    [0, 'a', 0, 'listed'],
    [0, 'b', 2, 'listed'],
  ];
  const ROWS: Pair[] = [
    [0, 'a', 1, 'listed'],
    [1, 'b', 0, 'listed'],
    [0, 'c', 0.5, 'listed'],
  ];

  test.each<[string, string, Pair[]]>([
    ['positive and negative', '{"query": "q", "positive": ["a"], "negative": ["b", "c"]}', SET],
    ["FlagEmbedding's names", '{"query": "q", "pos": ["a"], "neg": ["b", "c"]}', SET],
    ['a lone string', '{"query": "q", "positive": "a", "negative": ["b", "c"]}', SET],
    ['a list with grades', '{"query": "q", "documents": ["a", "b"], "relevance": [0, 2]}', LIST],
    ["sentence-transformers' names", '{"query": "q", "passages": ["a", "b"], "labels": [false, 2.0]}', LIST],
    ['a JSON list of records', '[\n{"query": "q", "documents": ["a", "b"], "scores": [0, 2]}\n]', LIST],
  ])('%s', async (_, text, expected) => {
    expect(await read(text)).toEqual([['q'], expected]);
  });

  test('a list with its positive ones has those that it lacks behind it, and each of them once', async () => {
    const text = '{"query": "q", "documents": ["x", "a", "x", "a"], "positive": ["b", "a", "b"], "label": 7}';
    expect((await read(text))[1]).toEqual([
      [0, 'x', 0, 'listed'],
      [0, 'a', 1, 'listed'],
      [0, 'x', 0, 'listed'],
      [0, 'b', 1, 'added'],
    ]);
  });

  test('a record for each pair: of one query wherever they stand in the file', async () => {
    const csv = 'query,passage,label\np,a,1\nq,b,0\np,c,0.5\n';
    expect(await read(csv, 'x.csv')).toEqual([['p', 'q'], ROWS]);
    expect(await read('text,text_pair,score\np,a,True\nq,b,0\np,c,.5\n', 'x.csv')).toEqual([['p', 'q'], ROWS]);
    expect(await read('query,text,relevance\np,a,1\nq,b,0\np,c,.5\n', 'x.csv')).toEqual([['p', 'q'], ROWS]);
    const json = ['p a 1', 'q b 0', 'p c 0.5'].map((row) => {
      const [query, document, label] = row.split(' ');
      return JSON.stringify({ query, document, label: Number(label) });
    });
    expect(await read(json.join('\n'))).toEqual([['p', 'q'], ROWS]);
  });

  test('an id says which query it is, whatever its text', async () => {
    const csv = 'qid,query,document,label\n7,p,a,1\n8,p,b,0\n7,p?,c,0.5\n';
    expect(await read(csv, 'x.csv')).toEqual([['7', '8'], ROWS]);
    const json = '{"query_id": 7, "query": "p", "document": "a", "label": 1}';
    expect((await read(json))[0]).toEqual(['7']);
  });

  test('two lists of the same query are two queries', async () => {
    const list = '{"query": "q", "documents": ["a", "b"], "relevance": [0, 2]}\n';
    expect((await read(list + list))[0]).toEqual(['q', 'q']);
  });

  test('--column', async () => {
    const csv = 'frage,antwort,note,label\np,a,1,x\nq,b,0,x\np,c,0.5,x\n';
    expect(await read(csv, 'x.csv', { query: 'frage', document: 'antwort', label: 'note' })).toEqual([
      ['p', 'q'],
      ROWS,
    ]);
    expect(await read(csv, 'x.csv', { text: 'frage', text_pair: 'antwort', label: 'note' })).toEqual([
      ['p', 'q'],
      ROWS,
    ]);
  });

  test.each<[string, string]>([
    ['{"documents": ["a"], "relevance": [1]}', 'no "query"; expected {"query": ..., "documents": [...]'],
    ['{"query": 5, "documents": ["a"], "relevance": [1]}', '"query" is 5; expected a string'],
    ['{"query": "q"}', 'a query without documents; expected {"query"'],
    ['{"query": "q", "documents": [], "relevance": []}', 'a query without documents; leave it out'],
    ['{"query": "q", "documents": ["a"]}', '"documents" without "label" or "positive"; expected'],
    ['{"query": "q", "documents": ["a", "b"], "relevance": [1]}', '"documents" has 2 texts, but "relevance" 1 numbers'],
    ['{"query": "q", "documents": ["a"], "relevance": 1}', '"relevance" is no list of numbers'],
    ['{"query": "q", "documents": ["a"], "relevance": [-1]}', '"relevance"[0] is -1; expected how relevant'],
    ['{"query": "q", "documents": ["a"], "relevance": [null]}', '"relevance"[0] is null; expected how relevant'],
    ['{"query": "q", "documents": ["a"], "relevance": [NaN]}', 'not JSON, which has no NaN; expected'],
    ['{"query": "q", "documents": ["a", {"text": "b"}], "relevance": [0, 1]}', '"documents"[1] is {"text":"b"}'],
    ['{"query": "q", "documents": ["a"], "relevance": [1], "scores": [3]}', 'found "relevance" and "scores"; say with'],
    ['{"query": "q", "positive": ["a"]}', '"positive" without "negative" or "documents"; nothing could be told apart'],
    ['{"query": "q", "negative": ["a"]}', '"negative" without "positive"'],
    ['{"query": "q", "positive": ["a"], "negative": ["b"], "documents": ["b"]}', 'found "documents" and "negative"'],
    ['{"query": "q", "document": "a"}', 'no "label"; expected {"query": ..., "document"'],
    ['"q"', 'found a string; expected'],
  ])('%s is refused by its line', async (line, message) => {
    await expect(read(`\n${line}`)).rejects.toMatchObject({
      code: 'input_invalid',
      message: expect.stringContaining(`line 2 of x.jsonl: ${message}`) as string,
    });
  });

  test.each<[string, string]>([
    ['query,label\nq,1\n', 'line 1 of x.csv: the header must name the column "document"; --column document=title'],
    ['query,document\nq,a\n', 'line 1 of x.csv: the header must name the column "label"'],
    ['document,label\na,1\n', 'line 1 of x.csv: the header must name the column "query"'],
    ['query,positive,negative\nq,a,b\n', 'lists of documents are for JSON, in CSV each has a row of its own'],
    ['query,document,label\nq,a,NaN\n', 'line 2 of x.csv: "label" is "NaN"; expected how relevant'],
    ['query,document,label\nq,a,\n', 'line 2 of x.csv: "label" is ""; expected how relevant'],
    ['query,document,label\nq,a,-1\n', 'line 2 of x.csv: "label" is "-1"'],
  ])('CSV %j is refused', async (text, message) => {
    await expect(read(text, 'x.csv')).rejects.toMatchObject({
      code: 'input_invalid',
      message: expect.stringContaining(message) as string,
    });
  });
});

test('where nothing is relevant nothing is measured', () => {
  const task = new RankingTask(undefined, { k: 10, relevanceLevel: 2 });
  task.format.queries.push('q');
  task.add({ query: 0, grade: 1, origin: 'listed' }, true, Float32Array.of(1), undefined);
  expect(() => task.finish()).toThrow('which is to have a grade of at least 2 (--relevance-level)');
});

test('a record of many documents is cut into batches', async () => {
  const documents = Array.from({ length: 1300 }, (_, place) => `document ${place}`);
  const line = JSON.stringify({ query: 'q', documents, relevance: documents.map(() => 1) });
  const sizes: number[] = [];
  for await (const batch of judgedFile(line, new JudgedDocuments(), '-')) sizes.push(batch.length);
  expect(sizes).toEqual([512, 512, 276]);
});
