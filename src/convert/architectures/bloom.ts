/**
 * BloomForSequenceClassification: causal attention whose scores fall with the distance (ALiBi), layer norms before each
 * part and behind the embeddings; logits = score(ln_f(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import { MAX_HEADS, MAX_HIDDEN_SIZE, MAX_LAYERS, MAX_POSITIONS, MAX_VOCAB_SIZE } from '../limits';
import { alibiSlopes } from './alibi';
import type { EncoderHyperparameters } from './architecture';
import { checkHeads } from './mechanisms';
import { type PlainDecoderNames, plainDecoder, sameBiases } from './plain-decoder';

const NAMES: PlainDecoderNames = {
  decoder: 'transformer',
  tokenEmbedding: 'word_embeddings',
  embeddingNorm: 'word_embeddings_layernorm',
  layers: 'h',
  norms: ['input_layernorm', 'post_attention_layernorm'],
  qkv: 'self_attention.query_key_value',
  output: 'self_attention.dense',
  up: 'mlp.dense_h_to_4h',
  down: 'mlp.dense_4h_to_h',
  lastNorm: 'ln_f',
  ignored: /(^|\.)lm_head\.weight$/,
};

export const bloom = plainDecoder('BloomForSequenceClassification', 'bloom', 'bloom', (config) => ({
  hyperparameters: readHyperparameters(config),
  names: NAMES,
  biases: sameBiases(true),
}));

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  if (config.boolean('apply_residual_connection_post_layernorm', false)) {
    config.unsupported(
      'apply_residual_connection_post_layernorm is true; only models that add to what was not normalized are supported',
    );
  }
  const hiddenSize = config.integer(['n_embed', 'hidden_size'], 64, 1, MAX_HIDDEN_SIZE);
  const numHeads = config.integer(['n_head', 'num_attention_heads'], 8, 1, MAX_HEADS);
  checkHeads(config, { hiddenSize, numHeads });
  return {
    numLayers: config.integer(['n_layer', 'num_hidden_layers'], 2, 1, MAX_LAYERS),
    hiddenSize,
    numHeads,
    intermediateSize: 4 * hiddenSize,
    // The class knows no limit: that of the training.
    numPositions: config.integer('seq_length', 2048, 1, MAX_POSITIONS),
    vocabSize: config.integer('vocab_size', 250_880, 1, MAX_VOCAB_SIZE),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 0, 1),
    normPlacement: 'pre',
    hiddenActivation: 'gelu_new',
    isCausal: true,
    positionKind: 'linear-bias',
    biasSlopes: alibiSlopes(numHeads),
  };
}
