/**
 * What the files of llama.cpp's converter mean: BERT and its kin (`bert`), ModernBERT, and Qwen 3 with a head. The
 * converter keeps a checkpoint's tensors and forgets some of its facts; each assumption made here leaves a warning.
 */
import { EncoderError } from '../../errors';
import { float, text, uints } from '../../gguf/entries';
import { shown } from '../../support/json';
import type { EncoderHyperparameters, EncoderModel, TensorIndex } from '../architectures/architecture';
import { layerIndices } from '../architectures/layer-types';
import { bertCompatibility } from '../architectures/mechanisms';
import { TensorPlanner, readNumLabels } from '../architectures/tensor-planner';
import {
  MAX_HEAD_SIZE,
  MAX_HEADS,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_POSITIONS,
  MAX_TOKEN_TYPES,
} from '../limits';
import type { MetadataReader } from './metadata-reader';
import type { LlamaCppWarning } from './warnings';

/** One file, as far as its architecture matters. */
interface Source {
  readonly metadata: MetadataReader;
  readonly weights: TensorIndex;
  readonly planner: TensorPlanner;
  /** A key of the architecture. */
  readonly key: (name: string) => string;
  readonly warn: (code: LlamaCppWarning) => void;
}

/** Below 1e-12, which float32 cannot hold exactly. */
const MIN_EPSILON = 1e-13;

type Family = (source: Source) => Omit<EncoderModel, 'tensors' | 'architecture'>;

const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ['bert', bert],
  ['modern-bert', modernBert],
  ['qwen3', qwen3],
]);

/** Throws `architecture_unsupported`, `gguf_malformed`, `tensor_missing` and `tensor_shape_mismatch`. */
export function describeFile(metadata: MetadataReader, weights: TensorIndex): EncoderModel {
  const architecture = metadata.string('general.architecture', '');
  const family = FAMILIES.get(architecture);
  if (family === undefined) {
    throw new EncoderError(
      'architecture_unsupported',
      `${metadata.path} has the architecture ${shown(architecture)}; of files that were not written by ggml-encoder, ` +
        `${[...FAMILIES.keys()].join(', ')} with a classification head can be read. Convert the Hugging Face checkpoint instead`,
    );
  }
  const warnings = new Set<LlamaCppWarning>();
  const planner = new TensorPlanner(weights);
  const key = (name: string) => `${architecture}.${name}`;
  const model = family({ metadata, weights, planner, key, warn: (code) => warnings.add(code) });
  planner.refuseUnused(/^$/);
  return { architecture, ...model, tensors: planner.tensors, warnings: [...warnings] };
}

function readSizes({ metadata, weights, key }: Source) {
  const tokens = weights.find('token_embd.weight');
  if (tokens?.shape.length !== 2) {
    throw new EncoderError('tensor_missing', `${metadata.path} has no matrix token_embd.weight`);
  }
  const sizes = {
    numLayers: metadata.integer(key('block_count'), 1, MAX_LAYERS),
    hiddenSize: metadata.integer(key('embedding_length'), 1, MAX_HIDDEN_SIZE),
    numHeads: metadata.integer(key('attention.head_count'), 1, MAX_HEADS),
    intermediateSize: metadata.integer(key('feed_forward_length'), 1, MAX_INTERMEDIATE_SIZE),
    numPositions: metadata.integer(key('context_length'), 1, MAX_POSITIONS),
    vocabSize: tokens.shape[0]!,
  };
  const headSize = metadata.integer(key('attention.key_length'), 1, MAX_HEAD_SIZE, sizes.hiddenSize / sizes.numHeads);
  return { ...sizes, headSize };
}

