/**
 * MobileBertForSequenceClassification: three tokens' embeddings are projected together, layers work in fewer columns than
 * the states have, and norms do not normalize; pooled = h[0], or tanh(pooler.dense(h[0])), logits = classifier(pooled).
 */
import type { ConfigReader } from '../config';
import { MAX_FEED_FORWARDS, MAX_HIDDEN_SIZE, MAX_TOKEN_TYPES } from '../limits';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { checkHeads, readActivation, readSizes, refuseDecoder } from './mechanisms';
import { type TensorPlanner, planClassifier, prefixesOf } from './tensor-planner';

const DEFAULTS = {
  numLayers: 24,
  hiddenSize: 512,
  numHeads: 4,
  intermediateSize: 512,
  numPositions: 512,
  vocabSize: 30_522,
};

/** Switches with the one setting that is supported, which is the default of the class and that of the published models. */
const SWITCHES = [
  ['trigram_input', true],
  ['use_bottleneck', true],
  ['use_bottleneck_attention', false],
  ['key_query_shared_bottleneck', true],
] as const;

/** The token before, itself and the one after. */
const TRIGRAM = 3;
/** Which of the three come first, second and third in the columns of the checkpoint's projection. */
const TRIGRAM_ORDER = [2, 1, 0];

const IGNORED = /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)cls\.(predictions|seq_relationship)\./;

type Hyperparameters = EncoderHyperparameters & Required<Pick<EncoderHyperparameters, 'embeddingSize' | 'narrow'>>;

export const mobilebert: Architecture = {
  sourceClass: 'MobileBertForSequenceClassification',
  modelType: 'mobilebert',
  describe(config, weights) {
    const hyperparameters = readHyperparameters(config);
    const hasPooler = config.boolean('classifier_activation', true);
    return {
      architecture: 'mobilebert',
      hyperparameters,
      ...plan(hyperparameters, hasPooler, weights),
      head: { pooling: 'cls', activation: hasPooler ? 'tanh' : 'none' },
      llamacppCompat: 'unsupported',
    };
  },
};

function readHyperparameters(config: ConfigReader): Hyperparameters {
  refuseDecoder(config);
  for (const [key, supported] of SWITCHES) {
    if (config.boolean(key, supported) !== supported) {
      config.unsupported(`${key} is ${String(!supported)}; only ${String(supported)} is supported`);
    }
  }
  config.oneOf('normalization_type', 'no_norm', ['no_norm']);
  const sizes = readSizes(config, DEFAULTS);
  const narrow = config.integer('intra_bottleneck_size', 128, 1, MAX_HIDDEN_SIZE);
  checkHeads(config, { hiddenSize: narrow, numHeads: sizes.numHeads });
  return {
    ...sizes,
    headSize: narrow / sizes.numHeads,
    embeddingSize: config.integer('embedding_size', 128, 1, MAX_HIDDEN_SIZE),
    embeddingWidth: TRIGRAM,
    numTokenTypes: config.integer('type_vocab_size', 2, 1, MAX_TOKEN_TYPES),
    normKind: 'none',
    normEps: config.number('layer_norm_eps', 1e-12, 0, 1),
    hiddenActivation: readActivation(config, 'hidden_act', 'relu'),
    narrow: { size: narrow, numFeedForwards: config.integer('num_feedforward_networks', 4, 1, MAX_FEED_FORWARDS) },
  };
}

function plan(
  hyperparameters: Hyperparameters,
  hasPooler: boolean,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const { hiddenSize: h, numLayers } = hyperparameters;
  const probe = 'embeddings.word_embeddings';
  const place = { prefixes: prefixesOf('mobilebert'), probe, classifier: 'classifier', ignored: IGNORED };
  return planClassifier(weights, place, (planner, encoder, head, numLabels) => {
    planEmbeddings(planner, `${encoder}embeddings.`, hyperparameters);
    for (let block = 0; block < numLayers; block++) {
      planLayer(planner, `blk.${block}.`, `${encoder}encoder.layer.${block}.`, hyperparameters);
    }
    if (hasPooler) planner.headDense('cls', h, h, `${encoder}pooler.dense`);
    planner.headDense('cls.output', numLabels, h, `${head}classifier`);
  });
}

function planEmbeddings(
  planner: TensorPlanner,
  embeddings: string,
  { hiddenSize: h, embeddingSize: e, vocabSize, numPositions, numTokenTypes }: Hyperparameters,
): void {
  planner.matrix('token_embd.weight', [vocabSize, e], `${embeddings}word_embeddings.weight`);
  planner.exact('position_embd.weight', [numPositions, h], `${embeddings}position_embeddings.weight`);
  planner.exact('token_types.weight', [numTokenTypes, h], `${embeddings}token_type_embeddings.weight`);
  planner.norm('token_embd_norm', h, `${embeddings}LayerNorm`);
  const shape = [h, TRIGRAM * e] as const;
  const projection = `${embeddings}embedding_transformation`;
  planner.computed('token_embd_proj.weight', shape, [[`${projection}.weight`, shape]], ([matrix]) =>
    interleave(matrix!, e),
  );
  planner.exact('token_embd_proj.bias', [h], `${projection}.bias`);
}

/** Rows whose columns stand token by token, with the columns of the three tokens side by side. */
function* interleave(matrix: Float32Array, size: number): Iterable<Float32Array> {
  const columns = TRIGRAM * size;
  for (let start = 0; start < matrix.length; start += columns) {
    yield Float32Array.from({ length: columns }, (_, to) => {
      const token = TRIGRAM_ORDER[to % TRIGRAM]!;
      return matrix[start + token * size + Math.floor(to / TRIGRAM)]!;
    });
  }
}

function planLayer(
  planner: TensorPlanner,
  target: string,
  source: string,
  { hiddenSize: h, intermediateSize: f, narrow: { size: n, numFeedForwards } }: Hyperparameters,
): void {
  const linear = (name: string, rows: readonly number[], columns: number, ...parts: readonly string[]) =>
    planner.linear(`${target}${name}`, { sources: parts.map((part) => source + part), rows, columns, bias: true });
  const norm = (name: string, size: number, part: string) =>
    planner.norm(`${target}${name}`, size, `${source}${part}.LayerNorm`);

  linear('narrow', [n], h, 'bottleneck.input.dense');
  norm('narrow_norm', n, 'bottleneck.input');
  linear('narrow_qk', [n], h, 'bottleneck.attention.dense');
  norm('narrow_qk_norm', n, 'bottleneck.attention');
  linear('attn_qk', [n, n], n, 'attention.self.query', 'attention.self.key');
  linear('attn_v', [n], h, 'attention.self.value');
  linear('attn_output', [n], n, 'attention.output.dense');
  norm('attn_output_norm', n, 'attention.output');
  for (let index = 0; index < numFeedForwards; index++) {
    // The last one stands in the layer itself.
    const part = index + 1 < numFeedForwards ? `ffn.${index}.` : '';
    linear(`ffn.${index}.up`, [f], n, `${part}intermediate.dense`);
    linear(`ffn.${index}.down`, [n], f, `${part}output.dense`);
    norm(`ffn.${index}.norm`, n, `${part}output`);
  }
  linear('widen', [h], n, 'output.bottleneck.dense');
  norm('layer_output_norm', h, 'output.bottleneck');
}
