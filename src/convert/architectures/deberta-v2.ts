/**
 * DebertaV2ForSequenceClassification (DeBERTa v2 and v3): distances in buckets, one table of them for all layers; in the XL
 * sizes of v2 a convolution beside the first layer.
 */
import type { ConfigReader } from '../config';
import type { Architecture } from './architecture';
import { type Version, readConvolution, readDisentangled } from './disentangled';
import { type EncoderFacts, encoderFamily } from './encoder-tensors';

const DEFAULTS = {
  numLayers: 24,
  hiddenSize: 1536,
  numHeads: 24,
  intermediateSize: 6144,
  numPositions: 512,
  vocabSize: 128_100,
};

export const debertaV2 = {
  ...encoderFamily('DebertaV2ForSequenceClassification', 'deberta-v2', readDebertaV2),
  zeroesUnseen: true,
};

/** Provence's reranker: its second head, which marks the sentences to keep, is left out, and its score is the logit. */
export const provence: Architecture = {
  ...debertaV2,
  sourceClass: 'Provence',
  activationFn: 'identity',
};

export function readDebertaV2(config: ConfigReader): EncoderFacts {
  return { architecture: 'deberta-v2', ...readDisentangled(config, readVersion(config)) };
}

function readVersion(config: ConfigReader): Version {
  const normalizations = config.string('norm_rel_ebd', 'none').toLowerCase().split('|');
  return {
    defaults: DEFAULTS,
    qkv: (layer) => {
      const self = `${layer}.attention.self`;
      return [`${self}.query_proj`, `${self}.key_proj`, `${self}.value_proj`];
    },
    buckets: Math.max(config.integer('position_buckets', -1, -1, 16_384), 0),
    isNormalized: normalizations.some((word) => word.trim() === 'layer_norm'),
    projections: config.boolean('share_att_key', false)
      ? undefined
      : { c2p: { source: 'pos_key_proj', bias: true }, p2c: { source: 'pos_query_proj', bias: true } },
    convolution: readConvolution(config),
  };
}
