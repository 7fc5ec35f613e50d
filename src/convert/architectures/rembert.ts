/**
 * RemBertForSequenceClassification: BERT's body behind a projection of narrower embeddings; pooled =
 * tanh(pooler.dense(h[0])), logits = classifier(pooled).
 */
import { MAX_HIDDEN_SIZE } from '../limits';
import { BERT_BODY, type EncoderNames, encoderFamily } from './encoder-tensors';
import { readBertHyperparameters } from './mechanisms';
import { prefixesOf } from './tensor-planner';

const NAMES: EncoderNames = {
  prefixes: prefixesOf('rembert'),
  ...BERT_BODY,
  embeddingProjection: 'encoder.embedding_hidden_mapping_in',
  pooled: 'pooler.dense',
  pooledIn: 'encoder',
  classifier: 'classifier',
  ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)cls\.predictions\./,
};

const DEFAULTS = {
  numLayers: 32,
  hiddenSize: 1152,
  numHeads: 18,
  intermediateSize: 4608,
  numPositions: 512,
  vocabSize: 250_300,
};

export const rembert = encoderFamily('RemBertForSequenceClassification', 'rembert', (config) => {
  return {
    architecture: 'rembert',
    hyperparameters: {
      ...readBertHyperparameters(config, DEFAULTS),
      embeddingSize: config.integer('input_embedding_size', 256, 1, MAX_HIDDEN_SIZE),
    },
    names: NAMES,
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: 'unsupported',
  };
});