/** BERT, RoBERTa, XLM-RoBERTa and DistilBERT, which their tensors alone tell apart. */
function bert(source: Source): ReturnType<Family> {
  const { metadata, weights, planner, key, warn } = source;
  const { headSize, ...sizes } = readSizes(source);
  if (headSize * sizes.numHeads !== sizes.hiddenSize) metadata.malformed('its heads do not share out the hidden size');
  const types = weights.find('token_types.weight');
  const h = sizes.hiddenSize;
  const hyperparameters: EncoderHyperparameters = {
    ...sizes,
    numTokenTypes: Math.min(types?.shape[0] ?? 0, MAX_TOKEN_TYPES),
    normEps: metadata.number(key('attention.layer_norm_epsilon'), MIN_EPSILON, 1, 1e-12),
    hiddenActivation: 'gelu',
  };
  planner.matrix('token_embd.weight', [sizes.vocabSize, h], 'token_embd.weight');
  planner.exact('position_embd.weight', [sizes.numPositions, h], 'position_embd.weight');
  if (types !== undefined) {
    planner.exact('token_types.weight', [hyperparameters.numTokenTypes, h], 'token_types.weight');
  }
  planner.norm('token_embd_norm', h, 'token_embd_norm');
  for (let layer = 0; layer < sizes.numLayers; layer++) {
    const block = `blk.${layer}.`;
    planAttention(source, block, h, [h, h, h]);
    planner.norm(`${block}attn_output_norm`, h, `${block}attn_output_norm`);
    linear(source, `${block}ffn_up`, sizes.intermediateSize, h);
    linear(source, `${block}ffn_down`, h, sizes.intermediateSize);
    planner.norm(`${block}layer_output_norm`, h, `${block}layer_output_norm`);
  }
  // DistilBERT is the one of them without segments; RoBERTa, which has but one, has another kind of tokenizer.
  const isDistilBert = types === undefined && metadata.string('tokenizer.ggml.model', '') === 'bert';
  const { numLabels, hasDense } = planHead(source, h);
  if (!hasDense) warn('pooler_missing');
  else if (isDistilBert) warn('head_activation_assumed');
  return {
    hyperparameters,
    numLabels,
    head: { pooling: 'cls', activation: !hasDense ? 'none' : isDistilBert ? 'relu' : 'tanh' },
    llamacppCompat: hasDense && isDistilBert ? 'approximate-head' : bertCompatibility(hyperparameters),
  };
}

const GATED_ACTIVATIONS: ReadonlyMap<string, string> = new Map([
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['swiglu', 'silu'],
]);

function modernBert(source: Source): ReturnType<Family> {
  const { metadata, planner, key, warn } = source;
  const { headSize, ...sizes } = readSizes(source);
  if (headSize * sizes.numHeads !== sizes.hiddenSize) metadata.malformed('its heads do not share out the hidden size');
  const h = sizes.hiddenSize;
  // Checkpoints call it norm_eps, which the converter takes for an RMS norm's.
  const rmsEps = metadata.number(key('attention.layer_norm_rms_epsilon'), MIN_EPSILON, 1, 1e-5);
  const layers = windowLayers(source, sizes.numLayers);
  const base = metadata.number(key('rope.freq_base'), 1, 1e9, 160_000);
  const localBase = metadata.number(key('rope.freq_base_swa'), 1, 1e9, 10_000);
  planner.matrix('token_embd.weight', [sizes.vocabSize, h], 'token_embd.weight');
  optionalNorm(source, 'token_embd_norm', h);
  for (let layer = 0; layer < sizes.numLayers; layer++) {
    const block = `blk.${layer}.`;
    optionalNorm(source, `${block}attn_norm`, h);
    planAttention(source, block, h, [h, h, h]);
    optionalNorm(source, `${block}ffn_norm`, h);
    linear(source, `${block}ffn_up`, 2 * sizes.intermediateSize, h);
    linear(source, `${block}ffn_down`, h, sizes.intermediateSize);
  }
  optionalNorm(source, 'output_norm', h);
  const { numLabels, hasDense } = planHead(source, h);
  warn('pooling_assumed');
  return {
    hyperparameters: {
      ...sizes,
      numTokenTypes: 0,
      normEps: metadata.number(key('attention.layer_norm_epsilon'), MIN_EPSILON, 1, rmsEps),
      normPlacement: 'pre',
      hiddenActivation: GATED_ACTIVATIONS.get(metadata.string(key('hidden_activation'), 'gelu')) ?? 'gelu',
      feedForwardKind: 'glu',
      positionKind: 'rope',
      rope: {
        inverseFrequencies: frequencies(base, headSize),
        localInverseFrequencies: frequencies(localBase, headSize),
        attentionFactor: 1,
      },
      slidingWindow:
        layers.length === 0
          ? undefined
          : { size: metadata.integer(key('attention.sliding_window'), 1, MAX_POSITIONS, 128), layers },
    },
    numLabels,
    head: { pooling: 'mean', activation: hasDense ? 'gelu' : 'none' },
    llamacppCompat: 'exact',
    llamacppEntries: [
      float('rope.freq_base', base),
      float('rope.freq_base_swa', localBase),
      text('rope.scaling.type', 'none'),
      uints(
        'attention.sliding_window_pattern',
        layerIndices(sizes.numLayers).map((layer) => (layers.includes(layer) ? 1 : 0)),
      ),
    ],
  };
}

