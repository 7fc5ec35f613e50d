// SetFit's models, against the probabilities that scikit-learn gives the embeddings of sentence-transformers.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, convert, isEncoderError } from 'ggml-encoder';

import { type Engine, deviceSlack, engineOptions } from './golden/engines';
import { type ModuleHeadChanges, writeModuleHead } from './golden/module-head-checkpoints';
import { type SetFitModel, setFitModel, setFitModels, setFitTexts, writeSetFit } from './golden/setfit-checkpoints';
import {
  LOGISTIC,
  arrayOpcodes,
  floats,
  instance,
  logisticAttributes,
  multiOutput,
  sklearnFile,
} from './unit/convert/readers/sklearn-builder';
import { pickle } from './unit/convert/readers/torch-builder';
import { temporaryFolder } from './unit/convert/temp-folder';

/** Largest |probability - scikit-learn's|, whose embeddings are in f32 and sums in f64. */
const TOLERANCE = 1e-5;
const ENGINES: readonly Engine[] = ['auto', 'portable', 'device'];

/** The head with one of its short strings replaced; lengths of frames, which nobody reads, stay as they are. */
function patched(model: SetFitModel, from: string, to: string): Buffer {
  const text = (value: string) => String.fromCharCode(0x8c, value.length) + value;
  const bytes = Buffer.from(model.head, 'base64').toString('latin1');
  expect(bytes).toContain(text(from));
  return Buffer.from(bytes.replace(text(from), text(to)), 'latin1');
}

async function refusal(folder: string): Promise<{ code: string; message: string }> {
  const error: unknown = await convert(folder, { output: join(temporaryFolder(), 'm.gguf') }).catch((e: unknown) => e);
  if (!isEncoderError(error)) throw new Error('it was converted', { cause: error });
  return error;
}

describe.each(setFitModels)('$name', (model) => {
  const { labels, isMultiLabel, maxLength, scores } = model.expected;

  it.each(ENGINES)('has the labels and probabilities of scikit-learn: %s', async (engine) => {
    const options = { ...engineOptions(engine), cacheDir: temporaryFolder(), onWarning: () => undefined };
    await using classifier = await Classifier.load(writeSetFit(model), options);
    expect(classifier.info).toMatchObject({ labels, maxLength, sourceClass: 'SetFitModel' });
    expect(classifier.info.problemType === 'multi_label_classification').toBe(isMultiLabel);
    const results = await classifier.classify(setFitTexts);
    const worst = results.flatMap(({ scores: own }, row) =>
      own.map(({ label, score }) => Math.abs(score - scores[row]![labels.indexOf(label)]!)),
    );
    expect(worst.length).toBe(setFitTexts.length * labels.length);
    expect(Math.max(...worst)).toBeLessThan(TOLERANCE + deviceSlack(engine));
  });

  it('tells texts apart, or the comparison would show nothing', () => {
    for (const column of labels.keys()) {
      const values = scores.map((row) => row[column]!);
      expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.2);
    }
  });
});

