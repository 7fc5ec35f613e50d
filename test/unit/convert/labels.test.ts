import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { type ConvertOptions, convert } from '../../../src/convert/convert';
import { readGgufHead } from '../../../src/gguf/reader';
import { type MicroOptions, counted, writeMicro } from './micro-checkpoint';
import { temporaryFolder } from './temp-folder';

async function convertedLabels(micro: MicroOptions, options: Partial<ConvertOptions> = {}): Promise<unknown> {
  const output = join(temporaryFolder(), 'out.gguf');
  await convert(writeMicro(micro), { output, ...options });
  return (await readGgufHead(output)).metadata.get('bert.classifier.output_labels')?.value;
}

describe('labels', () => {
  const labels = (config: Record<string, unknown>, options?: Partial<ConvertOptions>) =>
    convertedLabels({ config }, options);

  it.each([
    [{ id2label: { '1': 'b', '0': 'a' } }, ['a', 'b']],
    [{ id2label: ['a', 'b'] }, ['a', 'b']],
    [{ label2id: { b: 1, a: 0 } }, ['a', 'b']],
    [{ label2id: { b: '1', a: '0' } }, ['a', 'b']],
    [{ id2label: { 0: 7, 1: true } }, ['7', 'true']],
    [{ id2label: null }, ['LABEL_0', 'LABEL_1']],
    [{ num_labels: 2 }, ['LABEL_0', 'LABEL_1']],
    [{ id2label: { 0: 'a', 1: 'b', 2: 'c' }, num_labels: 2 }, ['LABEL_0', 'LABEL_1']],
    [{ id2label: { 0: 'a', 1: 'b' }, num_labels: 3 }, ['a', 'b']],
    [{ id2label: {}, label2id: {} }, ['LABEL_0', 'LABEL_1']],
    [{}, ['LABEL_0', 'LABEL_1']],
    [{ id2label: { '01': 'b', ' 0': 'a' } }, ['a', 'b']],
    [{ label2id: { a: 0, b: 0 } }, ['LABEL_0', 'LABEL_1']],
    [{ label2id: { a: {}, b: 1 } }, ['LABEL_0', 'LABEL_1']],
    [{ label2id: { a: 0, A: 0, b: 1 } }, ['LABEL_0', 'LABEL_1']],
  ])('come from %j', async (config, expected) => {
    expect(await labels(config)).toEqual(expected);
  });

  it.each([
    [{ 0: 'neutral', 1: 'entailment' }, { entailment: 0, neutral: 1 }, true],
    [{ 0: 'entail a', 1: 'entail b' }, { 'entail b': 1, 'entail a': 0 }, true],
    [{ 0: 'neutral', 1: 'ENTAILMENT' }, { neutral: 0, ENTAILMENT: 1 }, false],
    [{ 0: 'neutral', 1: 'entailment' }, undefined, false],
    [{ 0: 'neutral', 1: 'positive' }, { entailment: 0, neutral: 1 }, false],
  ])('of %j and %j may name two rows for entailment, which is said', async (id2label, label2id, isSaid) => {
    const output = join(temporaryFolder(), 'out.gguf');
    const { warnings } = await convert(writeMicro({ config: { id2label, label2id } }), { output });
    expect(warnings.join().includes('zero-shot')).toBe(isSaid);
  });

  it('sort by number, not by text', async () => {
    const id2label = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [11 - index, `label ${11 - index}`]));
    const found = await convertedLabels({
      config: { id2label },
      tensors: (tensors) => {
        tensors['classifier.weight'] = counted(12, 4);
        tensors['classifier.bias'] = counted(12);
      },
    });
    const expected = Array.from({ length: 12 }, (_, index) => `label ${index}`);
    expect(found).toEqual(expected);
  });

  it('can be given by the caller, and then config.json does not matter', async () => {
    expect(await labels({ id2label: ['only one'] }, { labels: ['x', 'y'] })).toEqual(['x', 'y']);
    await expect(labels({}, { labels: ['x'] })).rejects.toThrow(RangeError);
  });

  it.each([
    [{ id2label: { 0: 'a', 2: 'b' } }, 'checkpoint_malformed'],
    [{ id2label: { a: 'b', b: 'a' } }, 'checkpoint_malformed'],
    [{ id2label: { 0: {}, 1: [] } }, 'checkpoint_malformed'],
    [{ id2label: 'a' }, 'checkpoint_malformed'],
    [{ id2label: { 0: 'a', 1: 'b', 2: 'c' } }, 'tensor_shape_mismatch'],
    [{ num_labels: 3 }, 'tensor_shape_mismatch'],
  ])('of %j are refused', async (config, code) => {
    await expect(labels(config)).rejects.toMatchObject({ code });
  });
});
