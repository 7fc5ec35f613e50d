// Cross-encoders in every layout that sentence-transformers has written, against the scores that it gives them itself.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CrossEncoder, convert } from 'ggml-encoder';

import { temporaryFolder } from './unit/convert/temp-folder';

interface Layout {
  /** Where the model's own files lie. */
  readonly at: string;
  readonly files: Readonly<Record<string, unknown>>;
  readonly expected: { readonly scores: number[][]; readonly activation: string; readonly maxLength: number };
}

interface Fixtures {
  readonly pairs: [string, string][];
  readonly models: Readonly<Record<string, Readonly<Record<string, Layout>>>>;
}

const ROOT = join(__dirname, 'fixtures/sentence-transformers');
const { pairs, models } = JSON.parse(readFileSync(join(ROOT, 'layouts.json'), 'utf8')) as Fixtures;
const cases = Object.entries(models).flatMap(([model, layouts]) =>
  Object.entries(layouts).map(([name, layout]) => ({ model, name, layout })),
);

function writeLayout(model: string, { at, files }: Layout, changes: Readonly<Record<string, unknown>> = {}): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, at), { recursive: true });
  for (const name of ['model.safetensors', 'tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(ROOT, model, name), join(folder, at, name));
  }
  for (const [path, content] of Object.entries({ ...files, ...changes })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), JSON.stringify(content));
  }
  return folder;
}

describe.each(cases)('$model, $name', ({ model, name, layout }) => {
  it('scores like CrossEncoder.predict', async () => {
    const { scores, activation, maxLength } = layout.expected;
    const folder = writeLayout(model, layout);
    const heard: string[] = [];
    await using encoder = await CrossEncoder.load(folder, {
      cacheDir: temporaryFolder(),
      onWarning: ({ code }) => heard.push(code),
    });
    expect(encoder.info.activation).toBe(activation === 'identity' ? 'none' : activation);
    expect(encoder.info.maxLength).toBe(maxLength);
    const results = await encoder.predict(pairs);
    let worst = 0;
    results.forEach((result, row) => {
      result.scores.forEach((score, label) => (worst = Math.max(worst, Math.abs(score - scores[row]![label]!))));
    });
    expect(results.map((result) => result.scores.length)).toEqual(scores.map((row) => row.length));
    expect(worst).toBeLessThanOrEqual(1e-5);
    // An activation of another package is worth a word, a tokenizer that names no class, and files that are passed over.
    const isWarned = ['foreign', 'cased', 'lower-case', 'no-modules', 'no-kind'].includes(name);
    expect(heard.includes('conversion')).toBe(isWarned);
  });
});

describe('what the layouts say', () => {
  const layout = models['labels-1']!['max-length']!;
  const [module] = layout.files['modules.json'] as Record<string, unknown>[];
  const converted = async (changes: Readonly<Record<string, unknown>>) =>
    convert(writeLayout('labels-1', layout, changes), { output: join(temporaryFolder(), 'out.gguf') });

  it('makes a difference to the scores, or the comparison would show nothing', () => {
    for (const layouts of Object.values(models)) {
      const scores = (name: string) => JSON.stringify(layouts[name]!.expected.scores);
      expect(scores('cased')).not.toBe(scores('lower-case'));
      expect(scores('prompted')).not.toBe(scores('max-length'));
      expect(scores('max-length')).not.toBe(scores('plain'));
    }
  });

  it.each([
    [[{ ...module, type: 'my_package.Transformer' }], 'architecture_unsupported', 'my_package.Transformer'],
    [
      [module, { ...module, type: 'sentence_transformers.models.Pooling' }],
      'architecture_unsupported',
      'embedding model',
    ],
    [
      [module, { ...module, path: '1_Dense', type: 'sentence_transformers.models.Dense' }],
      'architecture_unsupported',
      'model_type is CrossEncoder; Dense',
    ],
    [[module, { ...module, type: 'sentence_transformers.models.Dense' }], 'checkpoint_malformed', 'no folder'],
    [[{ ...module, path: '../outside' }], 'checkpoint_malformed', '../outside'],
    [[{ ...module, path: '1_Transformer' }], 'checkpoint_not_found', 'config.json'],
    [[{ ...module, type: undefined }], 'checkpoint_malformed', 'no type'],
    [{ 0: module }, 'checkpoint_malformed', 'no list of modules'],
    [[], 'checkpoint_malformed', 'no list of modules'],
  ])('is refused where it asks for something else: %j', async (modules, code, message) => {
    const attempt = converted({ 'modules.json': modules });
    await expect(attempt).rejects.toMatchObject({ code });
    await expect(attempt).rejects.toThrow(message);
  });

  it.each([
    ['sentence_bert_config.json', { max_seq_length: 'long' }],
    ['sentence_bert_config.json', { max_seq_length: 2 }],
    ['sentence_bert_config.json', { do_lower_case: 'yes' }],
    ['config_sentence_transformers.json', { model_type: 'CrossEncoder', activation_fn: 7 }],
    ['config_sentence_transformers.json', []],
  ])('is refused where it makes no sense: %s %j', async (name, content) => {
    await expect(converted({ [name]: content })).rejects.toMatchObject({ code: 'checkpoint_malformed' });
  });
});
