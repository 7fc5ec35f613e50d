/**
 * MPNetForSequenceClassification: positions count from 2, and every head adds a bias to its scores that depends on the
 * bucket of the distance; logits = classifier.out_proj(tanh(classifier.dense(h[0]))).
 */
import { type EncoderNames, encoderFamily } from './encoder-tensors';
import { BERT_BASE, checkHeads, readActivation, readSizes, refuseDecoder } from './mechanisms';
import { positionsAfter } from './roberta';
import { type Buckets, expandBias } from './relative-buckets';
import { type TensorPlanner, prefixesOf } from './tensor-planner';

/** Hard-coded in transformers, and with it the position of the first token. */
const PADDING_ID = 1;
/** Buckets in use, whatever relative_attention_num_buckets says about the table's rows. */
const BUCKETS: Buckets = { count: 32, maxDistance: 128, isBidirectional: true };

const NAMES: EncoderNames = {
  prefixes: prefixesOf('mpnet'),
  tokenEmbedding: 'embeddings.word_embeddings',
  positionEmbedding: 'embeddings.position_embeddings',
  embeddingNorm: 'embeddings.LayerNorm',
  layer: (block) => {
    const layer = `encoder.layer.${block}`;
    return {
      qkv: [`${layer}.attention.attn.q`, `${layer}.attention.attn.k`, `${layer}.attention.attn.v`],
      attentionOutput: `${layer}.attention.attn.o`,
      attentionNorm: `${layer}.attention.LayerNorm`,
      up: `${layer}.intermediate.dense`,
      down: `${layer}.output.dense`,
      outputNorm: `${layer}.output.LayerNorm`,
    };
  },
  pooled: 'classifier.dense',
  pooledIn: 'head',
  classifier: 'classifier.out_proj',
  ignored: /(^|\.)embeddings\.position_ids$|(^|\.)(pooler|lm_head)\./,
};

const DEFAULTS = { ...BERT_BASE, vocabSize: 30_527 };

export const mpnet = encoderFamily('MPNetForSequenceClassification', 'mpnet', (config) => {
  refuseDecoder(config);
  const sizes = readSizes(config, DEFAULTS);
  const numBuckets = config.integer('relative_attention_num_buckets', BUCKETS.count, BUCKETS.count, 4096);
  const hyperparameters = {
    ...sizes,
    ...positionsAfter(config, PADDING_ID, sizes.numPositions),
    positionKind: 'relative-bias' as const,
    numTokenTypes: 0,
    normEps: config.number('layer_norm_eps', 1e-12, 0, 1),
    hiddenActivation: readActivation(config, 'hidden_act'),
  };
  checkHeads(config, hyperparameters);
  const { numHeads, numPositions } = hyperparameters;
  const more = (planner: TensorPlanner, from: (name: string) => string) =>
    planner.computed(
      'attn_rel_b.weight',
      [numHeads, 2 * numPositions - 1],
      [[from('encoder.relative_attention_bias.weight'), [numBuckets, numHeads]]],
      ([table]) => expandBias(table!, numHeads, numPositions - 1, BUCKETS),
    );
  return {
    architecture: 'mpnet',
    hyperparameters,
    names: { ...NAMES, more },
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: 'unsupported',
  };
});
