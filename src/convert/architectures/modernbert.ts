/**
 * ModernBertForSequenceClassification: rotary positions, windows in all layers but every third, gated units, norms before
 * each part; logits = classifier(norm(act(dense(pooled)))), pooled the first token or the mean.
 */
import { float, text, uint } from '../../gguf/entries';
import type { GgufEntry } from '../../gguf/types';
import type { ConfigReader } from '../config';
import { MAX_POSITIONS } from '../limits';
import type { Architecture, EncoderBody, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { slidingLayers, slidingWindow } from './layer-types';
import { checkHeads, readActivation, readSizes } from './mechanisms';
import { inverseFrequencies, layerParameters, requireWholeHeads } from './rotary';
import { type Place, type TensorPlanner, planClassifier, planTensors, prefixesOf } from './tensor-planner';

const DEFAULTS = {
  numLayers: 22,
  hiddenSize: 768,
  numHeads: 12,
  intermediateSize: 1152,
  numPositions: 8192,
  vocabSize: 50_368,
};
/** decoder and head.* without a classifier belong to masked language models. */
const IGNORED = /(^|\.)decoder\.(weight|bias)$/;
const IGNORED_BESIDE_BODY = /(^|\.)(decoder|classifier|head\.dense|head\.norm)\.(weight|bias)$/;

/** The kinds of layer, with the key that their theta had in transformers 4. */
const FULL = ['full_attention', 'global_rope_theta', 160_000] as const;
const SLIDING = ['sliding_attention', 'local_rope_theta', 10_000] as const;

export interface Biases {
  readonly norm: boolean;
  readonly attention: boolean;
  readonly mlp: boolean;
  readonly classifier: boolean;
}

export const modernbert: Architecture = {
  sourceClass: 'ModernBertForSequenceClassification',
  modelType: 'modernbert',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readModernHyperparameters(config, () => readLocalAttention(config));
    const biases = readBiases(config);
    const pooling = config.oneOf('classifier_pooling', 'cls', ['cls', 'mean']);
    const activation = readActivation(config, 'classifier_activation');
    const isOwn = Object.values(biases).some(Boolean) || isScaled(config);
    const isPlain = hyperparameters.hiddenActivation === 'gelu' && activation === 'gelu';
    return {
      architecture: 'modern-bert',
      hyperparameters,
      ...plan(hyperparameters, biases, weights),
      head: { pooling, activation },
      // llama.cpp takes the mean, runs GELU and has no place for biases, nor for scaled positions.
      llamacppCompat: isOwn ? 'unsupported' : pooling === 'mean' && isPlain ? 'exact' : 'approximate-head',
      llamacppEntries: llamacppEntries(config),
    };
  },

  describeBody(config: ConfigReader, weights: TensorIndex): EncoderBody {
    const hyperparameters = readModernHyperparameters(config, () => readLocalAttention(config));
    return {
      architecture: 'modern-bert',
      hyperparameters,
      tensors: planTensors(weights, modernPlace('modernbert', IGNORED_BESIDE_BODY), (planner, encoder) =>
        planModernEncoder(planner, hyperparameters, readBiases(config), encoder),
      ),
      llamacppEntries: llamacppEntries(config),
    };
  },
};

export function readBiases(config: ConfigReader): Biases {
  return {
    norm: config.boolean('norm_bias', false),
    attention: config.boolean('attention_bias', false),
    mlp: config.boolean('mlp_bias', false),
    classifier: config.boolean('classifier_bias', false),
  };
}

/** What ModernBERT's encoders and decoders have alike; `readWindow` gives the window's size. */
export function readModernHyperparameters(config: ConfigReader, readWindow: () => number): EncoderHyperparameters {
  const sizes = readSizes(config, DEFAULTS);
  checkHeads(config, sizes);
  const headSize = sizes.hiddenSize / sizes.numHeads;
  const interval = config.integer('global_attn_every_n_layers', 3, 1, 256);
  const frequencies = ([kind, key, theta]: typeof FULL | typeof SLIDING) =>
    inverseFrequencies(config, layerParameters(config, kind, true), headSize, config.number(key, theta, 1, 1e9));
  const rope = {
    inverseFrequencies: frequencies(FULL),
    localInverseFrequencies: frequencies(SLIDING),
    attentionFactor: 1,
  };
  requireWholeHeads(config, rope, headSize);
  return {
    ...sizes,
    numTokenTypes: 0,
    normEps: config.number('norm_eps', 1e-5, 0, 1),
    normPlacement: 'pre',
    hiddenActivation: readActivation(config, 'hidden_activation'),
    feedForwardKind: 'glu',
    positionKind: 'rope',
    rope,
    slidingWindow: slidingWindow(
      readWindow(),
      slidingLayers(config, sizes.numLayers, (layer) => layer % interval !== 0),
    ),
  };
}

