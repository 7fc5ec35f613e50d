/** Long texts on the command line: the options of src/cli/window-options.ts end to end, against the API. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { Classifier, CrossEncoder, ZeroShotClassifier } from '../src/index';
import { goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';
import { runCli } from './support/cli-process';

const LONG = 'The committee approved a budget for bridges, and then it rained on every field. '.repeat(40);
const quiet = { onWarning: () => {} };

let folder = '';
let classifier = '';
let reranker = '';
let nli = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-cli-windows-'));
  const nliLabels = { id2label: { 0: 'contradiction', 1: 'entailment', 2: 'neutral' }, label2id: undefined };
  const write = async (name: string, config = {}): Promise<string> => {
    await writeCheckpoint(goldenModel(name), join(folder, name), { config });
    const path = join(folder, `${name}.gguf`);
    expect(await runCli(['convert', join(folder, name), '-o', path])).toMatchObject({ code: 0 });
    return path;
  };
  classifier = await write('bert-relu');
  reranker = await write('bert-reranker');
  nli = await write('bert-old-names', nliLabels);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function lines(args: readonly string[]): Promise<Record<string, unknown>[]> {
  const { code, json, stderr } = await runCli(args);
  expect(stderr.replaceAll(/^ggml-encoder: warning .*\n/gm, '')).toBe('');
  expect(code).toBe(0);
  return json() as Record<string, unknown>[];
}

test('classify: each option implies --windows, and all reach the API', async () => {
  await using model = await Classifier.load(classifier, quiet);
  const asked = [
    [['--windows'], {}],
    [['--overlap', '0'], { overlap: 0 }],
    [['--aggregate', 'max'], { aggregate: 'max' }],
    [['--max-windows', '2'], { maxWindows: 2 }],
  ] as const;
  for (const [flags, windows] of asked) {
    const expected = await model.classify(LONG, { windows });
    expect(expected.windows!.length).toBeGreaterThan(1);
    const [line] = await lines(['classify', '-m', classifier, ...flags, LONG]);
    expect(Object.keys(line!)).toEqual(['label', 'score', 'scores', 'tokens', 'truncated', 'windows']);
    expect(line).toEqual(JSON.parse(JSON.stringify({ ...expected, activation: undefined })));
  }
});

test('classify: people see what each window said', async () => {
  const { stdout } = await runCli(['classify', '-m', classifier, '--windows', '--format', 'text', LONG]);
  expect(stdout).toMatch(/tokens +label +score\n( +\d+-\d+ +\S+ +0\.\d{4}\n){2,}/);
});

test('classify: --threshold', async () => {
  const [line] = await lines([
    'classify',
    '-m',
    classifier,
    '--activation',
    'sigmoid',
    '--threshold',
    '0.99',
    'a text',
  ]);
  expect(line!.scores).toEqual([]);
  expect((await runCli(['classify', '--threshold', 'high', 'a text'])).code).toBe(2);
  expect((await runCli(['classify', '--overlap', '-1', 'a text'])).code).toBe(2);
});

test('rank: windows, budgets and prompts', async () => {
  await using model = await CrossEncoder.load(reranker, quiet);
  const documents = ['Rain.', LONG, 'Bridges and budgets.'];
  const path = join(folder, 'documents.txt');
  await writeFile(path, documents.join('\n'));
  const base = ['rank', '-m', reranker, '--query', 'who pays', '--documents', path];

  const windowed = await model.rank('who pays', documents, { windows: { overlap: 8 }, returnDocuments: true });
  expect(windowed.some(({ windows }) => windows!.length > 1)).toBe(true);
  expect(await lines([...base, '--overlap', '8'])).toEqual(JSON.parse(JSON.stringify(windowed)));

  const budgets = { maxQueryTokens: 1, maxDocumentTokens: 2, prompt: 'query: ', returnDocuments: true };
  const flags = ['--max-query-tokens', '1', '--max-document-tokens', '2', '--prompt', 'query: '];
  expect(await lines([...base, ...flags])).toEqual(await model.rank('who pays', documents, budgets));
  expect((await runCli([...base, '--prompt-name', 'none'])).code).toBe(2);
});

test('zero-shot: windows', async () => {
  await using model = await ZeroShotClassifier.load(nli, quiet);
  const expected = await model.classify(LONG, ['rain', 'law'], { windows: { aggregate: 'mean' } });
  expect(await lines(['zero-shot', '-m', nli, '--labels', 'rain,law', '--aggregate', 'mean', LONG])).toEqual([
    expected,
  ]);
});
