/** A text read in several windows, and how what the model says of each becomes one answer. */
import { EncoderError } from '../errors';
import type { NativeRunResult } from '../native/bindings';
import type { WindowAggregation } from './text-options';

/** Tokens [begin, end) of a text, special tokens not counted. */
export interface TextSpan {
  readonly begin: number;
  readonly end: number;
}

/** One window of a text. */
export interface TextWindow<Label extends string = string> extends TextSpan {
  /** The label with the highest score in this window. */
  readonly label: Label;
  /** The score of `label`. */
  readonly score: number;
  /** One score per label, in the model's label order. */
  readonly scores: readonly number[];
}

/** One window of a ranked document. */
export interface RankedWindow extends TextSpan {
  /** On the scale of the document's score. */
  readonly score: number;
}

/** @internal One input's share of a run. */
export interface OutputRow {
  /** f32[numLabels], one per window; exactly one without windows. */
  readonly logits: readonly Float32Array[];
  /** The windows' places, as many as `logits`; undefined without windows. */
  readonly spans: readonly TextSpan[] | undefined;
  readonly tokens: number;
  readonly truncated: boolean;
}

/** @internal The row of the input `index` of a native run. */
export function toOutputRow(result: NativeRunResult, index: number, numLabels: number): OutputRow {
  const { windowOffsets, windowBegins, windowEnds } = result;
  const rowAt = (place: number) => result.logits.subarray(place * numLabels, (place + 1) * numLabels);
  const tokens = result.tokens[index] ?? 0;
  const truncated = result.truncated[index] === 1;
  if (windowOffsets === undefined) return { logits: [rowAt(index)], spans: undefined, tokens, truncated };
  const first = windowOffsets[index] ?? 0;
  const places = Array.from({ length: (windowOffsets[index + 1] ?? first) - first }, (_, place) => first + place);
  const spans = places.map((place) => ({ begin: windowBegins?.[place] ?? 0, end: windowEnds?.[place] ?? 0 }));
  return { logits: places.map(rowAt), spans, tokens, truncated };
}

/** @internal One row from the rows of all windows; a single row stays as it is. */
export function aggregate(rows: readonly ArrayLike<number>[], aggregation: WindowAggregation): number[] {
  const [first] = rows;
  if (first === undefined) throw new EncoderError('internal', 'an input has no window');
  if (rows.length === 1 || aggregation === 'first') return Array.from(first);
  return Array.from(first, (_, label) => {
    const values = rows.map((row) => row[label] ?? NaN);
    // Not as arguments of one call: a text may have more windows than a call takes.
    if (aggregation === 'max') return values.reduce((max, value) => Math.max(max, value));
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}
