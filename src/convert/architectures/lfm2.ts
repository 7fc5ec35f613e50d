/**
 * LFM2: layers of gated convolutions over a few tokens, and between them some that attend as a Qwen 3's do. The encoders of
 * LFM2.5 are the same with tokens that see those behind them too.
 */
import type { ConfigReader } from '../config';
import { MAX_CAUSAL_CONVOLUTION_WIDTH, MAX_INTERMEDIATE_SIZE } from '../limits';
import type { EncoderHyperparameters, ShortConvolution } from './architecture';
import { type DecoderFamily, noBiases, sizes } from './decoder-family';
import { layersOf } from './layer-types';
import { readWholeRotary } from './rotary';

const CAUSAL_TYPE = 'lfm2';
const DEFAULTS = sizes(32, 2560, 32, 12_288, 128_000, 65_536);

/** Layers that convolve: those that `layer_types` names, else those that `full_attn_idxs` leaves out. */
function shortConvolution(config: ConfigReader, numLayers: number): ShortConvolution | undefined {
  const attending = config.get('full_attn_idxs');
  if (attending !== undefined && (!Array.isArray(attending) || !attending.every(Number.isInteger))) {
    config.malformed('full_attn_idxs is no list of layers');
  }
  const layers = layersOf('conv', config, numLayers, (layer) => attending !== undefined && !attending.includes(layer));
  const width = config.integer('conv_L_cache', 3, 1, MAX_CAUSAL_CONVOLUTION_WIDTH);
  const hasBiases = config.boolean('conv_bias', false);
  return layers.length === 0 ? undefined : { layers, width, hasBiases };
}

/** What the weights have of `intermediate_size`: two thirds of it, times a factor, in whole blocks. */
function feedForward(config: ConfigReader): number {
  const size = config.integer('intermediate_size', DEFAULTS.intermediateSize, 1, MAX_INTERMEDIATE_SIZE);
  if (!config.boolean('block_auto_adjust_ff_dim', true)) return size;
  const block = config.integer('block_multiple_of', 256, 1, MAX_INTERMEDIATE_SIZE);
  const factor = config.number('block_ffn_dim_multiplier', 1, 1e-3, 1e3);
  const adjusted = Math.ceil(Math.trunc(factor * Math.trunc((2 * size) / 3)) / block) * block;
  if (adjusted < 1 || adjusted > MAX_INTERMEDIATE_SIZE) {
    config.unsupported(`the feed-forward part is ${adjusted} wide; at most ${MAX_INTERMEDIATE_SIZE} is supported`);
  }
  return adjusted;
}

function more(config: ConfigReader): Partial<EncoderHyperparameters> {
  return { intermediateSize: feedForward(config), normEps: config.number('norm_eps', 1e-5, 0, 1) };
}

const COMMON = {
  olderKeys: { block_ff_dim: 'intermediate_size', tie_embedding: 'tie_word_embeddings' },
  defaults: { ...DEFAULTS, numKeyValueHeads: 8, tiesEmbeddings: true },
  biases: noBiases,
  rotary: (config: ConfigReader, headSize: number) => readWholeRotary(config, headSize, 1e6),
  activation: () => 'silu',
  normalizesQueries: 'heads',
  names: {
    input_layernorm: 'operator_norm',
    'self_attn.q_norm': 'self_attn.q_layernorm',
    'self_attn.k_norm': 'self_attn.k_layernorm',
    'self_attn.o_proj': 'self_attn.out_proj',
    post_attention_layernorm: 'ffn_norm',
    'mlp.gate_proj': 'feed_forward.w1',
    'mlp.up_proj': 'feed_forward.w3',
    'mlp.down_proj': 'feed_forward.w2',
    norm: 'embedding_norm',
  },
} as const;

/**
 * Only of tokens that fill up a query is it of account whether convolutions read what attention does not see. The code
 * beside the first checkpoints, whose model_type is that of a causal model, has no key for it: that of
 * LFM2.5-ColBERT reads them, and the others have no such tokens.
 */
function centredConvolution(config: ConfigReader, numLayers: number): ShortConvolution | undefined {
  const convolution = shortConvolution(config, numLayers);
  const zeroes = config.boolean('conv_zero_padding', config.string('model_type') !== CAUSAL_TYPE);
  return convolution && { ...convolution, readsUnseen: !zeroes };
}

export const lfm2Families: readonly DecoderFamily[] = [
  {
    ...COMMON,
    className: 'Lfm2',
    modelType: CAUSAL_TYPE,
    only: 'language-model',
    isBodyToo: true,
    shortConvolution,
    more,
  },
  {
    ...COMMON,
    className: 'Lfm2Bidirectional',
    modelType: 'lfm2_bidirectional',
    publishedAs: CAUSAL_TYPE,
    architecture: CAUSAL_TYPE,
    only: 'classifier',
    shortConvolution: centredConvolution,
    more: (config) => ({ ...more(config), isCausal: false }),
  },
];
