/**
 * What all versions of DeBERTa share: scores get terms from content to relative position and back;
 * logits = classifier(act(pooler.dense(h[0]))).
 */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { MAX_CONVOLUTION_WIDTH, MAX_HEADS, MAX_HEAD_SIZE, MAX_POSITIONS, MAX_TOKEN_TYPES } from '../limits';
import type { EncoderHyperparameters } from './architecture';
import type { EncoderFacts, EncoderNames, LayerNames } from './encoder-tensors';
import { type Sizes, checkHeads, readActivation, readSizes, refuseDecoder } from './mechanisms';
import { type TensorPlanner, prefixesOf } from './tensor-planner';

type RelativePositions = NonNullable<EncoderHyperparameters['disentangled']>;
type Convolution = NonNullable<EncoderHyperparameters['convolution']>;

/** What one version has of its own, as its configuration says. */
export interface Version {
  readonly defaults: Sizes;
  /** Of the layer with this prefix. */
  readonly qkv: (layer: string, sizes: Sizes) => LayerNames['qkv'];
  /** 0: every distance up to the largest has a row of its own. */
  readonly buckets: number;
  /** Whether the relative embeddings pass a norm; the file then holds what comes out of it. */
  readonly isNormalized: boolean;
  /** A block's own projections of them; undefined where its layers for keys and queries project them. */
  readonly projections: { readonly c2p: Projection; readonly p2c: Projection } | undefined;
  /** Undefined where no convolution follows the first layer. */
  readonly convolution: Convolution | undefined;
}

interface Projection {
  /** Beside the block's other layers of attention. */
  readonly source: string;
  readonly bias: boolean;
}

const IGNORED = /(^|\.)embeddings\.position_(ids|embeddings\.weight)$|(^|\.)(lm_predictions|mask_predictions|cls)\./;
/** Without relative terms the relative embeddings and their norm have no effect. */
const IGNORED_WITH_RELATIVE = new RegExp(`${IGNORED.source}|(^|\\.)encoder\\.(rel_embeddings|LayerNorm)\\.`);

export function readDisentangled(config: ConfigReader, version: Version): Omit<EncoderFacts, 'architecture'> {
  refuseDecoder(config);
  const sizes = readSizes(config, version.defaults);
  refuseVariants(config, sizes);
  checkHeads(config, sizes);
  const types = readTypes(config);
  const relative = readRelative(config, sizes.numPositions, types, version.buckets);
  const hasPositions = config.boolean('position_biased_input', true);
  const numTokenTypes = config.integer('type_vocab_size', 0, 0, MAX_TOKEN_TYPES);
  const hyperparameters: EncoderHyperparameters = {
    ...sizes,
    numTokenTypes,
    normEps: config.number('layer_norm_eps', 1e-7, 0, 1),
    hiddenActivation: readActivation(config, 'hidden_act'),
    positionKind: relative !== undefined ? 'disentangled' : hasPositions ? 'absolute' : 'none',
    // Every kind of term that is named counts, even where relative_attention is off and it is not computed.
    attentionScale: 1 / Math.sqrt((sizes.hiddenSize / sizes.numHeads) * (1 + types.length)),
    ...(relative === undefined ? {} : { disentangled: relative }),
    ...(version.convolution === undefined ? {} : { convolution: version.convolution }),
  };
  const names: EncoderNames = {
    prefixes: prefixesOf('deberta'),
    tokenEmbedding: 'embeddings.word_embeddings',
    embeddingNorm: 'embeddings.LayerNorm',
    layer: (block) => layerNames(`encoder.layer.${block}`, sizes, version),
    pooled: 'pooler.dense',
    pooledIn: 'head',
    classifier: 'classifier',
    positionEmbedding: hasPositions ? 'embeddings.position_embeddings' : undefined,
    typeEmbedding: numTokenTypes > 0 ? 'embeddings.token_type_embeddings' : undefined,
    ignored: relative === undefined ? IGNORED_WITH_RELATIVE : IGNORED,
    more: (planner, from) => {
      if (relative !== undefined) planRelative(planner, from, hyperparameters, relative, version);
      if (version.convolution !== undefined) planConvolution(planner, from, sizes.hiddenSize, version.convolution);
    },
  };
  return {
    hyperparameters,
    names,
    head: { pooling: 'cls', activation: readActivation(config, 'pooler_hidden_act') },
    llamacppCompat: 'unsupported',
  };
}

function layerNames(layer: string, sizes: Sizes, version: Version): LayerNames {
  return {
    qkv: version.qkv(layer, sizes),
    attentionOutput: `${layer}.attention.output.dense`,
    attentionNorm: `${layer}.attention.output.LayerNorm`,
    up: `${layer}.intermediate.dense`,
    down: `${layer}.output.dense`,
    outputNorm: `${layer}.output.LayerNorm`,
  };
}

