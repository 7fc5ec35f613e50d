/**
 * Decoders with a `score` head: Llama, Mistral, Qwen 2 and 3, Gemma 2. Causal attention with shared key heads and rotary
 * positions, RMS norms before each part, a gated feed-forward part; logits = score(norm(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import { MAX_HEAD_SIZE, MAX_HEADS } from '../limits';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { readWindow, slidingLayers, slidingWindow } from './layer-types';
import { type Sizes, readActivation, readSizes } from './mechanisms';
import { readRotary } from './rotary';
import { type Prefixes, TensorPlanner, findPrefix, readNumLabels } from './tensor-planner';

const PREFIXES: Prefixes = [
  ['model.', ''],
  ['', ''],
  ['module.model.', 'module.'],
];
/** lm_head is what language models have in the place of `score`; the frequencies are computed. */
const IGNORED = /(^|\.)lm_head\.weight$|(^|\.)rotary_emb\.inv_freq$/;

/** What one family does differently. */
interface Family {
  readonly sourceClass: string;
  readonly modelType: string;
  /** Defaults of the HF class. */
  readonly defaults: Sizes & {
    /** Default: as many as query heads. */
    readonly numKeyValueHeads?: number;
    /** Default: the hidden size shared out among the heads. */
    readonly headSize?: number;
    readonly padTokenId?: number;
  };
  readonly biases: (config: ConfigReader) => { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
  readonly window?: (config: ConfigReader, numLayers: number) => EncoderHyperparameters['slidingWindow'];
  /** RMS norm of each query and key head. */
  readonly normalizesHeads?: boolean;
  /** Gemma 2: norms around each part stored as weight - 1, scaled embeddings, capped scores. */
  readonly isGemma?: boolean;
}

const NO_BIAS = { qkv: false, output: false, mlp: false };

/** Qwen: a window only when it is asked for, from layer `max_window_layers` on. */
function qwenWindow(config: ConfigReader, numLayers: number): EncoderHyperparameters['slidingWindow'] {
  const window = config.boolean('use_sliding_window', false) ? readWindow(config, 'sliding_window', 4096) : undefined;
  const first = config.integer('max_window_layers', 28, 0, 2 ** 31);
  const layers = slidingLayers(config, numLayers, (layer) => window !== undefined && layer >= first);
  if (window === undefined && layers.length > 0)
    config.malformed('layer_types has a window, but sliding_window is not set');
  return window === undefined ? undefined : slidingWindow(window, layers);
}

const FAMILIES: readonly Family[] = [
  {
    sourceClass: 'LlamaForSequenceClassification',
    modelType: 'llama',
    defaults: sizes(32, 4096, 32, 11_008, 2048, 32_000),
    biases: (config) => {
      const attention = config.boolean('attention_bias', false);
      return { qkv: attention, output: attention, mlp: config.boolean('mlp_bias', false) };
    },
  },
  {
    sourceClass: 'MistralForSequenceClassification',
    modelType: 'mistral',
    defaults: { ...sizes(32, 4096, 32, 14_336, 131_072, 32_000), numKeyValueHeads: 8 },
    biases: () => NO_BIAS,
    window: (config, numLayers) => {
      const window = readWindow(config, 'sliding_window', 4096);
      return window === undefined
        ? undefined
        : slidingWindow(
            window,
            slidingLayers(config, numLayers, () => true),
          );
    },
  },
  {
    sourceClass: 'Qwen2ForSequenceClassification',
    modelType: 'qwen2',
    defaults: { ...sizes(32, 4096, 32, 22_016, 32_768, 151_936), numKeyValueHeads: 32 },
    biases: () => ({ qkv: true, output: false, mlp: false }),
    window: qwenWindow,
  },
  {
    sourceClass: 'Qwen3ForSequenceClassification',
    modelType: 'qwen3',
    defaults: { ...sizes(32, 4096, 32, 22_016, 32_768, 151_936), numKeyValueHeads: 32, headSize: 128 },
    biases: (config) => {
      const attention = config.boolean('attention_bias', false);
      return { qkv: attention, output: attention, mlp: false };
    },
    window: qwenWindow,
    normalizesHeads: true,
  },
  {
    sourceClass: 'Gemma2ForSequenceClassification',
    modelType: 'gemma2',
    defaults: { ...sizes(26, 2304, 8, 9216, 8192, 256_000), numKeyValueHeads: 4, headSize: 256, padTokenId: 0 },
    biases: (config) => {
      const attention = config.boolean('attention_bias', false);
      return { qkv: attention, output: attention, mlp: false };
    },
    window: (config, numLayers) => {
      const window = readWindow(config, 'sliding_window', 4096);
      const layers = slidingLayers(config, numLayers, (layer) => layer % 2 === 0);
      return window === undefined ? undefined : slidingWindow(window, layers);
    },
    isGemma: true,
  },
];

function sizes(
  numLayers: number,
  hiddenSize: number,
  numHeads: number,
  intermediateSize: number,
  numPositions: number,
  vocabSize: number,
): Sizes {
  return { numLayers, hiddenSize, numHeads, intermediateSize, numPositions, vocabSize };
}

export const decoders: readonly Architecture[] = FAMILIES.map((family) => ({
  sourceClass: family.sourceClass,
  modelType: family.modelType,
  describe: (config, weights) => describe(family, config, weights),
}));

function describe(family: Family, config: ConfigReader, weights: TensorIndex): EncoderModel {
  const hyperparameters = readHyperparameters(family, config);
  const [decoder, head] = findPrefix(PREFIXES, 'embed_tokens.weight', weights);
  const classifier = `${head}score`;
  const numLabels = readNumLabels(weights, `${classifier}.weight`);
  const planner = new TensorPlanner(weights);
  const h = hyperparameters.hiddenSize;
  planner.matrix('token_embd.weight', [hyperparameters.vocabSize, h], `${decoder}embed_tokens.weight`);
  const biases = family.biases(config);
  for (let layer = 0; layer < hyperparameters.numLayers; layer++) {
    planLayer(planner, layer, `${decoder}layers.${layer}.`, hyperparameters, family, biases);
  }
  planNorm(planner, 'output_norm', h, `${decoder}norm`, family);
  planner.linear('cls.output', { sources: [classifier], rows: [numLabels], columns: h, bias: false, storage: 'exact' });
  planner.refuseUnused(IGNORED);
  const padTokenId = config.integer('pad_token_id', family.defaults.padTokenId ?? -1, -1, 2 ** 31 - 1);
  return {
    architecture: family.modelType,
    hyperparameters,
    tensors: planner.tensors,
    numLabels,
    head: { pooling: 'last', activation: 'none', ...(padTokenId < 0 ? {} : { padTokenId }) },
    llamacppCompat: 'unsupported',
  };
}

function readHyperparameters(family: Family, config: ConfigReader): EncoderHyperparameters {
  const { defaults, isGemma = false } = family;
  const read = readSizes(config, defaults);
  const numKeyValueHeads = config.integer(
    'num_key_value_heads',
    defaults.numKeyValueHeads ?? read.numHeads,
    1,
    MAX_HEADS,
  );
  if (read.numHeads % numKeyValueHeads !== 0) {
    config.malformed(`${read.numHeads} attention heads cannot share ${numKeyValueHeads} key-value heads`);
  }
  const headSize = config.integer('head_dim', defaults.headSize ?? read.hiddenSize / read.numHeads, 2, MAX_HEAD_SIZE);
  return {
    ...read,
    numKeyValueHeads,
    headSize,
    numTokenTypes: 0,
    normEps: config.number('rms_norm_eps', 1e-6, 1e-12, 1),
    normKind: 'rms',
    normPlacement: isGemma ? 'sandwich' : 'pre',
    hiddenActivation: isGemma
      ? readActivation(config, 'hidden_activation', 'gelu_pytorch_tanh')
      : readActivation(config, 'hidden_act', 'silu'),
    feedForwardKind: 'glu',
    isCausal: true,
    positionKind: 'rope',
    rope: readRotary(config, headSize, 10_000),
    slidingWindow: family.window?.(config, read.numLayers),
    ...(isGemma ? readGemma(config, read.hiddenSize) : {}),
  };
}

function readGemma(config: ConfigReader, hiddenSize: number): Partial<EncoderHyperparameters> {
  if (config.boolean('use_bidirectional_attention', false)) {
    config.unsupported('use_bidirectional_attention is true; only causal decoders are supported');
  }
  const cap = config.json['attn_logit_softcapping'];
  return {
    embeddingScale: Math.sqrt(hiddenSize),
    attentionScale: 1 / Math.sqrt(config.number('query_pre_attn_scalar', 256, 1, 1e6)),
    ...(cap === null ? {} : { attentionSoftcap: config.number('attn_logit_softcapping', 50, 1e-3, 1e6) }),
  };
}

function planLayer(
  planner: TensorPlanner,
  layer: number,
  prefix: string,
  { hiddenSize: h, intermediateSize: f, numHeads, numKeyValueHeads, headSize }: EncoderHyperparameters,
  family: Family,
  biases: ReturnType<Family['biases']>,
): void {
  const [q, kv] = [numHeads * headSize!, numKeyValueHeads! * headSize!];
  const block = `blk.${layer}.`;
  const linear = (name: string, rows: number[], columns: number, sources: string[], bias: boolean) =>
    planner.linear(`${block}${name}`, { sources: sources.map((source) => `${prefix}${source}`), rows, columns, bias });
  const norm = (name: string, source: string, size = h) =>
    planNorm(planner, `${block}${name}`, size, `${prefix}${source}`, family);
  norm('attn_norm', 'input_layernorm');
  linear('attn_qkv', [q, kv, kv], h, ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'], biases.qkv);
  if (family.normalizesHeads) {
    norm('attn_q_norm', 'self_attn.q_norm', headSize);
    norm('attn_k_norm', 'self_attn.k_norm', headSize);
  }
  linear('attn_output', [h], q, ['self_attn.o_proj'], biases.output);
  if (family.isGemma) {
    norm('attn_post_norm', 'post_attention_layernorm');
    norm('ffn_norm', 'pre_feedforward_layernorm');
  } else {
    norm('ffn_norm', 'post_attention_layernorm');
  }
  linear('ffn_up', [f, f], h, ['mlp.gate_proj', 'mlp.up_proj'], biases.mlp);
  linear('ffn_down', [h], f, ['mlp.down_proj'], biases.mlp);
  if (family.isGemma) norm('ffn_post_norm', 'post_feedforward_layernorm');
}

/** Gemma's norms multiply with 1 + weight. */
function planNorm(planner: TensorPlanner, name: string, size: number, source: string, { isGemma }: Family): void {
  if (isGemma) {
    planner.computed(`${name}.weight`, [size], [[`${source}.weight`, [size]]], ([weight]) => [
      weight!.map((value) => 1 + value),
    ]);
  } else {
    planner.norm(name, size, source, false);
  }
}
