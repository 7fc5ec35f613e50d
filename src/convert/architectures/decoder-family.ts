/** What a family of decoders may do differently from a Llama. */
import type { ConfigReader } from '../config';
import type {
  EncoderHead,
  EncoderHyperparameters,
  EncoderModel,
  LinearAttention,
  RotaryEmbedding,
  ShortConvolution,
  SlidingWindow,
} from './architecture';
import type { Sizes } from './mechanisms';

/** Which linear layers have biases. */
export interface Biases {
  readonly qkv: boolean;
  readonly output: boolean;
  readonly mlp: boolean;
}

export type TextLimit = Pick<EncoderModel, 'maxTokens' | 'assumptions'>;

/** What one family does differently. */
export interface DecoderFamily {
  /** The classes' name up to For. */
  readonly className: string;
  /** The same of the language model, where it is another. */
  readonly causalClassName?: string;
  readonly modelType: string;
  /** That of models which were published with code of their own, before transformers had the class. */
  readonly publishedAs?: string;
  /** Default: a classifier and a language model. */
  readonly only?: 'classifier' | 'language-model';
  /** There is no classifier, but heads of modules go on the model without a head. */
  readonly isBodyToo?: true;
  /** The model that reads pictures too and has this one for its text; `writes`: its language model is a class too. */
  readonly multimodal?: { readonly className: string; readonly modelType: string; readonly writes?: true };
  /** Keys that go before those which they stand for. */
  readonly olderKeys?: Readonly<Record<string, string>>;
  /** Tensors of checkpoints of this family that play no part in a text's logits. */
  readonly unread?: RegExp;
  /** llama.cpp's name of the layout. Default: the model type. */
  readonly architecture?: string;
  /** Defaults of the HF class. */
  readonly defaults: Sizes & {
    /** Default: as many as query heads. */
    readonly numKeyValueHeads?: number;
    /** Default: the hidden size shared out among the heads. */
    readonly headSize?: number;
    readonly padTokenId?: number;
    /** Default 1e-6. */
    readonly normEps?: number;
    /** Default false. */
    readonly tiesEmbeddings?: boolean;
  };
  readonly biases: (config: ConfigReader) => Biases;
  readonly window?: (config: ConfigReader, numLayers: number) => SlidingWindow | undefined;
  /** Default: one rotation of whole heads for all layers, with a theta of 10000. */
  readonly rotary?: (config: ConfigReader, headSize: number, window: SlidingWindow | undefined) => RotaryEmbedding;
  /** Default: `hidden_act`, else silu. */
  readonly activation?: (config: ConfigReader) => string;
  /** The checkpoint has one layer for both halves of the feed-forward part, or another for queries, keys and values too. */
  readonly joins?: 'gate' | 'gate and queries';
  /** Norm of each query and key head, or of a token's queries, and its keys, all at once. */
  readonly normalizesQueries?: 'heads' | 'whole';
  /** Columns of a head that turn together stand side by side. Default: half of those that turn apart. */
  readonly turnsNeighbours?: boolean;
  /** What the norms of queries, and those of keys, are multiplied by in a layer. Default: 1 in all. */
  readonly queryFactor?: (config: ConfigReader, hyperparameters: EncoderHyperparameters) => (layer: number) => number;
  /** Beside each head of queries the checkpoint has a gate of what attention gives. */
  readonly gatesAttention?: true;
  /** Default: all layers attend to tokens. */
  readonly linearAttention?: (config: ConfigReader, numLayers: number) => LinearAttention | undefined;
  /** Default: all layers attend. */
  readonly shortConvolution?: (config: ConfigReader, numLayers: number) => ShortConvolution | undefined;
  /** Norms multiply with 1 + weight. */
  readonly normsAddOne?: boolean;
  /** What norms have in the checkpoint. Default: a weight, no bias. */
  readonly normTensors?: 'weights and biases' | 'none';
  /** Default: a norm before each part. */
  readonly normPlacement?: 'branch' | 'sandwich';
  /** Modules that the checkpoint names otherwise than most, by the usual name. */
  readonly names?: Readonly<Record<string, string>>;
  /** The feed-forward part has no gate. */
  readonly hasNoGate?: boolean;
  /** The cap of the language model's logits where `final_logit_softcapping` does not say; null: none. Absent: never. */
  readonly logitSoftcap?: number | null;
  /** What the language model's logits, or the classifier's, are divided by. Default: 1. */
  readonly logitDivisor?: (config: ConfigReader) => number;
  /** Most tokens of a text that are computed as in transformers, where the class reads longer ones. */
  readonly limit?: (config: ConfigReader, numPositions: number) => TextLimit | undefined;
  /** Which token the classifier reads. Default: the last that is no padding. */
  readonly head?: (config: ConfigReader) => EncoderHead;
  /** What else differs. */
  readonly more?: (config: ConfigReader, hiddenSize: number) => Partial<EncoderHyperparameters>;
}

export function noBiases(): Biases {
  return { qkv: false, output: false, mlp: false };
}

/** Of all projections of attention, by `attention_bias`. */
export function attentionBiases(config: ConfigReader): Biases {
  const attention = config.boolean('attention_bias', false);
  return { qkv: attention, output: attention, mlp: false };
}

export function allBiases(config: ConfigReader): Biases {
  return { ...attentionBiases(config), mlp: config.boolean('mlp_bias', false) };
}

export function sizes(
  numLayers: number,
  hiddenSize: number,
  numHeads: number,
  intermediateSize: number,
  numPositions: number,
  vocabSize: number,
): Sizes {
  return { numLayers, hiddenSize, numHeads, intermediateSize, numPositions, vocabSize };
}
