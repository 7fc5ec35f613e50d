// GGML_ENCODER_MAX_ISA is obeyed, and every instruction set this machine has gives the same answers. The variable is read
// once a process, so each value gets a process of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convert, devices } from 'ggml-encoder';
import { goldenModel, goldenRows, writeCheckpoint } from '../golden/checkpoint-fixture';

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-isa-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const root = path.join(__dirname, '..', '..');
const isas = devices().find((device) => device.id === 'cpu')!.isa;
/** Its rows are no multiple of 32: q8_0 is rounded when it is loaded. */
const golden = goldenModel('tinybert-nli');

/** Prints what a classifier reports of itself and its logits for the texts on standard input. */
const SCRIPT = `
  const { Classifier } = require(${JSON.stringify(root)});
  let input = '';
  process.stdin.on('data', (chunk) => (input += chunk)).on('end', async () => {
    try {
      const model = await Classifier.load(process.argv[1], { threads: 2 });
      const results = await model.classify(JSON.parse(input), { logits: true, specialTokens: 'parse' });
      const { kernels, computeType } = model.info;
      console.log(JSON.stringify({ kernels, computeType, logits: results.map((r) => Array.from(r.logits)) }));
      await model.dispose();
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message }));
    }
  });`;

interface Answer {
  kernels: string;
  computeType: string;
  logits: number[][];
}

function runWith(maxIsa: string, file: string, input: string): string {
  const env = { ...process.env, GGML_ENCODER_MAX_ISA: maxIsa };
  return execFileSync(process.execPath, ['-e', SCRIPT, file], { cwd: root, env, input, encoding: 'utf8' });
}

describe.each(['f32', 'bf16', 'q8_0'] as const)('%s', (type) => {
  const file = path.join(folder, `${type}.gguf`);
  let input: string;
  let expected: readonly (readonly number[])[];
  beforeAll(async () => {
    const checkpoint = path.join(folder, `checkpoint-${type}`);
    await writeCheckpoint(golden, checkpoint);
    await convert(checkpoint, { output: file, type });
    const rows = (await goldenRows(golden)).filter((_, index) => index % 40 === 0);
    input = JSON.stringify(rows.map(({ text, pair }) => (pair === null ? text : { text, textPair: pair })));
    expected = rows.map((row) => row.logits);
  });

  it.each(isas)('%s', (isa) => {
    const answer = JSON.parse(runWith(isa, file, input)) as Answer;
    expect(answer.kernels).toBe(isa);
    expect(answer.computeType).toBe(type);
    const bound = { f32: 2e-4, bf16: 0.3, q8_0: 0.3 }[type];
    answer.logits.forEach((logits, index) => {
      logits.forEach((logit, label) => expect(Math.abs(logit - expected[index]![label]!)).toBeLessThanOrEqual(bound));
    });
  });
});

it('refuses a word it does not know', () => {
  const { status, stdout } = spawnSync(process.execPath, ['-e', SCRIPT, path.join(folder, 'f32.gguf')], {
    cwd: root,
    env: { ...process.env, GGML_ENCODER_MAX_ISA: 'avx1024' },
    input: '["a text"]',
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    code: 'isa_unsupported',
    message: expect.stringContaining('avx1024') as string,
  });
});
