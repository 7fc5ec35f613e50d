/** The tensors of the families that descend from BERT: one embedding sum, norms after or before each part, a dense layer
 * before the classifier. From a family's own names to the file's. */
import type { ConfigReader } from '../config';
import type {
  Architecture,
  EncoderHyperparameters,
  EncoderModel,
  PlannedTensor,
  TensorIndex,
  TensorValues,
} from './architecture';
import { type Place, type Prefixes, type TensorPlanner, planClassifier, planTensors } from './tensor-planner';

/** Plans the layer `target` of the file from what is no linear layer, or in another order; `from` gives a name its prefix. */
type PlanLinear = (planner: TensorPlanner, target: string, from: (name: string) => string) => void;

/** Names of one layer's parts. */
export interface LayerNames {
  /** Three layers, or one that holds all three in this order. */
  readonly qkv: readonly [query: string, key: string, value: string] | readonly [all: string] | PlanLinear;
  readonly attentionOutput: string | PlanLinear;
  readonly attentionNorm: string;
  /** Of a gated part the half that is activated, then the other. */
  readonly up: string | readonly [gate: string, up: string] | PlanLinear;
  readonly down: string | PlanLinear;
  readonly outputNorm: string;
}

/** Which linear layers of the encoder have a bias. */
interface LayerBiases {
  readonly attention: boolean;
  readonly up: boolean;
  readonly down: boolean;
}

const ALL_BIASES: LayerBiases = { attention: true, up: true, down: true };

/** Where one family keeps its parts, relative to the prefix of the encoder or (head) of the whole model. */
export interface EncoderNames {
  readonly prefixes: Prefixes;
  readonly tokenEmbedding: string;
  /** Undefined where the model adds no positions to its tokens. */
  readonly positionEmbedding?: string | undefined;
  /** Undefined where the model has no segments. */
  readonly typeEmbedding?: string | undefined;
  /** Undefined where the sum of the embeddings is not normalized. */
  readonly embeddingNorm?: string | undefined;
  /** From the embeddings' columns to the hidden size, after the norm. */
  readonly embeddingProjection?: string | undefined;
  /** Of the block with this index in the file. */
  readonly layer: (block: number) => LayerNames;
  /** Default: all have one. */
  readonly biases?: LayerBiases | undefined;
  /** The norm after the last layer, where norms stand before each part. */
  readonly lastNorm?: string | undefined;
  /** The dense layer before the classifier, with its full prefix given by `pooledIn`. */
  readonly pooled: string;
  readonly pooledIn: 'encoder' | 'head';
  readonly classifier: string;
  /** Tensors that sequence classification does not use: buffers and heads of the pretraining. */
  readonly ignored: RegExp;
  /** Plans what only this family has; `from` gives a name in the encoder its prefix. */
  readonly more?: (planner: TensorPlanner, from: (name: string) => string) => void;
}

/** Names of BERT's own layers, which most of its descendants kept. */
function bertLayer(block: number): LayerNames {
  const layer = `encoder.layer.${block}`;
  return {
    qkv: [`${layer}.attention.self.query`, `${layer}.attention.self.key`, `${layer}.attention.self.value`],
    attentionOutput: `${layer}.attention.output.dense`,
    attentionNorm: `${layer}.attention.output.LayerNorm`,
    up: `${layer}.intermediate.dense`,
    down: `${layer}.output.dense`,
    outputNorm: `${layer}.output.LayerNorm`,
  };
}

/** Names of BERT's embeddings and layers, for those of its descendants that kept all of them. */
export const BERT_BODY = {
  tokenEmbedding: 'embeddings.word_embeddings',
  positionEmbedding: 'embeddings.position_embeddings',
  typeEmbedding: 'embeddings.token_type_embeddings',
  embeddingNorm: 'embeddings.LayerNorm',
  layer: bertLayer,
} as const;

/** What the configuration says of a model, and where its weights are. */
export interface EncoderFacts extends Omit<EncoderModel, 'tensors' | 'numLabels'> {
  readonly names: EncoderNames;
}

/** A family whose models are described up to the names of their tensors; `weights` may tell one naming from another. */
export function encoderFamily(
  sourceClass: string,
  modelType: string,
  read: (config: ConfigReader, weights: TensorIndex, values?: TensorValues) => EncoderFacts,
): Architecture {
  return {
    sourceClass,
    modelType,
    describe(config, weights, _score, values) {
      const { names, ...facts } = read(config, weights, values);
      return { ...facts, ...planModel(facts.hyperparameters, names, weights) };
    },
    describeBody(config, weights) {
      const { names, architecture, hyperparameters } = read(config, weights);
      return { architecture, hyperparameters, tensors: planBody(hyperparameters, names, weights) };
    },
  };
}

/** For a family whose encoder no modules can follow; what would be wrong with it, the family says. */
export function withoutBody({ sourceClass, modelType, describe }: Architecture): Architecture {
  return { sourceClass, modelType, describe };
}

function placeOf({ prefixes, tokenEmbedding, ignored }: EncoderNames): Place {
  return { prefixes, probe: tokenEmbedding, ignored };
}

