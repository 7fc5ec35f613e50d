/**
 * DebertaForSequenceClassification, the first DeBERTa: one layer for queries, keys and values, head by head, with
 * biases for queries and values alone; a row for every distance.
 */
import { type Version, readDisentangled } from './disentangled';
import { encoderFamily } from './encoder-tensors';
import { BERT_BASE } from './mechanisms';

const VERSION: Version = {
  defaults: { ...BERT_BASE, vocabSize: 50_265 },

  qkv(layer, { hiddenSize: h, numHeads }) {
    return (planner, target, from) => {
      const self = from(`${layer}.attention.self`);
      planner.joinedHeads(target, h, numHeads, `${self}.in_proj`, false);
      const biases = [
        [`${self}.q_bias`, [h]],
        [`${self}.v_bias`, [h]],
      ] as const;
      planner.computed(`${target}.bias`, [3 * h], biases, ([q, v]) => [q!, new Float32Array(h), v!]);
    };
  },

  buckets: 0,
  isNormalized: false,
  projections: { c2p: { source: 'pos_proj', bias: false }, p2c: { source: 'pos_q_proj', bias: true } },
  convolution: undefined,
};

export const deberta = {
  ...encoderFamily('DebertaForSequenceClassification', 'deberta', (config) => ({
    architecture: 'deberta',
    ...readDisentangled(config, VERSION),
  })),
  zeroesUnseen: true,
};
