/**
 * XLNetForSequenceClassification: scores of content, of the distance between two tokens, which sines and cosines stand for,
 * and of whether both are of one segment; logits = logits_proj(act(sequence_summary.summary(h[last]))), <cls> being the last.
 */
import type { ConfigReader } from '../config';
import {
  MAX_HEADS,
  MAX_HEAD_SIZE,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_POSITIONS,
  MAX_VOCAB_SIZE,
} from '../limits';
import type { Architecture, EncoderHead, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { checkHeads, readActivation } from './mechanisms';
import { type TensorPlanner, planClassifier, prefixesOf } from './tensor-planner';

/** transformers cuts where the tokenizer has a limit and nowhere else. Every distance takes memory in every layer. */
const MAX_TOKENS = 8192;
const USUAL_TOKENS = 1024;

/** What stands for words to be guessed, and the language model's head. */
const IGNORED = /(^|\.)mask_emb$|(^|\.)lm_loss\.(weight|bias)$/;

export const xlnet: Architecture = {
  sourceClass: 'XLNetForSequenceClassification',
  modelType: 'xlnet',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readHyperparameters(config);
    const summary = readSummary(config, hyperparameters);
    const { hiddenSize: h } = hyperparameters;
    const prefixes = prefixesOf('transformer');
    const place = { prefixes, probe: 'word_embedding', classifier: 'logits_proj', ignored: IGNORED };
    return {
      architecture: 'xlnet',
      hyperparameters,
      ...planClassifier(weights, place, (planner, encoder, head, numLabels) => {
        planEncoder(planner, hyperparameters, encoder);
        planSummary(planner, h, summary, head);
        planner.headDense('cls.output', numLabels, h, `${head}logits_proj`);
      }),
      head: summary.head,
      usualLength: USUAL_TOKENS,
      llamacppCompat: 'unsupported',
    };
  },
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const hiddenSize = config.integer(['d_model', 'hidden_size'], 1024, 2, MAX_HIDDEN_SIZE);
  const numHeads = config.integer(['n_head', 'num_attention_heads'], 16, 1, MAX_HEADS);
  checkHeads(config, { hiddenSize, numHeads });
  if (hiddenSize % 2 !== 0)
    config.malformed(`d_model is ${hiddenSize}; half of it are sines, so an even number expected`);
  const headSize = config.integer('d_head', hiddenSize / numHeads, 1, MAX_HEAD_SIZE);
  if (headSize !== hiddenSize / numHeads) config.malformed(`d_head is ${headSize}, but d_model / n_head is not`);
  const isCausal = config.oneOf('attn_type', 'bi', ['bi', 'uni']) === 'uni';
  if (isCausal && config.boolean('same_length', false)) {
    config.unsupported('same_length is true beside attn_type "uni", so that tokens see themselves alone');
  }
  if (config.boolean('bi_data', false)) {
    config.unsupported('bi_data is true: half of every batch would be read backwards');
  }
  const clamp = config.integer('clamp_len', -1, -MAX_POSITIONS, MAX_POSITIONS);
  return {
    numLayers: config.integer(['n_layer', 'num_hidden_layers'], 24, 1, MAX_LAYERS),
    hiddenSize,
    numHeads,
    intermediateSize: config.integer('d_inner', 4096, 1, MAX_INTERMEDIATE_SIZE),
    numPositions: MAX_TOKENS,
    vocabSize: config.integer(['vocab_size', 'n_token'], 32_000, 1, MAX_VOCAB_SIZE),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_eps', 1e-12, 0, 1),
    hiddenActivation: readActivation(config, 'ff_activation'),
    positionKind: 'disentangled',
    attentionScale: 1 / Math.sqrt(headSize),
    disentangled: {
      buckets: 0,
      maxRelativePositions: clamp > 0 ? Math.min(clamp + 1, MAX_TOKENS) : MAX_TOKENS,
      types: ['c2p'],
      frequencies: sineFrequencies(hiddenSize),
    },
    ...(isCausal ? { isCausal } : {}),
  };
}

/** 10000^(-2i / hidden size), in float32 step by step as transformers computes them. */
function sineFrequencies(hiddenSize: number): Float32Array {
  return Float32Array.from({ length: hiddenSize / 2 }, (_, index) => {
    const power = Math.fround(10_000 ** Math.fround((2 * index) / hiddenSize));
    return 1 / power;
  });
}

interface Summary {
  readonly head: EncoderHead;
  /** Whether a dense layer stands before the activation. */
  readonly isProjected: boolean;
}

const POOLINGS = { last: 'last', first: 'cls', mean: 'mean', cls_index: 'last' } as const;

