/** Switches that config.json can set and that the encoder graph has, or refuses by name. */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import {
  MAX_HEAD_SIZE,
  MAX_HEADS,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_POSITIONS,
  MAX_TOKEN_TYPES,
  MAX_VOCAB_SIZE,
} from '../limits';
import type { EncoderHyperparameters } from './architecture';

/** Activations that the graph computes, by their names in transformers. */
const ACTIVATIONS: readonly string[] = [
  'gelu',
  'gelu_new',
  'gelu_pytorch_tanh',
  'relu',
  'silu',
  'swish',
  'tanh',
  'quick_gelu',
  'gelu_10',
  'mish',
  'relu6',
  'relu2',
  'linear',
];

/** Whether it is GELU, or meant to be: what llama.cpp runs in files of BERT's layout. */
export function isGelu(activation: string): boolean {
  return ['gelu', 'gelu_new', 'gelu_pytorch_tanh'].includes(activation);
}

/** Other names of the same functions: transformers has several programs for some. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['gelu_python', 'gelu'],
  ['gelu_fast', 'gelu_new'],
  ['gelu_accurate', 'gelu_new'],
  ['gelu_python_tanh', 'gelu_pytorch_tanh'],
]);

/** One of the activations that the graph computes. */
export function readActivation(config: ConfigReader, key: string, fallback = 'gelu'): string {
  return checkActivation(config, key, config.string(key, fallback));
}

/** `name`, which the configuration has under `key`, likewise. */
export function checkActivation(config: ConfigReader, key: string, name: string): string {
  const meant = SYNONYMS.get(name) ?? name;
  if (!ACTIVATIONS.includes(meant)) {
    config.unsupported(`${key} is ${shown(name)}; supported are ${ACTIVATIONS.join(', ')}`);
  }
  return meant;
}

/** The sizes that nearly every configuration names alike. */
export interface Sizes {
  readonly numLayers: number;
  readonly hiddenSize: number;
  readonly numHeads: number;
  readonly intermediateSize: number;
  readonly numPositions: number;
  readonly vocabSize: number;
}

/** Those of BERT base: the defaults of most classes that descend from it. */
export const BERT_BASE: Sizes = {
  numLayers: 12,
  hiddenSize: 768,
  numHeads: 12,
  intermediateSize: 3072,
  numPositions: 512,
  vocabSize: 30_522,
};

/** Reads `Sizes` under their usual keys; `defaults` are those of the HF class. */
export function readSizes(config: ConfigReader, defaults: Sizes): Sizes {
  return {
    numLayers: config.integer('num_hidden_layers', defaults.numLayers, 1, MAX_LAYERS),
    hiddenSize: config.integer('hidden_size', defaults.hiddenSize, 1, MAX_HIDDEN_SIZE),
    numHeads: config.integer('num_attention_heads', defaults.numHeads, 1, MAX_HEADS),
    intermediateSize: config.integer('intermediate_size', defaults.intermediateSize, 1, MAX_INTERMEDIATE_SIZE),
    numPositions: config.integer('max_position_embeddings', defaults.numPositions, 1, MAX_POSITIONS),
    vocabSize: config.integer('vocab_size', defaults.vocabSize, 1, MAX_VOCAB_SIZE),
  };
}

/** Likewise under GPT-2's own names, or the usual ones, with heads that share the hidden size. */
export function readGptSizes(config: ConfigReader, defaults: Omit<Sizes, 'intermediateSize'>): Sizes {
  const hiddenSize = config.integer(['n_embd', 'hidden_size'], defaults.hiddenSize, 1, MAX_HIDDEN_SIZE);
  const numHeads = config.integer(['n_head', 'num_attention_heads'], defaults.numHeads, 1, MAX_HEADS);
  checkHeads(config, { hiddenSize, numHeads });
  const positions = ['n_positions', 'max_position_embeddings'];
  return {
    numLayers: config.integer(['n_layer', 'num_hidden_layers'], defaults.numLayers, 1, MAX_LAYERS),
    hiddenSize,
    numHeads,
    intermediateSize: config.integer('n_inner', 4 * hiddenSize, 1, MAX_INTERMEDIATE_SIZE),
    numPositions: config.integer(positions, defaults.numPositions, 1, MAX_POSITIONS),
    vocabSize: config.integer('vocab_size', defaults.vocabSize, 1, MAX_VOCAB_SIZE),
  };
}

