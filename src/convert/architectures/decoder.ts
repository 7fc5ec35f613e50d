/**
 * Decoders: Llama and its kin (`decoder-families.ts`). Causal attention with shared key heads and rotary positions, RMS
 * norms before each part, a gated feed-forward part. Classifiers have logits = score(norm(h[last token that is no pad]));
 * of language models the head keeps the rows of the tokens that a score is made of.
 */
import { ConfigReader } from '../config';
import type {
  AnswerTokens,
  Architecture,
  EncoderBody,
  EncoderHyperparameters,
  EncoderModel,
  NumberTokens,
  RowRange,
  ScoreTokens,
  TensorIndex,
} from './architecture';
import { DECODER_FAMILIES } from './decoder-families';
import type { Biases, DecoderFamily } from './decoder-family';
import { planDeltaNet } from './delta-net';
import { readActivation, readHeadSize, readKeyValueHeads, readSizes } from './mechanisms';
import { pairsApart, readWholeRotary } from './rotary';
import { planScore, scoreHead } from './score-head';
import { planShortConvolution } from './short-convolution';
import { type Prefixes, type TensorPlanner, planClassifier, planTensors } from './tensor-planner';

const PREFIXES: Prefixes = [
  ['model.', ''],
  ['', ''],
  ['module.model.', 'module.'],
];
/** The frequencies are computed. lm_head is what language models have in the place of `score`. */
const IGNORED = /(^|\.)rotary_emb\.inv_freq$/;
const IGNORED_BESIDE_SCORE = /(^|\.)lm_head\.weight$|(^|\.)rotary_emb\.inv_freq$/;
const IGNORED_BESIDE_BODY = /(^|\.)(lm_head|score)\.(weight|bias)$|(^|\.)rotary_emb\.inv_freq$/;

/** Of a model that reads pictures too; what it has for them plays no part in a text's logits. */
const MULTIMODAL_PREFIXES: Prefixes = [
  ['model.language_model.', ''],
  ['module.model.language_model.', 'module.'],
];
const IGNORED_BESIDE_TEXT = /(^|\.)model\.(vision_tower|multi_modal_projector)\.|(^|\.)lm_head\.weight$/;

/** Classifiers first: a configuration without a class is taken for one. */
export const decoders: readonly Architecture[] = [
  ...DECODER_FAMILIES.filter(({ only }) => only !== 'language-model').map((family) => ({
    sourceClass: `${family.className}ForSequenceClassification`,
    modelType: family.modelType,
    publishedAs: family.publishedAs,
    describe: (config: ConfigReader, weights: TensorIndex) =>
      describeClassifier(family, config, weights, prefixesOf(family), IGNORED_BESIDE_SCORE),
    // A class with a head of its own comes from code that no AutoModel has; modules know of no other limit than positions.
    ...(family.head === undefined && family.limit === undefined
      ? { describeBody: (config: ConfigReader, weights: TensorIndex) => describeBody(family, config, weights) }
      : {}),
  })),
  ...DECODER_FAMILIES.flatMap((family) => {
    if (family.multimodal === undefined) return [];
    const { className, modelType } = family.multimodal;
    const describe = (config: ConfigReader, weights: TensorIndex) =>
      describeClassifier(family, textConfig(config), weights, MULTIMODAL_PREFIXES, IGNORED_BESIDE_TEXT);
    return [{ sourceClass: `${className}ForSequenceClassification`, modelType, describe }];
  }),
  ...DECODER_FAMILIES.flatMap((family) => {
    if (family.multimodal?.writes === undefined) return [];
    const { className, modelType } = family.multimodal;
    const describe = (config: ConfigReader, weights: TensorIndex, score?: ScoreTokens | NumberTokens | AnswerTokens) =>
      describeLanguageModel(family, textConfig(config), weights, score!, MULTIMODAL_PREFIXES);
    const sourceClass = `${className}ForConditionalGeneration`;
    return [{ sourceClass, modelType, scoresVocabulary: 'causal' as const, describe }];
  }),
  ...DECODER_FAMILIES.filter(({ only }) => only !== 'classifier').map((family) => ({
    sourceClass: `${family.causalClassName ?? family.className}ForCausalLM`,
    modelType: family.modelType,
    scoresVocabulary: 'causal' as const,
    describe: (config: ConfigReader, weights: TensorIndex, score?: ScoreTokens | NumberTokens | AnswerTokens) =>
      describeLanguageModel(family, config, weights, score!, prefixesOf(family)),
    ...(family.isBodyToo && {
      describeBody: (config: ConfigReader, weights: TensorIndex) => describeBody(family, config, weights),
    }),
  })),
];

