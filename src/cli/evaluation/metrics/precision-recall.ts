/** Precision against recall of one label, and the thresholds that serve it best. */
import { averagesOf } from './averages';
import type { Averages } from './averages';
import { thinned } from './ranking';
import type { Ranking } from './ranking';

/** Of the examples with at least some score: how many of those that are right, and the share that is right. */
export interface PrecisionRecallPoint {
  readonly recall: number;
  readonly precision: number;
}

/**
 * The mean of the precision over the recall, in steps and not interpolated. 0 where no example is positive, as
 * scikit-learn has it.
 */
export function averagePrecision(ranking: Ranking): number {
  if (ranking.numPositive === 0) return 0;
  let [total, before] = [0, 0];
  ranking.forEachScore((positives, negatives) => {
    total += (positives - before) * (positives / (positives + negatives));
    before = positives;
  });
  return total / ranking.numPositive;
}

/** By rising recall; empty where no example is positive. */
export function precisionRecallCurve(ranking: Ranking): PrecisionRecallPoint[] {
  const { numPositive } = ranking;
  if (numPositive === 0) return [];
  const points: PrecisionRecallPoint[] = [];
  ranking.forEachScore((positives, negatives) => {
    points.push({ recall: positives / numPositive, precision: positives / (positives + negatives) });
  });
  return thinned(points);
}

export interface BestF1 extends Averages {
  readonly threshold: number;
}

export interface BestAccuracy {
  readonly accuracy: number;
  readonly threshold: number;
}

/** The threshold with the highest F1, the highest of several; null where no example is positive. */
export function bestF1(ranking: Ranking): BestF1 | null {
  const { numPositive } = ranking;
  if (numPositive === 0) return null;
  const averages = (hits: number, misses: number): Averages => averagesOf(hits, hits + misses, numPositive);
  const best = bestThreshold(ranking, (hits, misses) => averages(hits, misses).f1);
  return { threshold: best.threshold, ...averages(best.hits, best.misses) };
}

/** The threshold with the highest share of right decisions, the highest of several. */
export function bestAccuracy(ranking: Ranking): BestAccuracy {
  const { numPositive, numNegative } = ranking;
  const { threshold, value } = bestThreshold(ranking, (hits, misses) => hits + numNegative - misses);
  return { accuracy: value / (numPositive + numNegative), threshold };
}

/**
 * Over all thresholds that let at least one example pass. Equal scores pass together; the threshold stands halfway
 * between the lowest score that passes and the highest that does not, as in sentence-transformers, and is the lowest
 * score where all pass.
 *
 * @param valueOf what a threshold is worth that lets as many positive and negative examples pass.
 */
function bestThreshold(ranking: Ranking, valueOf: (hits: number, misses: number) => number) {
  const best = { threshold: NaN, value: -Infinity, hits: 0, misses: 0 };
  let isLast = false;
  ranking.forEachScore((hits, misses, score) => {
    if (isLast) best.threshold = between(best.threshold, score);
    const value = valueOf(hits, misses);
    isLast = value > best.value;
    if (isLast) Object.assign(best, { threshold: score, value, hits, misses });
  });
  return best;
}

/** The middle, unless it is rounded to the lower of two neighbours. */
function between(higher: number, lower: number): number {
  const middle = (higher + lower) / 2;
  return middle > lower ? middle : higher;
}
