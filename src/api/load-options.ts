/** Options of `Classifier.load` and `CrossEncoder.load`, checked before anything is read. */
import { checkHeadOptions } from '../convert/head-options';
import { checkHubOptions } from '../convert/source-arguments';
import type { ConvertProgress } from '../convert/convert';
import { TENSOR_TYPES, type TensorType } from '../gguf/types';
import type { HubOptions } from '../hub/settings';
import { type LimitOptions, resolveLimits } from '../support/limits';
import type { NativeLoadOptions } from '../native/bindings';
import {
  checkFunction,
  checkInteger,
  checkNames,
  checkOneOf,
  checkOptions,
  checkSignal,
  checkString,
} from '../support/arguments';
import type { ModelWarning } from './warnings';

/** How to load a model. */
export interface LoadOptions<Label extends string = string> {
  /** `auto`, `cpu` or an id that `devices()` lists. Default `auto`. A device that is absent is an error. */
  readonly device?: string | undefined;
  /** Inference threads, 1 to 64. Default: the physical cores this process may use, at most 8. */
  readonly threads?: number | undefined;
  /** `auto` takes the fastest kernels of this CPU, `portable` stock ggml operations. Default `auto`. */
  readonly kernels?: 'auto' | 'portable' | undefined;
  /** Tensor type that a checkpoint is converted to. Default: its own. An error for .gguf files of this package. */
  readonly type?: TensorType | undefined;
  /** Names for the labels, in the model's order and as many, all different, in place of those in the file. */
  readonly labels?: readonly Label[] | undefined;
  /**
   * For a reranker that answers with one of two words (monoT5 and its kind), these as they stand in its vocabulary, that of
   * a relevant document first. Default: those of the published rerankers. An error for other models, and for .gguf files.
   */
  readonly scoreTokens?: readonly [positive: string, negative: string] | undefined;
  /**
   * For a language model that answers a text with one of its labels: the tokens that the answer may begin with, as they stand
   * in its vocabulary. Default: those of the published guard models. An error for other models, and for .gguf files.
   */
  readonly answerTokens?: readonly string[] | undefined;
  /** What stands between the chat template's text and such a token, where the text does not end with it. Default: nothing. */
  readonly answerPrefix?: string | undefined;
  /**
   * For a reranker with a head after each of its last layers (bge-reranker-v2-minicpm-layerwise,
   * bge-reranker-v2.5-gemma2-lightweight), the layer whose head scores, counted from 1; those after it are left out.
   * Default: the last. An error for other models, and for .gguf files.
   */
  readonly cutoffLayer?: number | undefined;
  /** Most tokens per input for all calls, special tokens included: 1 to the model's own limit, which is the default. */
  readonly maxLength?: number | undefined;
  /**
   * Most inputs that may be unanswered at a time, at least 1; a call that would go beyond is refused with `queue_full`, a stream
   * waits. Default: no bound.
   */
  readonly maxQueue?: number | undefined;
  /**
   * Told once per model of each thing that is legal and yet often a mistake, at loading or in use. Default: Node's
   * process warnings, which go to stderr.
   */
  readonly onWarning?: ((warning: ModelWarning) => void) | undefined;
  /** Branch, tag or commit, for a repository on the Hub. Default `main`; may also be written `owner/name@revision`. */
  readonly revision?: string | undefined;
  /** How to reach the Hub, in place of huggingface_hub's environment variables. */
  readonly hub?: HubOptions | undefined;
  /**
   * What an adapter changes: a folder, or owner/name on the Hub. Default: the base that its adapter_config.json names.
   * An error for models that are no adapter.
   */
  readonly base?: string | undefined;
  /** Where converted checkpoints are kept. Default: `$GGML_ENCODER_CACHE`, else `ggml-encoder` in the user's cache folder. */
  readonly cacheDir?: string | undefined;
  /** Called while a checkpoint is downloaded and converted, ten times a second at most. */
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  /**
   * `process` keeps the model in a child process with the same calls: if that dies, for whatever reason, calls in
   * flight reject with `process_died` and the next one finds it restarted. Default `none`.
   */
  readonly isolation?: 'none' | 'process' | undefined;
  /** Limits to change, by name; they hold for the conversion of a folder, the loading and every call. */
  readonly limits?: LimitOptions | undefined;
  /** Ends loading early; it then rejects with code `aborted` and the signal's reason as `cause`. */
  readonly signal?: AbortSignal | undefined;
}

/** @internal */
export const LOAD_KEYS = [
  'device',
  'threads',
  'kernels',
  'type',
  'labels',
  'scoreTokens',
  'answerTokens',
  'answerPrefix',
  'cutoffLayer',
  'maxLength',
  'maxQueue',
  'onWarning',
  'revision',
  'hub',
  'base',
  'cacheDir',
  'onProgress',
  'isolation',
  'limits',
  'signal',
] as const;

/** More threads than this only wait for each other; the native side has the same limit. */
const MAX_THREADS = 64;

/** @internal */
export function checkLoadOptions(options: LoadOptions): void {
  checkOptions(options, LOAD_KEYS);
  const { revision, hub, type, labels, maxLength, maxQueue, onWarning } = options;
  const { base, cacheDir, onProgress, isolation, limits, signal } = options;
  if (type !== undefined) checkOneOf('options.type', type, TENSOR_TYPES);
  if (labels !== undefined) checkNames('options.labels', labels);
  checkHeadOptions(options);
  if (maxLength !== undefined) checkInteger('options.maxLength', maxLength, 1, Infinity);
  if (maxQueue !== undefined) checkInteger('options.maxQueue', maxQueue, 1, Infinity);
  if (onWarning !== undefined) checkFunction('options.onWarning', onWarning);
  if (base !== undefined) checkString('options.base', base);
  if (cacheDir !== undefined) checkString('options.cacheDir', cacheDir);
  if (onProgress !== undefined) checkFunction('options.onProgress', onProgress);
  if (signal !== undefined) checkSignal(signal);
  if (isolation !== undefined) checkOneOf('options.isolation', isolation, ['none', 'process']);
  checkHubOptions(revision, hub);
  resolveLimits(limits);
}

/** @internal */
export function nativeLoadOptions({ device, threads, kernels, limits }: LoadOptions): NativeLoadOptions {
  return {
    device: device === undefined ? 'auto' : checkString('options.device', device),
    threads: threads === undefined ? 0 : checkInteger('options.threads', threads, 1, MAX_THREADS),
    kernels: kernels === undefined ? 'auto' : checkOneOf('options.kernels', kernels, ['auto', 'portable']),
    limits: resolveLimits(limits),
  };
}
