/** Biases of scores by the bucket of a distance, as T5 introduced them and MPNet has them too. */

/** How distances between two tokens fall into buckets. */
export interface Buckets {
  readonly count: number;
  /** Distances from here on share a bucket. */
  readonly maxDistance: number;
  /** Half of the buckets are of tokens that follow; else all tokens that follow have the bucket of the token itself. */
  readonly isBidirectional: boolean;
}

/**
 * One row per head, one column per distance key - query from -reach up, from the checkpoint's table [buckets, heads].
 */
export function* expandBias(
  table: Float32Array,
  numHeads: number,
  reach: number,
  buckets: Buckets,
): Iterable<Float32Array> {
  const rows = Array.from({ length: 2 * reach + 1 }, (_, index) => bucketOf(index - reach, buckets));
  for (let head = 0; head < numHeads; head++) {
    yield Float32Array.from(rows, (bucket) => table[bucket * numHeads + head]!);
  }
}

/** The bucket of a distance: exact up to half of a direction's, then logarithmic; in float32 like torch. */
function bucketOf(distance: number, { count, maxDistance, isBidirectional }: Buckets): number {
  const available = isBidirectional ? Math.floor(count / 2) : count;
  const exact = Math.floor(available / 2);
  const first = isBidirectional && distance > 0 ? available : 0;
  const length = isBidirectional ? Math.abs(distance) : Math.max(-distance, 0);
  if (length < exact) return first + length;
  const ratio = Math.fround(Math.log(Math.fround(length / exact)));
  const share = Math.fround(ratio / Math.fround(Math.log(maxDistance / exact)));
  const scaled = Math.fround(share * (available - exact));
  return first + Math.min(exact + Math.trunc(scaled), available - 1);
}
