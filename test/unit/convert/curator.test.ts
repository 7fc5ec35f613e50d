/** NeMo Curator's classifiers: a configuration without class and sizes. */
import { describe, expect, it } from 'vitest';

import { describeModel, family } from './describe-family';

const FAMILY = family('curator');
const hyperparameters = (changes: object) => describeModel(FAMILY, changes).hyperparameters;
const without = (name: string) => Object.fromEntries(Object.entries(FAMILY.tensors).filter(([key]) => key !== name));

describe('a classifier of NeMo Curator', () => {
  it('has the sizes of its tensors', () => {
    const sizes = { numLayers: 3, hiddenSize: 128, numHeads: 2, intermediateSize: 80, vocabSize: 7100 };
    expect(describeModel(FAMILY, {})).toMatchObject({ hyperparameters: sizes, numLabels: 3 });
  });

  it.each(['microsoft/mdeberta-v3-base', 'microsoft/deberta-v3-xsmall'])('may stand on %s', (base) => {
    expect(hyperparameters({ base_model: base })).toEqual(hyperparameters({}));
  });

  it('is known by its settings, whatever model_type it names', () => {
    expect(hyperparameters({ model_type: 'deberta-v2' })).toEqual(hyperparameters({}));
  });

  it.each(['microsoft/deberta-base', 'microsoft/deberta-v3-base-mnli', 'google-bert/bert-base-uncased'])(
    'is refused on %s',
    (base) => {
      const refused = () => describeModel(FAMILY, { base_model: base });
      expect(refused).toThrow(expect.objectContaining({ code: 'architecture_unsupported' }));
      expect(refused).toThrow(base);
    },
  );

  it.each([
    'fc.weight',
    'model.embeddings.word_embeddings.weight',
    'model.encoder.rel_embeddings.weight',
    'model.encoder.layer.0.intermediate.dense.weight',
    'model.encoder.layer.1.attention.output.dense.weight',
  ])('is refused without %s', (name) => {
    const refused = () => describeModel(FAMILY, {}, without(name));
    expect(refused).toThrow(expect.objectContaining({ name: 'EncoderError' }));
  });

  it('is refused with sizes beyond the limits, which names where they come from', () => {
    const wide = { ...FAMILY.tensors, 'model.embeddings.word_embeddings.weight': [2 ** 30, 128] };
    expect(() => describeModel(FAMILY, {}, wide)).toThrow(/the sizes of the tensors: vocab_size is 1073741824/);
  });
});