/** The configuration of a multimodal model's text; whether its language model is tied stands in either. */
function textConfig(config: ConfigReader): ConfigReader {
  const { tie_word_embeddings } = config.json;
  const text = {
    ...(tie_word_embeddings === undefined ? {} : { tie_word_embeddings }),
    ...config.object('text_config'),
  };
  return new ConfigReader(text, `text_config in ${config.path}`);
}

/** With the values of older keys under the names that they have now. */
function respelled({ olderKeys = {} }: DecoderFamily, config: ConfigReader): ConfigReader {
  const found = Object.entries(olderKeys).filter(([older]) => older in config.json);
  if (found.length === 0) return config;
  const values = found.map(([older, key]) => [key, config.json[older]!] as const);
  return new ConfigReader({ ...config.json, ...Object.fromEntries(values) }, config.path);
}

/** transformers takes a text model from a multimodal one's checkpoint where it has a language model of its own. */
function prefixesOf({ multimodal }: DecoderFamily): Prefixes {
  return multimodal?.writes === undefined ? PREFIXES : [...PREFIXES, ...MULTIMODAL_PREFIXES];
}

/** What is passed over of a family's checkpoints. */
function passedOver({ unread }: DecoderFamily, ofClass: RegExp): RegExp {
  return unread === undefined ? ofClass : new RegExp(`${ofClass.source}|${unread.source}`);
}

/** `planHead`: plans what is the class's own, behind the prefix of its head. */
export function describeBody(
  family: DecoderFamily,
  written: ConfigReader,
  weights: TensorIndex,
  planHead?: (planner: TensorPlanner, prefix: string, hyperparameters: EncoderHyperparameters) => void,
): EncoderBody {
  const config = respelled(family, written);
  const hyperparameters = readHyperparameters(family, config);
  const ignored = passedOver(family, IGNORED_BESIDE_BODY);
  const place = { prefixes: prefixesOf(family), probe: 'embed_tokens', ignored };
  const tensors = planTensors(weights, place, (planner, decoder, head) => {
    planBody(planner, decoder, hyperparameters, family, config);
    planHead?.(planner, head, hyperparameters);
  });
  return { architecture: family.architecture ?? family.modelType, hyperparameters, tensors };
}

function describeClassifier(
  family: DecoderFamily,
  config: ConfigReader,
  weights: TensorIndex,
  prefixes: Prefixes,
  ignored: RegExp,
): EncoderModel {
  const hyperparameters = readHyperparameters(family, config);
  const place = { prefixes, probe: 'embed_tokens', classifier: 'score', ignored: passedOver(family, ignored) };
  return {
    architecture: family.architecture ?? family.modelType,
    hyperparameters,
    ...planClassifier(weights, place, (planner, decoder, head, numLabels) => {
      planBody(planner, decoder, hyperparameters, family, config);
      planScore(planner, head, numLabels, hyperparameters.hiddenSize, family.logitDivisor?.(config));
    }),
    head: family.head?.(config) ?? scoreHead(config, family.defaults.padTokenId),
    ...family.limit?.(config, hyperparameters.numPositions),
    llamacppCompat: 'unsupported',
  };
}

/**
 * The rows of the tokens that count are the head. logit[positive] - logit[negative] = h . (row[positive] - row[negative]):
 * of a score the head is one row. A cap bends each logit by itself, so that no row has their difference: the head is both.
 * Of numbers it has the row of each.
 */