/** Tensors in file order and the number of rows of the classifier. */
function planModel(
  hyperparameters: EncoderHyperparameters,
  names: EncoderNames,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const { classifier } = names;
  const { hiddenSize: h } = hyperparameters;
  return planClassifier(weights, { ...placeOf(names), classifier }, (planner, encoder, head, numLabels) => {
    planEncoder(planner, hyperparameters, names, (name) => `${encoder}${name}`);
    planner.headDense('cls', h, h, `${names.pooledIn === 'encoder' ? encoder : head}${names.pooled}`);
    planner.headDense('cls.output', numLabels, h, `${head}${classifier}`);
  });
}

/** The encoder's tensors alone. A head that the checkpoint has all the same is passed over, as AutoModel does. */
function planBody(
  hyperparameters: EncoderHyperparameters,
  names: EncoderNames,
  weights: TensorIndex,
): readonly PlannedTensor[] {
  return planTensors(weights, placeOf(names), (planner, encoder, head) => {
    planEncoder(planner, hyperparameters, names, (name) => `${encoder}${name}`);
    for (const source of [`${names.pooledIn === 'encoder' ? encoder : head}${names.pooled}`, head + names.classifier]) {
      for (const part of ['weight', 'bias']) planner.ignore(`${source}.${part}`);
    }
  });
}

/** What stands before the head; `from` gives a name its prefix. */
export function planEncoder(
  planner: TensorPlanner,
  hyperparameters: EncoderHyperparameters,
  names: EncoderNames,
  from: (name: string) => string,
): void {
  planEmbeddings(planner, hyperparameters, names, from);
  names.more?.(planner, from);
  for (let block = 0; block < numBlocks(hyperparameters); block++) {
    planLayer(planner, block, hyperparameters, names, from);
  }
  if (names.lastNorm !== undefined) planner.norm('output_norm', hyperparameters.hiddenSize, from(names.lastNorm));
}

function planEmbeddings(
  planner: TensorPlanner,
  hyperparameters: EncoderHyperparameters,
  names: EncoderNames,
  from: (name: string) => string,
): void {
  const { hiddenSize, embeddingSize: e = hiddenSize, vocabSize, numPositions, numTokenTypes } = hyperparameters;
  const { positionOffset = 0, uncountedTokenId } = hyperparameters;
  planner.matrix('token_embd.weight', [vocabSize, e], from(`${names.tokenEmbedding}.weight`));
  if (names.positionEmbedding !== undefined) {
    const source = from(`${names.positionEmbedding}.weight`);
    const counted = [positionOffset, numPositions] as const;
    const kept = uncountedTokenId === undefined ? [counted] : [counted, [positionOffset - 1, 1] as const];
    planner.exact('position_embd.weight', [numPositions + positionOffset, e], source, kept);
  }
  if (names.typeEmbedding !== undefined) {
    planner.exact('token_types.weight', [numTokenTypes, e], from(`${names.typeEmbedding}.weight`));
  }
  if (names.embeddingNorm !== undefined) planner.norm('token_embd_norm', e, from(names.embeddingNorm));
  if (names.embeddingProjection !== undefined) {
    const sources = [from(names.embeddingProjection)];
    planner.linear('token_embd_proj', { sources, rows: [hiddenSize], columns: e, bias: true });
  }
}

/** The file's names of a layer's two norms, behind or before each part. */
const POST_NORMS = ['attn_output_norm', 'layer_output_norm'] as const;
const PRE_NORMS = ['attn_norm', 'ffn_norm'] as const;

function planLayer(
  planner: TensorPlanner,
  block: number,
  hyperparameters: EncoderHyperparameters,
  { layer: layerNames, biases = ALL_BIASES }: EncoderNames,
  from: (name: string) => string,
): void {
  const { hiddenSize: h, intermediateSize: f, numHeads, headSize = h / numHeads, normPlacement } = hyperparameters;
  const layer = layerNames(block);
  const q = numHeads * headSize;
  type Source = string | readonly string[] | PlanLinear;
  const linear = (name: string, rows: readonly number[], columns: number, source: Source, bias: boolean) => {
    const target = `blk.${block}.${name}`;
    if (typeof source === 'function') return source(planner, target, from);
    planner.linear(target, { sources: [source].flat().map(from), rows, columns, bias });
  };
  const [attentionNorm, outputNorm] = normPlacement === 'pre' ? PRE_NORMS : POST_NORMS;
  const norm = (name: string, source: string) => planner.norm(`blk.${block}.${name}`, h, from(source));

  linear('attn_qkv', layer.qkv.length === 1 ? [3 * q] : [q, q, q], h, layer.qkv, biases.attention);
  linear('attn_output', [h], q, layer.attentionOutput, biases.attention);
  norm(attentionNorm, layer.attentionNorm);
  linear('ffn_up', typeof layer.up === 'string' ? [f] : [f, f], h, layer.up, biases.up);
  linear('ffn_down', [h], f, layer.down, biases.down);
  norm(outputNorm, layer.outputNorm);
}

/** Blocks of weights, fewer than layers where layers share them. */
function numBlocks({ numLayers, layerWeights }: EncoderHyperparameters): number {
  return layerWeights === undefined ? numLayers : 1 + Math.max(...layerWeights);
}