/** Layers with a window: a number n spares every nth from the first on, an array says it layer by layer. */
function windowLayers({ metadata, key }: Source, numLayers: number): number[] {
  const name = key('attention.sliding_window_pattern');
  const all = layerIndices(numLayers);
  const pattern = metadata.numbers(name);
  if (pattern === undefined) {
    const interval = metadata.integer(name, 0, MAX_LAYERS, 3);
    return interval === 0 ? all : all.filter((layer) => layer % interval !== 0);
  }
  if (pattern.length < numLayers) metadata.malformed(`${name} has no entry for every layer`);
  return all.filter((layer) => pattern[layer] !== 0);
}

/** A decoder whose head reads the last token. llama.cpp gives the softmax of what are logits here. */
function qwen3(source: Source): ReturnType<Family> {
  const { metadata, weights, planner, key, warn } = source;
  const { headSize, ...sizes } = readSizes(source);
  const { hiddenSize: h, numHeads, intermediateSize: f } = sizes;
  const numKeyValueHeads = metadata.integer(key('attention.head_count_kv'), 1, MAX_HEADS, numHeads);
  if (numHeads % numKeyValueHeads !== 0) metadata.malformed(`${numHeads} heads cannot share ${numKeyValueHeads} keys`);
  const [q, kv] = [numHeads * headSize, numKeyValueHeads * headSize];
  const scaling = metadata.string(key('rope.scaling.type'), 'none');
  if (scaling !== 'none') {
    throw new EncoderError(
      'architecture_unsupported',
      `${metadata.path}: ${key('rope.scaling.type')} is ${shown(scaling)}; only none is supported`,
    );
  }
  planner.matrix('token_embd.weight', [sizes.vocabSize, h], 'token_embd.weight');
  for (let layer = 0; layer < sizes.numLayers; layer++) {
    const block = `blk.${layer}.`;
    planner.norm(`${block}attn_norm`, h, `${block}attn_norm`, false);
    planAttention(source, block, h, [q, kv, kv]);
    for (const name of ['attn_q_norm', 'attn_k_norm'] as const) {
      planner.norm(`${block}${name}`, headSize, `${block}${name}`, false);
    }
    planner.norm(`${block}ffn_norm`, h, `${block}ffn_norm`, false);
    const sources = [`${block}ffn_gate`, `${block}ffn_up`];
    planner.linear(`${block}ffn_up`, { sources, rows: [f, f], columns: h, bias: false });
    linear(source, `${block}ffn_down`, h, f);
  }
  planner.norm('output_norm', h, 'output_norm', false);
  const { numLabels, hasDense } = planHead(source, h);
  if (hasDense) metadata.malformed('it has a dense layer before the head, which its architecture has not');
  if (weights.find('output.weight') !== undefined) planner.ignore('output.weight');
  if (metadata.has('tokenizer.chat_template.rerank')) warn('prompt_template_unused');
  return {
    hyperparameters: {
      ...sizes,
      numTokenTypes: 0,
      numKeyValueHeads,
      headSize,
      normEps: metadata.number(key('attention.layer_norm_rms_epsilon'), MIN_EPSILON, 1, 1e-6),
      normKind: 'rms',
      normPlacement: 'pre',
      hiddenActivation: 'silu',
      feedForwardKind: 'glu',
      isCausal: true,
      positionKind: 'rope',
      rope: {
        inverseFrequencies: frequencies(metadata.number(key('rope.freq_base'), 1, 1e9, 10_000), headSize),
        attentionFactor: 1,
      },
    },
    numLabels,
    head: { pooling: 'last', activation: 'none' },
    llamacppCompat: 'unsupported',
  };
}