describe('a SetFit model', () => {
  const topics = setFitModel('mpnet-topics');

  it('takes labels that are passed, and the numbers of its classes where nothing names them', async () => {
    const labelsOf = async (folder: string, labels?: string[]): Promise<readonly string[]> => {
      const output = join(temporaryFolder(), 'm.gguf');
      await convert(folder, { output, labels });
      await using classifier = await Classifier.load(output);
      return classifier.info.labels;
    };
    expect(await labelsOf(writeSetFit(topics), ['x', 'y', 'z'])).toEqual(['x', 'y', 'z']);
    expect(await labelsOf(writeSetFit(topics, { files: { 'config_setfit.json': undefined } }))).toEqual([
      '0',
      '1',
      '2',
    ]);
  });

  it('is refused by name where its head is another one', async () => {
    const binary = setFitModel('bert-binary');
    const several = setFitModel('mpnet-multilabel');
    const cases: [Buffer, SetFitModel, string, RegExp][] = [
      [
        patched(topics, 'LogisticRegression', 'LogisticRegressionCV'),
        topics,
        'architecture_unsupported',
        /_logistic\.LogisticRegressionCV.*nothing was run.*LogisticRegression, OneVsRestClassifier, MultiOutputClassifier$/,
      ],
      [patched(topics, 'lbfgs', 'liblinear'), topics, 'architecture_unsupported', /solver=liblinear and 3 classes/],
      [
        patched(several, 'multilabel-indicator', 'multiclass'),
        several,
        'architecture_unsupported',
        /OneVsRestClassifier for one label/,
      ],
      [patched(binary, 'coef_', 'coefs_'), binary, 'checkpoint_malformed', /without coef_; it was not fitted/],
      [Buffer.from('789c0300', 'hex'), topics, 'checkpoint_malformed', /no plain pickle.*joblib\.dump/],
    ];
    for (const [head, model, code, message] of cases) {
      const error = await refusal(writeSetFit(model, {}, head));
      expect(error.code, error.message).toBe(code);
      expect(error.message).toMatch(message);
      expect(error.message).toContain('model_head.pkl');
    }
  });

  it('is refused where its parts do not fit together', async () => {
    const settings = (more: object) => ({
      files: { 'config_setfit.json': { ...(topics.files['config_setfit.json'] as object), ...more } },
    });
    const cases: [ModuleHeadChanges, string, RegExp][] = [
      [settings({ labels: ['a'] }), 'checkpoint_malformed', /the class 1, and config_setfit\.json names 1 labels/],
      [settings({ span_context: 3 }), 'architecture_unsupported', /aspects/],
      [settings({ labels: 'a' }), 'checkpoint_malformed', /no list of names/],
      [
        { files: { 'config_sentence_transformers.json': { model_type: 'CrossEncoder' } } },
        'architecture_unsupported',
        /model_type is CrossEncoder/,
      ],
    ];
    for (const [changes, code, message] of cases) {
      const error = await refusal(writeSetFit(topics, changes));
      expect(error.code, error.message).toBe(code);
      expect(error.message).toMatch(message);
    }
    const other = await refusal(writeSetFit(topics, {}, Buffer.from(setFitModel('bert-texts').head, 'base64')));
    expect(other).toMatchObject({ code: 'tensor_shape_mismatch' });
    const embeddings = await refusal(writeModuleHead(topics));
    expect(embeddings.message).toMatch(/embedding model/);
  });

  it('is refused, and at once, where its head holds itself, names a part many times or has classes that count nothing', async () => {
    const sound = (changes = {}) => instance(LOGISTIC, { ...logisticAttributes(3, 32), ...changes });
    const one = pickle(instance(LOGISTIC, logisticAttributes(1, 32)), 0x94);
    const cases: [Buffer, RegExp][] = [
      [
        sound({ coef_: arrayOpcodes({ shape: [3, 32], byteOrder: pickle(']', 0x94, 'h', 0, 'a') }) }),
        /the byte order unknown/,
      ],
      [multiOutput(one, pickle('h', 0)), /the same coef_ in two places/],
      [multiOutput(one, Buffer.alloc(140_000, pickle('h', 0))), /70001 labels; at most 65536/],
      [sound({ coef_: arrayOpcodes({ code: 'i4', shape: [3, 32] }) }), /a coef_ of the type i4/],
      [sound({ classes_: arrayOpcodes(floats([0, 1, 0.5], [3])) }), /the class 0\.5, and .* names 3 labels/],
    ];
    expect((await refusal(writeSetFit(topics, {}, sklearnFile(sound(), pickle('K', 0))))).message).toMatch(/left over/);
    for (const [head, message] of cases) {
      const error = await refusal(writeSetFit(topics, {}, sklearnFile(head)));
      expect(error.code, error.message).toBe('checkpoint_malformed');
      expect(error.message).toMatch(message);
    }
  });

  it('with a head cut or changed anywhere is refused or read, and nothing else', async () => {
    const bytes = Buffer.from(setFitModel('mpnet-multilabel').head, 'base64');
    const folder = writeSetFit(setFitModel('mpnet-multilabel'));
    const codes = new Set<string>();
    const attempt = async (head: Buffer) => {
      writeFileSync(join(folder, 'model_head.pkl'), head);
      const output = join(folder, 'm.gguf');
      const error: unknown = await convert(folder, { output, overwrite: true }).then(
        () => undefined,
        (e: unknown) => e,
      );
      if (error !== undefined && !isEncoderError(error)) throw error;
      codes.add(error === undefined ? 'read' : error.code);
    };
    for (let length = 0; length < bytes.length; length += 37) {
      await attempt(bytes.subarray(0, length));
      const changed = Buffer.from(bytes);
      changed[length] = bytes[length]! ^ (1 << (length % 8));
      await attempt(changed);
    }
    const known = [
      'read',
      'checkpoint_malformed',
      'architecture_unsupported',
      'tensor_shape_mismatch',
      'limit_exceeded',
    ];
    expect([...codes].filter((code) => !known.includes(code))).toEqual([]);
    expect(codes.size).toBeGreaterThan(2);
  });
});
