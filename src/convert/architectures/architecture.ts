/** What the converter asks of an architecture, and what it gets: hyperparameters, tensors by name, the head. */
import type { GgufEntry } from '../../gguf/types';
import type { PairTemplate } from '../chat-template/split-template';
import type { ConfigReader } from '../config';

/** Tensor names and shapes of a checkpoint; no bytes. */
export interface TensorIndex {
  names(): Iterable<string>;
  find(name: string): { readonly shape: readonly number[]; readonly dtype: string; readonly file: string } | undefined;
  /** What to do where a tensor is missing, for messages. */
  readonly advice?: string;
}

/** Values of small tensors, by their names. */
export type TensorValues = ReadonlyMap<string, Float32Array>;

export type RowRange = readonly [first: number, count: number];

/** One tensor of the GGUF file. */
export interface PlannedTensor {
  /** Name in the GGUF file. */
  readonly name: string;
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  /** Names in the checkpoint, stacked along the first dimension in this order. */
  readonly sources: readonly string[];
  /** `matrix` takes the file's tensor type; `exact` is always f32: norms, biases, small tables and the head. */
  readonly storage: 'matrix' | 'exact';
  /** Tensors of the checkpoint that must have the values of the only source, since the model ties them to it. */
  readonly twins?: readonly string[];
  /** The sources are matrices of the shape [columns, rows]; rows may be several axes. */
  readonly isTransposed?: boolean;
  /**
   * For each source in how many groups its rows and the matrix's columns stand: rows of a group have values for its columns,
   * all others are zero. Default: in one.
   */
  readonly groups?: readonly number[];
  /** For each source the rows that are taken from it, in this order. Default: all. */
  readonly rowRanges?: readonly (readonly RowRange[])[];
  /**
   * For small exact tensors that are not stored as they are: from the values of all sources, or of their rows, read at
   * once, to the values of this tensor in pieces.
   */
  readonly compute?: (sources: readonly Float32Array[]) => Iterable<Float32Array>;
}

/** HF's number for the window, and the layers that have it. */
export interface SlidingWindow {
  readonly size: number;
  readonly layers: readonly number[];
}

/** Rotary position embedding, all scaling applied. */
export interface RotaryEmbedding {
  /** Inverse frequencies, half the head size of them. */
  readonly inverseFrequencies: Float32Array;
  /** Those of layers with a window, where they differ. */
  readonly localInverseFrequencies?: Float32Array;
  /** Those of texts of more than `beyond` tokens, where they differ; never beside `localInverseFrequencies`. */
  readonly long?: { readonly inverseFrequencies: Float32Array; readonly beyond: number };
  /** Multiplied onto cosine and sine. */
  readonly attentionFactor: number;
}

/** The second stack of layers, which reads the text moved by one token and attends to the encoder's last states too. */
export interface DecoderHyperparameters {
  readonly numLayers: number;
  readonly numHeads: number;
  readonly intermediateSize: number;
  /** Read in the place of the token before the first; absent with `wrapPadTokenId`. */
  readonly startTokenId?: number;
  /** The text's own last token is read there; this one is padding, which in a text counts as if it stood at its end. */
  readonly wrapPadTokenId?: number;
}

/** Layers that keep a state of what they have read, by the gated delta rule, in the place of attention. */
export interface LinearAttention {
  readonly layers: readonly number[];
  readonly numKeyHeads: number;
  /** A multiple of `numKeyHeads`. */
  readonly numValueHeads: number;
  /** Of queries, keys and values. */
  readonly headSize: number;
  /** Tokens that the convolution over queries, keys and values reads: each and those before it. */
  readonly convolutionWidth: number;
}

/** Layers that mix each token with those before it, or around it where attention is not causal, in the place of attention. */
export interface ShortConvolution {
  readonly layers: readonly number[];
  /** Tokens that it reads, the token itself among them. */
  readonly width: number;
  readonly hasBiases: boolean;
  /** It reads tokens that attention does not see, too. */
  readonly readsUnseen?: boolean;
}

