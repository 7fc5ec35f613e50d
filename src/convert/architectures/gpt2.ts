/**
 * GPT2ForSequenceClassification: causal attention over learned positions, layer norms before each part, weights stored
 * as [in, out]; logits = score(ln_f(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { readActivation, readGptSizes, refusePruned } from './mechanisms';
import { planScore, scoreHead } from './score-head';
import { planClassifier, prefixesOf } from './tensor-planner';
import { withWordSegments } from './word-segments';

const DEFAULTS = { numLayers: 12, hiddenSize: 768, numHeads: 12, numPositions: 1024, vocabSize: 50_257 };

/** The causal mask that old checkpoints hold, and what language models have beside the classifier. */
const IGNORED = /(^|\.)h\.\d+\.attn\.(masked_)?bias$|(^|\.)lm_head\.weight$/;

export const gpt2: Architecture = {
  sourceClass: 'GPT2ForSequenceClassification',
  modelType: 'gpt2',
  withSegments: withWordSegments,
  transposedModules: /(^|\.)h\.\d+\.(attn|mlp)\.c_\w+$/,

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readHyperparameters(config);
    return {
      architecture: 'gpt2',
      hyperparameters,
      ...plan(hyperparameters, weights),
      head: scoreHead(config),
      llamacppCompat: 'unsupported',
    };
  },
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  if (config.boolean('add_cross_attention', false)) {
    config.unsupported('add_cross_attention is true; only models without an encoder are supported');
  }
  if (config.boolean('scale_attn_by_inverse_layer_idx', false)) {
    config.unsupported(
      'scale_attn_by_inverse_layer_idx is true; only scores with one factor in all layers are supported',
    );
  }
  refusePruned(config);
  return {
    ...readGptSizes(config, DEFAULTS),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 0, 1),
    normPlacement: 'pre',
    hiddenActivation: readActivation(config, 'activation_function', 'gelu_new'),
    isCausal: true,
    ...(config.boolean('scale_attn_weights', true) ? {} : { attentionScale: 1 }),
  };
}

function plan(
  { numLayers, hiddenSize: h, intermediateSize: f, numPositions, vocabSize }: EncoderHyperparameters,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const place = { prefixes: prefixesOf('transformer'), probe: 'wte', classifier: 'score', ignored: IGNORED };
  return planClassifier(weights, place, (planner, decoder, head, numLabels) => {
    planner.matrix('token_embd.weight', [vocabSize, h], `${decoder}wte.weight`);
    planner.exact('position_embd.weight', [numPositions, h], `${decoder}wpe.weight`);
    for (let layer = 0; layer < numLayers; layer++) {
      const [block, from] = [`blk.${layer}.`, `${decoder}h.${layer}.`];
      planner.norm(`${block}attn_norm`, h, `${from}ln_1`);
      planner.transposed(`${block}attn_qkv`, 3 * h, h, `${from}attn.c_attn`);
      planner.transposed(`${block}attn_output`, h, h, `${from}attn.c_proj`);
      planner.norm(`${block}ffn_norm`, h, `${from}ln_2`);
      planner.transposed(`${block}ffn_up`, f, h, `${from}mlp.c_fc`);
      planner.transposed(`${block}ffn_down`, h, f, `${from}mlp.c_proj`);
    }
    planner.norm('output_norm', h, `${decoder}ln_f`);
    planScore(planner, head, numLabels, h);
  });
}
