/** ESM: the frequencies that a checkpoint holds, and the tokenizer of its vocabulary alone. */
import { describe, expect, it } from 'vitest';

import { esm } from '../../../src/convert/architectures/esm';
import { ConfigReader } from '../../../src/convert/config';
import { prepareTokenizer } from '../../../src/convert/tokenizer/prepare-tokenizer';
import type { JsonObject } from '../../../src/support/json';
import { family } from './describe-family';

const FAMILY = family('esm');
const OWN = 'esm.rotary_embeddings.inv_freq';
const OLD = ['0', '1', '2'].map((layer) => `esm.encoder.layer.${layer}.attention.self.rotary_embeddings.inv_freq`);

/** The frequencies of the model whose weights hold `stored`. */
function frequencies(stored: Readonly<Record<string, readonly number[]>>, changes: object = {}): number[] {
  const shapes = new Map(Object.entries(FAMILY.tensors).filter(([name]) => name !== OWN));
  for (const [name, values] of Object.entries(stored)) shapes.set(name, [values.length]);
  const weights = {
    names: () => shapes.keys(),
    find: (name: string) => {
      const shape = shapes.get(name);
      return shape && { shape, dtype: 'F32', file: 'model.safetensors' };
    },
  };
  const values = new Map(esm.valuesOf!(weights).map((name) => [name, Float32Array.from(stored[name]!)]));
  const config = new ConfigReader({ ...FAMILY.config, ...changes } as JsonObject, 'config.json');
  return [...esm.describe(config, weights, undefined, values).hyperparameters.rope!.inverseFrequencies];
}

describe('the frequencies of ESM', () => {
  const halves = [1, 0.5, 0.25, 0.125, 0.0625, 0];

  it('are those of the weights, whatever theta is', () => {
    expect(frequencies({ [OWN]: halves }, { rope_theta: 3 })).toEqual(halves);
    expect(frequencies(Object.fromEntries(OLD.map((name) => [name, halves])))).toEqual(halves);
  });

  it('are theta’s where the weights have none', () => {
    expect(frequencies({})[1]).toBeCloseTo(10_000 ** (-1 / 6), 6);
    expect(frequencies({}, { rope_theta: 64 })).toEqual(
      [0, 1, 2, 3, 4, 5].map((i) => Math.fround(1 / Math.fround(64 ** Math.fround(i / 6)))),
    );
  });

  it('are refused where layers differ', () => {
    const differ = () => frequencies({ [OLD[0]!]: halves, [OLD[1]!]: [1, 0.5, 0.25, 0.125, 0.0625, 0.5] });
    expect(differ).toThrow(/layer\.1\..* differs from esm\.encoder\.layer\.0\./);
  });

  it.each([
    ['too many', [...halves, 0]],
    ['less than 0', [1, 1, 1, 1, 1, -1]],
    ['more than 1000', [1, 1, 1, 1, 1, 1001]],
  ])('are refused where they are %s', (_, stored) => {
    expect(() => frequencies({ [OWN]: stored })).toThrow(/no list of 6 frequencies/);
  });

  it('are of no use to a model with a table', () => {
    const changes = { position_embedding_type: 'absolute' };
    expect(() => frequencies({ [OWN]: halves }, changes)).toThrow(/no tensor esm\.embeddings\.position_embeddings/);
  });
});

describe('EsmTokenizer', () => {
  const vocabulary = ['<cls>', '<pad>', '<eos>', '<unk>', 'L', 'A', '', '<mask>'].join('\n');
  const prepare = (config: JsonObject) => {
    const files = { tokenizer: undefined, specialTokens: undefined, addedTokens: undefined, vocabulary, config };
    return prepareTokenizer(files, 'checkpoint', { modelType: 'esm' });
  };

  it('looks for every token of its vocabulary', () => {
    const { json, ids, maxLength } = prepare({ model_max_length: 1024 });
    const added = json['added_tokens'] as { content: string; id: number; special: boolean; normalized: boolean }[];
    expect(added.map(({ content, id, special }) => [content, id, special])).toEqual([
      ['<cls>', 0, true],
      ['<pad>', 1, true],
      ['<eos>', 2, true],
      ['<unk>', 3, true],
      ['L', 4, false],
      ['A', 5, false],
      ['<mask>', 7, true],
    ]);
    expect(added.every(({ normalized }) => !normalized)).toBe(true);
    expect(ids).toMatchObject({ cls: 0, pad: 1, eos: 2, unk: 3, mask: 7, sep: undefined });
    expect(json['odd_token_first']).toBe(true);
    expect(maxLength).toBe(1024);
  });

  it('adds what its vocabulary lacks', () => {
    expect(prepare({ mask_token: '<gap>' }).ids.mask).toBe(8);
  });

  it('is refused with tokens that are words', () => {
    const token = { content: 'A', single_word: true, lstrip: false, rstrip: false, normalized: false, special: true };
    expect(() => prepare({ added_tokens_decoder: { 5: token } })).toThrow(/EsmTokenizer has the token A as a single/);
  });
});
