/**
 * SqueezeBertForSequenceClassification: BERT whose linear layers are convolutions over one token, most of them in groups;
 * pooled = tanh(pooler.dense(h[0])), logits = classifier(pooled).
 */
import type { ConfigReader } from '../config';
import { MAX_HIDDEN_SIZE } from '../limits';
import { BERT_BODY, type EncoderNames, encoderFamily } from './encoder-tensors';
import { BERT_BASE, type Sizes, bertCompatibility, readBertHyperparameters } from './mechanisms';
import { type TensorPlanner, prefixesOf } from './tensor-planner';

/** Of every layer, whatever the configuration says of the embeddings' norm. */
const LAYER_EPS = 1e-12;

export const squeezebert = encoderFamily('SqueezeBertForSequenceClassification', 'squeezebert', (config) => {
  const hyperparameters = readBertHyperparameters(config, BERT_BASE);
  const { hiddenSize, normEps } = hyperparameters;
  if (normEps !== LAYER_EPS) {
    config.unsupported(
      `layer_norm_eps is ${normEps}; only ${LAYER_EPS}, that of the layers in this class, is supported`,
    );
  }
  if (config.integer('embedding_size', BERT_BASE.hiddenSize, 1, MAX_HIDDEN_SIZE) !== hiddenSize) {
    config.unsupported(
      `embedding_size is not ${hiddenSize}, the hidden size; this class has no projection between them`,
    );
  }
  return {
    architecture: 'bert',
    hyperparameters,
    names: readNames(config, hyperparameters),
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: bertCompatibility(hyperparameters),
  };
});

function readNames(config: ConfigReader, { hiddenSize: h, intermediateSize: f }: Sizes): EncoderNames {
  const groupsOf = (part: string, fallback: number, sizes: readonly number[]) => {
    const groups = config.integer(`${part}_groups`, fallback, 1, MAX_HIDDEN_SIZE);
    if (sizes.every((size) => size % groups === 0)) return groups;
    config.malformed(`${part}_groups is ${groups}, which does not divide ${sizes.join(' and ')}`);
  };
  const qkvGroups = ['q', 'k', 'v'].map((part) => groupsOf(part, 4, [h]));
  const outputGroups = groupsOf('post_attention', 1, [h]);
  const upGroups = groupsOf('intermediate', 4, [h, f]);
  const downGroups = groupsOf('output', 4, [h, f]);
  const grouped =
    (sources: readonly string[], rows: readonly number[], columns: number, groups: readonly number[]) =>
    (planner: TensorPlanner, target: string, from: (name: string) => string) =>
      planner.grouped(target, sources.map(from), rows, columns, groups);
  return {
    prefixes: prefixesOf('transformer'),
    ...BERT_BODY,
    layer: (block) => {
      const layer = `encoder.layers.${block}`;
      const qkv = ['query', 'key', 'value'].map((part) => `${layer}.attention.${part}`);
      return {
        qkv: grouped(qkv, [h, h, h], h, qkvGroups),
        attentionOutput: grouped([`${layer}.post_attention.conv1d`], [h], h, [outputGroups]),
        attentionNorm: `${layer}.post_attention.layernorm`,
        up: grouped([`${layer}.intermediate.conv1d`], [f], h, [upGroups]),
        down: grouped([`${layer}.output.conv1d`], [h], f, [downGroups]),
        outputNorm: `${layer}.output.layernorm`,
      };
    },
    pooled: 'pooler.dense',
    pooledIn: 'encoder',
    classifier: 'classifier',
    ignored: /(^|\.)embeddings\.position_ids$|(^|\.)cls\.(predictions|seq_relationship)\./,
  };
}
