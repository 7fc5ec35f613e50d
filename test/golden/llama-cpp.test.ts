/**
 * Files that llama.cpp's own converter and quantizer made (scripts/make-llama-cpp-fixtures.py) against transformers on the
 * same weights: what the files leave open is filled in, and warned of, by our rules.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, convert } from 'ggml-encoder';
import { readGgufHead } from '../../src/gguf/reader';

const FIXTURES = path.join(__dirname, '../fixtures/llama-cpp');

interface Expected {
  readonly inputs: (string | { text: string; textPair: string })[];
  readonly logits: Readonly<Record<string, number[][]>>;
}

/** Largest |logit - transformers float32| where neither activations nor weights are rounded. */
const BOUND = 5e-4;
/** Where values of K types are kept as f16. */
const F16_BOUND = 5e-3;
/**
 * Root mean square of logit - transformers float32 where activations are rounded to 7 or 8 bits. Most of these models are 32 wide, so
 * a logit errs like a sum of few roundings: the largest of 21 errors, three times as large, varies by half from rule to rule.
 */
const ROUNDED_BOUND = 0.05;

interface Case {
  readonly name: string;
  /** Of most weights in the layers once they are ours, and what our kernels compute it in. */
  readonly weightType: string;
  readonly computeType: 'f32' | 'q8_0';
  /** Of our kernels where they compute in f32, if it is not `BOUND`. */
  readonly bound?: number;
  /** `conversion`: queries, keys and values had different types. */
  readonly warnings: readonly string[];
  readonly labels: readonly string[];
  /** Whether the portable graph rounds activations, as it does for every quantized type; ours do where their type says so. */
  readonly rounded: boolean;
}

const NLI = ['entailment', 'neutral', 'contradiction'];
const RERANKER = ['LABEL_0'];

const CASES: readonly Case[] = [
  { name: 'bert', weightType: 'f16', computeType: 'f32', warnings: ['pooler_missing'], labels: NLI, rounded: false },
  {
    name: 'distilbert',
    weightType: 'f32',
    computeType: 'f32',
    warnings: ['head_activation_assumed'],
    labels: NLI,
    rounded: false,
  },
  { name: 'roberta', weightType: 'f16', computeType: 'f32', warnings: [], labels: NLI, rounded: false },
  {
    name: 'modernbert',
    weightType: 'f32',
    computeType: 'f32',
    warnings: ['pooling_assumed'],
    labels: NLI,
    rounded: false,
  },
  {
    name: 'qwen3-reranker',
    weightType: 'f32',
    computeType: 'f32',
    warnings: ['prompt_template_unused'],
    labels: ['yes', 'no'],
    rounded: false,
  },
  { name: 'bge-reranker', weightType: 'q8_0', computeType: 'q8_0', warnings: [], labels: RERANKER, rounded: true },
  { name: 'bge-reranker-q5_0', weightType: 'q5_0', computeType: 'q8_0', warnings: [], labels: RERANKER, rounded: true },
  {
    name: 'bge-reranker-q4_k_m',
    weightType: 'f16',
    computeType: 'f32',
    bound: F16_BOUND,
    warnings: ['conversion'],
    labels: RERANKER,
    rounded: true,
  },
  {
    name: 'bge-reranker-q3_k_m',
    weightType: 'f16',
    computeType: 'f32',
    bound: F16_BOUND,
    warnings: ['conversion'],
    labels: RERANKER,
    rounded: true,
  },
];

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-llama-cpp-'));
const cacheDir = path.join(folder, 'cache');
const expected = JSON.parse(readFileSync(path.join(FIXTURES, 'expected.json'), 'utf8')) as Expected;