function planRelative(
  planner: TensorPlanner,
  from: (name: string) => string,
  { numLayers, hiddenSize: h, normEps }: EncoderHyperparameters,
  { buckets, maxRelativePositions, types }: RelativePositions,
  { isNormalized, projections }: Version,
): void {
  // As many rows on either side of distance 0.
  const shape = [2 * (buckets > 0 ? buckets : maxRelativePositions), h] as const;
  const table = from('encoder.rel_embeddings.weight');
  if (isNormalized) {
    const norm = from('encoder.LayerNorm');
    const sources = [
      [table, shape],
      [planner.spelled(norm, 'weight', 'gamma'), [h]],
      [planner.spelled(norm, 'bias', 'beta'), [h]],
    ] as const;
    planner.computed('rel_embd.weight', shape, sources, ([rows, weight, bias]) =>
      normalizeRows(rows!, weight!, bias!, normEps),
    );
  } else {
    planner.exact('rel_embd.weight', shape, table);
  }
  if (projections === undefined) return;
  for (let block = 0; block < numLayers; block++) {
    const linear = (target: string, { source, bias }: Projection) => {
      const sources = [from(`encoder.layer.${block}.attention.self.${source}`)];
      planner.linear(`blk.${block}.${target}`, { sources, rows: [h], columns: h, bias });
    };
    if (types.includes('c2p')) linear('attn_pos_k', projections.c2p);
    if (types.includes('p2c')) linear('attn_pos_q', projections.p2c);
  }
}

function planConvolution(
  planner: TensorPlanner,
  from: (name: string) => string,
  hiddenSize: number,
  { width }: Convolution,
): void {
  planner.convolution('conv', hiddenSize, width, from('encoder.conv.conv'));
  planner.norm('conv_norm', hiddenSize, from('encoder.conv.LayerNorm'));
}

/** LayerNorm of each row, as long as `weight`. */
function* normalizeRows(
  rows: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  eps: number,
): Iterable<Float32Array> {
  const size = weight.length;
  for (let start = 0; start < rows.length; start += size) {
    const row = rows.subarray(start, start + size);
    const mean = row.reduce((sum, value) => sum + value, 0) / size;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
    const scale = 1 / Math.sqrt(variance + eps);
    yield row.map((value, column) => (value - mean) * scale * weight[column]! + bias[column]!);
  }
}

/** What DeBERTa v2 XL and XXL have; undefined where there is none. */
export function readConvolution(config: ConfigReader): Convolution | undefined {
  const width = config.integer('conv_kernel_size', 0, 0, MAX_CONVOLUTION_WIDTH);
  if (width === 0) return undefined;
  if (width % 2 === 0) config.malformed(`conv_kernel_size is ${width}; with an even number no text keeps its length`);
  const groups = config.integer('conv_groups', 1, 1, 65_536);
  if (groups > 1) config.unsupported(`conv_groups is ${groups}; only convolutions in one group are supported`);
  return { width, activation: readActivation(config, 'conv_act', 'tanh') };
}

function refuseVariants(config: ConfigReader, { hiddenSize, numHeads }: Sizes): void {
  if (config.boolean('talking_head', false)) {
    config.unsupported('talking_head is true; heads that are mixed with each other are not supported');
  }
  if (config.integer('embedding_size', hiddenSize, 1, 65_536) !== hiddenSize) {
    config.unsupported('embedding_size is not hidden_size; projected embeddings are not supported');
  }
  if (config.integer('pooler_hidden_size', hiddenSize, 1, 65_536) !== hiddenSize) {
    config.unsupported('pooler_hidden_size is not hidden_size');
  }
  const headSize = config.integer('attention_head_size', hiddenSize / numHeads, 1, MAX_HEAD_SIZE * MAX_HEADS);
  if (headSize * numHeads !== hiddenSize) {
    config.unsupported(`attention_head_size is ${headSize}; only hidden_size / num_attention_heads is supported`);
  }
}

/** ["p2c", "c2p"] or "p2c|c2p". Other words have no effect in transformers, which hides a mistake. */
function readTypes(config: ConfigReader): string[] {
  const value = config.get('pos_att_type') ?? [];
  const types =
    typeof value === 'string'
      ? value
          .toLowerCase()
          .split('|')
          .map((word) => word.trim())
      : value;
  if (!Array.isArray(types)) config.malformed('pos_att_type is neither text nor a list');
  const known = ['c2p', 'p2c'];
  const unknown = types.find((type) => typeof type !== 'string' || (!known.includes(type) && type !== ''));
  if (unknown !== undefined) {
    config.unsupported(`pos_att_type names ${shown(unknown)}; known are ${known.join(', ')}`);
  }
  return known.filter((type) => types.includes(type));
}

/** Undefined when no term of the scores depends on relative positions. */
function readRelative(
  config: ConfigReader,
  numPositions: number,
  types: readonly string[],
  buckets: number,
): RelativePositions | undefined {
  const isRelative = config.boolean('relative_attention', false);
  const declared = config.integer('max_relative_positions', -1, -1, MAX_POSITIONS);
  const maxRelativePositions = declared < 1 ? numPositions : declared;
  if (!isRelative || types.length === 0) return undefined;
  if (buckets === 1 || (buckets > 0 && maxRelativePositions - 1 <= Math.floor(buckets / 2))) {
    config.malformed(`position_buckets is ${buckets}, which does not fit ${maxRelativePositions} relative positions`);
  }
  return { buckets, maxRelativePositions, types };
}