/** What a class that descends from BERT has for its sizes and for what most of them share. */
export interface BertDefaults extends Sizes {
  /** Default 2. */
  readonly numTokenTypes?: number;
  /** Default 1e-12. */
  readonly normEps?: number;
  /** Default `gelu`. */
  readonly hiddenActivation?: string;
}

/** Reads what the descendants of BERT with segments name alike; `defaults` are those of the HF class. */
export function readBertHyperparameters(config: ConfigReader, defaults: BertDefaults) {
  refuseDecoder(config);
  const { numTokenTypes = 2, normEps = 1e-12, hiddenActivation = 'gelu' } = defaults;
  const hyperparameters = {
    ...readSizes(config, defaults),
    numTokenTypes: config.integer('type_vocab_size', numTokenTypes, 1, MAX_TOKEN_TYPES),
    normEps: config.number('layer_norm_eps', normEps, 0, 1),
    hiddenActivation: readActivation(config, 'hidden_act', hiddenActivation),
  };
  checkHeads(config, hyperparameters);
  return hyperparameters;
}

/** Refuses what would make the same tensors mean something else; `kind` is the one kind of positions of the family. */
export function refuseDecoder(config: ConfigReader, kind: 'absolute' | 'rope' | 'rotary' | 'alibi' = 'absolute'): void {
  for (const key of ['is_decoder', 'add_cross_attention', 'is_encoder_decoder']) {
    if (config.boolean(key, false)) config.unsupported(`${key} is true; only encoders are supported`);
  }
  config.oneOf('position_embedding_type', kind, [kind]);
  refusePruned(config);
}

export function refusePruned(config: ConfigReader): void {
  const pruned = Object(config.get('pruned_heads')) as object;
  if (Object.values(pruned).some((heads) => !Array.isArray(heads) || heads.length > 0)) {
    config.unsupported('pruned_heads is not empty; save the model without pruned attention heads');
  }
}

export function checkHeads(
  config: ConfigReader,
  { hiddenSize, numHeads }: Pick<EncoderHyperparameters, 'hiddenSize' | 'numHeads'>,
): void {
  if (hiddenSize % numHeads !== 0) {
    config.malformed(`the hidden size ${hiddenSize} is no multiple of the ${numHeads} attention heads`);
  }
  if (hiddenSize / numHeads > MAX_HEAD_SIZE) {
    config.unsupported(`attention heads of ${hiddenSize / numHeads} are larger than ${MAX_HEAD_SIZE}`);
  }
}

/** `num_key_value_heads`, else the class's own, for null as many as query heads; each is shared by equally many of those. */
export function readKeyValueHeads(config: ConfigReader, numHeads: number, ofClass = numHeads): number {
  const key = 'num_key_value_heads';
  const numKeyValueHeads = config.integer(key, config.json[key] === null ? numHeads : ofClass, 1, MAX_HEADS);
  if (numHeads % numKeyValueHeads !== 0) {
    config.malformed(`${numHeads} attention heads cannot share ${numKeyValueHeads} key-value heads`);
  }
  return numKeyValueHeads;
}

/** `head_dim`, else the class's own unless that is null, else the hidden size shared out among the heads. */
export function readHeadSize(
  config: ConfigReader,
  sizes: Pick<EncoderHyperparameters, 'hiddenSize' | 'numHeads'>,
  ofClass?: number,
): number {
  const usual = config.json['head_dim'] === null ? undefined : ofClass;
  if (usual === undefined && config.get('head_dim') === undefined) checkHeads(config, sizes);
  return config.integer('head_dim', usual ?? sizes.hiddenSize / sizes.numHeads, 2, MAX_HEAD_SIZE);
}

/** Of classes whose heads share out the hidden size; `head_dim` may say the same. */
export function readSharedHeadSize(
  config: ConfigReader,
  sizes: Pick<EncoderHyperparameters, 'hiddenSize' | 'numHeads'>,
): number {
  checkHeads(config, sizes);
  const headSize = sizes.hiddenSize / sizes.numHeads;
  if (readHeadSize(config, sizes) !== headSize) {
    config.unsupported(`head_dim is not ${headSize}, the share of hidden_size that a head has in this class`);
  }
  return headSize;
}

/**
 * llama.cpp runs every file of BERT's layout with GELU, and gives every token the segment 0, so that pairs come out
 * differently where there are two.
 */
export function bertCompatibility({
  hiddenActivation,
  numTokenTypes,
}: EncoderHyperparameters): 'exact' | 'single-sequence' | 'unsupported' {
  if (!isGelu(hiddenActivation)) return 'unsupported';
  return numTokenTypes >= 2 ? 'single-sequence' : 'exact';
}
