/**
 * GPT2ForSequenceClassification and OpenAIGPTForSequenceClassification: causal attention over learned positions, weights
 * stored as [in, out], layer norms before each part, and behind it in the first GPT; logits = score(h[last token that is no
 * pad]), in GPT-2 behind a last norm.
 */
import type { ConfigReader } from '../config';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { readActivation, readGptSizes, refusePruned } from './mechanisms';
import { planScore, scoreHead } from './score-head';
import { planClassifier, prefixesOf } from './tensor-planner';
import { withWordSegments } from './word-segments';

const DEFAULTS = { numLayers: 12, hiddenSize: 768, numHeads: 12, numPositions: 1024, vocabSize: 50_257 };

const FIRST_DEFAULTS = { ...DEFAULTS, numPositions: 512, vocabSize: 40_478 };

/** The causal mask that old checkpoints hold, and what language models have beside the classifier. */
const IGNORED = /(^|\.)h\.\d+\.attn\.(masked_)?bias$|(^|\.)lm_head\.weight$/;

export const gpt2 = architectureOf('GPT2', 'gpt2', 'gpt2', (config, weights) => {
  const hyperparameters = readHyperparameters(config);
  return { hyperparameters, ...plan(hyperparameters, GPT2_NAMES, weights) };
});

export const openaiGpt = architectureOf('OpenAIGPT', 'openai-gpt', 'openai-gpt', (config, weights) => {
  const hyperparameters = readFirst(config);
  return { hyperparameters, ...plan(hyperparameters, GPT_NAMES, weights) };
});

function architectureOf(
  className: string,
  modelType: string,
  architecture: string,
  describe: (
    config: ConfigReader,
    weights: TensorIndex,
  ) => Pick<EncoderModel, 'hyperparameters' | 'tensors' | 'numLabels'>,
): Architecture {
  return {
    sourceClass: `${className}ForSequenceClassification`,
    modelType,
    withSegments: withWordSegments,
    transposedModules: /(^|\.)h\.\d+\.(attn|mlp)\.c_\w+$/,
    describe: (config, weights) => ({
      architecture,
      ...describe(config, weights),
      head: scoreHead(config),
      llamacppCompat: 'unsupported',
    }),
  };
}

/** The activations that the first GPT knows, by its own names. */
const FIRST_ACTIVATIONS = { gelu: 'gelu_new', relu: 'relu', silu: 'silu', swish: 'silu' } as const;

function readFirst(config: ConfigReader): EncoderHyperparameters {
  refusePruned(config);
  const sizes = readGptSizes(config, FIRST_DEFAULTS);
  const activation = config.oneOf('afn', 'gelu', ['gelu', 'relu', 'silu', 'swish']);
  return {
    ...sizes,
    intermediateSize: 4 * sizes.hiddenSize,
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 0, 1),
    hiddenActivation: FIRST_ACTIVATIONS[activation],
    isCausal: true,
  };
}

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

/** What GPT-2 names otherwise than the first GPT, whose norms stand behind each part. */
const GPT2_NAMES = {
  tokens: 'wte',
  positions: 'wpe',
  norms: ['attn_norm', 'ffn_norm'],
  lastNorm: 'ln_f',
} as const;
const GPT_NAMES = {
  tokens: 'tokens_embed',
  positions: 'positions_embed',
  norms: ['attn_output_norm', 'layer_output_norm'],
  lastNorm: undefined,
} as const;

function plan(
  { numLayers, hiddenSize: h, intermediateSize: f, numPositions, vocabSize }: EncoderHyperparameters,
  names: typeof GPT2_NAMES | typeof GPT_NAMES,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const place = { prefixes: prefixesOf('transformer'), probe: names.tokens, classifier: 'score', ignored: IGNORED };
  return planClassifier(weights, place, (planner, decoder, head, numLabels) => {
    planner.matrix('token_embd.weight', [vocabSize, h], `${decoder}${names.tokens}.weight`);
    planner.exact('position_embd.weight', [numPositions, h], `${decoder}${names.positions}.weight`);
    for (let layer = 0; layer < numLayers; layer++) {
      const [block, from] = [`blk.${layer}.`, `${decoder}h.${layer}.`];
      planner.norm(block + names.norms[0], h, `${from}ln_1`);
      planner.transposed(`${block}attn_qkv`, 3 * h, h, `${from}attn.c_attn`);
      planner.transposed(`${block}attn_output`, h, h, `${from}attn.c_proj`);
      planner.norm(block + names.norms[1], h, `${from}ln_2`);
      planner.transposed(`${block}ffn_up`, f, h, `${from}mlp.c_fc`);
      planner.transposed(`${block}ffn_down`, h, f, `${from}mlp.c_proj`);
    }
    if (names.lastNorm !== undefined) planner.norm('output_norm', h, `${decoder}${names.lastNorm}`);
    planScore(planner, head, numLabels, h);
  });
}
