/**
 * T5, mT5 and umT5: RMS norms before each part, no biases of linear layers, scores that are not scaled but have a bias by
 * the bucket of the distance, and no other positions. In both stacks alike; a head is not the hidden size by their number.
 */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import {
  MAX_HEADS,
  MAX_HEAD_SIZE,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_VOCAB_SIZE,
} from '../limits';
import type { DecoderHyperparameters, EncoderHyperparameters } from './architecture';
import { checkActivation, refusePruned } from './mechanisms';
import { type Buckets, expandBias } from './relative-buckets';
import type { TensorPlanner } from './tensor-planner';

/** What the classes differ in. */
export interface T5Family {
  /** The classes' name up to For. */
  readonly className: string;
  readonly modelType: string;
  /** Defaults of the HF class. */
  readonly defaults: {
    readonly numLayers: number;
    readonly numHeads: number;
    readonly intermediateSize: number;
    readonly feedForward: string;
    readonly vocabSize: number;
    /** Undefined where the class has none. */
    readonly decoderStartTokenId?: number;
  };
  /** Every layer has a bias of its own; else a stack's layers share that of the first. */
  readonly ownBiases?: boolean;
  /** What lm_head reads, of a class whose language models are known; `scaled`: some of them scale it. */
  readonly answers?: 'plain' | 'scaled';
}

export type T5Hyperparameters = EncoderHyperparameters &
  Required<Pick<EncoderHyperparameters, 'headSize'>> & { readonly buckets: Omit<Buckets, 'isBidirectional'> };

/** The names of the one embedding table. */
export const TABLES = ['shared', 'encoder.embed_tokens', 'decoder.embed_tokens'];
/** A bias that the first checkpoints carry and no version reads. */
export const UNREAD_BIAS = 'decoder\\.block\\.0\\.layer\\.1\\.EncDecAttention\\.relative_attention_bias\\.weight';

/** transformers cuts where the tokenizer has a limit and nowhere else; tables of distances need an end. */
const MAX_TOKENS = 8192;

const SIZES = { vocabSize: 250_112, numLayers: 8, numHeads: 6, intermediateSize: 1024, feedForward: 'gated-gelu' };

export const T5_FAMILIES: readonly T5Family[] = [
  {
    className: 'T5',
    modelType: 't5',
    defaults: { vocabSize: 32_128, numLayers: 6, numHeads: 8, intermediateSize: 2048, feedForward: 'relu' },
    answers: 'scaled',
  },
  { className: 'MT5', modelType: 'mt5', defaults: { ...SIZES, decoderStartTokenId: 0 }, answers: 'plain' },
  { className: 'UMT5', modelType: 'umt5', defaults: { ...SIZES, decoderStartTokenId: 0 }, ownBiases: true },
];

export const FLAN_T5 = T5_FAMILIES[0]!;

export function readHyperparameters({ modelType, defaults }: T5Family, config: ConfigReader): T5Hyperparameters {
  if (config.boolean('is_decoder', false)) config.unsupported('is_decoder is true; a decoder alone is not supported');
  refusePruned(config);
  const count = config.integer('relative_attention_num_buckets', 32, 4, 4096);
  const maxDistance = config.integer('relative_attention_max_distance', 128, 1, 2 ** 31);
  if (maxDistance <= count / 2) {
    config.malformed(`relative_attention_max_distance is ${maxDistance}, which leaves no buckets for far tokens`);
  }
  return {
    numLayers: config.integer(['num_layers', 'num_hidden_layers'], defaults.numLayers, 1, MAX_LAYERS),
    hiddenSize: config.integer(['d_model', 'hidden_size'], 512, 1, MAX_HIDDEN_SIZE),
    numHeads: config.integer(['num_heads', 'num_attention_heads'], defaults.numHeads, 1, MAX_HEADS),
    headSize: config.integer(['d_kv', 'head_dim'], 64, 1, MAX_HEAD_SIZE),
    intermediateSize: config.integer('d_ff', defaults.intermediateSize, 1, MAX_INTERMEDIATE_SIZE),
    vocabSize: config.integer('vocab_size', defaults.vocabSize, 1, MAX_VOCAB_SIZE),
    normEps: config.number('layer_norm_epsilon', 1e-6, 0, 1),
    ...readFeedForward(config, defaults.feedForward, modelType),
    ...sharedHyperparameters({ count, maxDistance }),
  };
}

