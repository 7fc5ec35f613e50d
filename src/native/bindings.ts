/**
 * The native addon's whole surface, as native/node/addon.cc exports it. Nothing else in src/ knows the addon's shape.
 */

export interface NativeAddon {
  /** ggml's version and the addon's build facts. */
  readonly version: { readonly ggml: string; readonly compiler: string };
  /** The error codes the native side can raise, for the test that compares them with ERROR_CODES. */
  readonly errorCodes: readonly string[];
  /** Where the libraries of GPU backends are searched. Counts until devices are listed or a model is loaded. */
  setBackendFolders(folders: readonly string[]): void;
  /** What this machine offers and what stands in the way of the rest. */
  devices(): NativeDevice[];
  /** Opens, checks and loads a GGUF file off the event loop. `cancel` ends it between two pieces of the file. */
  loadModel(path: string, options: NativeLoadOptions): NativeJob<NativeModel>;
  /** What loading the file would take, for inputs of up to `maxLength` tokens; reads its header alone. */
  estimateMemory(path: string, options: NativeLoadOptions, maxLength: number): Promise<NativeMemoryEstimate>;
  /** Cancels everything and joins all threads of this environment. Idempotent. */
  shutdown(): void;
}

export interface NativeDevice {
  /** 'cpu', 'cuda:0', ... as `device` takes it. */
  readonly id: string;
  readonly description: string;
  readonly available: boolean;
  /** Why it is not available and what would make it so; empty when it is. */
  readonly reason: string;
  /** Instruction sets the CPU kernels can use here, best last; empty for other devices. */
  readonly isa: readonly string[];
  readonly memoryBytes: number;
}

export interface NativeLoadOptions {
  device: string;
  /** Inference threads, 1 to 64; 0 lets the addon choose. */
  threads: number;
  /** 'auto': our kernels where the CPU has them; 'portable': stock ggml operations, the graph that GPUs run. */
  kernels: 'auto' | 'portable';
  limits: NativeLimits;
}

/** Those of `Limits` that the native side enforces itself. */
export interface NativeLimits {
  readonly ggufEntries: number;
  readonly ggufTensors: number;
  readonly ggufStringBytes: number;
  readonly ggufArrayElements: number;
  readonly ggufHeaderBytes: number;
  /** 0: what the machine and its container have left. */
  readonly memoryBytes: number;
}

/** Plain facts read from the file, with what was chosen for this machine. */
export interface NativeModelInfo {
  readonly architecture: string;
  /** HF class the checkpoint was saved from, '' when the file does not say. */
  readonly sourceClass: string;
  readonly name: string;
  /** One per row of the head, in logit order. */
  readonly labels: readonly string[];
  readonly numLabels: number;
  /** HF problem_type: 'regression', 'single_label_classification', 'multi_label_classification' or ''. */
  readonly problemType: string;
  /** sentence-transformers activation of the checkpoint ('identity', 'sigmoid', ...), '' when it names none. */
  readonly activationFn: string;
  /** The checkpoint's own, for calls that name none. */
  readonly truncationSide: 'right' | 'left';
  /** sentence-transformers' prompts of the checkpoint: promptTexts[i] belongs to promptNames[i]. */
  readonly promptNames: readonly string[];
  readonly promptTexts: readonly string[];
  /** One of promptNames, '' when no prompt is used by default. */
  readonly defaultPrompt: string;
  /** Whether pairs are put into a chat template, and whether that takes a prompt; or a query and documents into a list. */
  readonly chatTemplate: 'none' | 'pairs' | 'prompted' | 'list' | 'apart';
  /** The template in Jinja that makes a text of a chat, '' for none; chatValues[i] belongs to chatVariables[i]. */
  readonly chatSource: string;
  readonly chatVariables: readonly string[];
  readonly chatValues: readonly string[];
  /** What the answer to a chat begins with, before the token that the labels are; null where chats get no answer. */
  readonly chatAnswer: string | null;
  /** The template is told to begin an answer. */
  readonly chatGenerationPrompt: boolean;
  /** The model reads the labels of each call in the text; then `labels` has one entry, which names none. */
  readonly readsLabels: boolean;
  /** Of a model that ranks lists: what it gives are vectors, and `labels` has one entry, which names none. */
  readonly list: NativeListLimits | null;
  /** Most tokens per input, special tokens included. */
  readonly maxLength: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly numParameters: number;
  /** Tensor type of the linear layers in the file: 'f32', 'f16', 'bf16', 'q8_0'. */
  readonly weightType: string;
  /** What the products are computed in: 'f32', 'bf16', 'q8_0'. */
  readonly computeType: string;
  readonly device: string;
  /** Instruction set of the kernels in use, or 'portable'. */
  readonly kernels: string;
  readonly threads: number;
  readonly weightBytes: number;
  /** Facts worth a warning, such as 'pooler_missing'. */
  readonly warnings: readonly string[];
}

