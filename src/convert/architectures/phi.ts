/**
 * PhiForSequenceClassification (Phi 1, 1.5 and 2): attention and feed-forward part read the same states through one layer
 * norm; part of each head turns; logits = score(final_layernorm(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { readActivation, readHeadSize, readKeyValueHeads, readSizes } from './mechanisms';
import { rotaryParameters, rotation } from './rotary';
import { planScore, scoreHead } from './score-head';
import { planClassifier, prefixesOf } from './tensor-planner';

/** Frequencies of old checkpoints, and what language models have beside the classifier. */
const IGNORED = /(^|\.)rotary_emb\.inv_freq$|(^|\.)lm_head\.(weight|bias)$/;

const DEFAULTS = {
  numLayers: 24,
  hiddenSize: 2048,
  numHeads: 32,
  intermediateSize: 8192,
  numPositions: 2048,
  vocabSize: 51_200,
};

export const phi: Architecture = {
  sourceClass: 'PhiForSequenceClassification',
  modelType: 'phi',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readHyperparameters(config);
    return {
      architecture: 'phi2',
      hyperparameters,
      ...plan(hyperparameters, weights),
      head: scoreHead(config),
      llamacppCompat: 'unsupported',
    };
  },
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  if (config.boolean('qk_layernorm', false)) {
    config.unsupported('qk_layernorm is true; only models without layer norms of queries and keys are supported');
  }
  const sizes = readSizes(config, DEFAULTS);
  const headSize = readHeadSize(config, sizes);
  const parameters = {
    partial_rotary_factor: config.number('partial_rotary_factor', 0.5, 0.01, 1),
    ...rotaryParameters(config),
  };
  return {
    ...sizes,
    numKeyValueHeads: readKeyValueHeads(config, sizes.numHeads),
    headSize,
    numTokenTypes: 0,
    normEps: config.number('layer_norm_eps', 1e-5, 1e-12, 1),
    normPlacement: 'parallel',
    hiddenActivation: readActivation(config, 'hidden_act', 'gelu_new'),
    isCausal: true,
    positionKind: 'rope',
    rope: rotation(config, parameters, headSize, config.number('rope_theta', 10_000, 1, 1e9)),
  };
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
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const [q, kv] = [numHeads * headSize!, numKeyValueHeads! * headSize!];
  const place = { prefixes: prefixesOf('model'), probe: 'embed_tokens', classifier: 'score', ignored: IGNORED };
  return planClassifier(weights, place, (planner, decoder, head, numLabels) => {
    planner.matrix('token_embd.weight', [vocabSize, h], `${decoder}embed_tokens.weight`);
    for (let layer = 0; layer < numLayers; layer++) {
      const [block, from] = [`blk.${layer}.`, `${decoder}layers.${layer}.`];
      const sources = ['q_proj', 'k_proj', 'v_proj'].map((name) => `${from}self_attn.${name}`);
      // One norm feeds both parts.
      planner.norm(`${block}attn_norm`, h, `${from}input_layernorm`);
      planner.linear(`${block}attn_qkv`, { sources, rows: [q, kv, kv], columns: h, bias: true });
      planner.dense(`${block}attn_output`, h, q, `${from}self_attn.dense`);
      planner.norm(`${block}ffn_norm`, h, `${from}input_layernorm`);
      planner.dense(`${block}ffn_up`, f, h, `${from}mlp.fc1`);
      planner.dense(`${block}ffn_down`, h, f, `${from}mlp.fc2`);
    }
    planner.norm('output_norm', h, `${decoder}final_layernorm`);
    planScore(planner, head, numLabels, h);
  });
}
