/**
 * How well one query's documents are ordered. NDCG and average precision are those of scikit-learn, the others those of
 * sentence-transformers; where scores are equal, those are the mean over all orders in which the equal ones could stand.
 * test/fixtures/evaluation/ranking holds their own numbers.
 */

/** Shares, 0 to 1. */
export interface RetrievalMetrics {
  /** Normalized discounted cumulative gain of the first k, each grade being a gain. */
  readonly ndcg: number;
  /** Reciprocal rank of the first relevant document, 0 when it is not among the first k. */
  readonly mrr: number;
  /** Average precision over all documents. */
  readonly map: number;
  /** Share of the relevant documents that are among the first k. */
  readonly recall: number;
  /** Whether one is. */
  readonly hitRate: number;
}

export interface Judgement {
  /** Documents that count as they stand at the top. */
  readonly k: number;
  /** The least grade of a relevant document; `undefined` for any above 0. */
  readonly relevanceLevel: number | undefined;
}

/** What sentence-transformers counts for a query of which nothing relevant was found. */
export const NOTHING_FOUND: RetrievalMetrics = { ndcg: 0, mrr: 0, map: 0, recall: 0, hitRate: 0 };

/**
 * A query without a relevant document counts 0.
 *
 * @param grades of one query's documents, at least 0.
 * @param scores as many; the highest stands first.
 */
export function retrievalMetrics(
  grades: ArrayLike<number>,
  scores: ArrayLike<number>,
  { k, relevanceLevel }: Judgement,
): RetrievalMetrics {
  const isRelevant = relevance(relevanceLevel);
  const total = Array.from(grades).filter(isRelevant).length;
  const order = Array.from(grades, (_, place) => place).sort((a, b) => scores[b]! - scores[a]!);
  let [dcg, mrr, map, found, hitRate, foundInAll] = [0, 0, 0, 0, 0, 0];
  for (let start = 0, end = 0; start < order.length; start = end) {
    let [gain, relevant] = [0, 0];
    for (; end < order.length && scores[order[end]!] === scores[order[start]!]; end++) {
      const grade = grades[order[end]!]!;
      gain += grade;
      relevant += Number(isRelevant(grade));
    }
    const size = end - start;
    dcg += (gain / size) * discounts(start, Math.min(end, k));
    found += (relevant / size) * Math.max(0, Math.min(end, k) - start);
    if (foundInAll === 0 && relevant > 0) {
      forFirstRelevant(size, relevant, (place, share) => {
        if (start + place > k) return;
        mrr += share / (start + place);
        hitRate += share;
      });
    }
    foundInAll += relevant;
    map += relevant * (foundInAll / end);
  }
  const share = (count: number): number => (total === 0 ? 0 : count / total);
  const ideal = Float64Array.from(grades).sort().reverse();
  const best = ideal.subarray(0, k).reduce((sum, grade, place) => sum + grade * discounts(place, place + 1), 0);
  // The shares of places add up to 1 but for the last digit.
  return {
    ndcg: best === 0 ? 0 : dcg / best,
    mrr,
    map: share(map),
    recall: share(found),
    hitRate: Math.min(1, hitRate),
  };
}

/** Whether a document of a grade is relevant. */
export function relevance(level: number | undefined): (grade: number) => boolean {
  return level === undefined ? (grade) => grade > 0 : (grade) => grade >= level;
}

/** What a gain of 1 counts at the places from `start` up to `end`, both from 0, together. */
function discounts(start: number, end: number): number {
  let sum = 0;
  for (let place = start; place < end; place++) sum += 1 / Math.log2(place + 2);
  return sum;
}

/** The places, from 1, at which the first of `relevant` documents among `size` equal ones may stand, with their shares. */
function forFirstRelevant(size: number, relevant: number, visit: (place: number, share: number) => void): void {
  let noneBefore = 1;
  for (let place = 1; noneBefore > 0; place++) {
    const share = relevant / (size - place + 1);
    visit(place, noneBefore * share);
    noneBefore *= 1 - share;
  }
}

/** The means over queries, at least one. */
export function meanRetrieval(queries: readonly RetrievalMetrics[]): RetrievalMetrics {
  const mean = (name: keyof RetrievalMetrics): number =>
    queries.reduce((sum, query) => sum + query[name], 0) / queries.length;
  return { ndcg: mean('ndcg'), mrr: mean('mrr'), map: mean('map'), recall: mean('recall'), hitRate: mean('hitRate') };
}

/** The metrics as they are called, with the key of each. */
export function namedMetrics(k: number): (readonly [string, keyof RetrievalMetrics])[] {
  return [
    [`NDCG@${k}`, 'ndcg'],
    [`MRR@${k}`, 'mrr'],
    ['MAP', 'map'],
    [`recall@${k}`, 'recall'],
    [`hit rate@${k}`, 'hitRate'],
  ];
}

/** Equal sums differ by as much when they are added in another order. */
const ROUNDING = 1e-12;

/** What an order gains over another in NDCG; 0 where there is none. */
export function ndcgGain({ ndcg }: RetrievalMetrics, base: RetrievalMetrics | null): number {
  const gain = base === null ? 0 : ndcg - base.ndcg;
  return Math.abs(gain) < ROUNDING ? 0 : gain;
}