function readSummary(config: ConfigReader, { isCausal }: EncoderHyperparameters): Summary {
  const type = config.oneOf('summary_type', 'last', ['last', 'first', 'mean', 'cls_index']);
  if (type === 'first' && isCausal) {
    config.unsupported('summary_type is "first" beside attn_type "uni"; a first token that sees no other is not read');
  }
  const isProjected = config.boolean('summary_use_proj', true);
  if (isProjected && config.boolean('summary_proj_to_labels', false)) {
    config.unsupported('summary_proj_to_labels is true; logits_proj then reads logits');
  }
  const name = config.json['summary_activation'] === null ? '' : config.string('summary_activation', 'tanh');
  const isPlain = name === '' || name === 'linear';
  const own = isPlain ? 'identity' : readActivation(config, 'summary_activation', 'tanh');
  const activation = isPlain && !isProjected ? 'none' : own;
  return { head: { pooling: POOLINGS[type], activation }, isProjected };
}

function planSummary(planner: TensorPlanner, h: number, { head, isProjected }: Summary, prefix: string): void {
  if (isProjected) planner.headDense('cls', h, h, `${prefix}sequence_summary.summary`);
  // What the activation is applied to are the states themselves.
  else if (head.activation !== 'none') planner.identity('cls.weight', h);
}

function planEncoder(planner: TensorPlanner, hyperparameters: EncoderHyperparameters, prefix: string): void {
  const { numLayers, hiddenSize: h, intermediateSize: f, vocabSize } = hyperparameters;
  planner.matrix('token_embd.weight', [vocabSize, h], `${prefix}word_embedding.weight`);
  for (let layer = 0; layer < numLayers; layer++) {
    const [block, from] = [`blk.${layer}`, `${prefix}layer.${layer}`];
    planAttention(planner, block, hyperparameters, `${from}.rel_attn`);
    planner.norm(`${block}.attn_output_norm`, h, `${from}.rel_attn.layer_norm`);
    planner.dense(`${block}.ffn_up`, f, h, `${from}.ff.layer_1`);
    planner.dense(`${block}.ffn_down`, h, f, `${from}.ff.layer_2`);
    planner.norm(`${block}.layer_output_norm`, h, `${from}.ff.layer_norm`);
  }
}

/**
 * A query has another bias for content (w), positions (r) and segments (s). That of content becomes the layer's own, so that
 * positions take r - w. Segments count by their difference, since what all keys have does not change a softmax.
 */
function planAttention(
  planner: TensorPlanner,
  block: string,
  { hiddenSize: h, numHeads }: EncoderHyperparameters,
  from: string,
): void {
  const size = h / numHeads;
  const heads = [numHeads, size];
  const [w, r, s] = ['w', 'r', 's'].map((kind) => [`${from}.r_${kind}_bias`, heads] as const);
  const [query, segments] = [[`${from}.q`, [h, ...heads]] as const, [`${from}.seg_embed`, [2, ...heads]] as const];
  planner.turned(`${block}.attn_qkv.weight`, h, heads, [`${from}.q`, `${from}.k`, `${from}.v`]);
  planner.computed(`${block}.attn_qkv.bias`, [3 * h], [w!], ([bias]) => [bias!, new Float32Array(2 * h)]);
  planner.turned(`${block}.attn_pos_k.weight`, h, heads, [`${from}.r`]);
  planner.computed(`${block}.attn_pos_query.bias`, [h], [r!, w!], ([ofPositions, ofContent]) => [
    ofPositions!.map((value, index) => value - ofContent![index]!),
  ]);
  planner.computed(`${block}.attn_segment.weight`, [numHeads, h], [query, segments], ([q, both]) =>
    segmentRows(q!, differenceOf(both!), numHeads),
  );
  planner.computed(`${block}.attn_segment.bias`, [numHeads], [s!, segments], ([bias, both]) => {
    const difference = differenceOf(both!);
    return [Float32Array.from({ length: numHeads }, (_, head) => product(bias!, difference, head * size, size))];
  });
  planner.reshaped(`${block}.attn_output.weight`, [h, h], `${from}.o`, [h, ...heads]);
}

/** The embedding of another segment less that of the same one, [heads, size]. */
function differenceOf(segments: Float32Array): Float64Array {
  const half = segments.length / 2;
  return Float64Array.from({ length: half }, (_, index) => segments[half + index]! - segments[index]!);
}

/** For each head its part of the queries' layer `q`, [hidden size, heads, size], times its part of `difference`. */
function* segmentRows(q: Float32Array, difference: Float64Array, numHeads: number): Iterable<Float32Array> {
  const [hiddenSize, size] = [difference.length, difference.length / numHeads];
  for (let head = 0; head < numHeads; head++) {
    yield Float32Array.from({ length: hiddenSize }, (_, column) =>
      product(q.subarray(column * hiddenSize), difference, head * size, size),
    );
  }
}

function product(a: ArrayLike<number>, b: ArrayLike<number>, first: number, count: number): number {
  let sum = 0;
  for (let index = first; index < first + count; index++) sum += a[index]! * b[index]!;
  return sum;
}