function describeLanguageModel(
  family: DecoderFamily,
  written: ConfigReader,
  weights: TensorIndex,
  score: ScoreTokens | NumberTokens | AnswerTokens,
  prefixes: Prefixes,
): EncoderModel {
  const config = respelled(family, written);
  const cap = readLogitSoftcap(family, config);
  const { ids, divisor: ownDivisor = 1 } = scoreRows(score);
  if (cap !== undefined && ownDivisor !== 1) config.unsupported('its logits are capped before they are divided');
  const divisor = (family.logitDivisor?.(config) ?? 1) * ownDivisor;
  const subtracts = 'positive' in score && ids.length === 2;
  const isOneRow = subtracts && cap === undefined;
  const headScore = 'numbers' in score ? 'expectation' : subtracts && !isOneRow ? 'difference' : undefined;
  const hyperparameters = readHyperparameters(family, config);
  const { hiddenSize: h, vocabSize } = hyperparameters;
  for (const id of ids) {
    if (id >= vocabSize) config.malformed(`the score is made of the token ${id}, but vocab_size is ${vocabSize}`);
  }
  const isTied = config.boolean('tie_word_embeddings', family.defaults.tiesEmbeddings ?? false);
  const place = { prefixes, probe: 'embed_tokens', ignored: passedOver(family, IGNORED) };
  const tensors = planTensors(weights, place, (planner, decoder, head) => {
    const [embeddings, vocabulary] = [`${decoder}embed_tokens.weight`, `${head}lm_head.weight`];
    if (isTied) planner.tied('token_embd.weight', [vocabSize, h], [embeddings, vocabulary]);
    else planner.matrix('token_embd.weight', [vocabSize, h], embeddings);
    planDecoder(planner, decoder, hyperparameters, family, config);
    planner.computed(
      'cls.output.weight',
      [isOneRow ? 1 : ids.length, h],
      [[isTied ? embeddings : vocabulary, [vocabSize, h]]],
      ([rows]) => {
        if (!isOneRow) return [rows!.map((value) => value / divisor)];
        return [rows!.subarray(0, h).map((value, index) => (value - rows![h + index]!) / divisor)];
      },
      ids.map((id) => [id, 1] as const),
    );
  });
  return {
    architecture: family.architecture ?? family.modelType,
    hyperparameters,
    tensors,
    numLabels: 'answers' in score ? ids.length : 1,
    // As where a batch is padded on the left: the last token counts, whatever it is.
    head: {
      pooling: 'last',
      activation: 'none',
      ...(cap === undefined ? {} : { logitSoftcap: cap }),
      ...(headScore === undefined ? {} : { score: headScore }),
    },
    ...family.limit?.(config, hyperparameters.numPositions),
    llamacppCompat: 'unsupported',
  };
}

function scoreRows(score: ScoreTokens | NumberTokens | AnswerTokens): { ids: readonly number[]; divisor?: number } {
  if ('answers' in score) return { ids: score.answers };
  if ('numbers' in score) return { ids: score.numbers };
  const { positive, negative, divisor = 1 } = score;
  return { ids: negative === undefined ? [positive] : [positive, negative], divisor };
}

/** The cap that the class puts on the language model's logits. */
export function readLogitSoftcap({ logitSoftcap }: DecoderFamily, config: ConfigReader): number | undefined {
  const key = 'final_logit_softcapping';
  if (logitSoftcap === undefined || config.json[key] === null) return undefined;
  if (logitSoftcap === null && config.get(key) === undefined) return undefined;
  return config.number(key, logitSoftcap ?? 0, 1e-3, 1e6);
}

/** The embeddings, and what planDecoder() has. */
export function planBody(
  planner: TensorPlanner,
  prefix: string,
  hyperparameters: EncoderHyperparameters,
  family: DecoderFamily,
  config: ConfigReader,
): void {
  const { vocabSize, hiddenSize } = hyperparameters;
  planner.matrix('token_embd.weight', [vocabSize, hiddenSize], `${prefix}embed_tokens.weight`);
  planDecoder(planner, prefix, hyperparameters, family, config);
}

function planDecoder(
  planner: TensorPlanner,
  prefix: string,
  hyperparameters: EncoderHyperparameters,
  family: DecoderFamily,
  config: ConfigReader,
): void {
  const biases = family.biases(config);
  const queryFactor = family.queryFactor?.(config, hyperparameters) ?? (() => 1);
  for (let layer = 0; layer < hyperparameters.numLayers; layer++) {
    planLayer(planner, layer, `${prefix}layers.${layer}.`, hyperparameters, family, biases, queryFactor(layer));
  }
  planNorm(planner, 'output_norm', hyperparameters.hiddenSize, `${prefix}${family.names?.['norm'] ?? 'norm'}`, family);
}

export function readHyperparameters(family: DecoderFamily, config: ConfigReader): EncoderHyperparameters {
  const { defaults } = family;
  const read = readSizes(config, defaults);
  const numKeyValueHeads = readKeyValueHeads(config, read.numHeads, defaults.numKeyValueHeads);
  const headSize = readHeadSize(config, read, defaults.headSize);
  const window = family.window?.(config, read.numLayers);
  return {
    ...read,
    numKeyValueHeads,
    headSize,
    numTokenTypes: 0,
    normEps: config.number('rms_norm_eps', defaults.normEps ?? 1e-6, 0, 1),
    normKind: 'rms',
    normPlacement: family.normPlacement ?? 'pre',
    hiddenActivation: family.activation?.(config) ?? readActivation(config, 'hidden_act', 'silu'),
    feedForwardKind: family.hasNoGate ? 'mlp' : 'glu',
    isCausal: true,
    positionKind: 'rope',
    rope: family.rotary?.(config, headSize, window) ?? readWholeRotary(config, headSize, 10_000),
    slidingWindow: window,
    linearAttention: family.linearAttention?.(config, read.numLayers),
    shortConvolution: family.shortConvolution?.(config, read.numLayers),
    ...(family.gatesAttention && { gatesAttention: true }),
    ...family.more?.(config, read.hiddenSize),
  };
}

