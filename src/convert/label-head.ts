/**
 * GLiClassModel: an encoder that reads labels and text together, each label behind a mark, and a head that gives every
 * label a logit from its mark's state and the text's. As the library gliclass runs its uni-encoders.
 */
import { EncoderError } from '../errors';
import { isJsonObject, shown } from '../support/json';
import type { EncoderBody, LabelHead } from './architectures/architecture';
import { findBody, isOfClass } from './architectures/index';
import { readActivation } from './architectures/mechanisms';
import { TensorPlanner } from './architectures/tensor-planner';
import { ConfigReader } from './config';
import type { LabelModel, LabelReader } from './label-reader';
import { MAX_INTERMEDIATE_SIZE, MAX_VOCAB_SIZE } from './limits';
import { JoinedSource } from './readers/joined';
import { NestedSource } from './readers/nested';
import type { TensorSource } from './readers/tensor-source';
import type { PreparedTokenizer } from './tokenizer/prepare-tokenizer';

const SOURCE_CLASS = 'GLiClassModel';
/** Attributes of the class: the head's layers stand in `model` beside the encoder. */
const HEAD = 'model.';
const ENCODER = 'model.encoder_model.';
/** What gliclass writes before a label and behind the last one, whatever ids the configuration names. */
const MARK = '<<LABEL>>';
const SEPARATOR = '<<SEP>>';
/** Tokens that gliclass cuts an input to, for whatever encoder. */
const MAX_LENGTH = 1024;
/** Of the mean square; gliclass adds 1e-8 to the length. */
const LENGTH_EPS = 1e-12;
const SCORES = { simple: 'product', mlp: 'layers', 'weighted-dot': 'halves' } as const;
/** Places of the scorers' layers in their nn.Sequential, the last one that of the logit. */
const LAYERS = { layers: ['mlp.0', 'mlp.2', 'mlp.4'], halves: ['out_mlp.0', 'out_mlp.3'], product: [] } as const;

/** For a GLiClassModel; undefined for every other class. */
export function gliclassReader(config: ConfigReader): LabelReader | undefined {
  if (!isOfClass(config, SOURCE_CLASS, 'GLiClass')) return undefined;
  const encoder = encoderConfig(config);
  return {
    sourceClass: SOURCE_CLASS,
    encoder,
    describe: (weights, tokenizer) => describeLabelModel(config, encoder, weights, tokenizer),
  };
}

function encoderConfig(config: ConfigReader): ConfigReader {
  const encoder = config.object('encoder_config');
  if (!isJsonObject(encoder)) config.malformed('encoder_config is absent, without which the encoder is not known');
  const modelType = encoder['model_type'] ?? 'deberta-v2';
  const vocabSize = config.get('vocab_size') ?? encoder['vocab_size'];
  const json = { ...encoder, model_type: modelType, ...(vocabSize === undefined ? {} : { vocab_size: vocabSize }) };
  return new ConfigReader(json, `${config.path}, encoder_config`);
}

function describeLabelModel(
  config: ConfigReader,
  encoder: ConfigReader,
  weights: TensorSource,
  tokenizer: PreparedTokenizer,
): LabelModel {
  refuseVariants(config);
  const own = new NestedSource(weights, ENCODER);
  const body = findBody(encoder).describeBody(encoder, own);
  const { hiddenSize, isCausal = false } = body.hyperparameters;
  if (isCausal) encoder.unsupported('its tokens see only those before them, so that no text would see its labels');
  if (config.integer('hidden_size', hiddenSize, 1, MAX_INTERMEDIATE_SIZE) !== hiddenSize) {
    config.unsupported(`hidden_size is not that of the encoder, ${hiddenSize}`);
  }
  const labelHead = readLabelHead(config, tokenizer);
  const normalizes = config.boolean('normalize_features', false);
  const planner = new TensorPlanner(weights);
  if (labelHead.hasSegments) planSegments(planner, config, body);
  planHead(planner, labelHead.score, hiddenSize, normalizes, weights);
  planner.refuseUnused(/^model\.encoder_model\./);
  const hyperparameters = {
    ...body.hyperparameters,
    numPositions: numPositions(body),
    ...(labelHead.hasSegments ? { numTokenTypes: 2 } : {}),
  };
  return {
    model: {
      ...body,
      hyperparameters,
      tensors: [...body.tensors, ...planner.tensors],
      numLabels: 1,
      head: {
        pooling: config.boolean('extract_text_features', false) ? 'separator' : 'cls',
        activation: 'none',
        ...(normalizes ? { normEps: LENGTH_EPS, normKind: 'rms' as const } : {}),
      },
      labelHead,
      llamacppCompat: 'unsupported',
    },
    weights: new JoinedSource([
      [HEAD, new NestedSource(weights, HEAD)],
      ['', own],
    ]),
    maxLength: Math.min(hyperparameters.numPositions, MAX_LENGTH),
  };
}

function refuseVariants(config: ConfigReader): void {
  config.oneOf('architecture_type', 'uni-encoder', ['uni-encoder']);
  config.oneOf('pooling_strategy', 'first', ['first']);
  for (const key of ['use_lstm', 'squeeze_layers']) {
    if (config.boolean(key, false)) config.unsupported(`${key} is true; only false is supported`);
  }
  const layer = config.get('encoder_layer_id') ?? -1;
  if (layer !== -1) config.unsupported('encoder_layer_id is not -1; only the last layer is read');
}

