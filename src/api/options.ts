/** The options of every call, their defaults and their checks. */
import { checkBoolean, checkInteger, checkNumber, checkOneOf, checkOptions, outOfRange } from '../support/arguments';
import { ACTIVATIONS, PAIR_ACTIVATIONS } from './activations';
import type { Activation, PairActivation } from './activations';
import { checkTemplate } from './hypotheses';
import { PROMPT_KEYS, resolvePrompt } from './prompts';
import type { PromptOptions, Prompts } from './prompts';
import { checkTemplateVariables } from './template-variables';
import type { ChatOptions, TemplateVariables } from './template-variables';
import { BUDGET_KEYS, RUN_KEYS, TEXT_KEYS, resolveBudget, resolveRunOptions, resolveTextOptions } from './text-options';
import type {
  PairWindowOptions,
  ResolvedRunOptions,
  ResolvedTextOptions,
  RunOptions,
  TextBudgets,
  TextDefaults,
  TextOptions,
  WindowDefaults,
  WindowOptions,
} from './text-options';

/** Options of `classify`. */
export interface ClassifyOptions extends RunOptions, TextBudgets, ChatOptions {
  /** How many labels `scores` lists, an integer of at least 1; null, the default, or more than there are lists all. */
  readonly topK?: number | null | undefined;
  /**
   * Keeps only labels with at least this score in `scores`, which may leave none; on the scale of the scores, 0 to 1
   * after softmax or sigmoid. For multi-label models. Default: all are kept.
   */
  readonly threshold?: number | undefined;
  /** What turns logits into scores. Default: `info.activation`. `softmax` is refused for a model with one label. */
  readonly activation?: Activation | undefined;
  /** Adds the raw logits to each result. Default false. */
  readonly logits?: boolean | undefined;
  /** Reads texts that are too long in windows; each result then has `windows`. Default: they are cut. */
  readonly windows?: PairWindowOptions | undefined;
}

/** Options of `predict`. */
export interface PredictOptions extends RunOptions, TextBudgets, PromptOptions {
  /**
   * What turns logits into scores. Default: `info.activation`, which is `none` for most models with several labels: ask
   * for `softmax` to get probabilities. `softmax` is refused for a model with one label.
   */
  readonly activation?: PairActivation | undefined;
  /** Adds the raw logits to each result. Default false. */
  readonly logits?: boolean | undefined;
  /** Reads texts that are too long in windows; each result then has `windows`. Default: they are cut. */
  readonly windows?: PairWindowOptions | undefined;
}

/** Options of `rank`. */
export interface RankOptions<Label extends string = string> extends RunOptions, PromptOptions {
  /** How many documents to return, an integer of at least 1; null, the default, returns all. */
  readonly topK?: number | null | undefined;
  /** Adds each document's text to its entry. Default false. */
  readonly returnDocuments?: boolean | undefined;
  /** What turns logits into scores. Default: `info.activation`. `softmax` is refused for a model with one label. */
  readonly activation?: PairActivation | undefined;
  /** The label whose score ranks the documents; needed when the model has several. */
  readonly label?: Label | undefined;
  /** Most tokens kept of the query, at least 1, special tokens not counted. Default: no bound, but the model's where it has one for queries. */
  readonly maxQueryTokens?: number | undefined;
  /** Most tokens kept of each document, at least 1, special tokens not counted. Default: as for the query. */
  readonly maxDocumentTokens?: number | undefined;
  /** Reads documents that are too long in windows; each entry then has `windows`. Default: they are cut. */
  readonly windows?: WindowOptions | undefined;
}

/** Options of `ZeroShotClassifier.classify`. Of a pair that is too long the text is cut, never the hypothesis. */
export interface ZeroShotOptions extends Omit<RunOptions, 'truncation'> {
  /**
   * The hypothesis, with `{}` once where the label goes. Default `This example is {}.` An error for models that read the
   * labels themselves.
   */
  readonly hypothesisTemplate?: string | undefined;
  /** True scores each label on its own, 0 to 1; false, the default, gives scores that add up to 1 over a text's labels. */
  readonly multiLabel?: boolean | undefined;
  /** Reads texts that are too long in windows. Default: they are cut. */
  readonly windows?: WindowOptions | undefined;
}

/** Options of `tokenize`. */
export interface TokenizeOptions extends TextOptions, TextBudgets {}

/** Options of `Classifier.tokenize`. */
export interface ClassifierTokenizeOptions extends TokenizeOptions, ChatOptions {}

/** Options of `CrossEncoder.tokenize`. */
export interface PairTokenizeOptions extends TokenizeOptions, PromptOptions {}

const CLASSIFY_KEYS = [
  ...RUN_KEYS,
  ...BUDGET_KEYS,
  'topK',
  'threshold',
  'activation',
  'logits',
  'templateVariables',
] as const;
const PREDICT_KEYS = [...RUN_KEYS, ...BUDGET_KEYS, ...PROMPT_KEYS, 'activation', 'logits'] as const;
/** @internal */
export const RANK_KEYS = [
  ...RUN_KEYS,
  ...PROMPT_KEYS,
  'topK',
  'returnDocuments',
  'activation',
  'label',
  'maxQueryTokens',
  'maxDocumentTokens',
] as const;
const ZERO_SHOT_KEYS = [...RUN_KEYS.filter((key) => key !== 'truncation'), 'hypothesisTemplate', 'multiLabel'] as const;
const TOKENIZE_KEYS = [...TEXT_KEYS, ...BUDGET_KEYS] as const;

