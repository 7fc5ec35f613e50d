/** DebertaV2ForSequenceClassification (DeBERTa v2 and v3): distances in buckets, one table of them for all layers. */
import type { ConfigReader } from '../config';
import type { Architecture } from './architecture';
import { type Version, describeDisentangled, planProjections } from './disentangled';

const VERSION: Version = {
  defaults: {
    numLayers: 24,
    hiddenSize: 1536,
    numHeads: 24,
    intermediateSize: 6144,
    numPositions: 512,
    vocabSize: 128_100,
  },

  qkv(layer) {
    const self = `${layer}.attention.self`;
    return [`${self}.query_proj`, `${self}.key_proj`, `${self}.value_proj`];
  },

  readBuckets(config, maxRelativePositions) {
    const buckets = Math.max(config.integer('position_buckets', -1, -1, 16_384), 0);
    if (buckets === 1 || (buckets > 0 && maxRelativePositions - 1 <= Math.floor(buckets / 2))) {
      config.malformed(`position_buckets is ${buckets}, which does not fit ${maxRelativePositions} relative positions`);
    }
    return buckets;
  },

  planRelative(planner, from, config, hyperparameters, span) {
    const { hiddenSize: h, normEps, disentangled } = hyperparameters;
    const shape = [2 * span, h] as const;
    const table = from('encoder.rel_embeddings.weight');
    if (isNormalized(config)) {
      const norm = from('encoder.LayerNorm');
      const sources = [
        [table, shape],
        [planner.spelled(norm, 'weight', 'gamma'), [h]],
        [planner.spelled(norm, 'bias', 'beta'), [h]],
      ] as const;
      planner.computed('rel_embd.weight', shape, sources, ([rows, weight, bias]) =>
        normalizeRows(rows!, weight!, bias!, normEps),
      );
    } else {
      planner.exact('rel_embd.weight', shape, table);
    }
    // Else the keys' and queries' own layers project the positions.
    if (config.boolean('share_att_key', false)) return;
    const { types } = disentangled;
    if (types.includes('c2p')) planProjections(planner, from, hyperparameters, 'attn_pos_k', 'pos_key_proj', true);
    if (types.includes('p2c')) planProjections(planner, from, hyperparameters, 'attn_pos_q', 'pos_query_proj', true);
  },
};

export const debertaV2: Architecture = {
  sourceClass: 'DebertaV2ForSequenceClassification',
  modelType: 'deberta-v2',
  describe: (config, weights) => ({
    architecture: 'deberta-v2',
    ...describeDisentangled(config, weights, VERSION),
  }),
};

function isNormalized(config: ConfigReader): boolean {
  const normalizations = config.string('norm_rel_ebd', 'none').toLowerCase().split('|');
  return normalizations.some((word) => word.trim() === 'layer_norm');
}

/** LayerNorm of each row, as long as `weight`. */
function* normalizeRows(
  rows: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  eps: number,
): Iterable<Float32Array> {
  const size = weight.length;
  for (let start = 0; start < rows.length; start += size) {
    const row = rows.subarray(start, start + size);
    const mean = row.reduce((sum, value) => sum + value, 0) / size;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
    const scale = 1 / Math.sqrt(variance + eps);
    yield row.map((value, column) => (value - mean) * scale * weight[column]! + bias[column]!);
  }
}
