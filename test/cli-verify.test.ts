/** `convert --verify`: what it reports is what two conversions, run side by side, give. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Classifier, type TextInput } from 'ggml-encoder';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';
import { runCli } from './support/cli-process';

interface Report {
  readonly type: string;
  readonly verification?: { texts: number; maxLogitDifference: number; labelAgreement: number | null };
}

const TEXTS: TextInput[] = [
  'Iron rusts in wet air.',
  ...Array.from({ length: 40 }, (_, index) => `text ${index} of ${index * index}: ${'word '.repeat(index)}`),
  { text: 'How do plants make food?', textPair: 'Leaves turn light into sugar.' },
];
const LINES = TEXTS.map((input, index) =>
  typeof input === 'string'
    ? index % 2 === 0
      ? input
      : JSON.stringify(input)
    : JSON.stringify({ text: input.text, text_pair: input.textPair }),
);

let folder = '';
let texts = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-verify-'));
  texts = join(folder, 'texts.txt');
  await writeFile(texts, `${LINES.join('\r\n')}\n\n`);
  for (const name of ['bert-relu', 'bert-reranker']) await writeCheckpoint(goldenModel(name), join(folder, name));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function verified(name: string, type: string, source = texts, input = ''): Promise<Report> {
  const output = join(folder, `${name}-${type}.gguf`);
  const args = ['convert', join(folder, name), '-o', output, '--type', type, '--force', '--verify', source];
  const finished = await runCli(args, { input });
  expect(finished).toMatchObject({ code: 0 });
  return finished.json()[0] as Report;
}

async function logitsOf(path: string): Promise<Float32Array[]> {
  await using model = await Classifier.load(path, { onWarning: () => undefined });
  return (await model.classify(TEXTS, { logits: true })).map(({ logits }) => logits!);
}

const argmax = (row: Float32Array) => row.indexOf(Math.max(...row));

describe('convert --verify', () => {
  test('reports the largest difference of logits and how often the label is the same', async () => {
    const report = await verified('bert-relu', 'q8_0');
    await verified('bert-relu', 'f32');
    const exact = await logitsOf(join(folder, 'bert-relu-f32.gguf'));
    const smaller = await logitsOf(join(folder, 'bert-relu-q8_0.gguf'));
    const differences = exact.flatMap((row, index) =>
      Array.from(row, (x, label) => Math.abs(x - smaller[index]![label]!)),
    );
    const agreeing = exact.filter((row, index) => argmax(row) === argmax(smaller[index]!)).length;
    expect(report.type).toBe('q8_0');
    expect(report.verification).toEqual({
      texts: TEXTS.length,
      maxLogitDifference: expect.closeTo(Math.max(...differences), 6) as number,
      labelAgreement: agreeing / TEXTS.length,
    });
    expect(report.verification!.maxLogitDifference).toBeGreaterThan(0);
  });

  test('finds no difference between a file and itself, and leaves nothing behind', async () => {
    const { verification } = await verified('bert-relu', 'f32', '-', LINES.join('\n'));
    expect(verification).toEqual({ texts: TEXTS.length, maxLogitDifference: 0, labelAgreement: 1 });
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('has no agreement of labels to tell for a model of one label', async () => {
    const { verification } = await verified('bert-reranker', 'bf16');
    expect(verification!.labelAgreement).toBeNull();
    expect(verification!.maxLogitDifference).toBeGreaterThan(0);
  });

  test('says it in words to people', async () => {
    const output = join(folder, 'words.gguf');
    const source = join(folder, 'bert-relu');
    const { stdout } = await runCli(['convert', source, '-o', output, '--verify', texts, '--format', 'text']);
    expect(stdout).toMatch(
      new RegExp(`beside f32 on ${TEXTS.length} texts: logits differ by at most 0[^,]*, same label for 100.00 %`),
    );
  });

  test.each([
    ['no texts', '', 'input_invalid'],
    ['a bad line', 'good\n{"text": 1}\n', 'input_invalid'],
  ])('with %s fails by the line, keeps the converted file and nothing else', async (_, content, code) => {
    const output = join(folder, 'kept.gguf');
    const args = ['convert', join(folder, 'bert-relu'), '-o', output, '--force', '--verify', '-'];
    const { code: exitCode, stdout, stderr } = await runCli(args, { input: content });
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`[${code}]`);
    expect(await readdir(folder)).toContain('kept.gguf');
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('with texts that are not there converts nothing', async () => {
    const output = join(folder, 'never.gguf');
    const args = ['convert', join(folder, 'bert-relu'), '-o', output, '--verify', join(folder, 'absent.txt')];
    const { code, stderr } = await runCli(args);
    expect(code).toBe(1);
    expect(stderr).toContain('[io_failed]');
    expect(await readdir(folder)).not.toContain('never.gguf');
  });
});
