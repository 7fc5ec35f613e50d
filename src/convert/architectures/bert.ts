/** BertForSequenceClassification: pooled = tanh(pooler.dense(h[0])), logits = classifier(pooled). */
import type { ConfigReader } from '../config';
import { MAX_TOKEN_TYPES } from '../limits';
import type { Architecture, EncoderModel, TensorIndex } from './architecture';
import { BERT_BODY, type EncoderNames, planTensors } from './encoder-tensors';
import { bertCompatibility, checkHeads, readActivation, readSizes, refuseDecoder } from './mechanisms';
import { prefixesOf } from './tensor-planner';

const NAMES: EncoderNames = {
  prefixes: prefixesOf('bert'),
  ...BERT_BODY,
  pooled: 'pooler.dense',
  pooledIn: 'encoder',
  classifier: 'classifier',
  ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)cls\.(predictions|seq_relationship)\./,
};

const DEFAULTS = {
  numLayers: 12,
  hiddenSize: 768,
  numHeads: 12,
  intermediateSize: 3072,
  numPositions: 512,
  vocabSize: 30_522,
};

export const bert: Architecture = {
  sourceClass: 'BertForSequenceClassification',
  modelType: 'bert',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    refuseDecoder(config);
    const hyperparameters = {
      ...readSizes(config, DEFAULTS),
      numTokenTypes: config.integer('type_vocab_size', 2, 1, MAX_TOKEN_TYPES),
      normEps: config.number('layer_norm_eps', 1e-12, 1e-12, 1),
      hiddenActivation: readActivation(config, 'hidden_act'),
    };
    checkHeads(config, hyperparameters);
    return {
      architecture: 'bert',
      hyperparameters,
      ...planTensors(hyperparameters, NAMES, weights),
      head: { pooling: 'cls', activation: 'tanh' },
      llamacppCompat: bertCompatibility(hyperparameters),
    };
  },
};
