/** Options that every call with text has: limits, truncation, windows, special tokens, abort and progress. */
import type { NativeRunOptions } from '../native/bindings';
import { checkFunction, checkInteger, checkOneOf, checkOptions, checkSignal } from '../support/arguments';

/** Which text of a pair gives up tokens when the pair is too long. */
export type TruncationStrategy = 'longest_first' | 'only_first' | 'only_second';

/** The end at which a text loses tokens. */
export type TruncationSide = 'right' | 'left';

/**
 * What a special token such as `[SEP]` in the caller's text means: `text` reads it as ordinary characters, so a user
 * cannot forge a segment; `parse` takes it for the token, as Hugging Face's tokenizers do; `error` refuses the text.
 */
export type SpecialTokens = 'text' | 'parse' | 'error';

/** What every call that reads text accepts. */
export interface TextOptions {
  /** Most tokens per input, special tokens included: 1 to `info.maxLength`, which is the default. */
  readonly maxLength?: number | undefined;
  /** Which text of a pair is cut. Default `longest_first`. Texts that stand alone are always cut to fit. */
  readonly truncation?: TruncationStrategy | undefined;
  /** The end at which tokens are dropped. Default `info.truncationSide`. */
  readonly truncationSide?: TruncationSide | undefined;
  /**
   * What `[SEP]` and the like mean inside a text. Default `text`: ordinary characters. A chat whose messages hold a
   * control token is refused by `text` too.
   */
  readonly specialTokens?: SpecialTokens | undefined;
  /** Ends the call early; it then rejects with code `aborted` and the signal's reason as `cause`. */
  readonly signal?: AbortSignal | undefined;
}

/** Budgets of their own for the two texts of a pair, applied before `truncation`. */
export interface TextBudgets {
  /** Most tokens kept of the first text, at least 1, special tokens not counted. Default: no bound of its own. */
  readonly maxTextTokens?: number | undefined;
  /** Most tokens kept of the second text, at least 1, special tokens not counted. Default: no bound of its own. */
  readonly maxTextPairTokens?: number | undefined;
}

/** How the scores of a text's windows become the text's. */
export type WindowAggregation = 'mean' | 'max' | 'first';

/** Reads a text that is too long in windows instead of cutting it. */
export interface WindowOptions {
  /** Tokens that neighbouring windows share, at least 0. Default 64; more than half a window counts as half a window. */
  readonly overlap?: number | undefined;
  /**
   * Per label: `mean` of the windows' scores, their `max`, or the score of the `first` window, which is then the only
   * one that is computed. Default `mean` for `Classifier`, `max` elsewhere.
   */
  readonly aggregate?: WindowAggregation | undefined;
  /** Most windows of one text, at least 1; tokens behind them are dropped, and `truncated` says so. Default: as many as it takes. */
  readonly maxWindows?: number | undefined;
}

/** Windows where either text of a pair may be the long one. */
export interface PairWindowOptions extends WindowOptions {
  /** The text of a pair that is read in windows; the other one stands in each of them. Default `textPair`. */
  readonly of?: 'text' | 'textPair' | undefined;
}

/** How far a call is. */
export interface RunProgress {
  /** Inputs that are through. */
  readonly done: number;
  /** Inputs of the call; for zero-shot pairs of text and label. */
  readonly total: number;
}

