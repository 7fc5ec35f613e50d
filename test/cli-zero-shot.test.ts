/** ggml-encoder zero-shot (docs/cli.md), end to end with a converted checkpoint. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { ZeroShotClassifier } from '../src/index';
import { goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';
import { runCli } from './support/cli-process';

let folder = '';
let nli = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-zero-shot-'));
  const labels = { id2label: { 0: 'contradiction', 1: 'entailment', 2: 'neutral' }, label2id: undefined };
  await writeCheckpoint(goldenModel('bert-old-names'), join(folder, 'nli'), { config: labels });
  nli = join(folder, 'nli.gguf');
  expect(await runCli(['convert', join(folder, 'nli'), '-o', nli])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const command = ['zero-shot', '--labels', 'billing, support,,sales'];

test('prints exactly what the API gives, one line per text', async () => {
  const texts = ['My invoice is wrong.', 'Thank you!'];
  const input = `${JSON.stringify(texts[0])}\n{"text": ${JSON.stringify(texts[1])}}\n`;
  const options = ['-m', nli, '--multi-label', '--template', 'About {}.', '--input', '-'];
  const { code, stderr, json } = await runCli([...command, ...options], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await using classifier = await ZeroShotClassifier.load(nli);
  const expected = await classifier.classify(texts, ['billing', 'support', 'sales'], {
    multiLabel: true,
    hypothesisTemplate: 'About {}.',
  });
  expect(json()).toEqual(expected);
  expect(Object.keys(json()[0]!)).toEqual(['label', 'score', 'labels', 'scores', 'tokens', 'truncated']);
});

test('on request the output is for people', async () => {
  const { code, stdout } = await runCli([...command, '-m', nli, '--format', 'text', 'a text']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^a text\n( {2}(billing|support|sales) *0\.\d{4} {2}[█▏▎▍▌▋▊▉]*\n){3}$/);
});

test('a pair is refused by its line, the lines before it are answered', async () => {
  const input = '"one"\n{"text": "two", "text_pair": "three"}\n';
  const { code, stderr, json } = await runCli([...command, '-m', nli, '--input', '-'], { input });
  expect(code).toBe(1);
  expect(json()).toHaveLength(1);
  expect(stderr).toMatch(
    /error \[input_invalid\]: line 2 of the standard input: found "text_pair"; expected a JSON string or \{"text": ...\}\n/,
  );
});

test('a model that names no entailment is refused, unless the label is named', async () => {
  const other = join(folder, 'other');
  await writeCheckpoint(goldenModel('bert-relu'), other);
  const env = { GGML_ENCODER_CACHE: join(folder, 'cache') };
  const refused = await runCli([...command, '-m', other, 'a text'], { env });
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/error \[architecture_unsupported\]: .+ \(no, yes\) starts with "entail"/);
  // By its own name, and not that of the file that it was converted to.
  expect(refused.stderr).toContain(`the model ${other} cannot classify zero-shot`);
  expect(await runCli([...command, '-m', other, '--entailment', 'yes', 'a text'], { env })).toMatchObject({ code: 0 });
});

test.each<[string, string[]]>([
  ['no labels', ['--labels', ' , ']],
  ['a template without a place', ['--labels', 'a', '--template', 'about']],
  ['an entailment that the model does not have', ['--labels', 'a', '--entailment', 'yes']],
])('%s is wrong usage', async (_, options) => {
  const { code, stderr } = await runCli(['zero-shot', '-m', nli, ...options, 'a text']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^ggml-encoder: error \[usage\]: /);
});
