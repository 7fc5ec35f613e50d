/**
 * Starcoder2ForSequenceClassification: causal attention with shared key heads and rotary positions, layer norms before each
 * part, a feed-forward part without a gate; logits = score(norm(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import { MAX_POSITIONS } from '../limits';
import type { Architecture, EncoderHyperparameters, EncoderModel, SlidingWindow, TensorIndex } from './architecture';
import { slidingWindow } from './layer-types';
import { readActivation, readHeadSize, readKeyValueHeads, readSizes } from './mechanisms';
import { readRotary, requireWholeHeads } from './rotary';
import { planScore, scoreHead } from './score-head';
import { planClassifier, prefixesOf } from './tensor-planner';

/** Frequencies of old checkpoints, and what language models have beside the classifier. */
const IGNORED = /(^|\.)rotary_emb\.inv_freq$|(^|\.)lm_head\.weight$/;

const DEFAULTS = {
  numLayers: 30,
  hiddenSize: 3072,
  numHeads: 24,
  intermediateSize: 12_288,
  numPositions: 4096,
  vocabSize: 49_152,
};

export const starcoder2: Architecture = {
  sourceClass: 'Starcoder2ForSequenceClassification',
  modelType: 'starcoder2',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readHyperparameters(config);
    return {
      architecture: 'starcoder2',
      hyperparameters,
      ...plan(hyperparameters, config.boolean('use_bias', true), weights),
      head: scoreHead(config),
      llamacppCompat: 'unsupported',
    };
  },
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const sizes = readSizes(config, DEFAULTS);
  const headSize = readHeadSize(config, sizes);
  const rope = readRotary(config, headSize, 10_000);
  requireWholeHeads(config, rope, headSize);
  return {
    ...sizes,
    numKeyValueHeads: readKeyValueHeads(config, sizes.numHeads, 2),
    headSize,
    numTokenTypes: 0,
    normEps: config.number('norm_epsilon', 1e-5, 1e-12, 1),
    normPlacement: 'pre',
    hiddenActivation: readActivation(config, 'hidden_act', 'gelu_pytorch_tanh'),
    isCausal: true,
    positionKind: 'rope',
    rope,
    ...(config.get('sliding_window') === undefined ? {} : { slidingWindow: readWindow(config, sizes.numLayers) }),
  };
}

/** All layers have it, whatever layer_types says. */
function readWindow(config: ConfigReader, numLayers: number): SlidingWindow | undefined {
  const layers = Array.from({ length: numLayers }, (_, layer) => layer);
  return slidingWindow(config.integer('sliding_window', 1, 1, MAX_POSITIONS), layers);
}

function plan(
  {
    numLayers,
    hiddenSize: h,
    numHeads,
    numKeyValueHeads,
    headSize,
    intermediateSize: f,
    vocabSize,
  }: EncoderHyperparameters,
  bias: boolean,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const [q, kv] = [numHeads * headSize!, numKeyValueHeads! * headSize!];
  const place = { prefixes: prefixesOf('model'), probe: 'embed_tokens', classifier: 'score', ignored: IGNORED };
  return planClassifier(weights, place, (planner, decoder, head, numLabels) => {
    planner.matrix('token_embd.weight', [vocabSize, h], `${decoder}embed_tokens.weight`);
    for (let layer = 0; layer < numLayers; layer++) {
      const [block, from] = [`blk.${layer}.`, `${decoder}layers.${layer}.`];
      const sources = ['q_proj', 'k_proj', 'v_proj'].map((name) => `${from}self_attn.${name}`);
      planner.norm(`${block}attn_norm`, h, `${from}input_layernorm`);
      planner.linear(`${block}attn_qkv`, { sources, rows: [q, kv, kv], columns: h, bias });
      planner.dense(`${block}attn_output`, h, q, `${from}self_attn.o_proj`, bias);
      planner.norm(`${block}ffn_norm`, h, `${from}post_attention_layernorm`);
      planner.dense(`${block}ffn_up`, f, h, `${from}mlp.c_fc`, bias);
      planner.dense(`${block}ffn_down`, h, f, `${from}mlp.c_proj`, bias);
    }
    planner.norm('output_norm', h, `${decoder}norm`);
    planScore(planner, head, numLabels, h);
  });
}
