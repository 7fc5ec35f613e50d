/** Replays what transformers' pipelines and sentence-transformers' CrossEncoder answered (scripts/make-conformance.py). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import { Classifier, CrossEncoder, ZeroShotClassifier } from '../src/index';
import { goldenInputs, goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';

const MAX_DIFFERENCE = 1e-4;

/** What all cases have: the checkpoint, the same call in our API, and places in texts.json or pairs.json. */
interface Case {
  readonly name: string;
  readonly model: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Files beside the fixture's, or in their place, by name. */
  readonly files?: Readonly<Record<string, unknown>>;
  readonly options: object;
  readonly inputs: readonly number[];
}
/** What a case of prompts has besides. */
interface PromptSettings {
  readonly load?: object;
}
type LabelRow = readonly (readonly [label: string, score: number])[];
interface ClassifyCase extends Case {
  readonly expected: readonly LabelRow[];
}
interface ZeroShotCase extends ClassifyCase {
  readonly labels: readonly string[];
}
interface PredictCase extends Case, PromptSettings {
  readonly method: 'predict';
  readonly expected: readonly (readonly number[])[];
}
interface RankCase extends Case, PromptSettings {
  readonly method: 'rank';
  readonly query: number;
  readonly expected: readonly (readonly [index: number, score: number, text?: string])[];
}

const folder = mkdtempSync(join(tmpdir(), 'ggml-encoder-conformance-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Literal special tokens in a text become the tokens, as in transformers.
const parse = { specialTokens: 'parse' } as const;
const texts = goldenInputs('texts') as string[];
const pairs = goldenInputs('pairs') as [string, string][];

function casesOf<Kind extends Case>(file: string): [string, Kind][] {
  const path = join(__dirname, 'fixtures', 'conformance', `${file}.json`);
  return (JSON.parse(readFileSync(path, 'utf8')) as { cases: Kind[] }).cases.map((entry) => [entry.name, entry]);
}

async function checkpoint({ name, model, config, files = {} }: Case): Promise<string> {
  const path = join(folder, name.replaceAll(/\W+/g, '-'));
  // A null drops a key.
  const changes = Object.entries(config).map(([key, value]) => [key, value ?? undefined] as const);
  await writeCheckpoint(goldenModel(model), path, { config: Object.fromEntries(changes) });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), JSON.stringify(content));
  return path;
}

const loadOptions = { cacheDir: join(folder, 'cache'), threads: 2, onWarning: () => {} };

function expectNear(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThan(MAX_DIFFERENCE);
}

describe("transformers' text-classification pipeline", () => {
  test.each(casesOf<ClassifyCase>('text-classification'))('%s', async (_, entry) => {
    await using classifier = await Classifier.load(await checkpoint(entry), loadOptions);
    const inPairs = goldenModel(entry.model).inputs === 'pairs';
    const inputs = entry.inputs.map((place) =>
      inPairs ? { text: pairs[place]![0], textPair: pairs[place]![1] } : texts[place]!,
    );
    const results = await classifier.classify(inputs, { ...entry.options, ...parse });
    expect(results).toHaveLength(entry.expected.length);
    results.forEach(({ label, score, scores }, index) => {
      const expected = entry.expected[index]!;
      expect(label).toBe(expected[0]![0]);
      expectNear(score, expected[0]![1]);
      // A call without top_k lists the best label only.
      expect(scores.slice(0, expected.length).map((one) => one.label)).toEqual(expected.map(([name]) => name));
      expected.forEach(([, value], place) => expectNear(scores[place]!.score, value));
    });
  });
});

describe("transformers' zero-shot-classification pipeline", () => {
  test.each(casesOf<ZeroShotCase>('zero-shot'))('%s', async (_, entry) => {
    await using classifier = await ZeroShotClassifier.load(await checkpoint(entry), loadOptions);
    const inputs = entry.inputs.map((place) => texts[place]!);
    const results = await classifier.classify(inputs, entry.labels, { ...entry.options, ...parse });
    expect(results).toHaveLength(entry.expected.length);
    results.forEach(({ label, score, labels, scores }, index) => {
      const expected = entry.expected[index]!;
      expect(labels).toEqual(expected.map(([name]) => name));
      expected.forEach(([, value], place) => expectNear(scores[place]!, value));
      expect([label, score]).toEqual([labels[0], scores[0]]);
    });
  });
});

const crossEncoderCases = ['cross-encoder', 'prompts'].flatMap((file) => casesOf<PredictCase | RankCase>(file));

describe("sentence-transformers' CrossEncoder", () => {
  test.each(crossEncoderCases)('%s', async (_, entry) => {
    await using crossEncoder = await CrossEncoder.load(await checkpoint(entry), { ...loadOptions, ...entry.load });
    const options = { ...entry.options, ...parse };
    if (entry.method === 'rank') {
      const documents = entry.inputs.map((place) => texts[place]!);
      const ranked = await crossEncoder.rank(texts[entry.query]!, documents, options);
      expect(ranked.map(({ index }) => index)).toEqual(entry.expected.map(([index]) => index));
      expect(ranked.map(({ document }) => document)).toEqual(entry.expected.map(([, , text]) => text));
      ranked.forEach(({ score }, place) => expectNear(score, entry.expected[place]![1]));
      return;
    }
    const results = await crossEncoder.predict(
      entry.inputs.map((place) => pairs[place]!),
      options,
    );
    expect(results).toHaveLength(entry.expected.length);
    results.forEach(({ scores }, index) => {
      const expected = entry.expected[index]!;
      expect(scores).toHaveLength(expected.length);
      expected.forEach((value, label) => expectNear(scores[label]!, value));
    });
  });
});