/** What all of them have. */
export function sharedHyperparameters(buckets: T5Hyperparameters['buckets']) {
  return {
    numPositions: MAX_TOKENS,
    numTokenTypes: 0,
    normKind: 'rms',
    normPlacement: 'pre',
    positionKind: 'relative-bias-only',
    attentionScale: 1,
    buckets,
  } as const;
}

export function readDecoder(
  { defaults }: T5Family,
  config: ConfigReader,
  { numLayers, numHeads, intermediateSize, vocabSize }: T5Hyperparameters,
): DecoderHyperparameters {
  if (!config.boolean('is_encoder_decoder', true)) config.unsupported('is_encoder_decoder is false');
  const key = 'decoder_start_token_id';
  const start = config.json[key] === null ? undefined : defaults.decoderStartTokenId;
  if (start === undefined && config.get(key) === undefined) {
    config.unsupported(`${key} is not set; the decoder reads that token before the text`);
  }
  return {
    numLayers: config.integer('num_decoder_layers', numLayers, 1, MAX_LAYERS),
    numHeads,
    intermediateSize,
    startTokenId: config.integer(key, start ?? 0, 0, vocabSize - 1),
  };
}

type FeedForward = Pick<EncoderHyperparameters, 'hiddenActivation' | 'feedForwardKind'>;

/** "relu" and "gated-gelu", whose gelu is gelu_new; the two settings made of it count where a file has them too. */
function readFeedForward(config: ConfigReader, fallback: string, modelType: string): FeedForward {
  const key = 'feed_forward_proj';
  const projection = config.string(key, fallback);
  const [, gated, name] = /^(gated-)?([^-]+)$/.exec(projection) ?? [];
  if (name === undefined) {
    config.malformed(`${key} is ${shown(projection)}, which no class of ${modelType} has`);
  }
  const activation = config.string('dense_act_fn', projection === 'gated-gelu' ? 'gelu_new' : name);
  return {
    hiddenActivation: checkActivation(config, key, activation),
    feedForwardKind: config.boolean('is_gated_act', gated !== undefined) ? 'glu' : 'mlp',
  };
}

/** The one embedding table, and the encoder; `model` is the prefix of both. */
export function planEncoder(planner: TensorPlanner, family: T5Family, h: T5Hyperparameters, model: string): void {
  const names = TABLES.map((table) => `${model}${table}.weight`);
  planner.tied('token_embd.weight', [h.vocabSize, h.hiddenSize], names);
  planStack(planner, family, h, { source: `${model}encoder.`, numLayers: h.numLayers, isDecoder: false });
}

/** `isStart`: it reads its start token alone. */
export function planDecoder(
  planner: TensorPlanner,
  family: T5Family,
  h: T5Hyperparameters,
  { numLayers }: DecoderHyperparameters,
  model: string,
  isStart = false,
): void {
  planStack(planner, family, h, { source: `${model}decoder.`, numLayers, isDecoder: true, isStart });
}