const CLASSIFY_WINDOWS: WindowDefaults = { aggregation: 'mean', of: 'textPair', chooseText: true };
const PREDICT_WINDOWS: WindowDefaults = { aggregation: 'max', of: 'textPair', chooseText: true };
const RANK_WINDOWS: WindowDefaults = { aggregation: 'max', of: 'textPair', chooseText: false };
const ZERO_SHOT_WINDOWS: WindowDefaults = { aggregation: 'max', of: 'text', chooseText: false };

/** @internal What calls of a model may ask for, and what they get otherwise. */
export interface ModelDefaults<ModelActivation> extends TextDefaults {
  readonly numLabels: number;
  readonly activation: ModelActivation;
}

/** @internal */
export interface ResolvedChatOptions {
  readonly templateVariables: TemplateVariables | undefined;
}

/** @internal */
export interface ResolvedClassifyOptions extends ResolvedRunOptions, ResolvedChatOptions {
  readonly topK: number;
  readonly threshold: number;
  readonly activation: Activation;
  readonly logits: boolean;
}

/** @internal */
export interface ResolvedPredictOptions extends ResolvedRunOptions {
  readonly activation: PairActivation;
  readonly logits: boolean;
  readonly prompt: string;
}

/** @internal */
export function resolveClassifierTokenizeOptions(
  options: ClassifierTokenizeOptions,
  model: TextDefaults,
): ResolvedTextOptions & ResolvedChatOptions {
  checkOptions(options, [...TOKENIZE_KEYS, 'templateVariables']);
  return { templateVariables: resolveVariables(options), ...resolveTextOptions(options, model) };
}

function resolveVariables({ templateVariables }: ChatOptions): TemplateVariables | undefined {
  return templateVariables === undefined ? undefined : checkTemplateVariables(templateVariables);
}

/** @internal */
export function resolvePairTokenizeOptions(options: PairTokenizeOptions, model: TextDefaults, prompts: Prompts) {
  checkOptions(options, [...TOKENIZE_KEYS, ...PROMPT_KEYS]);
  return { ...resolveTextOptions(options, model), prompt: resolvePrompt(options, prompts) };
}

/** @internal */
export function resolveClassifyOptions(
  options: ClassifyOptions,
  model: ModelDefaults<Activation>,
): ResolvedClassifyOptions {
  checkOptions(options, CLASSIFY_KEYS);
  const { topK, threshold, activation, logits } = options;
  return {
    topK: resolveTopK(topK),
    threshold: threshold === undefined ? -Infinity : checkNumber('options.threshold', threshold),
    templateVariables: resolveVariables(options),
    activation: resolveActivation(activation, ACTIVATIONS, model),
    logits: logits === undefined ? false : checkBoolean('options.logits', logits),
    ...resolveRunOptions(options, model, CLASSIFY_WINDOWS),
  };
}

/** @internal */
export function resolvePredictOptions(
  options: PredictOptions,
  model: ModelDefaults<PairActivation>,
  prompts: Prompts,
): ResolvedPredictOptions {
  checkOptions(options, PREDICT_KEYS);
  return {
    activation: resolveActivation(options.activation, PAIR_ACTIVATIONS, model),
    logits: options.logits === undefined ? false : checkBoolean('options.logits', options.logits),
    prompt: resolvePrompt(options, prompts),
    ...resolveRunOptions(options, model, PREDICT_WINDOWS),
  };
}

/** @internal */
export function resolveRankOptions(options: RankOptions, model: ModelDefaults<PairActivation>, prompts: Prompts) {
  checkOptions(options, RANK_KEYS);
  const { returnDocuments, maxQueryTokens, maxDocumentTokens, ...rest } = options;
  const resolved = resolveRunOptions(rest, model, RANK_WINDOWS);
  return {
    ...resolved,
    run: {
      ...resolved.run,
      maxTextTokens: resolveBudget('options.maxQueryTokens', maxQueryTokens),
      maxTextPairTokens: resolveBudget('options.maxDocumentTokens', maxDocumentTokens),
    },
    topK: resolveTopK(options.topK),
    activation: resolveActivation(options.activation, PAIR_ACTIVATIONS, model),
    returnDocuments: returnDocuments === undefined ? false : checkBoolean('options.returnDocuments', returnDocuments),
    label: options.label,
    prompt: resolvePrompt(options, prompts),
  };
}

/** @internal */
export function resolveZeroShotOptions(options: ZeroShotOptions, model: TextDefaults) {
  checkOptions(options, ZERO_SHOT_KEYS);
  const { hypothesisTemplate, multiLabel = false } = options;
  return {
    ...resolveRunOptions({ ...options, truncation: 'only_first' }, model, ZERO_SHOT_WINDOWS),
    hypothesisTemplate: hypothesisTemplate === undefined ? undefined : checkTemplate(hypothesisTemplate),
    multiLabel: checkBoolean('options.multiLabel', multiLabel),
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
