/**
 * What classify, predict, rank, tokenize and zero-shot give back, and how a row of logits becomes one of them.
 * One input gives one result and a list gives a list; no option changes a result's shape, but `logits`, `windows` and
 * `document` are there only on request.
 */
import { EncoderError } from '../errors';
import { activate } from './activations';
import type { Activation, PairActivation } from './activations';
import type { WindowAggregation } from './text-options';
import { aggregate } from './windows';
import type { OutputRow, RankedWindow, TextWindow } from './windows';

/** A label with its score. */
export interface LabelScore<Label extends string = string> {
  readonly label: Label;
  /** 0 to 1 after softmax or sigmoid, any finite number with activation `none`. */
  readonly score: number;
}

/** The answer for one text. */
export interface Classification<Label extends string = string> {
  /** The label with the highest score; on a tie the one that comes first in the model. */
  readonly label: Label;
  /** The score of `label`. */
  readonly score: number;
  /** Labels by falling score, equal scores in the model's order, cut to `topK` and to those that reach `threshold`. */
  readonly scores: readonly LabelScore<Label>[];
  /** Tokens that went through the model, special tokens included; of all windows together. */
  readonly tokens: number;
  /** True when the text had more tokens than the limit and the rest was dropped; of windows: when tokens are in none. */
  readonly truncated: boolean;
  /** What turned the logits into scores. */
  readonly activation: Activation;
  /**
   * f32[numLabels] in label order, before the activation; only with `logits: true`. Of windows: aggregated likewise.
   * JSON.stringify makes an object of a Float32Array: `Array.from(logits)` before it.
   */
  readonly logits?: Float32Array;
  /** The windows in the text's order; only with `windows`. */
  readonly windows?: readonly TextWindow<Label>[];
}

/** The answer for one pair of texts. */
export interface PairPrediction<Label extends string = string> {
  /** The label with the highest logit; on a tie the one that comes first in the model. */
  readonly label: Label;
  /** The score of `label`; for a model with one label, its only score. */
  readonly score: number;
  /** One score per label, in the model's label order (`info.labels`). */
  readonly scores: readonly number[];
  /** Tokens of both texts together, special tokens included. */
  readonly tokens: number;
  /** True when tokens of either text were dropped. */
  readonly truncated: boolean;
  /** What turned the logits into scores. */
  readonly activation: PairActivation;
  /**
   * f32[numLabels] in label order, before the activation; only with `logits: true`. Of windows: aggregated likewise.
   * JSON.stringify makes an object of a Float32Array: `Array.from(logits)` before it.
   */
  readonly logits?: Float32Array;
  /** The windows in the text's order; only with `windows`. */
  readonly windows?: readonly TextWindow<Label>[];
}

/** The answer of `ZeroShotClassifier.classify` for one text. */
export interface ZeroShotClassification<Label extends string = string> {
  /** The label with the highest score. */
  readonly label: Label;
  /** The score of `label`. */
  readonly score: number;
  /** The candidates by falling score; of equal scores the later candidate is first, as in transformers. */
  readonly labels: readonly Label[];
  /** 0 to 1, `scores[i]` belongs to `labels[i]`. They add up to 1 unless each label was scored on its own. */
  readonly scores: readonly number[];
  /** Tokens that went through the model for all candidates together, special tokens included. */
  readonly tokens: number;
  /** True when tokens of the text were dropped for at least one candidate. */
  readonly truncated: boolean;
}

/** One document of a ranking. */
export interface RankedDocument {
  /** Place of the document in the list that was passed in. */
  readonly index: number;
  /** 0 to 1 after a sigmoid, which most rerankers have; any finite number with activation `none`. */
  readonly score: number;
  /** Tokens of query and document together, special tokens included; of a model that reads lists those of the document. */
  readonly tokens: number;
  /** True when tokens of the query or the document were dropped. */
  readonly truncated: boolean;
  /** The document's text; only with `returnDocuments: true`. */
  readonly document?: string;
  /** The windows in the document's order; only with `windows`. */
  readonly windows?: readonly RankedWindow[];
}

