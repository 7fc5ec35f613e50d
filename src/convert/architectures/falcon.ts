/**
 * FalconForSequenceClassification: rotary positions, keys and values that few heads share; attention and feed-forward part
 * read the same states, through one layer norm or two, or one after the other; logits = score(ln_f(h[last token that is no
 * pad])).
 */
import type { ConfigReader } from '../config';
import { MAX_HEADS, MAX_HIDDEN_SIZE, MAX_INTERMEDIATE_SIZE } from '../limits';
import type { EncoderHyperparameters } from './architecture';
import { checkHeads, readActivation, readSizes } from './mechanisms';
import { type PlainDecoderNames, plainDecoder, sameBiases } from './plain-decoder';
import { readWholeRotary } from './rotary';

const DEFAULTS = {
  numLayers: 32,
  hiddenSize: 4544,
  numHeads: 71,
  intermediateSize: 4 * 4544,
  numPositions: 2048,
  vocabSize: 65_024,
};

const NAMES: Omit<PlainDecoderNames, 'norms'> = {
  decoder: 'transformer',
  tokenEmbedding: 'word_embeddings',
  layers: 'h',
  qkv: 'self_attention.query_key_value',
  output: 'self_attention.dense',
  up: 'mlp.dense_h_to_4h',
  down: 'mlp.dense_4h_to_h',
  lastNorm: 'ln_f',
  ignored: /(^|\.)rotary(_emb)?\.inv_freq$|(^|\.)lm_head\.weight$/,
};

export const falcon = plainDecoder('FalconForSequenceClassification', 'falcon', 'falcon', (config) => {
  const norms = readNorms(config);
  const hyperparameters = readHyperparameters(config, norms);
  return { hyperparameters, names: { ...NAMES, norms }, biases: sameBiases(flag(config, 'bias', false)) };
});

type Norms = PlainDecoderNames['norms'];

const SERIAL: Norms = ['input_layernorm', 'post_attention_layernorm'];
const ONE_NORM: Norms = ['input_layernorm', 'input_layernorm'];
const TWO_NORMS: Norms = ['ln_attn', 'ln_mlp'];

function readNorms(config: ConfigReader): Norms {
  const isNew = flag(config, 'new_decoder_architecture', false);
  const isParallel = flag(config, 'parallel_attn', true);
  const count = config.integer('num_ln_in_parallel_attn', isNew ? 2 : 1, 1, 2);
  if (isNew && !isParallel) {
    config.unsupported('new_decoder_architecture is true and parallel_attn is false, which transformers cannot run');
  }
  if (!isParallel) return SERIAL;
  if (count === 2 && !isNew) {
    config.unsupported('num_ln_in_parallel_attn is 2 without new_decoder_architecture, which transformers cannot run');
  }
  return count === 2 ? TWO_NORMS : ONE_NORM;
}

function readHyperparameters(config: ConfigReader, norms: Norms): EncoderHyperparameters {
  if (flag(config, 'alibi', false)) {
    config.unsupported(
      'alibi is true, which transformers computes in bfloat16 and in several ways; supported are rotary positions',
    );
  }
  const hiddenSize = config.integer(['n_embed', 'hidden_size'], DEFAULTS.hiddenSize, 1, MAX_HIDDEN_SIZE);
  const sizes = { ...readSizes(config, DEFAULTS), hiddenSize };
  checkHeads(config, sizes);
  const headSize = hiddenSize / sizes.numHeads;
  const rope = readWholeRotary(config, headSize, 10_000);
  return {
    ...sizes,
    numKeyValueHeads: readNumKeyValueHeads(config, sizes.numHeads),
    intermediateSize: config.integer('ffn_hidden_size', 4 * hiddenSize, 1, MAX_INTERMEDIATE_SIZE),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 0, 1),
    normPlacement: norms === SERIAL ? 'pre' : 'parallel',
    hiddenActivation: readActivation(config, 'activation'),
    isCausal: true,
    positionKind: 'rope',
    rope,
  };
}

function readNumKeyValueHeads(config: ConfigReader, numHeads: number): number {
  const isNew = flag(config, 'new_decoder_architecture', false);
  if (!isNew && flag(config, 'multi_query', true)) return 1;
  const count = config.integer('num_kv_heads', numHeads, 1, MAX_HEADS);
  if (isNew ? numHeads % count !== 0 : numHeads !== count) {
    config.malformed(`${numHeads} attention heads cannot share ${count} key-value heads`);
  }
  return count;
}

/** Of this class null means false. */
function flag(config: ConfigReader, key: string, fallback: boolean): boolean {
  return config.json[key] === null ? false : config.boolean(key, fallback);
}
