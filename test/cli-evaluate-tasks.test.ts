/** ggml-encoder evaluate on models with several answers and on models with one score (docs/cli.md), end to end. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Classifier, CrossEncoder } from '../src/index';
import { causalModel, causalPairs, writeCausal } from './golden/causal-checkpoints';
import { goldenInputs, goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';
import { runCli } from './support/cli-process';

const LABELS = ['calm', 'angry', 'happy', 'bored', '10'];
const texts = (goldenInputs('texts') as string[]).slice(0, 60);
const pairs = (goldenInputs('pairs') as [string, string][]).slice(0, 60);

/** u8[texts][labels] */
let truths: number[][] = [];
/** The scores of `classify`, in the model's order. */
let scores: number[][] = [];
let folder = '';

const path = (name: string): string => join(folder, name);
const jsonl = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const csvField = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const run = async (model: string, ...args: string[]) => runCli(['evaluate', '-m', path(model), ...args]);
const middleOf = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length / 2]!;

async function line<Line>(model: string, ...args: string[]): Promise<Line> {
  const { code, stdout, stderr, json } = await run(model, ...args);
  expect({ code, stdout: stdout !== '' }, stderr).toEqual({ code: 0, stdout: true });
  return json()[0] as Line;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-evaluate-tasks-'));
  for (const name of ['bert-multilabel', 'bert-regression', 'bert-reranker']) {
    await writeCheckpoint(goldenModel(name), path(name));
    expect(await runCli(['convert', path(name), '-o', path(`${name}.gguf`)])).toMatchObject({ code: 0 });
    const args = ['convert', path(name), '-o', path(`${name}-q8_0.gguf`), '--type', 'q8_0'];
    expect(await runCli(args)).toMatchObject({ code: 0 });
  }
  await using classifier = await Classifier.load(path('bert-multilabel.gguf'));
  expect(classifier.info.labels).toEqual(LABELS);
  const results = await classifier.classify(texts);
  scores = results.map((result) => LABELS.map((name) => result.scores.find(({ label }) => label === name)!.score));
  const middles = LABELS.map((_, label) => middleOf(scores.map((row) => row[label]!)));
  // Mostly what the model thinks, so that there is something to measure.
  truths = scores.map((row, text) =>
    row.map((score, label) => Number(score > middles[label]! !== (text + label) % 4 < 1)),
  );
  const named = truths.map((row) => LABELS.filter((_, label) => row[label] === 1));
  await writeFile(path('names.jsonl'), jsonl(texts.map((text, index) => ({ text, labels: named[index] }))));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('several labels', () => {
  interface Best {
    readonly threshold: number;
    readonly f1: number;
  }
  interface Line {
    readonly task: string;
    readonly examples: number;
    readonly hammingLoss: number;
    readonly subsetAccuracy: number;
    readonly macro: { readonly f1: number };
    readonly labels: readonly {
      readonly label: string;
      readonly threshold: number;
      readonly support: number;
      readonly f1: number;
      readonly best: Best;
    }[];
    readonly compare?: {
      readonly agreement: number;
      readonly subsetAccuracy: number;
      readonly maxLogitDifference: number;
    };
  }
  const MODEL = 'bert-multilabel.gguf';

  test('prints exactly the documented keys', async () => {
    const found = await line<Line>(MODEL, '--input', path('names.jsonl'));
    const overall = ['subsetAccuracy', 'hammingLoss', 'jaccard', 'micro', 'macro', 'weighted', 'samples', 'logLoss'];
    expect(Object.keys(found)).toEqual(['model', 'examples', 'truncated', 'task', ...overall, 'labels']);
    expect(found).toMatchObject({ task: 'multi-label', examples: 60 });
    expect(Object.keys(found.macro)).toEqual(['precision', 'recall', 'f1', 'rocAuc', 'averagePrecision']);
    expect(Object.keys(found.labels[0]!)).toEqual(
      ['label', 'threshold', 'precision', 'recall', 'f1', 'support', 'confusion', 'rocAuc', 'averagePrecision'].concat([
        'logLoss',
        'best',
      ]),
    );
    expect(Object.keys(found.labels[0]!.best)).toEqual(['threshold', 'precision', 'recall', 'f1']);
    expect(found.labels.map(({ label }) => label)).toEqual(LABELS);
  });

  test('what is right about the examples may be written in every documented way', async () => {
    const expected = (await run(MODEL, '--input', path('names.jsonl'))).stdout;
    const maps = truths.map((row) => Object.fromEntries(row.map((flag, label) => [LABELS[label], flag])));
    const places = truths.map((row) => LABELS.map((_, label) => label).filter((label) => row[label] === 1));
    const files: Record<string, string> = {
      'vectors.jsonl': jsonl(texts.map((text, index) => ({ text, labels: truths[index] }))),
      'maps.jsonl': jsonl(texts.map((text, index) => ({ text, label: maps[index] }))),
      'keys.jsonl': jsonl(texts.map((text, index) => ({ text, ...maps[index] }))),
      'places.jsonl': jsonl(texts.map((text, index) => ({ text, labels: places[index] }))),
      'columns.csv': `id,text,${LABELS.join(',')}\n${texts.map((text, index) => `${index},${csvField(text)},${truths[index]!.join(',')}\n`).join('')}`,
      'json.csv': `labels,text\n${texts.map((text, index) => `"${JSON.stringify(places[index])}",${csvField(text)}\n`).join('')}`,
    };
    for (const [name, content] of Object.entries(files)) {
      await writeFile(path(name), content);
      expect((await run(MODEL, '--input', path(name))).stdout, name).toBe(expected);
    }
    const rows = texts.map((text, index) => {
      const names = LABELS.filter((_, label) => truths[index]![label] === 1);
      return `${csvField(text)},${names.join(' | ')}\n`;
    });
    await writeFile(path('tags.csv'), `body,tags\n${rows.join('')}`);
    const titles = ['--column', 'text=body', '--column', 'label=tags', '--separator', '|'];
    expect((await run(MODEL, '--input', path('tags.csv'), ...titles)).stdout).toBe(expected);
  });

  test('decides as classify does with a threshold, for all labels or for one', async () => {
    const found = await line<Line>(
      MODEL,
      '--input',
      path('names.jsonl'),
      '--threshold',
      '0.4',
      '--threshold',
      '10=0.97',
    );
    const thresholds = [0.4, 0.4, 0.4, 0.4, 0.97];
    expect(found.labels.map(({ threshold }) => threshold)).toEqual(thresholds);
    const wrong = truths.flatMap((row, text) =>
      row.filter((flag, label) => flag !== Number(scores[text]![label]! >= thresholds[label]!)),
    );
    expect(found.hammingLoss).toBeCloseTo(wrong.length / (60 * 5), 12);
  });

  test('the best thresholds, given as thresholds, have the F1 that was promised', async () => {
    const before = await line<Line>(MODEL, '--input', path('names.jsonl'));
    const chosen = before.labels.flatMap(({ label, best }) => ['--threshold', `${label}=${best.threshold}`]);
    const after = await line<Line>(MODEL, '--input', path('names.jsonl'), ...chosen);
    expect(after.labels.map(({ f1 }) => f1)).toEqual(before.labels.map(({ best }) => best.f1));
    expect(after.macro.f1).toBeGreaterThan(before.macro.f1);
  });

  test('--compare', async () => {
    const same = await line<Line>(MODEL, '--input', path('names.jsonl'), '--compare', path(MODEL));
    expect(same.compare).toMatchObject({
      subsetAccuracy: same.subsetAccuracy,
      hammingLoss: same.hammingLoss,
      macro: same.macro,
      agreement: 1,
      maxLogitDifference: 0,
    });
    const other = await line<Line>(
      MODEL,
      '--input',
      path('names.jsonl'),
      '--compare',
      path('bert-multilabel-q8_0.gguf'),
    );
    expect(other.compare!.maxLogitDifference).toBeGreaterThan(0);
    expect(other.compare!.maxLogitDifference).toBeLessThan(1);
    expect(other.compare!.agreement).toBeGreaterThan(0.7);
  });

  test('the report and the text name every label and what the best thresholds rest on', async () => {
    const args = ['--input', path('names.jsonl'), '--compare', path('bert-multilabel-q8_0.gguf')];
    const { stdout } = await run(MODEL, ...args, '--report', path('labels.html'), '--format', 'text');
    expect(stdout).toMatch(/^subset accuracy +\d\.\d{4}\nHamming loss /);
    expect(stdout).toMatch(/\nangry( +\d\.\d{4}){3} +\d+( +\d\.\d{4}){3} +0\.5 +\d\.\d{4} +0\.\d+\n/);
    expect(stdout).toMatch(/\nsamples average( +\d\.\d{4}){3}\n/);
    expect(stdout).toContain('its threshold was chosen on these 60 examples; check it on others');
    expect(stdout).toMatch(/\nsame labels +[01]\.\d{4}\n/);
    const html = await readFile(path('labels.html'), 'utf8');
    // A matrix for each label, ROC, precision and recall.
    expect(html.match(/<svg /g)).toHaveLength(7);
    for (const text of ['<figcaption>bored<', 'Best thresholds, chosen on these examples', 'samples average']) {
      expect(html).toContain(text);
    }
    expect(html).not.toMatch(/<script|<link|<img|https?:|url\(|NaN|undefined/);
  });

  test('labels that nobody has, everybody has, and nothing predicted', async () => {
    const label = Object.fromEntries(LABELS.map((name) => [name, Number(name === 'calm')]));
    await writeFile(path('constant.jsonl'), jsonl(texts.map((text) => ({ text, label }))));
    const args = ['--input', path('constant.jsonl'), '--threshold', '1', '--report', path('constant.html')];
    const found = await line<Line>(MODEL, ...args);
    expect(found).toMatchObject({
      subsetAccuracy: 0,
      hammingLoss: 0.2,
      jaccard: 0,
      micro: { precision: 0, recall: 0, f1: 0 },
      macro: { rocAuc: null, averagePrecision: 0.2 },
    });
    expect(found.labels[0]).toMatchObject({ support: 60, rocAuc: null, averagePrecision: 1, best: { f1: 1 } });
    expect(found.labels[1]).toMatchObject({ support: 0, rocAuc: null, averagePrecision: 0, best: null });
    expect(await readFile(path('constant.html'), 'utf8')).not.toMatch(/NaN|undefined|null/);
    expect((await run(MODEL, ...args, '--format', 'text')).stdout).not.toMatch(/NaN|undefined|null/);
  });

  test('names from a model cannot write markup', async () => {
    const names = ['<script>alert(1)</script>', '"&', "'", 'd', 'e'];
    const config = { id2label: Object.fromEntries(names.entries()), label2id: undefined };
    await writeCheckpoint(goldenModel('bert-multilabel'), path('hostile'), { config });
    expect(await runCli(['convert', path('hostile'), '-o', path('hostile.gguf')])).toMatchObject({ code: 0 });
    const labels = truths.map((row) => names.filter((_, label) => row[label] === 1));
    await writeFile(path('hostile.jsonl'), jsonl(texts.map((text, index) => ({ text, labels: labels[index] }))));
    await line<Line>('hostile.gguf', '--input', path('hostile.jsonl'), '--report', path('hostile.html'));
    const html = await readFile(path('hostile.html'), 'utf8');
    expect(html).not.toContain('<script');
    expect(html).toContain('<figcaption>&lt;script&gt;');
  });

  test('a single-label model is measured so when asked', async () => {
    await writeCheckpoint(goldenModel('tinymodel1'), path('tinymodel1'));
    expect(await runCli(['convert', path('tinymodel1'), '-o', path('tinymodel1.gguf')])).toMatchObject({ code: 0 });
    const labelled = jsonl(texts.map((text, index) => ({ text, labels: index % 2 ? ['World', 'Sports'] : [] })));
    await writeFile(path('news.jsonl'), labelled);
    const refused = await run('tinymodel1.gguf', '--input', path('news.jsonl'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('line 1 of');
    expect(refused.stderr).toContain('need --task multi-label');
    const found = await line<Line>('tinymodel1.gguf', '--input', path('news.jsonl'), '--task', 'multi-label');
    expect(found.labels.map(({ support }) => support)).toEqual([30, 30, 0, 0]);
  });
});

describe('one score', () => {
  interface Line {
    readonly task: string;
    readonly activation: string;
    readonly mse: number;
    readonly spearman: number;
    readonly rocAuc: number;
    readonly bestF1: { readonly threshold: number; readonly f1: number };
    readonly decisions: { readonly f1: number };
    readonly compare: { readonly spearman: number; readonly rocAuc: number; readonly maxLogitDifference: number };
  }
  let values: number[] = [];

  beforeAll(async () => {
    await using regression = await Classifier.load(path('bert-regression.gguf'));
    const inputs = pairs.map(([text, textPair]) => ({ text, textPair }));
    values = (await regression.classify(inputs)).map(({ score }) => score);
    // Half a unit off, up and down.
    const rows = pairs.map(
      ([text, pair], index) => `${csvField(text)},${csvField(pair)},${values[index]! + (index % 2) - 0.5}\n`,
    );
    await writeFile(path('grades.csv'), `sentence1,sentence2,score\n${rows.join('')}`);

    await using reranker = await CrossEncoder.load(path('bert-reranker.gguf'));
    const ranked = (await reranker.predict(pairs)).map(({ score }) => score);
    const middle = middleOf(ranked);
    const judged = pairs.map(([text, textPair], index) => ({
      text,
      text_pair: textPair,
      label: Number(ranked[index]! >= middle !== index % 5 < 1),
    }));
    await writeFile(path('judged.jsonl'), jsonl(judged));
  });

  const titles = ['--column', 'text=sentence1', '--column', 'text_pair=sentence2'];

  test('a regression model by its errors and correlations', async () => {
    const found = await line<Line>('bert-regression.gguf', '--input', path('grades.csv'), ...titles);
    expect(Object.keys(found)).toEqual(
      ['model', 'examples', 'truncated', 'task', 'activation', 'mse', 'mae', 'r2', 'pearson', 'spearman'].concat([
        'values',
        'scores',
      ]),
    );
    expect(found).toMatchObject({ task: 'regression', activation: 'none' });
    expect(found.mse).toBeCloseTo(0.25, 10);
    const other = ['--compare', path('bert-regression-q8_0.gguf'), '--report', path('grades.html')];
    const { compare } = await line<Line>('bert-regression.gguf', '--input', path('grades.csv'), ...titles, ...other);
    expect(Object.keys(compare)).toEqual(
      ['model', 'mse', 'mae', 'r2', 'pearson', 'spearman'].concat('maxLogitDifference'),
    );
    expect(compare.maxLogitDifference).toBeGreaterThan(0);
    expect(Math.abs(compare.spearman - found.spearman)).toBeLessThan(0.1);
    const html = await readFile(path('grades.html'), 'utf8');
    expect(html.match(/<svg /g)).toHaveLength(2);
    expect(html).not.toMatch(/<script|NaN|undefined/);
  });

  test('a reranker by how well it tells yes from no, with the scores of predict', async () => {
    const found = await line<Line>('bert-reranker.gguf', '--input', path('judged.jsonl'));
    expect(Object.keys(found)).toEqual(
      ['model', 'examples', 'truncated', 'task', 'activation', 'positives', 'rocAuc', 'averagePrecision'].concat([
        'bestAccuracy',
        'bestF1',
      ]),
    );
    await using reranker = await CrossEncoder.load(path('bert-reranker.gguf'));
    expect(found).toMatchObject({ task: 'binary', activation: reranker.info.activation });
    expect(found.rocAuc).toBeGreaterThan(0.6);

    const args = ['--input', path('judged.jsonl'), '--threshold', `${found.bestF1.threshold}`];
    const other = ['--compare', path('bert-reranker-q8_0.gguf'), '--report', path('judged.html')];
    const { decisions, compare } = await line<Line>('bert-reranker.gguf', ...args, ...other);
    expect(decisions.f1).toBe(found.bestF1.f1);
    expect(compare.maxLogitDifference).toBeGreaterThan(0);
    expect(Math.abs(compare.rocAuc - found.rocAuc)).toBeLessThan(0.1);
    const html = await readFile(path('judged.html'), 'utf8');
    expect(html.match(/<svg /g)).toHaveLength(6);
    expect(html).not.toMatch(/<script|NaN|undefined/);
  });

  test('a reranker with grades is a regression; --task and --activation decide otherwise', async () => {
    const graded = await line<Line>('bert-reranker.gguf', '--input', path('grades.csv'), ...titles);
    expect(graded.task).toBe('regression');
    const asked = ['--input', path('judged.jsonl'), '--task', 'regression', '--activation', 'sigmoid'];
    expect(await line<Line>('bert-reranker.gguf', ...asked)).toMatchObject({
      task: 'regression',
      activation: 'sigmoid',
    });
  });

  test('a reranker that is a language model has its template and the prompt', async () => {
    const checkpoint = writeCausal(causalModel('qwen3-turns'));
    const converted = await runCli(['convert', checkpoint, '-o', path('causal.gguf')]);
    expect(converted.code, converted.stderr).toBe(0);
    await using reranker = await CrossEncoder.load(path('causal.gguf'), { onWarning: () => undefined });
    const prompt = 'Find the passage.';
    const expected = await reranker.predict(causalPairs, { prompt });
    const graded = causalPairs.map(([text, pair], index) => ({ text, text_pair: pair, score: expected[index]!.score }));
    await writeFile(path('causal.jsonl'), jsonl(graded));
    const prompted = await line<Line>('causal.gguf', '--input', path('causal.jsonl'), '--prompt', prompt);
    expect(prompted.mse).toBeLessThan(1e-20);
    const plain = await line<Line>('causal.gguf', '--input', path('causal.jsonl'));
    expect(plain.mse).toBeGreaterThan(1e-6);

    await writeFile(path('lone.jsonl'), jsonl(graded.map(({ text, score }) => ({ text, score }))));
    const refused = await run('causal.gguf', '--input', path('lone.jsonl'), '--prompt', prompt);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('a prompt is for pairs');
  });

  test.each<[string, string[], string]>([
    ['a grade in a binary task', ['--input', 'grades.csv', ...titles, '--task', 'binary'], 'line 2 of'],
    ['a threshold for grades', ['--input', 'grades.csv', ...titles, '--threshold', '0.5'], 'expected 0 or 1'],
    [
      'a task of several labels',
      ['--input', 'judged.jsonl', '--task', 'multi-label'],
      'is not for a model with one label',
    ],
    ['a separator', ['--input', 'judged.jsonl', '--separator', ';'], '--separator is for multi-label models'],
    ['a threshold for a label', ['--input', 'judged.jsonl', '--threshold', 'a=1'], 'give the number alone'],
    ['labels in place of a number', ['--input', 'names.jsonl'], 'no "label" or "score"; expected a number'],
  ])('%s is refused', async (_, [flag = '', file = '', ...rest], message) => {
    const { code, stdout, stderr } = await run('bert-reranker.gguf', flag, path(file), ...rest);
    expect({ failed: code === 1 || code === 2, stdout }).toEqual({ failed: true, stdout: '' });
    expect(stderr).toContain(message);
  });
});

test.each<[string, string[], string]>([
  ['a task of one label', ['--task', 'binary'], '--task binary is not for a model with 5 labels'],
  ['an activation', ['--activation', 'none'], '--activation is for models with one label'],
  ['a threshold for no label', ['--threshold', 'mad=0.5'], "the model's labels are calm, angry, happy, bored, 10"],
  ['a threshold in percent', ['--threshold', '50'], 'the scores of a multi-label model go from 0 to 1'],
  ['a threshold that is no number', ['--threshold', 'calm='], 'It must be a number'],
  ['a title without its name', ['--column', 'comment_text'], 'It must be name=title'],
])('%s is wrong usage for a multi-label model', async (_, args, message) => {
  const { code, stdout, stderr } = await run('bert-multilabel.gguf', '--input', path('names.jsonl'), ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
});
