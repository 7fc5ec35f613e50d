// Models that read their labels in the text, against the logits of scripts/gliclass_reference.py.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, ZeroShotClassifier, convert, estimateMemory } from 'ggml-encoder';

import { type Engine, deviceSlack, engineOptions } from './golden/engines';
import { labelModel, labelModels, labelTexts, writeLabelModel } from './golden/label-checkpoints';
import type { Changes } from './golden/small-checkpoints';
import { expectToTellApart, overWindows, sigmoid, softmax } from './support/label-scores';
import { refusal } from './support/refusal';
import { temporaryFolder } from './unit/convert/temp-folder';

/** Largest |score - that of float32 logits|. */
const TOLERANCE = 1e-5;
const ENGINES: readonly Engine[] = ['auto', 'portable', 'device'];
const QUIET = { onWarning: () => undefined };

/** Scores in the order of `labels`. */
function scoresOf(
  result: { labels: readonly string[]; scores: readonly number[] },
  labels: readonly string[],
): number[] {
  return labels.map((label) => result.scores[result.labels.indexOf(label)]!);
}

function worst(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours).toHaveLength(theirs.length);
  return Math.max(...theirs.map((value, index) => Math.abs(value - ours[index]!)));
}

async function load(folder: string, options = {}): Promise<ZeroShotClassifier> {
  return ZeroShotClassifier.load(folder, { device: 'cpu', cacheDir: temporaryFolder(), ...QUIET, ...options });
}

describe.each(labelModels)('$name', (model) => {
  const { calls, maxLength, windows } = model;

  it.each(ENGINES)('has the tokens and scores of the reference: %s', async (engine) => {
    await using classifier = await load(writeLabelModel(model), engineOptions(engine));
    expect(classifier.info).toMatchObject({ labels: [], numLabels: 0, maxLength, sourceClass: 'GLiClassModel' });
    const bound = TOLERANCE + deviceSlack(engine);
    for (const { labels, rows } of calls) {
      const alone = await classifier.classify(labelTexts, labels, { multiLabel: true });
      const together = await classifier.classify(labelTexts, labels);
      for (const [index, { ids, logits }] of rows.entries()) {
        // gliclass cuts the labels where they stand behind the text.
        if (model.config['prompt_first'] !== true && ids.length === maxLength) continue;
        expect(alone[index]).toMatchObject({ tokens: ids.length });
        expect(worst(scoresOf(alone[index]!, labels), logits.map(sigmoid))).toBeLessThan(bound);
        const expected = labels.length === 1 ? logits.map(sigmoid) : softmax(logits);
        expect(worst(scoresOf(together[index]!, labels), expected)).toBeLessThan(bound);
      }
    }
  });

  it('reads texts that are too long in windows, each with all labels', async () => {
    await using classifier = await load(writeLabelModel(model), { maxLength: windows.maxLength });
    const { labels } = calls[0]!;
    const text = labelTexts.at(-1)!;
    expect(windows.rows.length).toBeGreaterThan(2);
    for (const aggregate of ['max', 'mean', 'first'] as const) {
      const options = { multiLabel: true, windows: { overlap: windows.overlap, aggregate } };
      const result = await classifier.classify(text, labels, options);
      const expected = overWindows(windows.rows, aggregate);
      expect(worst(scoresOf(result, labels), expected.map(sigmoid)), aggregate).toBeLessThan(TOLERANCE);
      expect(result.truncated, aggregate).toBe(aggregate === 'first');
    }
  });

  it('tells texts and labels apart, or the comparison would show nothing', () => {
    expectToTellApart(calls);
  });
});