function readLabelHead(config: ConfigReader, tokenizer: PreparedTokenizer): LabelHead {
  const scorer = config.oneOf('scorer_type', 'simple', ['simple', 'mlp', 'weighted-dot']);
  const size = config.integer('vocab_size', MAX_VOCAB_SIZE - 2, 1, MAX_VOCAB_SIZE - 2);
  const token = (key: string, content: string, fallback: number): number => {
    const set = config.integer(key, -1, -1, MAX_VOCAB_SIZE - 1);
    const id = set < 0 ? fallback : set;
    if (tokenizer.tokens.get(id) === content && tokenizer.added.has(id)) return id;
    const found = shown(tokenizer.tokens.get(id) ?? null);
    throw new EncoderError(
      'checkpoint_malformed',
      `${config.path}: ${key} is ${id}, which is ${found} in the tokenizer; the added token ${content} expected`,
    );
  };
  const [withMark, without] =
    config.oneOf('class_token_pooling', 'first', ['first', 'average']) === 'first'
      ? (['mark', 'next'] as const)
      : (['span', 'rest'] as const);
  return {
    score: SCORES[scorer],
    isFirst: config.boolean('prompt_first', false),
    tokens: config.boolean('embed_class_token', true) ? withMark : without,
    hasSegments: config.boolean('use_segment_embeddings', false),
    activation: readActivation(config, 'projector_hidden_act'),
    mark: MARK,
    markId: token('class_token_index', MARK, size),
    separator: SEPARATOR,
    separatorId: token('text_token_index', SEPARATOR, size + 1),
  };
}

/** Of labels and text; the third is of examples, which are not supported. */
function planSegments(planner: TensorPlanner, config: ConfigReader, { hyperparameters, tensors }: EncoderBody): void {
  const { hiddenSize, embeddingSize = hiddenSize } = hyperparameters;
  if (tensors.some(({ name }) => name === 'token_types.weight') || embeddingSize !== hiddenSize) {
    config.unsupported('use_segment_embeddings is true beside segments of the encoder, or embeddings of another width');
  }
  const source = `${HEAD}segment_embeddings.weight`;
  planner.computed('token_types.weight', [2, hiddenSize], [[source, [3, hiddenSize]]], ([rows]) => [
    rows!.subarray(0, 2 * hiddenSize),
  ]);
}

function planHead(
  planner: TensorPlanner,
  score: LabelHead['score'],
  hiddenSize: number,
  normalizes: boolean,
  weights: TensorSource,
): void {
  for (const [target, source] of [
    ['text', 'text_projector'],
    ['label', 'classes_projector'],
  ] as const) {
    planner.headDense(`labels.${target}.0`, hiddenSize, hiddenSize, `${HEAD}${source}.linear_1`);
    planner.headDense(`labels.${target}.1`, hiddenSize, hiddenSize, `${HEAD}${source}.linear_2`);
    if (normalizes) planner.lengthNorm(`labels.${target}_norm.weight`, hiddenSize);
  }
  if (score === 'halves') {
    planner.headDense('labels.text_halves', 2 * hiddenSize, hiddenSize, `${HEAD}scorer.proj_text`);
    planner.headDense('labels.label_halves', 2 * hiddenSize, hiddenSize, `${HEAD}scorer.proj_label`);
  }
  // Without normalized states the scale is there and counts for nothing.
  const scale = `${HEAD}logit_scale`;
  const scaledBy = normalizes ? ([[scale, []]] as const) : [];
  if (!normalizes) planner.ignore(scale);
  const factor = (values: Float32Array | undefined): number => values?.[0] ?? 1;

  const layers = LAYERS[score].map((place) => `${HEAD}scorer.${place}`);
  let columns = score === 'halves' ? 3 * hiddenSize : score === 'layers' ? 2 * hiddenSize : hiddenSize;
  for (const [index, source] of layers.slice(0, -1).entries()) {
    // The library's classes fix the sizes, and fixed others in other versions.
    const rows = weights.find(`${source}.weight`)?.shape[0] ?? 0;
    if (rows > MAX_INTERMEDIATE_SIZE) {
      throw new EncoderError('tensor_shape_mismatch', `${source}.weight has ${rows} rows, too many`);
    }
    planner.headDense(`labels.hidden.${index}`, rows, columns, source);
    columns = rows;
  }
  const last = layers.at(-1);
  if (last === undefined) {
    planner.computed('cls.output.weight', [1, columns], scaledBy, ([by]) => [
      new Float32Array(columns).fill(factor(by)),
    ]);
    return;
  }
  for (const [part, shape] of [
    ['weight', [1, columns]],
    ['bias', [1]],
  ] as const) {
    planner.computed(`cls.output.${part}`, shape, [[`${last}.${part}`, shape], ...scaledBy], ([values, by]) => [
      values!.map((value) => value * factor(by)),
    ]);
  }
}

/** Encoders without a table of positions read texts of any length. */
function numPositions({ hyperparameters, tensors }: EncoderBody): number {
  const { numPositions: own, positionKind } = hyperparameters;
  const hasTable = tensors.some(({ name }) => name === 'position_embd.weight');
  return positionKind === 'disentangled' && !hasTable ? Math.max(own, MAX_LENGTH) : own;
}
