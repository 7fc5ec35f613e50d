/**
 * How well one score tells yes from no, a reranker's on pairs that are relevant or not: the numbers of scikit-learn, and
 * those of sentence-transformers' CrossEncoderClassificationEvaluator. test/fixtures/evaluation/binary holds both.
 */
import { averagePrecision, bestAccuracy, bestF1, precisionRecallCurve } from './precision-recall';
import type { BestAccuracy, BestF1, PrecisionRecallPoint } from './precision-recall';
import { Ranking } from './ranking';
import { rocAuc, rocCurve } from './roc';
import type { RocPoint } from './roc';

export interface BinaryMetrics {
  readonly examples: number;
  /** Examples that are a yes. */
  readonly positives: number;
  /** null where all or none of the examples are a yes. */
  readonly rocAuc: number | null;
  /** 0 where none of the examples is a yes. */
  readonly averagePrecision: number;
  /** The best threshold on these examples. */
  readonly bestAccuracy: BestAccuracy;
  /** null where none of the examples is a yes. */
  readonly bestF1: BestF1 | null;
  readonly rocCurve: readonly RocPoint[];
  readonly precisionRecallCurve: readonly PrecisionRecallPoint[];
}

/** @param isYes 1 or 0 per example, at least one. */
export function binaryMetrics(isYes: Uint8Array, scores: Float64Array): BinaryMetrics {
  const ranking = new Ranking(isYes, scores);
  return {
    examples: isYes.length,
    positives: ranking.numPositive,
    rocAuc: rocAuc(ranking),
    averagePrecision: averagePrecision(ranking),
    bestAccuracy: bestAccuracy(ranking),
    bestF1: bestF1(ranking),
    rocCurve: rocCurve(ranking),
    precisionRecallCurve: precisionRecallCurve(ranking),
  };
}