/** What goes into one list; a call's own limits on tokens take the place of these. */
export interface NativeListLimits {
  readonly maxDocuments: number;
  readonly maxQueryTokens: number;
  readonly maxDocumentTokens: number;
}

/** Bytes; `availableBytes` is Infinity when the system does not say. */
export interface NativeMemoryEstimate {
  readonly weightBytes: number;
  readonly bytesPerThread: number;
  readonly threads: number;
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/**
 * The second texts of pairs: null for a text that stands alone, null for all when all do. For a text that has its control
 * tokens written out its parts, as bytes of it: where the end begins that stays where it is cut on the right, and then begin
 * and end of each part that is the caller's, in order.
 */
export type PairColumn = readonly (string | Uint32Array | null)[] | null;

export interface NativeRunOptions {
  /** Most tokens per input; 0 means the model's own limit. */
  maxLength: number;
  truncation: 'longest_first' | 'only_first' | 'only_second';
  truncationSide: 'right' | 'left';
  specialTokens: 'text' | 'parse' | 'error';
  /** Most tokens kept of each text, special tokens not counted, before `truncation` is asked; 0: no such limit. */
  maxTextTokens: number;
  maxTextPairTokens: number;
  /** The text that `run` reads in windows where it is too long; a text without a pair is meant by either. */
  windows: 'none' | 'text' | 'textPair';
  /** Tokens that neighbouring windows share; at most half a window is used. */
  overlap: number;
  /** Most windows of a text; 0: as many as it takes. */
  maxWindows: number;
  /** Only for models whose chat template takes one; '' for none. */
  prompt: string;
  /**
   * For models that read their labels at least one; for those that rank lists the documents, where they are not pairs; for
   * others none.
   */
  labels: readonly string[];
  /** Inputs of the same list that came before these, in runs of their own: a place in the queue behind theirs. */
  inputsBefore?: number;
}

export interface NativeRunResult {
  /**
   * f32[n * labels], row i belongs to text i; with windows f32[windows * labels]: the call's labels, or the model's. Of lists
   * f32[n * (documents + 1) * size]: the vectors of the documents, then that of the query.
   */
  readonly logits: Float32Array;
  /** i32[n], tokens that went through the model, special tokens included. */
  readonly tokens: Int32Array;
  /** u8[n], 1 where tokens of the text were dropped. */
  readonly truncated: Uint8Array;
  /** Only with windows: i32[n + 1], text i owns windows [windowOffsets[i], windowOffsets[i + 1]). */
  readonly windowOffsets?: Int32Array;
  /** Only with windows: i32[windows], the tokens of the text in each, [begin, end). */
  readonly windowBegins?: Int32Array;
  readonly windowEnds?: Int32Array;
}

export interface NativeTokenizeResult {
  /** i32[total], ids of all texts one after another. */
  readonly ids: Int32Array;
  /** i32[total], segment ids. */
  readonly typeIds: Int32Array;
  /** i32[n + 1], text i owns ids[offsets[i] .. offsets[i + 1]). */
  readonly offsets: Int32Array;
  /** u8[n] */
  readonly truncated: Uint8Array;
}

/** A call in flight. */
export interface NativeJob<Result> {
  readonly promise: Promise<Result>;
  /** Makes the promise reject, of a call as soon as the running micro-batch ends; no effect once it has settled. A method: it reads `this`. */
  cancel(): void;
}

export interface NativeModel {
  readonly info: NativeModelInfo;
  /** Rejections carry a `code`. */
  run(texts: readonly string[], pairs: PairColumn, options: NativeRunOptions): NativeJob<NativeRunResult>;
  tokenize(texts: readonly string[], pairs: PairColumn, options: NativeRunOptions): NativeJob<NativeTokenizeResult>;
  /** Waits for running calls to end (they reject with 'model_disposed' when not yet started) and frees the weights. Idempotent. */
  dispose(): Promise<void>;
}