/** Absent entries take the default of a BERT: as many keys as queries, layer norm after each part, no rotation, ... */
export interface EncoderHyperparameters {
  /** Layers that are computed. */
  readonly numLayers: number;
  readonly hiddenSize: number;
  readonly numHeads: number;
  /** Rows of one half where the feed-forward part is gated. */
  readonly intermediateSize: number;
  readonly numPositions: number;
  readonly vocabSize: number;
  /** Rows of the segment table, 0 when the model has none. */
  readonly numTokenTypes: number;
  /** Epsilon of every norm. */
  readonly normEps: number;
  /** HF's name of the feed-forward activation. */
  readonly hiddenActivation: string;
  /** Heads of keys and values. Default `numHeads`. */
  readonly numKeyValueHeads?: number;
  /** Default `hiddenSize / numHeads`. */
  readonly headSize?: number;
  /** Columns of the embedding tables. Default `hiddenSize`; if given, a projection follows the embeddings' norm. */
  readonly embeddingSize?: number;
  /**
   * Tokens around each whose embeddings the projection takes together, an odd number; positions and segments, of the hidden
   * size, and the norm then follow it. Default 1.
   */
  readonly embeddingWidth?: number;
  /** Multiplied onto the token embeddings. */
  readonly embeddingScale?: number;
  /** This token's embedding counts as zeros; those of a text of which it is a share s are divided by 1 - s. */
  readonly droppedTokenId?: number;
  readonly isCausal?: boolean;
  /** `none`: the weight and bias of a norm alone. */
  readonly normKind?: 'layer' | 'rms' | 'none';
  /**
   * `post`: x = norm(x + f(x)); `pre`: x + f(norm(x)); `branch`: x + norm(f(x)); `sandwich`: x + norm(f(norm(x)));
   * `parallel`: attention and feed-forward part read the same x, x + f(norm(x)) + g(norm(x)).
   */
  readonly normPlacement?: 'post' | 'pre' | 'branch' | 'sandwich' | 'parallel';
  readonly positionKind?:
    'absolute' | 'rope' | 'relative-bias' | 'relative-bias-only' | 'linear-bias' | 'disentangled' | 'none';
  /** Rows that were cut from the front of the position table. */
  readonly positionOffset?: number;
  /** Positions do not count this token, whose own is the row before those, put behind them as one more. */
  readonly uncountedTokenId?: number;
  readonly rope?: RotaryEmbedding;
  /** Queries and keys, whose norms come first by default. */
  readonly turnsBeforeNorms?: boolean;
  readonly slidingWindow?: SlidingWindow | undefined;
  /** The first token, which the head reads, is seen by all and sees all, by queries, keys and values of its own. */
  readonly isFirstGlobal?: boolean;
  /** Default 1 / sqrt(head size). */
  readonly attentionScale?: number;
  /** Scores become cap * tanh(score / cap). */
  readonly attentionSoftcap?: number | undefined;
  /** What attention gives is multiplied by the sigmoid of a projection of its input. */
  readonly gatesAttention?: boolean;
  readonly linearAttention?: LinearAttention | undefined;
  readonly shortConvolution?: ShortConvolution | undefined;
  readonly feedForwardKind?: 'mlp' | 'glu';
  /** For each layer the block whose weights it uses. Default: each its own. */
  readonly layerWeights?: readonly number[];
  /** For `linear-bias`: one for each head, taken from a score for each token of distance. */
  readonly biasSlopes?: readonly number[];
  /** DeBERTa's and XLNet's relative positions; `buckets` is 0 without them. */
  readonly disentangled?: {
    readonly buckets: number;
    readonly maxRelativePositions: number;
    readonly types: readonly string[];
    /** Half the hidden size of them, where sines and cosines of the distance times these are its embedding. */
    readonly frequencies?: Float32Array;
  };
  /** Layers that work in fewer columns than the hidden size, with several feed-forward parts one after the other. */
  readonly narrow?: { readonly size: number; readonly numFeedForwards: number };
  /** Of the tokens' first states, in the first layer's norm; `width` is that of its kernel, an odd number. */
  readonly convolution?: { readonly width: number; readonly activation: string };
  /** Default: none. */
  readonly decoder?: DecoderHyperparameters;
}

/** From the last hidden states to the classifier. */
export interface EncoderHead {
  readonly pooling:
    | 'cls'
    | 'mean'
    | 'mean_sqrt_len'
    | 'weighted_mean'
    | 'max'
    | 'last'
    | 'eos'
    | 'late'
    | 'separator'
    | 'text'
    | 'marks'
    | 'tokens';
  /**
   * HF's name of the activation after the dense layer before the classifier; `identity` where it has none, `none` where
   * there is no such layer.
   */
  readonly activation: string;
  /** Epsilon of the norm before the classifier. Default: that of the encoder's norms. */
  readonly normEps?: number;
  /** `rms`: what the norm before the classifier divides by is the root of the mean square. Default: a layer norm. */
  readonly normKind?: 'rms';
  /** For `last`: the token that is passed over. Undefined: the last token counts, whatever it is. */
  readonly padTokenId?: number | undefined;
  /** For `eos`: the rightmost token with this id is read. */
  readonly eosTokenId?: number;
  /** What the classifier gives becomes cap * tanh(logit / cap). */
  readonly logitSoftcap?: number;
  /**
   * The classifier has several rows for the only label. `difference`: its logit is what the first gives less the second;
   * `expectation`: the mean of the rows' numbers, counted from 1, weighed by the softmax of what they give; all capped.
   */
  readonly score?: 'difference' | 'expectation';
}

