/** ggml-encoder evaluate (docs/cli.md), end to end with converted checkpoints. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Classifier } from '../src/index';
import { goldenInputs, goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';
import { runCli } from './support/cli-process';

interface Line {
  readonly examples: number;
  readonly accuracy: number;
  readonly classes: readonly { readonly label: string; readonly support: number }[];
  readonly confusion: readonly (readonly number[])[];
  readonly compare?: { readonly accuracy: number; readonly agreement: number; readonly maxLogitDifference: number };
}

const texts = (goldenInputs('texts') as string[]).slice(0, 60);
/** Right two times out of three, so that there is something to measure. */
let labelled: { text: string; label: string }[] = [];
let folder = '';
let model = '';
let quantized = '';

const path = (name: string): string => join(folder, name);
const run = async (...args: string[]) => runCli(['evaluate', '-m', model, ...args]);
const jsonl = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-evaluate-'));
  await writeCheckpoint(goldenModel('tinymodel1'), path('checkpoint'));
  [model, quantized] = [path('model.gguf'), path('q8_0.gguf')];
  expect(await runCli(['convert', path('checkpoint'), '-o', model])).toMatchObject({ code: 0 });
  expect(await runCli(['convert', path('checkpoint'), '-o', quantized, '--type', 'q8_0'])).toMatchObject({ code: 0 });
  await using classifier = await Classifier.load(model);
  const { labels } = classifier.info;
  const results = await classifier.classify(texts);
  labelled = texts.map((text, index) => ({
    text,
    label: index % 3 === 0 ? labels[(index / 3) % 4]! : results[index]!.label,
  }));
  await writeFile(path('test.jsonl'), jsonl(labelled));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('prints exactly the documented keys', async () => {
  const { code, stderr, json } = await run('--input', path('test.jsonl'));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [line] = json() as Line[];
  expect(Object.keys(line!)).toEqual(
    ['model', 'examples', 'truncated', 'accuracy', 'macro', 'weighted', 'rocAuc', 'logLoss', 'calibrationError'].concat(
      ['classes', 'confusion'],
    ),
  );
  expect(line!.examples).toBe(60);
  expect(line!.accuracy).toBeGreaterThanOrEqual(2 / 3);
  expect(line!.confusion.flat().reduce((sum, count) => sum + count)).toBe(60);
  expect(line!.classes.map(({ label }) => label)).toEqual(['World', 'Sports', 'Business', 'Sci/Tech']);
});

test('CSV, stdin, label places and --json give the same', async () => {
  const expected = (await run('--input', path('test.jsonl'))).stdout;
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const rows = labelled.map(({ text, label }, index) => `${index},${label},${quote(text)}\r\n`);
  await writeFile(path('test.CSV'), `id,label,text\r\n${rows.join('')}`);
  expect((await run('--input', path('test.CSV'), '--json')).stdout).toBe(expected);

  const labels = ['World', 'Sports', 'Business', 'Sci/Tech'];
  const input = jsonl(labelled.map(({ text, label }) => ({ text, label: labels.indexOf(label) })));
  expect((await runCli(['evaluate', '-m', model, '--input', '-'], { input })).stdout).toBe(expected);
});

test('--compare tells how far two models are apart', async () => {
  const same = await run('--input', path('test.jsonl'), '--compare', model);
  const [own] = same.json() as Line[];
  expect(own!.compare).toMatchObject({ accuracy: own!.accuracy, agreement: 1, maxLogitDifference: 0 });

  const [line] = (await run('--input', path('test.jsonl'), '--compare', quantized)).json() as Line[];
  expect(line!.compare!.maxLogitDifference).toBeGreaterThan(0);
  expect(line!.compare!.maxLogitDifference).toBeLessThan(1);
  expect(line!.compare!.agreement).toBeGreaterThan(0.8);
});

test('the report stands on its own and names what it measures', async () => {
  const report = path('report.html');
  const args = ['--input', path('test.jsonl'), '--compare', quantized, '--report', report, '--format', 'text'];
  const { code, stdout } = await run(...args);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^accuracy +0\.\d{4}\nROC AUC /);
  expect(stdout).toMatch(/\nSci\/Tech( +0\.\d{4}){3} +\d+ +0\.\d{4}\n/);
  expect(stdout).toMatch(/\nright, taken for +World +Sports +Business +Sci\/Tech\n(?:\S+( +\d+){4}\n){4}/);
  expect(stdout).toMatch(/\nsame labels +[01]\.\d{4}\n/);
  const html = await readFile(report, 'utf8');
  expect(html.match(/<svg /g)).toHaveLength(4);
  for (const text of ['model.gguf on test.jsonl', '>Sci/Tech</text>', 'Compared with q8_0.gguf', 'macro average']) {
    expect(html).toContain(text);
  }
  // Nothing to load and nothing to run.
  expect(html).not.toMatch(/<script|<link|<img|https?:|url\(|NaN|undefined/);
});

test('names from a model cannot write markup', async () => {
  const names = ['<script>alert(1)</script>', '"&', "'", 'd'];
  const id2label = Object.fromEntries(names.entries());
  await writeCheckpoint(goldenModel('tinymodel1'), path('hostile'), { config: { id2label, label2id: undefined } });
  const input = jsonl(texts.map((text, index) => ({ text, label: index % 4 })));
  const env = { GGML_ENCODER_CACHE: path('cache') };
  const args = ['evaluate', '-m', path('hostile'), '--input', '-', '--report', path('hostile.html')];
  expect(await runCli(args, { input, env })).toMatchObject({ code: 0 });
  const html = await readFile(path('hostile.html'), 'utf8');
  expect(html).not.toContain('<script');
  expect(html).toContain('&lt;script&gt;');
});

describe('refusals', () => {
  test('a label that the model does not have, by its line; no report is written', async () => {
    await writeFile(path('bad.jsonl'), jsonl([labelled[0], { text: 'x', label: 'Weather' }]));
    const { code, stdout, stderr } = await run('--input', path('bad.jsonl'), '--report', path('bad.html'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /error \[input_invalid\]: line 2 of .+: the label "Weather" is not one of the model's labels/,
    );
    await expect(stat(path('bad.html'))).rejects.toThrow();
  });

  test('nothing to evaluate', async () => {
    await writeFile(path('empty.csv'), 'text,label\n');
    const { code, stderr } = await run('--input', path('empty.csv'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/error \[input_invalid\]: .+ holds no examples/);
  });

  test('a model with other labels', async () => {
    const env = { GGML_ENCODER_CACHE: path('cache') };
    await writeCheckpoint(goldenModel('bert-multilabel'), path('bert-multilabel'));
    const args = ['evaluate', '-m', model, '--input', path('test.jsonl'), '--compare', path('bert-multilabel')];
    const { code, stderr } = await runCli(args, { env });
    expect(code).toBe(2);
    expect(stderr).toContain('models with different labels cannot be compared');
  });

  test('a report over its own input', async () => {
    const { code, stderr } = await run('--input', path('test.jsonl'), '--report', path('test.jsonl'));
    expect(code).toBe(2);
    expect(stderr).toContain('would overwrite the input');
  });

  test('a report where there is no folder for it, before anything is loaded', async () => {
    const { code, stdout, stderr } = await runCli([
      'evaluate',
      '-m',
      path('none.gguf'),
      '--input',
      path('test.jsonl'),
      '--report',
      path('none/a.html'),
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/error \[io_failed\]: cannot write .+a\.html: ENOENT/);
  });
});