/** The tokens of one text or pair as the model sees them. */
export interface Tokenization {
  /** i32[n], special tokens included. */
  readonly ids: Int32Array;
  /** i32[n], 0 for the first text and 1 for the second where the model tells them apart. */
  readonly typeIds: Int32Array;
  /** True when tokens were dropped to keep within the limit. */
  readonly truncated: boolean;
}

/** @internal */
export function toClassification<Label extends string>(
  row: OutputRow,
  labels: readonly Label[],
  options: ScoreOptions<Activation> & { topK: number; threshold: number },
): Classification<Label> {
  const scored = scoresOf(row, options).map((score, index) => ({ label: at(labels, index), score }));
  // Array.prototype.sort is stable, so equal scores stay in the model's order.
  scored.sort((a, b) => b.score - a.score);
  const best = at(scored, 0);
  const listed = scored.filter(({ score }) => score >= options.threshold);
  return {
    label: best.label,
    score: best.score,
    scores: listed.length > options.topK ? listed.slice(0, options.topK) : listed,
    tokens: row.tokens,
    truncated: row.truncated,
    activation: options.activation,
    ...extras(row, labels, options),
  };
}

/** @internal */
export function toPairPrediction<Label extends string>(
  row: OutputRow,
  labels: readonly Label[],
  options: ScoreOptions<PairActivation>,
): PairPrediction<Label> {
  const scores = scoresOf(row, options);
  // Of logits, since an activation may make neighbours equal; windows have no logits in common.
  const best = indexOfMaximum(row.logits.length === 1 ? at(row.logits, 0) : scores);
  return {
    label: at(labels, best),
    score: at(scores, best),
    scores,
    tokens: row.tokens,
    truncated: row.truncated,
    activation: options.activation,
    ...extras(row, labels, options),
  };
}

/** How logits become what a caller sees. */
interface ScoreOptions<Chosen extends PairActivation> {
  readonly activation: Chosen;
  readonly aggregation: WindowAggregation;
  readonly logits: boolean;
}

function scoresOf(
  row: OutputRow,
  { activation, aggregation }: Pick<ScoreOptions<PairActivation>, 'activation' | 'aggregation'>,
): number[] {
  const scores = row.logits.map((logits) => activate(logits, activation));
  return scores.length === 1 ? at(scores, 0) : aggregate(scores, aggregation);
}

/** What a result has on request only. */
function extras<Label extends string>(
  row: OutputRow,
  labels: readonly Label[],
  { activation, aggregation, logits }: ScoreOptions<PairActivation>,
): { logits?: Float32Array; windows?: TextWindow<Label>[] } {
  const windows = row.spans?.map((span, place) => {
    const scores = activate(at(row.logits, place), activation);
    const best = indexOfMaximum(at(row.logits, place));
    return { ...span, label: at(labels, best), score: at(scores, best), scores };
  });
  return {
    ...(logits ? { logits: Float32Array.from(aggregate(row.logits, aggregation)) } : {}),
    ...(windows === undefined ? {} : { windows }),
  };
}

/**
 * @internal Documents by falling score of one label, equal scores in the order they came.
 *
 * @param rows one per document.
 */
export function toRanking(
  rows: readonly OutputRow[],
  documents: readonly string[],
  options: {
    labelIndex: number;
    activation: PairActivation;
    aggregation: WindowAggregation;
    topK: number;
    returnDocuments: boolean;
  },
): RankedDocument[] {
  const { labelIndex, activation } = options;
  const ranked = rows.map((row, index): RankedDocument => {
    const windows = row.spans?.map((span, place) => ({
      ...span,
      score: at(activate(at(row.logits, place), activation), labelIndex),
    }));
    return {
      index,
      score: at(scoresOf(row, options), labelIndex),
      tokens: row.tokens,
      truncated: row.truncated,
      ...(options.returnDocuments ? { document: at(documents, index) } : {}),
      ...(windows === undefined ? {} : { windows }),
    };
  });
  ranked.sort((a, b) => b.score - a.score);
  return ranked.length > options.topK ? ranked.slice(0, options.topK) : ranked;
}

