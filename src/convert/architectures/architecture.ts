/** What the converter asks of an architecture, and what it gets: hyperparameters, tensors by name, the head. */
import type { ConfigReader } from '../config';

/** Tensor names and shapes of a checkpoint; no bytes. */
export interface TensorIndex {
  names(): Iterable<string>;
  find(name: string): { readonly shape: readonly number[]; readonly dtype: string; readonly file: string } | undefined;
}

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
}

export interface EncoderHyperparameters {
  readonly numLayers: number;
  readonly hiddenSize: number;
  readonly numHeads: number;
  readonly intermediateSize: number;
  readonly numPositions: number;
  readonly vocabSize: number;
  /** Rows of the segment table, 0 when the model has none. */
  readonly numTokenTypes: number;
  readonly layerNormEps: number;
  /** HF's name of the feed-forward activation. */
  readonly hiddenActivation: string;
}

/** Everything the file says about the model, as read from one checkpoint and checked against its weights. */
export interface EncoderModel {
  readonly hyperparameters: EncoderHyperparameters;
  readonly tensors: readonly PlannedTensor[];
  readonly numLabels: number;
  /** Between the pooled dense layer and the classifier. */
  readonly headActivation: 'tanh' | 'relu';
  /** What llama.cpp makes of the file; see `ENCODER_KEYS.llamacppCompat`. */
  readonly llamacppCompat: 'exact' | 'single-sequence' | 'approximate-head' | 'unsupported';
}

export interface Architecture {
  /** The entry of `architectures` in config.json. */
  readonly sourceClass: string;
  /** The `model_type` in config.json. */
  readonly modelType: string;
  /**
   * Reads the configuration and checks every tensor against it. Throws `architecture_unsupported` for what the graph
   * does not compute, `tensor_missing`, `tensor_shape_mismatch`, `checkpoint_malformed`.
   */
  describe(config: ConfigReader, weights: TensorIndex): EncoderModel;
}
