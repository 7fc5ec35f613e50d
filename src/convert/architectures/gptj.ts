/**
 * GPTJForSequenceClassification: attention and feed-forward part read the same states through one layer norm; of the first
 * columns of each head those that turn together stand side by side; logits = score(ln_f(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import { MAX_HEAD_SIZE } from '../limits';
import type { Architecture, EncoderHyperparameters } from './architecture';
import { readActivation, readGptSizes } from './mechanisms';
import { type PlainDecoder, type PlainDecoderNames, plainDecoder } from './plain-decoder';
import { reciprocals } from './rope-scaling';
import { pairsApart, rotaryPeriods } from './rotary';
import { withWordSegments } from './word-segments';

const DEFAULTS = { numLayers: 28, hiddenSize: 4096, numHeads: 16, numPositions: 2048, vocabSize: 50_400 };

const NAMES: PlainDecoderNames = {
  decoder: 'transformer',
  tokenEmbedding: 'wte',
  layers: 'h',
  norms: ['ln_1', 'ln_1'],
  qkv: ['attn.q_proj', 'attn.k_proj', 'attn.v_proj'],
  output: 'attn.out_proj',
  up: 'mlp.fc_in',
  down: 'mlp.fc_out',
  lastNorm: 'ln_f',
  // Causal masks and sines of old checkpoints, and what language models have beside the classifier.
  ignored: /(^|\.)attn\.((masked_)?bias|embed_positions)$|(^|\.)lm_head\.(weight|bias)$/,
};

export const gptj: Architecture = {
  ...plainDecoder('GPTJForSequenceClassification', 'gptj', 'gptj', readDecoder),
  withSegments: withWordSegments,
};

function readDecoder(config: ConfigReader): PlainDecoder {
  const sizes = readGptSizes(config, DEFAULTS);
  const { numHeads } = sizes;
  const headSize = sizes.hiddenSize / numHeads;
  const rotated = readRotated(config, headSize);
  const hyperparameters: EncoderHyperparameters = {
    ...sizes,
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 0, 1),
    normPlacement: 'parallel',
    hiddenActivation: readActivation(config, 'activation_function', 'gelu_new'),
    isCausal: true,
    positionKind: 'rope',
    rope: { inverseFrequencies: reciprocals(rotaryPeriods(10_000, rotated)), attentionFactor: 1 },
  };
  const biases = { qkv: false, output: false, mlp: true };
  return { hyperparameters, names: NAMES, biases, turnedRows: pairsApart(numHeads, headSize, rotated) };
}

/** Columns of a head that turn. With null transformers has sines of the hidden size for heads that are smaller. */
function readRotated(config: ConfigReader, headSize: number): number {
  const rotated = config.json['rotary_dim'] === null ? 0 : config.integer('rotary_dim', 64, 0, MAX_HEAD_SIZE);
  if (rotated < 2 || rotated % 2 !== 0 || rotated > headSize) {
    config.unsupported(`rotary_dim is no even number from 2 to ${headSize}, the columns of a head`);
  }
  return rotated;
}