/** The head of a model that reads its labels in the text and gives each of them a logit. */
export interface LabelHead {
  /**
   * What the logit is made of, from the projected states of text and label: of their product, element by element; by layers
   * that read one beside the other; or by layers that read the first halves of two projections and the product of the
   * second ones.
   */
  readonly score: 'product' | 'layers' | 'halves';
  /** The labels stand before the text. */
  readonly isFirst: boolean;
  /**
   * What stands for a label: the state of its mark, that of the token behind it, or the mean of those of mark and label or of
   * the label alone, up to the next mark; the last label's goes on to the end or, where the head's pooling is `separator`, to
   * that. Or the mean of all tokens that hold some of the label (`held`, beside the pooling `text`): then mark and separator
   * are text like any other, and each token of the tokenizer is bytes of the text.
   */
  readonly tokens: 'mark' | 'next' | 'span' | 'rest' | 'held';
  /** Segment 1 of the segment table begins with the separator. */
  readonly hasSegments: boolean;
  /** HF's name of the activation between the two layers of a projection; undefined where they have one. */
  readonly activation?: string;
  /** The added token before each label, or the text there. */
  readonly mark: string;
  readonly markId?: number;
  /** The added token behind the last label, or the text there; with the pooling `separator` its state is the text's. */
  readonly separator: string;
  readonly separatorId?: number;
  /** Of `held`: what stands before the first mark, and behind each label. */
  readonly around?: { readonly opening: string; readonly labelEnd: string };
}

/**
 * How a model that ranks lists reads a query and its documents: as one text, in which the head reads the state of a mark
 * behind each document and of another behind the query, both added tokens, and makes a vector of each.
 */
export interface DocumentList {
  /** pieces[0] slots[0] pieces[1] ... slots[n - 1] pieces[n]; `count` is the number of documents. */
  readonly plain: ListPieces;
  /** With a prompt. */
  readonly prompted: ListPieces;
  /** Before a document's number, which is counted from 0, between number and document, behind the document. */
  readonly item: readonly [string, string, string];
  /** Between two documents. */
  readonly separator: string;
  readonly documentMark: string;
  readonly queryMark: string;
  /** Documents of one text; more of them become several. */
  readonly maxDocuments: number;
  readonly maxQueryTokens: number;
  readonly maxDocumentTokens: number;
}

export interface ListPieces {
  readonly pieces: readonly string[];
  readonly slots: readonly ('count' | 'query' | 'documents' | 'prompt')[];
}

/**
 * How a model of late interaction reads a query and a document: each by itself, and with a vector for each token. A token
 * of the query counts with the document's token that is nearest to it.
 */
export interface TokenInteraction {
  /** Put before texts; may be empty. */
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  /** Most tokens, special ones included. */
  readonly queryLength: number;
  readonly documentLength: number;
  /** What shorter queries are filled up with, to `length` tokens. `isAttended`: others see these too. */
  readonly expansion?: { readonly tokenId: number; readonly length: number; readonly isAttended: boolean } | undefined;
  /** Ascending. Tokens of documents that do not score; nor do those of queries where `skipsQueryTokens`. */
  readonly skipTokenIds: readonly number[];
  readonly skipsQueryTokens: boolean;
  /** Vectors are divided by their length. */
  readonly normalizes: boolean;
  /** The sum over the query's tokens, or their mean. */
  readonly similarity: 'maxsim' | 'meanmaxsim';
}

