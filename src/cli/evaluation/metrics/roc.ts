/** Receiver operating characteristic of one class against the rest. */
import { thinned } from './ranking';
import type { Ranking } from './ranking';

/** Shares of the rest and of the class that have at least some score. */
export interface RocPoint {
  readonly falsePositives: number;
  readonly truePositives: number;
}

/**
 * The share of pairs, one example of the class and one of the rest, in which the class has the higher score; ties count
 * half. null where there is no such pair.
 */
export function rocAuc(ranking: Ranking): number | null {
  const { numPositive, numNegative } = ranking;
  if (numPositive === 0 || numNegative === 0) return null;
  let area = 0;
  let [before, passed] = [0, 0];
  ranking.forEachScore((positives, negatives) => {
    area += (negatives - passed) * ((before + positives) / 2);
    [before, passed] = [positives, negatives];
  });
  return area / (numPositive * numNegative);
}

/** From (0, 0) to (1, 1); empty where there is no curve. */
export function rocCurve(ranking: Ranking): RocPoint[] {
  const { numPositive, numNegative } = ranking;
  if (numPositive === 0 || numNegative === 0) return [];
  const points = [{ falsePositives: 0, truePositives: 0 }];
  ranking.forEachScore((positives, negatives) => {
    points.push({ falsePositives: negatives / numNegative, truePositives: positives / numPositive });
  });
  return thinned(points);
}
