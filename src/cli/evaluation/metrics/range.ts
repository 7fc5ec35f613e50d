/** Between what numbers lie. */

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** @param values at least one. */
export function rangeOf(values: Float64Array): Range {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) [min, max] = [Math.min(min, value), Math.max(max, value)];
  return { min, max, mean: mean(values) };
}

/** @param values at least one. */
export function mean(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
