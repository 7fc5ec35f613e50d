/** Yes or no, from a score and a threshold. */
import { averagesOf } from './averages';
import type { Averages } from './averages';

export interface Decisions extends Averages {
  /** An example is taken for a yes with at least this score. */
  readonly threshold: number;
  readonly accuracy: number;
  /** `confusion[right][predicted]`, each 0 (no) or 1 (yes). */
  readonly confusion: readonly [readonly [number, number], readonly [number, number]];
}

/** @param isYes 1 or 0 per example, at least one. */
export function decide(isYes: Uint8Array, scores: Float64Array, threshold: number): Decisions {
  const confusion: [[number, number], [number, number]] = [
    [0, 0],
    [0, 0],
  ];
  scores.forEach((score, example) => {
    confusion[isYes[example] === 1 ? 1 : 0][score >= threshold ? 1 : 0] += 1;
  });
  const [[rejected, claimedWrong], [missed, hits]] = confusion;
  return {
    threshold,
    accuracy: (hits + rejected) / isYes.length,
    ...averagesOf(hits, hits + claimedWrong, hits + missed),
    confusion,
  };
}
