/**
 * DebertaV2ForSequenceClassification (DeBERTa v2 and v3): scores get terms from content to relative position and back;
 * logits = classifier(act(pooler.dense(h[0]))).
 */
import type { ConfigReader } from '../config';
import { MAX_HEADS, MAX_HEAD_SIZE, MAX_POSITIONS, MAX_TOKEN_TYPES } from '../limits';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { type EncoderNames, type LayerNames, planTensors } from './encoder-tensors';
import { checkHeads, readActivation, readSizes, refuseDecoder } from './mechanisms';
import { type TensorPlanner, prefixesOf } from './tensor-planner';

const NAMES: EncoderNames = {
  prefixes: prefixesOf('deberta'),
  tokenEmbedding: 'embeddings.word_embeddings',
  embeddingNorm: 'embeddings.LayerNorm',
  layer: debertaLayer,
  pooled: 'pooler.dense',
  pooledIn: 'head',
  classifier: 'classifier',
  ignored: /(^|\.)embeddings\.position_(ids|embeddings\.weight)$|(^|\.)(lm_predictions|mask_predictions|cls)\./,
};

function debertaLayer(block: number): LayerNames {
  const layer = `encoder.layer.${block}`;
  return {
    query: `${layer}.attention.self.query_proj`,
    key: `${layer}.attention.self.key_proj`,
    value: `${layer}.attention.self.value_proj`,
    attentionOutput: `${layer}.attention.output.dense`,
    attentionNorm: `${layer}.attention.output.LayerNorm`,
    up: `${layer}.intermediate.dense`,
    down: `${layer}.output.dense`,
    outputNorm: `${layer}.output.LayerNorm`,
  };
}

const DEFAULTS = {
  numLayers: 24,
  hiddenSize: 1536,
  numHeads: 24,
  intermediateSize: 6144,
  numPositions: 512,
  vocabSize: 128_100,
};

/** What the relative positions are, and what of it is in the weights. */
interface RelativePositions {
  readonly buckets: number;
  readonly maxRelativePositions: number;
  readonly types: readonly string[];
  /** Rows of the relative embeddings on one side of distance 0. */
  readonly span: number;
  readonly isNormalized: boolean;
  readonly sharesKeys: boolean;
}

export const deberta: Architecture = {
  sourceClass: 'DebertaV2ForSequenceClassification',
  modelType: 'deberta-v2',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    refuseDecoder(config);
    const sizes = readSizes(config, DEFAULTS);
    refuseVariants(config, sizes);
    checkHeads(config, sizes);
    const types = readTypes(config);
    const relative = readRelative(config, sizes.numPositions, types);
    const hasPositions = config.boolean('position_biased_input', true);
    const numTokenTypes = config.integer('type_vocab_size', 0, 0, MAX_TOKEN_TYPES);
    const hyperparameters: EncoderHyperparameters = {
      ...sizes,
      numTokenTypes,
      normEps: config.number('layer_norm_eps', 1e-7, 1e-12, 1),
      hiddenActivation: readActivation(config, 'hidden_act'),
      positionKind: relative !== undefined ? 'disentangled' : hasPositions ? 'absolute' : 'none',
      // Every kind of term that is named counts, even where relative_attention is off and it is not computed.
      attentionScale: 1 / Math.sqrt((sizes.hiddenSize / sizes.numHeads) * (1 + types.length)),
      ...(relative === undefined ? {} : { disentangled: relative }),
    };
    const names: EncoderNames = {
      ...NAMES,
      positionEmbedding: hasPositions ? 'embeddings.position_embeddings' : undefined,
      typeEmbedding: numTokenTypes > 0 ? 'embeddings.token_type_embeddings' : undefined,
      ...(relative === undefined
        ? { ignored: withRelativeEmbeddings(NAMES.ignored) }
        : { more: (planner, from) => planRelative(planner, from, hyperparameters, relative) }),
    };
    return {
      architecture: 'deberta-v2',
      hyperparameters,
      ...planTensors(hyperparameters, names, weights),
      head: { pooling: 'cls', activation: readActivation(config, 'pooler_hidden_act', 'gelu', ['tanh']) },
      llamacppCompat: 'unsupported',
    };
  },
};

function refuseVariants(
  config: ConfigReader,
  { hiddenSize, numHeads }: { hiddenSize: number; numHeads: number },
): void {
  if (config.integer('conv_kernel_size', 0, 0, 1024) > 0) {
    config.unsupported('conv_kernel_size is set; the convolution layer of DeBERTa v2 XL is not supported');
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
    config.unsupported(`pos_att_type names ${JSON.stringify(unknown).slice(0, 60)}; known are ${known.join(', ')}`);
  }
  return known.filter((type) => types.includes(type));
}

/** Undefined when no term of the scores depends on relative positions. */
function readRelative(
  config: ConfigReader,
  numPositions: number,
  types: readonly string[],
): RelativePositions | undefined {
  const isRelative = config.boolean('relative_attention', false);
  const buckets = Math.max(config.integer('position_buckets', -1, -1, 16_384), 0);
  const declared = config.integer('max_relative_positions', -1, -1, MAX_POSITIONS);
  const maxRelativePositions = declared < 1 ? numPositions : declared;
  const normalizations = config.string('norm_rel_ebd', 'none').toLowerCase().split('|');
  const isNormalized = normalizations.some((word) => word.trim() === 'layer_norm');
  const sharesKeys = config.boolean('share_att_key', false);
  if (!isRelative || types.length === 0) return undefined;
  if (buckets === 1 || (buckets > 0 && maxRelativePositions - 1 <= Math.floor(buckets / 2))) {
    config.malformed(`position_buckets is ${buckets}, which does not fit ${maxRelativePositions} relative positions`);
  }
  const span = buckets > 0 ? buckets : maxRelativePositions;
  return { buckets, maxRelativePositions, types, span, isNormalized, sharesKeys };
}

function planRelative(
  planner: TensorPlanner,
  from: (name: string) => string,
  { numLayers, hiddenSize: h, normEps }: EncoderHyperparameters,
  { span, isNormalized, sharesKeys, types }: RelativePositions,
): void {
  const table = from('encoder.rel_embeddings.weight');
  if (isNormalized) {
    const norm = from('encoder.LayerNorm');
    const sources = [
      [table, [2 * span, h]],
      [planner.spelled(norm, 'weight', 'gamma'), [h]],
      [planner.spelled(norm, 'bias', 'beta'), [h]],
    ] as const;
    planner.computed('rel_embd.weight', [2 * span, h], sources, ([rows, weight, bias]) =>
      normalizeRows(rows!, weight!, bias!, normEps),
    );
  } else {
    planner.exact('rel_embd.weight', [2 * span, h], table);
  }
  if (sharesKeys) return;
  for (let block = 0; block < numLayers; block++) {
    const linear = (name: string, source: string) =>
      planner.linear(`blk.${block}.${name}`, {
        sources: [from(`encoder.layer.${block}.attention.self.${source}`)],
        rows: [h],
        columns: h,
        bias: true,
      });
    if (types.includes('c2p')) linear('attn_pos_k', 'pos_key_proj');
    if (types.includes('p2c')) linear('attn_pos_q', 'pos_query_proj');
  }
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

/** Without relative terms the relative embeddings and their norm have no effect. */
function withRelativeEmbeddings(ignored: RegExp): RegExp {
  return new RegExp(`${ignored.source}|(^|\\.)encoder\\.(rel_embeddings|LayerNorm)\\.`);
}