/**
 * @internal transformers' rule. One label, or each on its own: a softmax over contradiction and entailment. Several:
 * a softmax over their entailments. Contradiction is the first logit, or the last where entailment is the first.
 *
 * @param rows one per label.
 */
export function toZeroShotClassification<Label extends string>(
  rows: readonly OutputRow[],
  labels: readonly Label[],
  options: { entailmentId: number; multiLabel: boolean; aggregation: WindowAggregation },
): ZeroShotClassification<Label> {
  const { entailmentId } = options;
  const margins = rows.map((row) => entailmentOf(row, entailmentId, options.aggregation));
  const alone = ({ contradiction, entailment }: Entailment): number =>
    at(activate(Float32Array.of(contradiction, entailment), 'softmax'), 1);
  const together = (): number[] =>
    activate(
      Float32Array.from(margins, ({ entailment }) => entailment),
      'softmax',
    );
  const scores = options.multiLabel || labels.length === 1 ? margins.map(alone) : together();
  return {
    ...orderLabels(labels, scores),
    tokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
    truncated: rows.some(({ truncated }) => truncated),
  };
}

/** @internal The same from the logits that a model gave the labels themselves. */
export function toLabelClassification<Label extends string>(
  row: OutputRow,
  labels: readonly Label[],
  options: { multiLabel: boolean; aggregation: WindowAggregation },
): ZeroShotClassification<Label> {
  const logits = Float32Array.from(aggregate(row.logits, options.aggregation));
  const isAlone = options.multiLabel || labels.length === 1;
  const { tokens, truncated } = row;
  return { ...orderLabels(labels, activate(logits, isAlone ? 'sigmoid' : 'softmax')), tokens, truncated };
}

/** The best label first. */
function orderLabels<Label extends string>(labels: readonly Label[], scores: readonly number[]) {
  const order = scores.map((_, index) => index).sort((a, b) => at(scores, b) - at(scores, a) || b - a);
  const sortedLabels = order.map((index) => at(labels, index));
  const sortedScores = order.map((index) => at(scores, index));
  return {
    label: only(sortedLabels),
    score: only(sortedScores),
    labels: sortedLabels,
    scores: sortedScores,
  };
}

/** The two logits that zero-shot reads. */
interface Entailment {
  readonly contradiction: number;
  readonly entailment: number;
}

/** Of several windows: their mean, or those of the window that entails the hypothesis most. */
function entailmentOf(row: OutputRow, entailmentId: number, aggregation: WindowAggregation): Entailment {
  const windows = row.logits.map((logits): Entailment => ({
    contradiction: at(logits, entailmentId === 0 ? logits.length - 1 : 0),
    entailment: at(logits, entailmentId),
  }));
  if (aggregation === 'mean') {
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      contradiction: mean(windows.map(({ contradiction }) => contradiction)),
      entailment: mean(windows.map(({ entailment }) => entailment)),
    };
  }
  const margin = ({ contradiction, entailment }: Entailment): number => entailment - contradiction;
  return windows.reduce((best, window) => (margin(window) > margin(best) ? window : best));
}

/** @internal A score made of NaN would still sort somewhere, so it is an error and not a rank. */
export function assertFinite(logits: Float32Array, input: number): void {
  const index = logits.findIndex((logit) => !Number.isFinite(logit));
  if (index >= 0) {
    throw new EncoderError(
      'weights_not_finite',
      `the model's output for input ${input} is ${logits[index]} at label ${index}; the checkpoint is damaged or ` +
        'overflows in its tensor type: convert it again with type "f32" and check the source',
    );
  }
}

/** @internal The answer to a call with one input. */
export function only<Result>(results: readonly Result[]): Result {
  return at(results, 0);
}

function indexOfMaximum(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if (at(values, index) > at(values, best)) best = index;
  }
  return best;
}

function at<Value>(values: ArrayLike<Value>, index: number): Value {
  const value = values[index];
  if (value === undefined) throw new EncoderError('internal', `no value at ${index} of ${values.length}`);
  return value;
}
