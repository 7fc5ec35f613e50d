/** The options of every call, their defaults and their checks. */
import type { NativeRunOptions } from '../native/bindings';
import { ACTIVATIONS, PAIR_ACTIVATIONS } from './activations';
import type { Activation, PairActivation } from './activations';
import { checkBoolean, checkInteger, checkOneOf, checkOptions, checkSignal, outOfRange } from './arguments';
import { checkTemplate } from './hypotheses';

/** Which text of a pair gives up tokens when the pair is too long. */
export type TruncationStrategy = NativeRunOptions['truncation'];

/** The end at which a text loses tokens. */
export type TruncationSide = NativeRunOptions['truncationSide'];

/**
 * What a special token such as `[SEP]` in the caller's text means: `text` reads it as ordinary characters, so a user
 * cannot forge a segment; `parse` takes it for the token, as Hugging Face's tokenizers do; `error` refuses the text.
 */
export type SpecialTokens = NativeRunOptions['specialTokens'];

/** What every call that reads text accepts. */
export interface TextOptions {
  /** Most tokens per input, special tokens included. May lower the model's limit, not raise it. */
  readonly maxLength?: number | undefined;
  /** Default `longest_first`. Texts that stand alone are always cut to fit. */
  readonly truncation?: TruncationStrategy | undefined;
  /** Default `right`. */
  readonly truncationSide?: TruncationSide | undefined;
  /** Default `text`. */
  readonly specialTokens?: SpecialTokens | undefined;
  /** Ends the call early; it then rejects with code `aborted` and the signal's reason as `cause`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `classify`. */
export interface ClassifyOptions extends TextOptions {
  /** How many labels `scores` lists; default null, which lists all. More than there are also lists all. */
  readonly topK?: number | null | undefined;
  /** Overrides the model's own rule. `softmax` is refused for a model with one label. */
  readonly activation?: Activation | undefined;
  /** Adds the raw logits to each result. Default false. */
  readonly logits?: boolean | undefined;
}

/** Options of `predict`. */
export interface PredictOptions extends TextOptions {
  /** Overrides the model's own rule. `softmax` is refused for a model with one label. */
  readonly activation?: PairActivation | undefined;
  /** Adds the raw logits to each result. Default false. */
  readonly logits?: boolean | undefined;
}

/** Options of `rank`. */
export interface RankOptions<Label extends string = string> extends TextOptions {
  /** How many documents to return; default null, which returns all. */
  readonly topK?: number | null | undefined;
  /** Adds each document's text to its entry. Default false. */
  readonly returnDocuments?: boolean | undefined;
  /** Overrides the model's own rule. `softmax` is refused for a model with one label. */
  readonly activation?: PairActivation | undefined;
  /** The label whose score ranks the documents; needed when the model has several. */
  readonly label?: Label | undefined;
}

/** Options of `ZeroShotClassifier.classify`. Of a pair that is too long the text is cut, never the hypothesis. */
export interface ZeroShotOptions extends Omit<TextOptions, 'truncation'> {
  /** The hypothesis, with `{}` once where the label goes. Default `This example is {}.` */
  readonly hypothesisTemplate?: string | undefined;
  /** True scores each label on its own; false, the default, shares one between all labels of a text. */
  readonly multiLabel?: boolean | undefined;
}

/** Options of `tokenize`. */
export type TokenizeOptions = TextOptions;

const TRUNCATIONS = ['longest_first', 'only_first', 'only_second'] as const;
const SIDES = ['right', 'left'] as const;
const SPECIAL_TOKENS = ['text', 'parse', 'error'] as const;

const TEXT_KEYS = ['maxLength', 'truncation', 'truncationSide', 'specialTokens', 'signal'] as const;
const CLASSIFY_KEYS = [...TEXT_KEYS, 'topK', 'activation', 'logits'] as const;
const PREDICT_KEYS = [...TEXT_KEYS, 'activation', 'logits'] as const;
const ZERO_SHOT_KEYS = [
  ...TEXT_KEYS.filter((key) => key !== 'truncation'),
  'hypothesisTemplate',
  'multiLabel',
] as const;
const RANK_KEYS = [...TEXT_KEYS, 'topK', 'returnDocuments', 'activation', 'label'] as const;

/** @internal What a model allows and prefers. */
export interface ModelDefaults<ModelActivation> {
  readonly maxLength: number;
  readonly numLabels: number;
  readonly activation: ModelActivation;
}

/** @internal */
export interface ResolvedTextOptions {
  readonly run: NativeRunOptions;
  readonly signal: AbortSignal | undefined;
}

/** @internal */
export interface ResolvedClassifyOptions extends ResolvedTextOptions {
  readonly topK: number;
  readonly activation: Activation;
  readonly logits: boolean;
}

/** @internal */
export interface ResolvedPredictOptions extends ResolvedTextOptions {
  readonly activation: PairActivation;
  readonly logits: boolean;
}

/** @internal */
export function resolveTokenizeOptions(options: TokenizeOptions, maxLength: number): ResolvedTextOptions {
  checkOptions(options, TEXT_KEYS);
  return resolveTextOptions(options, maxLength);
}

/** @internal */
export function resolveClassifyOptions(
  options: ClassifyOptions,
  model: ModelDefaults<Activation>,
): ResolvedClassifyOptions {
  checkOptions(options, CLASSIFY_KEYS);
  return {
    ...resolveTextOptions(options, model.maxLength),
    topK: resolveTopK(options.topK),
    activation: resolveActivation(options.activation, ACTIVATIONS, model),
    logits: options.logits === undefined ? false : checkBoolean('options.logits', options.logits),
  };
}

/** @internal */
export function resolvePredictOptions(
  options: PredictOptions,
  model: ModelDefaults<PairActivation>,
): ResolvedPredictOptions {
  checkOptions(options, PREDICT_KEYS);
  return {
    ...resolveTextOptions(options, model.maxLength),
    activation: resolveActivation(options.activation, PAIR_ACTIVATIONS, model),
    logits: options.logits === undefined ? false : checkBoolean('options.logits', options.logits),
  };
}

/** @internal */
export function resolveRankOptions(options: RankOptions, model: ModelDefaults<PairActivation>) {
  checkOptions(options, RANK_KEYS);
  const { returnDocuments } = options;
  return {
    ...resolveTextOptions(options, model.maxLength),
    topK: resolveTopK(options.topK),
    activation: resolveActivation(options.activation, PAIR_ACTIVATIONS, model),
    returnDocuments: returnDocuments === undefined ? false : checkBoolean('options.returnDocuments', returnDocuments),
    label: options.label,
  };
}

/** @internal */
export function resolveZeroShotOptions(options: ZeroShotOptions, maxLength: number) {
  checkOptions(options, ZERO_SHOT_KEYS);
  const { hypothesisTemplate = 'This example is {}.', multiLabel = false } = options;
  return {
    ...resolveTextOptions({ ...options, truncation: 'only_first' }, maxLength),
    hypothesisTemplate: checkTemplate(hypothesisTemplate),
    multiLabel: checkBoolean('options.multiLabel', multiLabel),
  };
}

function resolveTextOptions(options: TextOptions, limit: number): ResolvedTextOptions {
  const { maxLength, truncation, truncationSide, specialTokens, signal } = options;
  if (signal !== undefined) checkSignal(signal);
  return {
    run: {
      maxLength: maxLength === undefined ? limit : checkInteger('options.maxLength', maxLength, 1, limit),
      truncation:
        truncation === undefined ? 'longest_first' : checkOneOf('options.truncation', truncation, TRUNCATIONS),
      truncationSide:
        truncationSide === undefined ? 'right' : checkOneOf('options.truncationSide', truncationSide, SIDES),
      specialTokens:
        specialTokens === undefined ? 'text' : checkOneOf('options.specialTokens', specialTokens, SPECIAL_TOKENS),
    },
    signal,
  };
}

function resolveTopK(topK: number | null | undefined): number {
  return topK === undefined || topK === null ? Infinity : checkInteger('options.topK', topK, 1, Infinity);
}

function resolveActivation<Value extends PairActivation>(
  requested: Value | undefined,
  allowed: readonly Value[],
  model: ModelDefaults<Value>,
): Value {
  if (requested === undefined) return model.activation;
  const activation = checkOneOf('options.activation', requested, allowed);
  if (activation === 'softmax' && model.numLabels === 1) {
    throw outOfRange(
      'options.activation',
      '"sigmoid" or "none" for a model with one label, where softmax gives 1 for every input',
      requested,
    );
  }
  return activation;
}
