/**
 * Decoders: Llama, Mistral, Qwen 2 and 3, Gemma 2. Causal attention with shared key heads and rotary positions, RMS norms
 * before each part, a gated feed-forward part. Classifiers have logits = score(norm(h[last token that is no pad])); of
 * language models the head keeps the rows of the tokens that a score is made of.
 */
import type { ConfigReader } from '../config';
import { MAX_HEAD_SIZE, MAX_HEADS } from '../limits';
import type { Architecture, EncoderHyperparameters, EncoderModel, ScoreTokens, TensorIndex } from './architecture';
import { readWindow, slidingLayers, slidingWindow } from './layer-types';
import { type Sizes, readActivation, readSizes } from './mechanisms';
import { readRotary } from './rotary';
import { type Prefixes, TensorPlanner, findPrefix, readNumLabels } from './tensor-planner';

const PREFIXES: Prefixes = [
  ['model.', ''],
  ['', ''],
  ['module.model.', 'module.'],
];
/** The frequencies are computed. lm_head is what language models have in the place of `score`. */
const IGNORED = /(^|\.)rotary_emb\.inv_freq$/;
const IGNORED_BESIDE_SCORE = /(^|\.)lm_head\.weight$|(^|\.)rotary_emb\.inv_freq$/;

/** What one family does differently. */
interface Family {
  /** The classes' name up to For. */
  readonly className: string;
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
    className: 'Llama',
    modelType: 'llama',
    defaults: sizes(32, 4096, 32, 11_008, 2048, 32_000),
    biases: (config) => {
      const attention = config.boolean('attention_bias', false);
      return { qkv: attention, output: attention, mlp: config.boolean('mlp_bias', false) };
    },
  },
  {
    className: 'Mistral',
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
    className: 'Qwen2',
    modelType: 'qwen2',
    defaults: { ...sizes(32, 4096, 32, 22_016, 32_768, 151_936), numKeyValueHeads: 32 },
    biases: () => ({ qkv: true, output: false, mlp: false }),
    window: qwenWindow,
  },
  {
    className: 'Qwen3',
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
    className: 'Gemma2',
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

/** Classifiers first: a configuration without a class is taken for one. */
export const decoders: readonly Architecture[] = [
  ...FAMILIES.map((family) => ({
    sourceClass: `${family.className}ForSequenceClassification`,
    modelType: family.modelType,
    describe: (config: ConfigReader, weights: TensorIndex) => describeClassifier(family, config, weights),
  })),
  ...FAMILIES.map((family) => ({
    sourceClass: `${family.className}ForCausalLM`,
    modelType: family.modelType,
    scoresVocabulary: true,
    describe: (config: ConfigReader, weights: TensorIndex, score?: ScoreTokens) =>
      describeLanguageModel(family, config, weights, score!),
  })),
];

function describeClassifier(family: Family, config: ConfigReader, weights: TensorIndex): EncoderModel {
  const hyperparameters = readHyperparameters(family, config);
  const [decoder, head] = findPrefix(PREFIXES, 'embed_tokens.weight', weights);
  const classifier = `${head}score`;
  const numLabels = readNumLabels(weights, `${classifier}.weight`);
  const planner = new TensorPlanner(weights);
  const { hiddenSize: h, vocabSize } = hyperparameters;
  planner.matrix('token_embd.weight', [vocabSize, h], `${decoder}embed_tokens.weight`);
  planDecoder(planner, decoder, hyperparameters, family, config);
  planner.linear('cls.output', { sources: [classifier], rows: [numLabels], columns: h, bias: false, storage: 'exact' });
  planner.refuseUnused(IGNORED_BESIDE_SCORE);
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

/** logit[positive] - logit[negative] = h . (row[positive] - row[negative]): the head is one row. */
function describeLanguageModel(
  family: Family,
  config: ConfigReader,
  weights: TensorIndex,
  { positive, negative }: ScoreTokens,
): EncoderModel {
  const { isGemma = false } = family;
  // A cap bends each logit by itself, so that no row has their difference.
  if (isGemma && config.json['final_logit_softcapping'] !== null) {
    config.unsupported('final_logit_softcapping is set; only language models without capped logits are supported');
  }
  const hyperparameters = readHyperparameters(family, config);
  const { hiddenSize: h, vocabSize } = hyperparameters;
  for (const id of [positive, negative ?? 0]) {
    if (id >= vocabSize) config.malformed(`the score is made of the token ${id}, but vocab_size is ${vocabSize}`);
  }
  const [decoder, head] = findPrefix(PREFIXES, 'embed_tokens.weight', weights);
  const [embeddings, vocabulary] = [`${decoder}embed_tokens.weight`, `${head}lm_head.weight`];
  const isTied = config.boolean('tie_word_embeddings', isGemma);
  const planner = new TensorPlanner(weights);
  if (isTied) planner.tied('token_embd.weight', [vocabSize, h], [embeddings, vocabulary]);
  else planner.matrix('token_embd.weight', [vocabSize, h], embeddings);
  planDecoder(planner, decoder, hyperparameters, family, config);
  planner.computed(
    'cls.output.weight',
    [1, h],
    [[isTied ? embeddings : vocabulary, [vocabSize, h]]],
    ([rows]) => [
      negative === undefined ? rows! : rows!.subarray(0, h).map((value, index) => value - rows![h + index]!),
    ],
    [positive, ...(negative === undefined ? [] : [negative])].map((id) => [id, 1] as const),
  );
  planner.refuseUnused(IGNORED);
  return {
    architecture: family.modelType,
    hyperparameters,
    tensors: planner.tensors,
    numLabels: 1,
    // sentence-transformers pads on the left, so that the last token counts, whatever it is.
    head: { pooling: 'last', activation: 'none' },
    llamacppCompat: 'unsupported',
  };
}

function planDecoder(
  planner: TensorPlanner,
  prefix: string,
  hyperparameters: EncoderHyperparameters,
  family: Family,
  config: ConfigReader,
): void {
  const biases = family.biases(config);
  for (let layer = 0; layer < hyperparameters.numLayers; layer++) {
    planLayer(planner, layer, `${prefix}layers.${layer}.`, hyperparameters, family, biases);
  }
  planNorm(planner, 'output_norm', hyperparameters.hiddenSize, `${prefix}norm`, family);
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