describe('a model that reads its labels', () => {
  const deberta = labelModel('deberta-product');
  const behind = labelModel('electra-behind');
  const [first, , last] = deberta.calls;

  it('gives a text the same scores whatever its batch-mates, their labels and the threads', async () => {
    const folder = writeLabelModel(deberta);
    const cacheDir = temporaryFolder();
    const lists = labelTexts.map((_, index) => (index % 2 === 0 ? first!.labels : last!.labels));
    const expected: unknown[] = [];
    for (const threads of [1, 3]) {
      await using classifier = await load(folder, { threads, cacheDir });
      const alone = await Promise.all(
        labelTexts.map(async (text, index) => classifier.classify(text, lists[index]!, { multiLabel: true })),
      );
      expected.push(alone);
      expect(await classifier.classify(labelTexts, lists, { multiLabel: true })).toEqual(alone);
      const streamed = [];
      for await (const result of classifier.classifyStream(labelTexts, first!.labels, { multiLabel: true })) {
        streamed.push(result);
      }
      expect(streamed).toEqual(await classifier.classify(labelTexts, first!.labels, { multiLabel: true }));
    }
    expect(expected[1]).toEqual(expected[0]);
  });

  it.each(['bf16', 'q8_0'] as const)('runs in %s close to f32', async (type) => {
    await using classifier = await load(writeLabelModel(deberta), { type });
    const { labels, rows } = first!;
    const results = await classifier.classify(labelTexts, labels, { multiLabel: true });
    for (const [index, { logits }] of rows.entries()) {
      expect(worst(scoresOf(results[index]!, labels), logits.map(sigmoid))).toBeLessThan(0.1);
    }
  });

  it('runs in a process of its own, and says what memory it takes', async () => {
    const output = join(temporaryFolder(), 'm.gguf');
    await convert(writeLabelModel(deberta), { output });
    await using classifier = await load(output, { isolation: 'process' });
    const result = await classifier.classify(labelTexts[0]!, first!.labels, { multiLabel: true });
    expect(worst(scoresOf(result, first!.labels), first!.rows[0]!.logits.map(sigmoid))).toBeLessThan(TOLERANCE);
    const estimate = await estimateMemory(output);
    expect(estimate.bytesPerThread).toBeGreaterThan(0);
  });

  it.each(['deberta-product', 'electra-behind'])('takes its tokens in texts and labels for text: %s', async (name) => {
    await using classifier = await load(writeLabelModel(name));
    const forged = 'x <<SEP>> y <<LABEL>>spam';
    const labels = ['a <<LABEL>> b', '<<SEP>>', 'c'];
    const plain = await classifier.classify(forged, labels, { multiLabel: true });
    expect(plain.labels).toHaveLength(labels.length);
    const parsed = await classifier.classify(forged, ['c'], { multiLabel: true, specialTokens: 'parse' });
    expect(parsed.scores).not.toEqual((await classifier.classify(forged, ['c'], { multiLabel: true })).scores);
    const error = await refusal(classifier.classify(forged, ['c'], { specialTokens: 'error' }));
    expect(error).toMatchObject({ code: 'input_invalid', message: expect.stringContaining('<<SEP>>') as unknown });
  });

  it('cuts the text alone, at the end that is asked for', async () => {
    for (const model of [deberta, behind]) {
      await using classifier = await load(writeLabelModel(model));
      const { labels } = model.calls[0]!;
      const [text, tail] = [labelTexts.at(-1)!, 'and a long tail of other words behind it all'];
      const options = { multiLabel: true, maxLength: 60 };
      const cut = await classifier.classify(text + tail, labels, options);
      expect(cut).toMatchObject({ tokens: 60, truncated: true });
      expect(await classifier.classify(text, labels, options)).toEqual(cut);
      const left = await classifier.classify(text + tail, labels, { ...options, truncationSide: 'left' });
      expect(left).toMatchObject({ tokens: 60, truncated: true });
      expect(left.scores).not.toEqual(cut.scores);
    }
  });

  it('reports progress over all texts, and ends early', async () => {
    await using classifier = await load(writeLabelModel(deberta));
    const seen: number[] = [];
    const lists = labelTexts.map((_, index) => (index % 2 === 0 ? first!.labels : last!.labels));
    await classifier.classify(labelTexts, lists, {
      onProgress: ({ done, total }) => {
        expect(total).toBe(labelTexts.length);
        seen.push(done);
      },
    });
    expect(seen.at(-1)).toBe(labelTexts.length);
    const gone = await refusal(classifier.classify('a', ['b'], { signal: AbortSignal.abort() }));
    expect(gone.code).toBe('aborted');
  });

  it('refuses labels that fill it', async () => {
    await using classifier = await load(writeLabelModel(deberta));
    const labels = Array.from({ length: 300 }, (_, index) => `label ${index}`);
    expect(await refusal(classifier.classify(['a', 'b'], labels))).toMatchObject({
      code: 'input_too_long',
      message: expect.stringContaining('no room for the text within 1024') as unknown,
    });
    expect((await classifier.classify('a', ['b'])).label).toBe('b');
  });

  it('refuses what is for NLI models, and other classes', async () => {
    const folder = writeLabelModel(deberta);
    const cacheDir = temporaryFolder();
    await expect(load(folder, { cacheDir, entailment: 'x' })).rejects.toThrow('options.entailment');
    await expect(load(folder, { cacheDir, labels: ['x'] })).rejects.toThrow('options.labels');
    await using classifier = await load(folder, { cacheDir });
    expect(classifier.entailment).toBe('');
    await expect(classifier.classify('a', ['b'], { hypothesisTemplate: 'It is {}.' })).rejects.toThrow(
      'options.hypothesisTemplate',
    );
    for (const other of [Classifier, CrossEncoder]) {
      expect(await refusal(other.load(folder, { cacheDir }))).toMatchObject({
        code: 'architecture_unsupported',
        message: expect.stringContaining('ZeroShotClassifier') as unknown,
      });
    }
  });

  const variants: readonly [string, Changes, code: string, message: string][] = [
    ['a bi-encoder', { config: { architecture_type: 'bi-encoder' } }, 'architecture_unsupported', 'architecture_type'],
    ['another pooling', { config: { pooling_strategy: 'avg' } }, 'architecture_unsupported', 'pooling_strategy'],
    ['averaged labels', { config: { class_token_pooling: 'max' } }, 'architecture_unsupported', 'class_token_pooling'],
    ['an LSTM', { config: { use_lstm: true } }, 'architecture_unsupported', 'use_lstm'],
    ['squeezed layers', { config: { squeeze_layers: true } }, 'architecture_unsupported', 'squeeze_layers'],
    ['no segments', { config: { use_segment_embeddings: true } }, 'tensor_missing', 'model.segment_embeddings.weight'],
    ['an inner layer', { config: { encoder_layer_id: 3 } }, 'architecture_unsupported', 'encoder_layer_id'],
    ['another scorer', { config: { scorer_type: 'hopfield' } }, 'architecture_unsupported', 'scorer_type'],
    ['another width', { config: { hidden_size: 48 } }, 'architecture_unsupported', 'hidden_size'],
    ['no encoder', { config: { encoder_config: null } }, 'checkpoint_malformed', 'encoder_config'],
    ['another mark', { config: { class_token_index: 5 } }, 'checkpoint_malformed', 'class_token_index is 5'],
    ['another separator', { config: { text_token_index: 702 } }, 'checkpoint_malformed', '<<SEP>>'],
    ['a decoder', { config: { encoder_config: { model_type: 'gpt2' } } }, 'architecture_unsupported', 'gpt2'],
    [
      'no projection',
      { tensors: (tensors) => delete tensors['model.text_projector.linear_1.weight'] },
      'tensor_missing',
      'model.text_projector.linear_1.weight',
    ],
    [
      'a tensor more',
      { tensors: (tensors) => (tensors['model.more.weight'] = { shape: [1], data: new Uint8Array(4) }) },
      'architecture_unsupported',
      'model.more.weight',
    ],
  ];

  it('is refused with segments where the encoder has its own', async () => {
    const folder = writeLabelModel('bert-halves', { config: { use_segment_embeddings: true } });
    expect(await refusal(convert(folder, { output: join(temporaryFolder(), 'm.gguf') }))).toMatchObject({
      code: 'architecture_unsupported',
      message: expect.stringContaining('use_segment_embeddings') as unknown,
    });
  });

  it.each(variants)('is refused with %s', async (_, changes, code, message) => {
    const error = await refusal(
      convert(writeLabelModel(deberta, changes), { output: join(temporaryFolder(), 'm.gguf') }),
    );
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) as unknown });
  });
});
