/** Decoders that look segments up among their words: the table of segments is the first rows of that of the words. */
import type { EncoderModel, PlannedTensor } from './architecture';

export function withWordSegments(model: EncoderModel, numSegments: number): EncoderModel {
  const { hyperparameters } = model;
  const numTokenTypes = Math.min(numSegments, hyperparameters.vocabSize);
  const tensors = model.tensors.flatMap((tensor): PlannedTensor[] => {
    if (tensor.name !== 'token_embd.weight') return [tensor];
    const { shape, sources } = tensor;
    const segments = { name: 'token_types.weight', shape: [numTokenTypes, ...shape.slice(1)] };
    return [tensor, { ...segments, sources, storage: 'exact', rowRanges: [[[0, numTokenTypes]]] }];
  });
  return { ...model, tensors, hyperparameters: { ...hyperparameters, numTokenTypes } };
}