beforeAll(() => {
  for (const name of readdirSync(FIXTURES)) {
    if (!name.endsWith('.gz')) continue;
    writeFileSync(path.join(folder, name.slice(0, -3)), gunzipSync(readFileSync(path.join(FIXTURES, name))));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function differences(name: string, rows: readonly Float32Array[]): number[] {
  const wanted = expected.logits[name]!;
  expect(rows.map((row) => row.length)).toEqual(wanted.map((row) => row.length));
  return rows.flatMap((row, index) => Array.from(row, (logit, label) => Math.abs(logit - wanted[index]![label]!)));
}

function largestDifference(name: string, rows: readonly Float32Array[]): number {
  return Math.max(...differences(name, rows));
}

function rootMeanSquareDifference(name: string, rows: readonly Float32Array[]): number {
  const all = differences(name, rows);
  return Math.sqrt(all.reduce((sum, difference) => sum + difference ** 2, 0) / all.length);
}

async function logits(model: Classifier): Promise<Float32Array[]> {
  const results = await model.classify(expected.inputs, { logits: true, specialTokens: 'parse' });
  return results.map((result) => result.logits!);
}

it('has a case for every file', () => {
  const files = readdirSync(FIXTURES).flatMap((name) => (name.endsWith('.gguf.gz') ? [name.slice(0, -8)] : []));
  expect(files.sort()).toEqual(CASES.map(({ name }) => name).sort());
});

describe.each(CASES)('$name', ({ name, weightType, computeType, bound, warnings, labels, rounded }) => {
  const file = path.join(folder, `${name}.gguf`);

  it('loads as it is', async () => {
    await using model = await Classifier.load(file, { cacheDir, threads: 2 });
    expect(model.info).toMatchObject({ labels, weightType, computeType, architecture: expect.any(String) });
    expect(model.info.warnings.map(({ code }) => code)).toEqual(warnings);
    for (const { message } of model.info.warnings) expect(message).not.toContain('reports');
    if (computeType === 'f32') expect(largestDifference(name, await logits(model))).toBeLessThanOrEqual(bound ?? BOUND);
    else expect(rootMeanSquareDifference(name, await logits(model))).toBeLessThanOrEqual(ROUNDED_BOUND);
  });

  it('runs on the portable graph', async () => {
    await using model = await Classifier.load(file, { cacheDir, kernels: 'portable', threads: 2 });
    if (rounded) expect(rootMeanSquareDifference(name, await logits(model))).toBeLessThanOrEqual(ROUNDED_BOUND);
    else expect(largestDifference(name, await logits(model))).toBeLessThanOrEqual(BOUND);
  });

  it('becomes f32 without a loss', async () => {
    const output = path.join(folder, `${name}.f32.gguf`);
    const result = await convert(file, { output, type: 'f32' });
    expect(result.type).toBe('f32');
    await using model = await Classifier.load(output, { threads: 2 });
    expect(largestDifference(name, await logits(model))).toBeLessThanOrEqual(BOUND);
  });
});

it('keeps the types of what is not joined', async () => {
  for (const [name, kept] of [
    ['bge-reranker-q4_k_m', ['q4_k', 'q6_k']],
    ['bge-reranker-q3_k_m', ['q3_k', 'q4_k']],
  ] as const) {
    const output = path.join(folder, `${name}.kept.gguf`);
    const { warnings } = await convert(path.join(folder, `${name}.gguf`), { output });
    expect(warnings).toEqual([expect.stringContaining('blk.0.attn_qkv.weight')]);
    const { tensors } = await readGgufHead(output);
    expect([...new Set(tensors.map(({ type }) => type.name))]).toEqual(expect.arrayContaining([...kept]));
  }
});

it('ranks with a file of one label', async () => {
  await using model = await CrossEncoder.load(path.join(folder, 'bge-reranker.gguf'), { cacheDir, threads: 2 });
  const pairs = expected.inputs.filter((input) => typeof input !== 'string');
  const query = pairs[0]!.text;
  const ranked = await model.rank(query, [pairs[0]!.textPair, pairs[1]!.textPair]);
  expect(ranked).toHaveLength(2);
  const [prediction] = await model.predict([[query, pairs[0]!.textPair]]);
  const logit = expected.logits['bge-reranker']![expected.inputs.indexOf(pairs[0]!)]![0]!;
  expect(Math.abs(prediction!.score - 1 / (1 + Math.exp(-logit)))).toBeLessThan(0.03);
});