/** As transformers computes them in float32. */
function frequencies(base: number, headSize: number): Float32Array {
  return Float32Array.from(
    { length: headSize / 2 },
    (_, i) => 1 / Math.fround(base ** Math.fround((2 * i) / headSize)),
  );
}

/** Queries, keys and values in one matrix or in three, with or without biases. `parts`: rows of each. */
function planAttention({ weights, planner }: Source, block: string, hidden: number, parts: readonly number[]): void {
  const hasBias = (name: string) => weights.find(`${name}.bias`) !== undefined;
  const fused = `${block}attn_qkv`;
  const apart = ['q', 'k', 'v'].map((part) => `${block}attn_${part}`);
  const isFused = weights.find(`${fused}.weight`) !== undefined;
  const total = parts.reduce((sum, part) => sum + part, 0);
  planner.linear(fused, {
    sources: isFused ? [fused] : apart,
    rows: isFused ? [total] : parts,
    columns: hidden,
    bias: isFused ? hasBias(fused) : apart.some(hasBias),
  });
  // Three biases may stand beside one matrix.
  if (isFused && !hasBias(fused) && apart.some(hasBias)) {
    planner.stacked(
      `${fused}.bias`,
      apart.map((name) => `${name}.bias`),
      parts,
    );
  }
  planner.linear(`${block}attn_output`, {
    sources: [`${block}attn_output`],
    rows: [hidden],
    columns: parts[0]!,
    bias: hasBias(`${block}attn_output`),
  });
}

function linear({ weights, planner }: Source, name: string, rows: number, columns: number): void {
  const bias = weights.find(`${name}.bias`) !== undefined;
  planner.linear(name, { sources: [name], rows: [rows], columns, bias });
}

function optionalNorm({ weights, planner }: Source, name: string, size: number): void {
  if (weights.find(`${name}.weight`) === undefined) return;
  planner.norm(name, size, name, weights.find(`${name}.bias`) !== undefined);
}

/**
 * `cls` and `cls.output`. Without labels the converter stores a lone classifier as `cls`, which its number of rows
 * gives away.
 */
function planHead(
  { metadata, weights, planner }: Source,
  hiddenSize: number,
): { readonly numLabels: number; readonly hasDense: boolean } {
  const dense = weights.find('cls.weight');
  const isLone =
    weights.find('cls.output.weight') === undefined && dense !== undefined && dense.shape[0] !== hiddenSize;
  const classifier = isLone ? 'cls' : 'cls.output';
  if (weights.find(`${classifier}.weight`) === undefined) {
    throw new EncoderError(
      'tensor_missing',
      `${metadata.path} has no classification head (cls.output.weight); convert a checkpoint of a *ForSequenceClassification class`,
    );
  }
  const numLabels = readNumLabels(weights, `${classifier}.weight`);
  const exact = (name: string, source: string, rows: number) =>
    planner.headDense(name, rows, hiddenSize, source, weights.find(`${source}.bias`) !== undefined);
  const hasDense = dense !== undefined && !isLone;
  if (hasDense) {
    exact('cls', 'cls', hiddenSize);
    if (weights.find('cls.norm.weight') !== undefined) {
      planner.norm('cls.norm', hiddenSize, 'cls.norm', weights.find('cls.norm.bias') !== undefined);
    }
  }
  exact('cls.output', classifier, numLabels);
  return { numLabels, hasDense };
}
