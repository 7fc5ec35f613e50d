/** Receiver operating characteristic of one class against the rest. */

/** Shares of the rest and of the class that have at least some score. */
export interface RocPoint {
  readonly falsePositives: number;
  readonly truePositives: number;
}

/**
 * The share of pairs, one example of the class and one of the rest, in which the class has the higher score; ties count
 * half. null where there is no such pair.
 *
 * @param isOfClass 1 or 0 per example.
 */
export function rocAuc(isOfClass: Int32Array, scores: Float64Array): number | null {
  const numPositive = isOfClass.reduce((total, value) => total + value, 0);
  const numNegative = isOfClass.length - numPositive;
  if (numPositive === 0 || numNegative === 0) return null;
  let area = 0;
  let above = 0;
  forEachScore(isOfClass, scores, (positives, negatives) => {
    area += negatives * (above + positives / 2);
    above += positives;
  });
  return area / (numPositive * numNegative);
}

/** More points than a chart can show are thinned out to about this many. */
const MAX_POINTS = 400;

/** From (0, 0) to (1, 1); empty where there is no curve. */
export function rocCurve(isOfClass: Int32Array, scores: Float64Array): RocPoint[] {
  const numPositive = isOfClass.reduce((total, value) => total + value, 0);
  const numNegative = isOfClass.length - numPositive;
  if (numPositive === 0 || numNegative === 0) return [];
  const points = [{ falsePositives: 0, truePositives: 0 }];
  let positivesAbove = 0;
  let negativesAbove = 0;
  forEachScore(isOfClass, scores, (positives, negatives) => {
    positivesAbove += positives;
    negativesAbove += negatives;
    points.push({ falsePositives: negativesAbove / numNegative, truePositives: positivesAbove / numPositive });
  });
  const step = Math.ceil(points.length / MAX_POINTS);
  return points.filter((_, index) => index % step === 0 || index === points.length - 1);
}

/** Calls back with the number of examples of the class and of the rest at each score, from the highest down. */
function forEachScore(
  isOfClass: Int32Array,
  scores: Float64Array,
  visit: (positives: number, negatives: number) => void,
): void {
  const scoreOf = (example: number | undefined): number => scores[example ?? -1] ?? NaN;
  const order = Uint32Array.from(scores, (_, example) => example).sort((a, b) => scoreOf(b) - scoreOf(a));
  let start = 0;
  while (start < order.length) {
    const score = scoreOf(order[start]);
    let end = start;
    let positives = 0;
    for (; end < order.length && scoreOf(order[end]) === score; end++) positives += isOfClass[order[end] ?? -1] ?? 0;
    visit(positives, end - start - positives);
    start = end;
  }
}
