/** DistilBertForSequenceClassification: logits = classifier(relu(pre_classifier(h[0]))); no segments, epsilon 1e-12. */
import {
  MAX_HEADS,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_POSITIONS,
  MAX_VOCAB_SIZE,
} from '../limits';
import { type EncoderNames, encoderFamily } from './encoder-tensors';
import { checkHeads, isGelu, readActivation, refuseDecoder } from './mechanisms';
import { prefixesOf } from './tensor-planner';

const NAMES: EncoderNames = {
  prefixes: prefixesOf('distilbert'),
  tokenEmbedding: 'embeddings.word_embeddings',
  positionEmbedding: 'embeddings.position_embeddings',
  embeddingNorm: 'embeddings.LayerNorm',
  layer: (index) => {
    const layer = `transformer.layer.${index}`;
    return {
      qkv: [`${layer}.attention.q_lin`, `${layer}.attention.k_lin`, `${layer}.attention.v_lin`],
      attentionOutput: `${layer}.attention.out_lin`,
      attentionNorm: `${layer}.sa_layer_norm`,
      up: `${layer}.ffn.lin1`,
      down: `${layer}.ffn.lin2`,
      outputNorm: `${layer}.output_layer_norm`,
    };
  },
  pooled: 'pre_classifier',
  pooledIn: 'head',
  classifier: 'classifier',
  ignored: /(^|\.)embeddings\.position_ids$|(^|\.)vocab_(transform|layer_norm|projector)\./,
};

export const distilbert = encoderFamily('DistilBertForSequenceClassification', 'distilbert', (config) => {
  refuseDecoder(config);
  const hyperparameters = {
    numLayers: config.integer(['n_layers', 'num_hidden_layers'], 6, 1, MAX_LAYERS),
    hiddenSize: config.integer(['dim', 'hidden_size'], 768, 1, MAX_HIDDEN_SIZE),
    numHeads: config.integer(['n_heads', 'num_attention_heads'], 12, 1, MAX_HEADS),
    intermediateSize: config.integer('hidden_dim', 3072, 1, MAX_INTERMEDIATE_SIZE),
    numPositions: config.integer('max_position_embeddings', 512, 1, MAX_POSITIONS),
    vocabSize: config.integer('vocab_size', 30_522, 1, MAX_VOCAB_SIZE),
    numTokenTypes: 0,
    normEps: 1e-12,
    hiddenActivation: readActivation(config, 'activation'),
  };
  checkHeads(config, hyperparameters);
  return {
    architecture: 'bert',
    hyperparameters,
    names: NAMES,
    head: { pooling: 'cls', activation: 'relu' },
    // llama.cpp runs tanh between the two layers of the head.
    llamacppCompat: isGelu(hyperparameters.hiddenActivation) ? 'approximate-head' : 'unsupported',
  };
});
