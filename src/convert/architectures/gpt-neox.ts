/**
 * GPTNeoXForSequenceClassification (Pythia and its kin): attention and feed-forward part read the same states, or one
 * after the other; part of each head turns; logits = score(final_layer_norm(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import type { Architecture, EncoderHyperparameters, EncoderModel, RotaryEmbedding, TensorIndex } from './architecture';
import { checkHeads, readActivation, readHeadSize, readSizes } from './mechanisms';
import { rotaryParameters, rotation } from './rotary';
import { planScore, scoreHead } from './score-head';
import { planClassifier, prefixesOf } from './tensor-planner';

/** Causal masks and frequencies of old checkpoints, and what language models have beside the classifier. */
const IGNORED = /(^|\.)attention\.((masked_)?bias|rotary_emb\.inv_freq)$|(^|\.)embed_out\.weight$/;

const DEFAULTS = {
  numLayers: 44,
  hiddenSize: 6144,
  numHeads: 64,
  intermediateSize: 24_576,
  numPositions: 2048,
  vocabSize: 50_432,
};

export const gptNeox: Architecture = {
  sourceClass: 'GPTNeoXForSequenceClassification',
  modelType: 'gpt_neox',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readHyperparameters(config);
    return {
      architecture: 'gptneox',
      hyperparameters,
      ...plan(hyperparameters, config.boolean('attention_bias', true), weights),
      head: scoreHead(config),
      llamacppCompat: 'unsupported',
    };
  },
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const sizes = readSizes(config, DEFAULTS);
  checkHeads(config, sizes);
  const headSize = sizes.hiddenSize / sizes.numHeads;
  if (readHeadSize(config, sizes) !== headSize) {
    config.unsupported(`head_dim is not ${headSize}, the share of hidden_size that a head has in this class`);
  }
  return {
    ...sizes,
    numTokenTypes: 0,
    normEps: config.number('layer_norm_eps', 1e-5, 1e-12, 1),
    normPlacement: config.boolean('use_parallel_residual', true) ? 'parallel' : 'pre',
    hiddenActivation: readActivation(config, 'hidden_act'),
    isCausal: true,
    positionKind: 'rope',
    rope: readRotary(config, headSize),
  };
}

/** `rope_parameters`, or the class's own names for the share of a head that turns and for theta. */
function readRotary(config: ConfigReader, headSize: number): RotaryEmbedding {
  const parameters = {
    partial_rotary_factor: config.number('rotary_pct', 0.25, 0.01, 1),
    ...rotaryParameters(config),
  };
  const theta = config.number('rotary_emb_base', 10_000, 1, 1e9);
  return rotation(config, parameters, headSize, theta);
}

function plan(
  { numLayers, hiddenSize: h, numHeads, intermediateSize: f, vocabSize }: EncoderHyperparameters,
  attentionBias: boolean,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const place = { prefixes: prefixesOf('gpt_neox'), probe: 'embed_in', classifier: 'score', ignored: IGNORED };
  return planClassifier(weights, place, (planner, decoder, head, numLabels) => {
    planner.matrix('token_embd.weight', [vocabSize, h], `${decoder}embed_in.weight`);
    for (let layer = 0; layer < numLayers; layer++) {
      const [block, from] = [`blk.${layer}.`, `${decoder}layers.${layer}.`];
      planner.norm(`${block}attn_norm`, h, `${from}input_layernorm`);
      planner.joinedHeads(`${block}attn_qkv`, h, numHeads, `${from}attention.query_key_value`, attentionBias);
      planner.dense(`${block}attn_output`, h, h, `${from}attention.dense`, attentionBias);
      planner.norm(`${block}ffn_norm`, h, `${from}post_attention_layernorm`);
      planner.dense(`${block}ffn_up`, f, h, `${from}mlp.dense_h_to_4h`);
      planner.dense(`${block}ffn_down`, h, f, `${from}mlp.dense_4h_to_h`);
    }
    planner.norm('output_norm', h, `${decoder}final_layer_norm`);
    planScore(planner, head, numLabels, h);
  });
}