/** Everything the file says about the model, as read from one checkpoint and checked against its weights. */
export interface EncoderModel {
  /** `general.architecture`: the layout that llama.cpp takes the file for. */
  readonly architecture: string;
  readonly hyperparameters: EncoderHyperparameters;
  readonly tensors: readonly PlannedTensor[];
  readonly numLabels: number;
  readonly head: EncoderHead;
  /** Only for models that read their labels; there is one label then, which names none. */
  readonly labelHead?: LabelHead;
  /** Only for models that rank lists, whose head's pooling is `marks`; there is one label then, which names none. */
  readonly list?: DocumentList;
  /** Only for models of late interaction, whose head's pooling is `tokens`; there is one label then, which names none. */
  readonly interaction?: TokenInteraction;
  /** The text that the class makes of a pair. Default: two texts, joined by the tokenizer's post-processor. */
  readonly pairTemplate?: PairTemplate;
  /** Most tokens of a text, where that is fewer than there are positions. */
  readonly maxTokens?: number;
  /** The class reads texts whole, whatever limit their tokenizer has. Default: false. */
  readonly readsWhole?: boolean;
  /** Most tokens of a text where the tokenizer says nothing. Default: as many as there are positions. */
  readonly usualLength?: number;
  /** What llama.cpp makes of the file; see `ENCODER_KEYS.llamacppCompat`. */
  readonly llamacppCompat: 'exact' | 'single-sequence' | 'approximate-head' | 'unsupported';
  /** Codes of what the source leaves open, for the file; see `ENCODER_KEYS.assumptions`. */
  readonly warnings?: readonly string[];
  /** What the checkpoint leaves open and was assumed, for the conversion to warn of. */
  readonly assumptions?: readonly string[];
  /** That the checkpoint has other heads as well, in a sentence. */
  readonly passedOver?: string;
  /** Keys that llama.cpp wants beside ours, their names without the architecture in front. */
  readonly llamacppEntries?: readonly GgufEntry[];
}

/** The encoder without a head: what remains where the head is given by other means. */
export type EncoderBody = Pick<EncoderModel, 'architecture' | 'hyperparameters' | 'tensors' | 'llamacppEntries'>;

/** The score of a language model: the logit of the token `positive`, less that of `negative` where there is one. */
export interface ScoreTokens {
  readonly positive: number;
  readonly negative: number | undefined;
  /** Of the score. Default 1. */
  readonly divisor?: number;
}

/** The score of a language model that answers with a number: the mean of 1, 2, ..., by the probabilities of these tokens. */
export interface NumberTokens {
  readonly numbers: readonly number[];
}

/** The labels of a language model: the logits of these tokens. */
export interface AnswerTokens {
  readonly answers: readonly number[];
}

export interface Architecture {
  /** The entry of `architectures` in config.json. */
  readonly sourceClass: string;
  /** The `model_type` in config.json. */
  readonly modelType: string;
  /** The `model_type` of the model without a head where it was published with code of its own. */
  readonly publishedAs?: string | undefined;
  /** For a class that `architectures` never names: whether a configuration without any is one of its. */
  recognizes?(config: ConfigReader): boolean;
  /** The repository whose tokenizer the class takes, where the checkpoint's own has none. */
  readonly tokenizerOf?: string;
  /**
   * For a language model, which needs to be told the tokens that it scores with: whether it goes on with the text, as
   * sentence-transformers runs it, or answers it.
   */
  readonly scoresVocabulary?: 'causal' | 'sequence-to-sequence';
  /** For a model that ranks lists, of the name of its folder or repository; `describe` leaves `list` out. */
  list?(name: string): DocumentList;
  /** What its own code makes of the logits, as sentence-transformers calls it, where no file says. Default: by the number of labels. */
  readonly activationFn?: string;
  /** For a class with a head after each of its last layers: the one with the head after `layer`, counted from 1. Default: the last. */
  atLayer?(layer: number | undefined): Pick<Architecture, 'describe'>;
  /** Small tensors, vectors of at most MAX_HEAD_SIZE values, that `describe` needs to see the values of. */
  valuesOf?(weights: TensorIndex): readonly string[];
  /** The model with a table of segments, for one whose checkpoints have none, where transformers tells it of some. */
  withSegments?(model: EncoderModel, numSegments: number): EncoderModel;
  /** Makes zeros of the embeddings and the attention of tokens that no other sees. Default: false. */
  readonly zeroesUnseen?: boolean;
  /** Modules whose weights lie as [inputs, outputs]; of all others, and without it, they lie the other way round. */
  readonly transposedModules?: RegExp;
  /**
   * Reads the configuration and checks every tensor against it. Throws `architecture_unsupported` for what the graph
   * does not compute, `tensor_missing`, `tensor_shape_mismatch`, `checkpoint_malformed`.
   */
  describe(
    config: ConfigReader,
    weights: TensorIndex,
    score?: ScoreTokens | NumberTokens | AnswerTokens,
    values?: TensorValues,
  ): EncoderModel;
  /** Likewise for a checkpoint of the bare encoder, or of one whose head is passed over. Absent where there is none. */
  describeBody?(config: ConfigReader, weights: TensorIndex): EncoderBody;
}
