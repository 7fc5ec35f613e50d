/**
 * ElectraForSequenceClassification: BERT's body behind an optional projection of narrower embeddings;
 * logits = classifier.out_proj(gelu(classifier.dense(h[0]))), whatever hidden_act says.
 */
import { MAX_HIDDEN_SIZE } from '../limits';
import { BERT_BODY, type EncoderNames, encoderFamily } from './encoder-tensors';
import { isGelu, readBertHyperparameters } from './mechanisms';
import { prefixesOf } from './tensor-planner';

const NAMES: EncoderNames = {
  prefixes: prefixesOf('electra'),
  ...BERT_BODY,
  pooled: 'classifier.dense',
  pooledIn: 'head',
  classifier: 'classifier.out_proj',
  ignored:
    /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)(discriminator_predictions|generator_predictions|generator_lm_head)\./,
};

const DEFAULTS = {
  numLayers: 12,
  hiddenSize: 256,
  numHeads: 4,
  intermediateSize: 1024,
  numPositions: 512,
  vocabSize: 30_522,
};

export const electra = encoderFamily('ElectraForSequenceClassification', 'electra', (config) => {
  const own = readBertHyperparameters(config, DEFAULTS);
  const embeddingSize = config.integer('embedding_size', 128, 1, MAX_HIDDEN_SIZE);
  const isProjected = embeddingSize !== own.hiddenSize;
  const hyperparameters = isProjected ? { ...own, embeddingSize } : own;
  // llama.cpp has no projection after the embeddings, and runs tanh between the two layers of the head.
  const isReadable = !isProjected && isGelu(hyperparameters.hiddenActivation);
  return {
    architecture: isProjected ? 'electra' : 'bert',
    hyperparameters,
    names: isProjected ? { ...NAMES, embeddingProjection: 'embeddings_project' } : NAMES,
    head: { pooling: 'cls', activation: 'gelu' },
    llamacppCompat: isReadable ? 'approximate-head' : 'unsupported',
  };
});
