/** ggml-encoder rank and evaluate with a model that reads lists, end to end. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CrossEncoder, convert } from 'ggml-encoder';

import { wholeGroups } from '../src/cli/evaluation/input/examples';
import { listCalls, writeListModel } from './golden/list-checkpoints';
import { runCli } from './support/cli-process';
import { temporaryFolder } from './unit/convert/temp-folder';

const { documents } = listCalls[0]!;
const QUERIES = ['How do plants make food?', 'which sea', 'a'];
const json = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

async function model(): Promise<string> {
  const output = join(temporaryFolder(), 'm.gguf');
  await convert(writeListModel(), { output });
  return output;
}

test('ranks the lines of a file as rank does', async () => {
  const path = await model();
  const file = join(temporaryFolder(), 'passages.txt');
  await writeFile(file, json(documents));
  const { code, json: lines } = await runCli([
    'rank',
    '-m',
    path,
    '--query',
    QUERIES[0]!,
    '--documents',
    file,
    '--prompt',
    'p',
  ]);
  await using reranker = await CrossEncoder.load(path);
  const expected = await reranker.rank(QUERIES[0]!, documents, { prompt: 'p', returnDocuments: true });
  expect({ code, lines: lines() }).toEqual({ code: 0, lines: expected });
});

test('measures a ranking by lists, as rank makes them', async () => {
  const path = await model();
  const file = join(temporaryFolder(), 'judged.jsonl');
  // Enough queries that batches end in the middle of one.
  const queries = Array.from({ length: 120 }, (_, index) => `${QUERIES[index % 3]!} ${index}`);
  const relevant = 3;
  const relevance = documents.map((_, index) => (index === relevant ? 1 : 0));
  await writeFile(file, json(queries.map((query) => ({ query, documents, relevance }))));
  const { code, stderr, json: lines } = await runCli(['evaluate', '-m', path, '--task', 'ranking', '--input', file]);
  expect(code, stderr).toBe(0);
  await using reranker = await CrossEncoder.load(path);
  let [byList, byPair] = [0, 0];
  for (const query of queries) {
    const ranked = await reranker.rank(query, documents);
    byList += 1 / (1 + ranked.findIndex(({ index }) => index === relevant)) / queries.length;
    const alone = await reranker.predict(documents.map((document): [string, string] => [query, document]));
    const order = alone.map(({ score }, index) => ({ score, index })).sort((a, b) => b.score - a.score);
    byPair += 1 / (1 + order.findIndex(({ index }) => index === relevant)) / queries.length;
  }
  const [{ mrr }] = lines() as [{ mrr: number }];
  expect(mrr).toBeCloseTo(byList, 6);
  expect(Math.abs(byList - byPair)).toBeGreaterThan(0.01);
});

test('parts no group', async () => {
  const batchesOf = async (batches: number[][]): Promise<number[][]> => {
    async function* source() {
      yield* batches.map((batch) => batch.map((target) => ({ line: 1, value: { input: '', target } })));
    }
    const found: number[][] = [];
    for await (const batch of wholeGroups(source(), (target: number) => target))
      found.push(batch.map(({ value }) => value.target));
    return found;
  };
  expect(await batchesOf([])).toEqual([]);
  expect(await batchesOf([[1, 1, 2], [2, 2], [2, 3], [4]])).toEqual([[1, 1], [2, 2, 2, 2], [3], [4]]);
  expect(await batchesOf([[1], [], [1]])).toEqual([[1, 1]]);
});
