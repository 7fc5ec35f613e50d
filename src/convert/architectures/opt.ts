/**
 * OPTForSequenceClassification: causal attention over learned positions, layer norms before each part or after it;
 * logits = score(h[last token that is no pad]). In the smallest the embeddings are narrower than the layers: the tokens' are
 * projected before the positions are added, and the states back before the score.
 */
import type { ConfigReader } from '../config';
import { MAX_HIDDEN_SIZE, MAX_INTERMEDIATE_SIZE } from '../limits';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { checkHeads, readActivation, readSizes } from './mechanisms';
import { planScore, scoreHead } from './score-head';
import { type Prefixes, planClassifier } from './tensor-planner';

const PREFIXES: Prefixes = [
  ['model.decoder.', ''],
  ['decoder.', ''],
  ['module.model.decoder.', 'module.'],
];
const IGNORED = /(^|\.)lm_head\.weight$/;

const DEFAULTS = {
  numLayers: 12,
  hiddenSize: 768,
  numHeads: 12,
  intermediateSize: 3072,
  numPositions: 2048,
  vocabSize: 50_272,
};

/** Rows of the position table before that of the first token. */
const POSITION_OFFSET = 2;

export const opt: Architecture = {
  sourceClass: 'OPTForSequenceClassification',
  modelType: 'opt',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readHyperparameters(config);
    return {
      architecture: 'opt',
      hyperparameters,
      ...plan(hyperparameters, config.boolean('enable_bias', true), weights),
      head: {
        ...scoreHead(config, 1),
        activation: hyperparameters.embeddingSize === undefined ? 'none' : 'identity',
      },
      llamacppCompat: 'unsupported',
    };
  },
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const sizes = readSizes(config, DEFAULTS);
  checkHeads(config, sizes);
  const embeddingSize = config.integer('word_embed_proj_dim', sizes.hiddenSize, 1, MAX_HIDDEN_SIZE);
  if (!config.boolean('layer_norm_elementwise_affine', true)) {
    config.unsupported('layer_norm_elementwise_affine is false; only layer norms with weights are supported');
  }
  if (config.boolean('_remove_final_layer_norm', false)) {
    config.unsupported('_remove_final_layer_norm is true; only models with their last layer norm are supported');
  }
  return {
    ...sizes,
    intermediateSize: config.integer('ffn_dim', DEFAULTS.intermediateSize, 1, MAX_INTERMEDIATE_SIZE),
    numTokenTypes: 0,
    normEps: 1e-5,
    normPlacement: config.boolean('do_layer_norm_before', true) ? 'pre' : 'post',
    hiddenActivation: readActivation(config, 'activation_function', 'relu'),
    isCausal: true,
    positionOffset: POSITION_OFFSET,
    ...(embeddingSize === sizes.hiddenSize ? {} : { embeddingSize }),
  };
}

function plan(
  {
    numLayers,
    hiddenSize: h,
    embeddingSize,
    intermediateSize: f,
    numPositions,
    vocabSize,
    normPlacement,
  }: EncoderHyperparameters,
  bias: boolean,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const isPre = normPlacement === 'pre';
  const [e, isProjected] = [embeddingSize ?? h, embeddingSize !== undefined];
  const place = { prefixes: PREFIXES, probe: 'embed_tokens', classifier: 'score', ignored: IGNORED };
  return planClassifier(weights, place, (planner, decoder, head, numLabels) => {
    planner.matrix('token_embd.weight', [vocabSize, e], `${decoder}embed_tokens.weight`);
    const positions = [numPositions + POSITION_OFFSET, h];
    planner.exact('position_embd.weight', positions, `${decoder}embed_positions.weight`, [
      [POSITION_OFFSET, numPositions],
    ]);
    for (let layer = 0; layer < numLayers; layer++) {
      const [block, from] = [`blk.${layer}.`, `${decoder}layers.${layer}.`];
      const linear = (name: string, rows: number[], columns: number, sources: string[]) =>
        planner.linear(`${block}${name}`, {
          sources: sources.map((source) => `${from}${source}`),
          rows,
          columns,
          bias,
        });
      linear('attn_qkv', [h, h, h], h, ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']);
      linear('attn_output', [h], h, ['self_attn.out_proj']);
      linear('ffn_up', [f], h, ['fc1']);
      linear('ffn_down', [h], f, ['fc2']);
      planner.norm(`${block}${isPre ? 'attn_norm' : 'attn_output_norm'}`, h, `${from}self_attn_layer_norm`);
      planner.norm(`${block}${isPre ? 'ffn_norm' : 'layer_output_norm'}`, h, `${from}final_layer_norm`);
    }
    if (isPre) planner.norm('output_norm', h, `${decoder}final_layer_norm`);
    if (isProjected) {
      planner.dense('token_embd_proj', h, e, `${decoder}project_in`, false);
      planner.headDense('cls', e, h, `${decoder}project_out`, false);
    }
    planScore(planner, head, numLabels, e);
  });
}
