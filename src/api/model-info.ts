/** What a loaded model is and runs on, with the warnings a caller should read once. */
import type { NativeModelInfo } from '../native/bindings';
import { outOfRange } from '../support/arguments';
import type { PairActivation } from './activations';
import { LLAMA_CPP_WARNINGS } from '../convert/llamacpp/warnings';
import type { ModelWarning } from './warnings';

/** Facts about a loaded model. */
export interface ModelInfo<Label extends string = string> {
  /** Absolute path of the GGUF file. */
  readonly path: string;
  /** Of the checkpoint: what the file says, mostly the name of its folder or repository; may be ''. */
  readonly name: string;
  /** GGUF architecture, such as `bert`. */
  readonly architecture: string;
  /** The transformers class the checkpoint was saved from, '' when the file does not say. */
  readonly sourceClass: string;
  /**
   * Label names in the order of the logits; `LABEL_0`, `LABEL_1`, ... where the checkpoint names none. Empty for a model
   * that reads the labels of each call.
   */
  readonly labels: readonly Label[];
  /** Length of `labels` and of a row of logits. */
  readonly numLabels: number;
  /** `regression`, `single_label_classification`, `multi_label_classification`, or '' when the checkpoint does not say. */
  readonly problemType: string;
  /** What `classify` or `predict` applies unless told otherwise. */
  readonly activation: PairActivation;
  /** Most tokens per input, special tokens included. */
  readonly maxLength: number;
  /** The end at which longer inputs lose tokens unless told otherwise: that of the checkpoint's tokenizer. */
  readonly truncationSide: 'right' | 'left';
  /** Width of a token's vector. */
  readonly hiddenSize: number;
  /** This and the next two are the encoder's, where a decoder follows. */
  readonly numLayers: number;
  readonly numHeads: number;
  readonly intermediateSize: number;
  /** Rows of the embedding table. */
  readonly vocabSize: number;
  /** Elements of all tensors. */
  readonly numParameters: number;
  /** Tensor type of the linear layers in the file, such as `f32`, `bf16`, `q8_0` or `q4_0`. */
  readonly weightType: string;
  /** What products are computed in: `f32`, `bf16` or `q8_0`. */
  readonly computeType: string;
  /** `cpu`, `cuda:0`, ... */
  readonly device: string;
  /** Instruction set of the kernels in use, or `portable`. */
  readonly kernels: string;
  /** Inference threads, 1 to 64. */
  readonly threads: number;
  /** Bytes the weights take in memory. */
  readonly weightBytes: number;
  /** What loading found that is legal and yet often a mistake; `onWarning` was told the same. */
  readonly warnings: readonly ModelWarning[];
}

/** @internal */
export interface ModelOverrides {
  readonly labels?: readonly string[] | undefined;
  readonly maxLength?: number | undefined;
  /** What was to be said before the model was opened. */
  readonly warnings?: readonly ModelWarning[] | undefined;
}

/** @internal What is known before classify or predict chooses its activation. */
export type ModelFacts = Omit<ModelInfo, 'activation'>;

/** @internal The file's facts with the caller's names and limit put in. */
export function describeModel(native: NativeModelInfo, path: string, overrides: ModelOverrides): ModelFacts {
  const { activationFn, promptNames, promptTexts, defaultPrompt, readsLabels, list, ...rest } = native;
  const { chatTemplate, chatSource, chatVariables, chatValues, chatAnswer, chatGenerationPrompt, ...facts } = rest;
  const { labels = readsLabels ? [] : native.labels, maxLength = native.maxLength } = overrides;
  if (readsLabels && labels.length > 0) {
    throw outOfRange('options.labels', 'none for a model that reads the labels of each call', labels);
  }
  if (!readsLabels && labels.length !== native.numLabels) {
    const expected = `${native.numLabels} labels, one for each row of the model's head`;
    throw outOfRange('options.labels', expected, labels);
  }
  if (maxLength > native.maxLength) {
    throw outOfRange('options.maxLength', `at most ${native.maxLength}, the model's own limit`, maxLength);
  }
  return {
    ...facts,
    path,
    labels: Object.freeze([...labels]),
    numLabels: labels.length,
    maxLength,
    warnings: Object.freeze([
      ...(overrides.warnings ?? []),
      ...nativeWarnings(native.warnings),
      ...labelWarnings(labels),
    ]),
  };
}

function nativeWarnings(codes: readonly string[]): ModelWarning[] {
  const messages = new Map<string, string>(Object.entries(LLAMA_CPP_WARNINGS));
  // A file without labels gets LABEL_0, LABEL_1, ..., which labelWarnings sees, unless the caller named them.
  return codes
    .filter((code) => code !== 'labels_missing')
    .map((code) => ({ code, message: messages.get(code) ?? `the model reports "${code}"` }));
}

function labelWarnings(labels: readonly string[]): ModelWarning[] {
  // A single LABEL_0 is the usual name in rerankers, whose label nobody reads.
  if (labels.length < 2 || !labels.every((label) => /^LABEL_\d+$/.test(label))) return [];
  const message =
    `the checkpoint does not name its labels (${labels[0]}, ${labels[1]}, ...); pass the names ` +
    'from its model card as `labels`, in that order';
  return [{ code: 'label_names_missing', message }];
}