/** The layers of one stack, its last norm and its biases. */
function planStack(
  planner: TensorPlanner,
  family: T5Family,
  h: T5Hyperparameters,
  { source, numLayers, isDecoder, isStart = false }: StackPlan,
): void {
  const target = isDecoder ? 'dec.' : '';
  const bias = (layer: number) => `${source}block.${layer}.layer.0.SelfAttention.relative_attention_bias.weight`;
  for (let layer = 0; layer < numLayers; layer++) {
    const [from, to] = [`${source}block.${layer}.layer.`, `${target}blk.${layer}.`];
    planAttention(planner, to, from, h, isStart);
    if (isDecoder) planAttentionAcross(planner, to, `${from}1.`, h);
    planFeedForward(planner, to, `${from}${isDecoder ? 2 : 1}.`, h);
    const own = family.ownBiases === true || layer === 0;
    if (own && isStart) planner.ignore(bias(layer));
    else if (own) planBias(planner, family.ownBiases === true ? to : target, bias(layer), h, isDecoder);
  }
  planner.norm(`${target}output_norm`, h.hiddenSize, `${source}final_layer_norm`, false);
}

interface StackPlan {
  readonly source: string;
  readonly numLayers: number;
  readonly isDecoder: boolean;
  readonly isStart?: boolean;
}

/** Tokens that see nothing but themselves take their own values, whatever queries and keys are. */
function planAttention(
  planner: TensorPlanner,
  target: string,
  layer: string,
  { hiddenSize, numHeads, headSize }: T5Hyperparameters,
  isStart: boolean,
): void {
  const width = numHeads * headSize;
  const attention = `${layer}0.SelfAttention`;
  planner.norm(`${target}attn_norm`, hiddenSize, `${layer}0.layer_norm`, false);
  const linear = linearPlanner(planner, target);
  if (isStart) {
    for (const part of ['q', 'k']) planner.ignore(`${attention}.${part}.weight`);
    linear('attn_v', [width], hiddenSize, `${attention}.v`);
  } else {
    linear('attn_qkv', [width, width, width], hiddenSize, ...['q', 'k', 'v'].map((part) => `${attention}.${part}`));
  }
  linear('attn_output', [hiddenSize], width, `${attention}.o`);
}

function planAttentionAcross(
  planner: TensorPlanner,
  target: string,
  part: string,
  { hiddenSize, numHeads, headSize }: T5Hyperparameters,
): void {
  const width = numHeads * headSize;
  const attention = `${part}EncDecAttention`;
  const linear = linearPlanner(planner, target);
  planner.norm(`${target}cross_attn_norm`, hiddenSize, `${part}layer_norm`, false);
  linear('cross_attn_q', [width], hiddenSize, `${attention}.q`);
  linear('cross_attn_kv', [width, width], hiddenSize, `${attention}.k`, `${attention}.v`);
  linear('cross_attn_output', [hiddenSize], width, `${attention}.o`);
}

function planFeedForward(
  planner: TensorPlanner,
  target: string,
  part: string,
  { hiddenSize, intermediateSize: f, feedForwardKind }: T5Hyperparameters,
): void {
  const linear = linearPlanner(planner, target);
  planner.norm(`${target}ffn_norm`, hiddenSize, `${part}layer_norm`, false);
  const dense = `${part}DenseReluDense`;
  if (feedForwardKind === 'glu') linear('ffn_up', [f, f], hiddenSize, `${dense}.wi_0`, `${dense}.wi_1`);
  else linear('ffn_up', [f], hiddenSize, `${dense}.wi`);
  linear('ffn_down', [hiddenSize], f, `${dense}.wo`);
}

function planBias(
  planner: TensorPlanner,
  target: string,
  source: string,
  { numHeads, buckets }: T5Hyperparameters,
  isDecoder: boolean,
): void {
  const reach = Math.min(buckets.maxDistance, MAX_TOKENS - 1);
  planner.computed(
    `${target}attn_rel_b.weight`,
    [numHeads, 2 * reach + 1],
    [[source, [buckets.count, numHeads]]],
    ([table]) => expandBias(table!, numHeads, reach, { ...buckets, isBidirectional: !isDecoder }),
  );
}

function linearPlanner(planner: TensorPlanner, target: string) {
  return (name: string, rows: readonly number[], columns: number, ...sources: readonly string[]): void =>
    planner.linear(`${target}${name}`, { sources, rows, columns, bias: false });
}
