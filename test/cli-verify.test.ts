/** `convert --verify`: what it reports is what two conversions, run side by side, give. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Classifier, CrossEncoder, type TextInput } from 'ggml-encoder';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';
import {
  interactionDocuments,
  interactionModels,
  interactionQueries,
  writeInteraction,
} from './golden/interaction-checkpoints';
import { labelModels, writeLabelModel } from './golden/label-checkpoints';
import { listCalls, writeListModel } from './golden/list-checkpoints';
import { runCli } from './support/cli-process';

interface Report {
  readonly type: string;
  readonly verification?: { texts: number; maxLogitDifference: number; labelAgreement: number | null; lists?: number };
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

  test('ranks lists by a model that reads them', async () => {
    writeListModel(undefined, {}, 'lists', folder);
    const { query, documents } = listCalls[0]!;
    const lists: [string, readonly string[]][] = [
      [query, documents],
      ['Where is salt?', documents.slice(0, 3)],
    ];
    const lines = [
      ...[query, ...documents],
      ...lists[1]![1].map((text_pair) => JSON.stringify({ text: lists[1]![0], text_pair })),
    ];
    const source = lines.join('\n');
    const { verification: same } = await verified('lists', 'f32', '-', source);
    const counts = { texts: lines.length, lists: 2 };
    expect(same).toEqual({ ...counts, maxScoreDifference: 0, bestAgreement: 1, orderAgreement: 1 });

    const { verification } = await verified('lists', 'q4_0', '-', source);
    const ranked = await Promise.all(
      ['f32', 'q4_0'].map(async (type) => {
        await using model = await CrossEncoder.load(join(folder, `lists-${type}.gguf`));
        const results = [];
        for (const [text, texts] of lists) results.push(await model.rank(text, texts));
        return results;
      }),
    );
    let [pairs, alike, best, difference] = [0, 0, 0, 0];
    lists.forEach(([, texts], list) => {
      const [exact, smaller] = ranked.map((results) => results[list]!);
      if (exact![0]!.index === smaller![0]!.index) best += 1;
      const placeOf = (results: typeof exact, index: number) => results!.findIndex((result) => result.index === index);
      for (let one = 0; one < texts.length; one++) {
        const [a, b] = [exact![placeOf(exact, one)]!, smaller![placeOf(smaller, one)]!];
        difference = Math.max(difference, Math.abs(a.score - b.score));
        for (let other = 0; other < one; other++) {
          const [before, then] = [exact, smaller].map((results) => placeOf(results, other) < placeOf(results, one));
          pairs += 1;
          if (before === then) alike += 1;
        }
      }
    });
    expect(verification).toEqual({
      ...counts,
      maxScoreDifference: expect.closeTo(difference, 6) as number,
      bestAgreement: best / 2,
      orderAgreement: alike / pairs,
    });
    expect(difference).toBeGreaterThan(0);
    expect(alike).toBeLessThan(pairs);
  });

  test('ranks lists by a model that reads query and document apart', async () => {
    const [query, documents] = [interactionQueries[0]!, interactionDocuments.filter((text) => text.trim() !== '')];
    writeInteraction(interactionModels[0]!, {}, join(folder, 'apart'));
    const { verification } = await verified(
      'apart',
      'q8_0',
      '-',
      JSON.stringify(query) + '\n' + documents.map((text) => JSON.stringify(text)).join('\n'),
    );
    await verified('apart', 'f32');
    const scores: number[][] = [];
    for (const type of ['f32', 'q8_0']) {
      await using model = await CrossEncoder.load(join(folder, `apart-${type}.gguf`), { onWarning: () => undefined });
      const pairs = documents.map((text): [string, string] => [query, text]);
      scores.push((await model.predict(pairs, { activation: 'none' })).map(({ score }) => score));
    }
    const difference = Math.max(...scores[0]!.map((score, index) => Math.abs(score - scores[1]![index]!)));
    expect(verification).toMatchObject({
      texts: 1 + documents.length,
      lists: 1,
      maxScoreDifference: expect.closeTo(difference, 6) as number,
    });
    expect(difference).toBeGreaterThan(0);
  });

  test('of a model that reads the labels of each call says that it has none to give', async () => {
    const source = writeLabelModel(labelModels[0]!);
    const args = ['convert', source, '-o', join(folder, 'labels.gguf'), '--verify', texts];
    const { code, stderr } = await runCli(args);
    expect(code).toBe(1);
    expect(stderr).toContain('[architecture_unsupported]: --verify has no labels');
    expect(await readdir(folder)).toContain('labels.gguf');
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
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
