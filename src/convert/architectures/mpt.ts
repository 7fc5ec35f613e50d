/**
 * MptForSequenceClassification: causal attention whose scores fall with the distance (ALiBi), layer norms before each part,
 * no biases at all; logits = score(norm_f(h[last token that is no pad])).
 */
import { ConfigReader } from '../config';
import { MAX_HEADS, MAX_HIDDEN_SIZE, MAX_LAYERS, MAX_POSITIONS, MAX_VOCAB_SIZE } from '../limits';
import { alibiSlopes } from './alibi';
import type { EncoderHyperparameters } from './architecture';
import { checkHeads } from './mechanisms';
import { type PlainDecoderNames, plainDecoder, sameBiases } from './plain-decoder';

const NAMES: PlainDecoderNames = {
  decoder: 'transformer',
  tokenEmbedding: 'wte',
  layers: 'blocks',
  norms: ['norm_1', 'norm_2'],
  qkv: ['attn.Wqkv'],
  output: 'attn.out_proj',
  up: 'ffn.up_proj',
  down: 'ffn.down_proj',
  lastNorm: 'norm_f',
  ignored: /(^|\.)lm_head\.weight$/,
};

export const mpt = plainDecoder('MptForSequenceClassification', 'mpt', 'mpt', (config) => ({
  hyperparameters: readHyperparameters(config),
  names: NAMES,
  biases: sameBiases(false),
  normsHaveBiases: false,
}));

/** The class has these slopes and this inner size whatever `alibi`, `alibi_bias_max`, and `expansion_ratio` say. */
function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const attention = new ConfigReader(config.object('attn_config') ?? {}, `attn_config in ${config.path}`);
  const hiddenSize = config.integer(['d_model', 'hidden_size'], 2048, 1, MAX_HIDDEN_SIZE);
  const numHeads = config.integer(['n_heads', 'num_attention_heads'], 16, 1, MAX_HEADS);
  checkHeads(config, { hiddenSize, numHeads });
  if (attention.number('clip_qkv', 0, 0, 1e9) !== 0) {
    attention.unsupported('clip_qkv is set; only queries, keys and values that are not clipped are supported');
  }
  const scale = attention.get('softmax_scale');
  return {
    numLayers: config.integer(['n_layers', 'num_hidden_layers'], 24, 1, MAX_LAYERS),
    hiddenSize,
    numHeads,
    intermediateSize: 4 * hiddenSize,
    numPositions: config.integer('max_seq_len', 2048, 1, MAX_POSITIONS),
    vocabSize: config.integer('vocab_size', 50_368, 1, MAX_VOCAB_SIZE),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 0, 1),
    normPlacement: 'pre',
    hiddenActivation: 'gelu',
    isCausal: true,
    positionKind: 'linear-bias',
    biasSlopes: alibiSlopes(numHeads),
    ...(scale === undefined ? {} : { attentionScale: attention.number('softmax_scale', 1, 1e-6, 1e6) }),
  };
}