/** Tokens of a window; transformers 5 reads `sliding_window` too, the tokens to either side. */
function readLocalAttention(config: ConfigReader): number {
  const either = config.get('sliding_window');
  const both = config.integer('local_attention', 128, 2, MAX_POSITIONS);
  if (either === undefined || either === Math.floor(both / 2)) return both;
  return config.unsupported('sliding_window is not half of local_attention; remove the key or correct the other');
}

function isScaled(config: ConfigReader): boolean {
  return [FULL, SLIDING].some(([kind]) => {
    const { type = 'default', rope_type = type } = layerParameters(config, kind, true);
    return rope_type !== 'default' && rope_type !== 'dynamic';
  });
}

/** `attribute`: the encoder's name in the model, as trainers write it. */
export function modernPlace(attribute: string, ignored: RegExp): Place {
  return { prefixes: [['model.', ''], ...prefixesOf(attribute)], probe: 'embeddings.tok_embeddings', ignored };
}

function plan(
  hyperparameters: EncoderHyperparameters,
  biases: Biases,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const { hiddenSize: h } = hyperparameters;
  const place = { ...modernPlace('modernbert', IGNORED), classifier: 'classifier' };
  return planClassifier(weights, place, (planner, encoder, head, numLabels) => {
    planModernEncoder(planner, hyperparameters, biases, encoder);
    planner.headDense('cls', h, h, `${head}head.dense`, biases.classifier);
    planner.norm('cls.norm', h, `${head}head.norm`, biases.norm);
    planner.headDense('cls.output', numLabels, h, `${head}classifier`);
  });
}

/** `parts`: of each layer's attention, where the checkpoint has them by themselves. */
export function planModernEncoder(
  planner: TensorPlanner,
  { numLayers, hiddenSize: h, intermediateSize: f, vocabSize }: EncoderHyperparameters,
  biases: Biases,
  encoder: string,
  parts: readonly string[] = ['Wqkv'],
): void {
  planner.matrix('token_embd.weight', [vocabSize, h], `${encoder}embeddings.tok_embeddings.weight`);
  planner.norm('token_embd_norm', h, `${encoder}embeddings.norm`, biases.norm);
  for (let layer = 0; layer < numLayers; layer++) {
    const [block, from] = [`blk.${layer}.`, `${encoder}layers.${layer}.`];
    // The embeddings' norm stands in the place of the first layer's.
    if (layer > 0) planner.norm(`${block}attn_norm`, h, `${from}attn_norm`, biases.norm);
    planner.linear(`${block}attn_qkv`, {
      sources: parts.map((part) => `${from}attn.${part}`),
      rows: parts.map(() => (3 * h) / parts.length),
      columns: h,
      bias: biases.attention,
    });
    planner.dense(`${block}attn_output`, h, h, `${from}attn.Wo`, biases.attention);
    planner.norm(`${block}ffn_norm`, h, `${from}mlp_norm`, biases.norm);
    planner.dense(`${block}ffn_up`, 2 * f, h, `${from}mlp.Wi`, biases.mlp);
    planner.dense(`${block}ffn_down`, h, f, `${from}mlp.Wo`, biases.mlp);
  }
  planner.norm('output_norm', h, `${encoder}final_norm`, biases.norm);
}

/** What llama.cpp computes the frequencies and the windows' layers from. */
function llamacppEntries(config: ConfigReader): GgufEntry[] {
  const theta = ([kind, key, fallback]: typeof FULL | typeof SLIDING) => {
    const own = layerParameters(config, kind, true)['rope_theta'];
    return typeof own === 'number' ? own : config.number(key, fallback, 1, 1e9);
  };
  return [
    float('rope.freq_base', theta(FULL)),
    float('rope.freq_base_swa', theta(SLIDING)),
    text('rope.scaling.type', 'none'),
    uint('attention.sliding_window_pattern', config.integer('global_attn_every_n_layers', 3, 1, 256)),
  ];
}
