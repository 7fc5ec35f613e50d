/**
 * EuroBertForSequenceClassification: a Llama whose tokens see each other in both directions; logits =
 * classifier(gelu(dense(pooled))), pooled the first token or the mean, or the mean over all tokens of
 * classifier(gelu(dense(h))).
 */
import type { ConfigReader } from '../config';
import type {
  Architecture,
  EncoderBody,
  EncoderHead,
  EncoderHyperparameters,
  EncoderModel,
  TensorIndex,
} from './architecture';
import { checkHeads, readActivation, readHeadSize, readKeyValueHeads, readSizes } from './mechanisms';
import { readRotary, requireWholeHeads } from './rotary';
import { type Prefixes, TensorPlanner, findPrefix, readNumLabels } from './tensor-planner';

const PREFIXES: Prefixes = [
  ['model.', ''],
  ['', ''],
  ['model.model.', 'model.'],
  ['module.model.', 'module.'],
];
/** Frequencies that are computed, and what masked language models have in the place of the head. */
const IGNORED = /(^|\.)rotary_emb\.inv_freq$|(^|\.)lm_head\.(weight|bias)$/;
const IGNORED_BESIDE_BODY = /(^|\.)rotary_emb\.inv_freq$|(^|\.)(lm_head|dense|classifier)\.(weight|bias)$/;

const DEFAULTS = {
  numLayers: 12,
  hiddenSize: 768,
  numHeads: 12,
  intermediateSize: 3072,
  numPositions: 8192,
  vocabSize: 128_256,
};

type Hyperparameters = EncoderHyperparameters & { readonly headSize: number; readonly numKeyValueHeads: number };

interface Biases {
  readonly attention: boolean;
  readonly mlp: boolean;
}

export const eurobert: Architecture = {
  sourceClass: 'EuroBertForSequenceClassification',
  modelType: 'eurobert',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readHyperparameters(config);
    return {
      architecture: 'eurobert',
      hyperparameters,
      ...plan(hyperparameters, readBiases(config), weights),
      head: { pooling: readPooling(config), activation: 'gelu' },
      llamacppCompat: 'unsupported',
    };
  },

  describeBody(config: ConfigReader, weights: TensorIndex): EncoderBody {
    const hyperparameters = readHyperparameters(config);
    const [encoder] = findEncoder(weights);
    const planner = new TensorPlanner(weights);
    planEncoder(planner, hyperparameters, readBiases(config), encoder);
    planner.refuseUnused(IGNORED_BESIDE_BODY);
    return { architecture: 'eurobert', hyperparameters, tensors: planner.tensors };
  },
};

function readBiases(config: ConfigReader): Biases {
  return { attention: config.boolean('attention_bias', false), mlp: config.boolean('mlp_bias', false) };
}

function readHyperparameters(config: ConfigReader): Hyperparameters {
  const sizes = readSizes(config, DEFAULTS);
  checkHeads(config, sizes);
  const numKeyValueHeads = readKeyValueHeads(config, sizes.numHeads);
  const headSize = readHeadSize(config, sizes);
  const rope = readRotary(config, headSize, 10_000);
  requireWholeHeads(config, rope, headSize);
  return {
    ...sizes,
    numKeyValueHeads,
    headSize,
    numTokenTypes: 0,
    normEps: config.number('rms_norm_eps', 1e-5, 1e-12, 1),
    normKind: 'rms',
    normPlacement: 'pre',
    hiddenActivation: readActivation(config, 'hidden_act', 'silu'),
    feedForwardKind: 'glu',
    positionKind: 'rope',
    rope,
  };
}

function readPooling(config: ConfigReader): EncoderHead['pooling'] {
  const name = config.oneOf('classifier_pooling', 'late', ['bos', 'mean', 'late']);
  // The first code's key, which transformers passes over.
  const first = config.string('clf_pooling', name);
  if (first !== name) {
    config.unsupported(
      `clf_pooling is ${JSON.stringify(first.slice(0, 60))}, a key that transformers passes over; name it classifier_pooling`,
    );
  }
  return name === 'bos' ? 'cls' : name;
}

function findEncoder(weights: TensorIndex): readonly [string, string] {
  return findPrefix(PREFIXES, 'embed_tokens.weight', weights);
}

function plan(
  hyperparameters: Hyperparameters,
  biases: Biases,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const [encoder, head] = findEncoder(weights);
  const numLabels = readNumLabels(weights, `${head}classifier.weight`);
  const planner = new TensorPlanner(weights);
  const { hiddenSize: h } = hyperparameters;
  planEncoder(planner, hyperparameters, biases, encoder);
  planner.headDense('cls', h, h, `${head}dense`);
  planner.headDense('cls.output', numLabels, h, `${head}classifier`);
  planner.refuseUnused(IGNORED);
  return { tensors: planner.tensors, numLabels };
}

function planEncoder(
  planner: TensorPlanner,
  { numLayers, hiddenSize: h, intermediateSize: f, vocabSize, ...heads }: Hyperparameters,
  biases: Biases,
  encoder: string,
): void {
  const [q, kv] = [heads.numHeads * heads.headSize, heads.numKeyValueHeads * heads.headSize];
  planner.matrix('token_embd.weight', [vocabSize, h], `${encoder}embed_tokens.weight`);
  for (let layer = 0; layer < numLayers; layer++) {
    const [block, from] = [`blk.${layer}.`, `${encoder}layers.${layer}.`];
    const linear = (name: string, rows: number[], columns: number, sources: string[], bias: boolean) =>
      planner.linear(`${block}${name}`, { sources: sources.map((source) => `${from}${source}`), rows, columns, bias });
    const projections = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'];
    planner.norm(`${block}attn_norm`, h, `${from}input_layernorm`, false);
    linear('attn_qkv', [q, kv, kv], h, projections, biases.attention);
    linear('attn_output', [h], q, ['self_attn.o_proj'], biases.attention);
    planner.norm(`${block}ffn_norm`, h, `${from}post_attention_layernorm`, false);
    linear('ffn_up', [f, f], h, ['mlp.gate_proj', 'mlp.up_proj'], biases.mlp);
    linear('ffn_down', [h], f, ['mlp.down_proj'], biases.mlp);
  }
  planner.norm('output_norm', h, `${encoder}norm`, false);
}
