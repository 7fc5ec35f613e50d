/**
 * RoBERTa, XLM-RoBERTa and CamemBERT: one model under three names. Positions count from pad_token_id + 1, so that many
 * rows are cut from the table; logits = classifier.out_proj(tanh(classifier.dense(h[0]))).
 */
import type { ConfigReader } from '../config';
import { MAX_TOKEN_TYPES } from '../limits';
import type { Architecture, EncoderModel, TensorIndex } from './architecture';
import { BERT_BODY, type EncoderNames, planTensors } from './encoder-tensors';
import { bertCompatibility, checkHeads, readActivation, readSizes, refuseDecoder } from './mechanisms';
import { prefixesOf } from './tensor-planner';

const NAMES: EncoderNames = {
  prefixes: prefixesOf('roberta'),
  ...BERT_BODY,
  pooled: 'classifier.dense',
  pooledIn: 'head',
  classifier: 'classifier.out_proj',
  ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)(pooler|lm_head)\./,
};

/** The three classes differ in the size of the vocabulary that a configuration may leave out. */
function roberta(sourceClass: string, modelType: string, vocabSize: number): Architecture {
  return {
    sourceClass,
    modelType,

    describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
      refuseDecoder(config);
      const sizes = readSizes(config, {
        numLayers: 12,
        hiddenSize: 768,
        numHeads: 12,
        intermediateSize: 3072,
        numPositions: 512,
        vocabSize,
      });
      const positionOffset = config.integer('pad_token_id', 1, 0, sizes.vocabSize - 1) + 1;
      if (positionOffset >= sizes.numPositions) {
        config.malformed(`pad_token_id leaves none of the ${sizes.numPositions} max_position_embeddings`);
      }
      const hyperparameters = {
        ...sizes,
        numPositions: sizes.numPositions - positionOffset,
        positionOffset,
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
}

export const robertaFamily: readonly Architecture[] = [
  roberta('RobertaForSequenceClassification', 'roberta', 50_265),
  roberta('XLMRobertaForSequenceClassification', 'xlm-roberta', 30_522),
  roberta('CamembertForSequenceClassification', 'camembert', 30_522),
];