function planLayer(
  planner: TensorPlanner,
  layer: number,
  prefix: string,
  hyperparameters: EncoderHyperparameters,
  family: DecoderFamily,
  biases: Biases,
  queryFactor: number,
): void {
  const {
    hiddenSize: h,
    intermediateSize: f,
    numHeads,
    numKeyValueHeads,
    headSize,
    rope,
    linearAttention,
    shortConvolution,
  } = hyperparameters;
  const [q, kv] = [numHeads * headSize!, numKeyValueHeads! * headSize!];
  const block = `blk.${layer}.`;
  const named = (source: string) => `${prefix}${family.names?.[source] ?? source}`;
  const linear = (
    name: string,
    rows: number[],
    columns: number,
    sources: string[],
    bias: boolean,
    rowRanges?: RowRange[][],
  ) =>
    planner.linear(`${block}${name}`, {
      sources: sources.map(named),
      rows,
      columns,
      bias,
      rowRanges,
    });
  const norm = (name: string, source: string, size = h, factor = 1) =>
    planNorm(planner, `${block}${name}`, size, named(source), family, factor);
  const turned = (numRows: number) => pairsApart(numRows / headSize!, headSize!, 2 * rope!.inverseFrequencies.length);
  // In the checkpoint each head's queries stand before its gate of what attention gives.
  const half = (index: number) =>
    Array.from({ length: numHeads }, (_, head) => [(2 * head + index) * headSize!, headSize!] as const);
  const values = [[0, kv] as const];
  const gated = family.gatesAttention ? [half(0), values, values] : undefined;
  const order = family.turnsNeighbours ? [turned(q), turned(kv), values] : gated;
  const placement = family.normPlacement;
  if (placement !== 'branch') norm('attn_norm', 'input_layernorm');
  if (linearAttention?.layers.includes(layer)) {
    planDeltaNet(planner, block, `${prefix}linear_attn.`, linearAttention, h);
  } else if (shortConvolution?.layers.includes(layer)) {
    planShortConvolution(planner, block, `${prefix}conv.`, shortConvolution, h);
  } else {
    const sources = ['q', 'k', 'v'].map((part) => `self_attn.${part}_proj`);
    if (family.joins === 'gate and queries') linear('attn_qkv', [q + 2 * kv], h, ['self_attn.qkv_proj'], biases.qkv);
    else linear('attn_qkv', [family.gatesAttention ? 2 * q : q, kv, kv], h, sources, biases.qkv, order);
    if (family.gatesAttention) linear('attn_gate', [2 * q], h, sources.slice(0, 1), biases.qkv, [half(1)]);
    if (family.normalizesQueries !== undefined) {
      const isWhole = family.normalizesQueries === 'whole';
      norm('attn_q_norm', 'self_attn.q_norm', isWhole ? q : headSize, queryFactor);
      norm('attn_k_norm', 'self_attn.k_norm', isWhole ? kv : headSize, queryFactor);
    }
    linear('attn_output', [h], q, ['self_attn.o_proj'], biases.output);
  }
  norm(placement === undefined ? 'ffn_norm' : 'attn_post_norm', 'post_attention_layernorm');
  if (placement === 'sandwich') norm('ffn_norm', 'pre_feedforward_layernorm');
  if (family.joins !== undefined) linear('ffn_up', [2 * f], h, ['mlp.gate_up_proj'], biases.mlp);
  else if (family.hasNoGate) linear('ffn_up', [f], h, ['mlp.up_proj'], biases.mlp);
  else linear('ffn_up', [f, f], h, ['mlp.gate_proj', 'mlp.up_proj'], biases.mlp);
  linear('ffn_down', [h], f, ['mlp.down_proj'], biases.mlp);
  if (placement !== undefined) norm('ffn_post_norm', 'post_feedforward_layernorm');
}

function planNorm(
  planner: TensorPlanner,
  name: string,
  size: number,
  source: string,
  { normsAddOne = false, normTensors }: DecoderFamily,
  factor = 1,
): void {
  if (normTensors === 'none') {
    planner.computed(`${name}.weight`, [size], [], () => [new Float32Array(size).fill(1)]);
  } else if (normsAddOne || factor !== 1) {
    planner.computed(`${name}.weight`, [size], [[`${source}.weight`, [size]]], ([weight]) => [
      weight!.map((value) => factor * (normsAddOne ? 1 + value : value)),
    ]);
    if (normTensors === 'weights and biases') planner.exact(`${name}.bias`, [size], `${source}.bias`);
  } else {
    planner.norm(name, size, source, false);
  }
}