/** What every call that runs the model accepts. */
export interface RunOptions extends TextOptions {
  /** Called as inputs get through, in steps of at most 64. Not called by streams. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
}

const TRUNCATIONS = ['longest_first', 'only_first', 'only_second'] as const;
const SIDES = ['right', 'left'] as const;
const SPECIAL_TOKENS = ['text', 'parse', 'error'] as const;
const AGGREGATIONS = ['mean', 'max', 'first'] as const;

const DEFAULT_OVERLAP = 64;

/** @internal */
export const TEXT_KEYS = ['maxLength', 'truncation', 'truncationSide', 'specialTokens', 'signal'] as const;
/** @internal */
export const BUDGET_KEYS = ['maxTextTokens', 'maxTextPairTokens'] as const;
/** @internal */
export const RUN_KEYS = [...TEXT_KEYS, 'onProgress', 'windows'] as const;
const WINDOW_KEYS = ['overlap', 'aggregate', 'maxWindows'] as const;

/** @internal */
export interface ResolvedTextOptions {
  readonly run: NativeRunOptions;
  readonly signal: AbortSignal | undefined;
}

/** @internal */
export interface ResolvedRunOptions extends ResolvedTextOptions {
  readonly onProgress: ((progress: RunProgress) => void) | undefined;
  readonly aggregation: WindowAggregation;
  /** True when the caller asked for windows. */
  readonly windows: boolean;
}

/** @internal What a model allows and prefers. */
export interface TextDefaults {
  readonly maxLength: number;
  readonly truncationSide: TruncationSide;
}

/** @internal */
export function resolveTextOptions(options: TextOptions & TextBudgets, model: TextDefaults): ResolvedTextOptions {
  const { maxLength, truncation, truncationSide, specialTokens, maxTextTokens, maxTextPairTokens, signal } = options;
  if (signal !== undefined) checkSignal(signal);
  return {
    run: {
      maxLength:
        maxLength === undefined ? model.maxLength : checkInteger('options.maxLength', maxLength, 1, model.maxLength),
      truncation:
        truncation === undefined ? 'longest_first' : checkOneOf('options.truncation', truncation, TRUNCATIONS),
      truncationSide:
        truncationSide === undefined
          ? model.truncationSide
          : checkOneOf('options.truncationSide', truncationSide, SIDES),
      specialTokens:
        specialTokens === undefined ? 'text' : checkOneOf('options.specialTokens', specialTokens, SPECIAL_TOKENS),
      maxTextTokens: resolveBudget('options.maxTextTokens', maxTextTokens),
      maxTextPairTokens: resolveBudget('options.maxTextPairTokens', maxTextPairTokens),
      windows: 'none',
      overlap: 0,
      maxWindows: 0,
      prompt: '',
      labels: [],
    },
    signal,
  };
}

/** @internal What `windows` and `onProgress` add. */
export interface WindowDefaults {
  readonly aggregation: WindowAggregation;
  readonly of: 'text' | 'textPair';
  /** True when the caller may choose `of`. */
  readonly chooseText: boolean;
}

/** @internal */
export function resolveRunOptions(
  options: RunOptions & TextBudgets & { readonly windows?: PairWindowOptions | undefined },
  model: TextDefaults,
  defaults: WindowDefaults,
): ResolvedRunOptions {
  const text = resolveTextOptions(options, model);
  const { onProgress, windows } = options;
  if (onProgress !== undefined) checkFunction('options.onProgress', onProgress);
  // Spreads stand last: with keys behind them Node 20 takes microseconds, a twentieth of a small model's whole call.
  if (windows === undefined) return { onProgress, aggregation: defaults.aggregation, windows: false, ...text };

  checkOptions(windows, defaults.chooseText ? [...WINDOW_KEYS, 'of'] : WINDOW_KEYS, 'options.windows');
  const { overlap = DEFAULT_OVERLAP, aggregate = defaults.aggregation, maxWindows, of = defaults.of } = windows;
  const aggregation = checkOneOf('options.windows.aggregate', aggregate, AGGREGATIONS);
  const most = maxWindows === undefined ? 0 : checkInteger('options.windows.maxWindows', maxWindows, 1, Infinity);
  return {
    ...text,
    run: {
      ...text.run,
      windows: checkOneOf('options.windows.of', of, ['text', 'textPair']),
      overlap: checkInteger('options.windows.overlap', overlap, 0, Infinity),
      maxWindows: aggregation === 'first' ? 1 : most,
    },
    onProgress,
    aggregation,
    windows: true,
  };
}

/** @internal 0 stands for no budget. */
export function resolveBudget(name: string, value: number | undefined): number {
  return value === undefined ? 0 : checkInteger(name, value, 1, Infinity);
}
