/** What tests of models that read their labels compare with: logits of a reference made scores, and calls that tell apart. */
import { expect } from 'vitest';

/** The reference's answer to each text of a call. */
interface Call {
  readonly labels: readonly string[];
  readonly rows: readonly { readonly logits: readonly number[] }[];
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power);
  return powers.map((power) => power / sum);
}

/** One logit for each label from those of all windows, `rows`. */
export function overWindows(rows: readonly (readonly number[])[], aggregate: 'max' | 'mean' | 'first'): number[] {
  return rows[0]!.map((firstOne, label) => {
    const values = rows.map((row) => row[label]!);
    if (aggregate === 'max') return Math.max(...values);
    if (aggregate === 'first') return firstOne;
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}

/** Texts differ in each label, and labels in some text: else comparing scores would show nothing. */
export function expectToTellApart(calls: readonly Call[]): void {
  for (const { labels, rows } of calls) {
    const scores = rows.map(({ logits }) => logits.map(sigmoid));
    for (const label of labels.keys()) {
      const column = scores.map((row) => row[label]!);
      expect(Math.max(...column) - Math.min(...column), `${labels[label]}`).toBeGreaterThan(0.005);
    }
    const spreads = scores.map((row) => Math.max(...row) - Math.min(...row));
    if (labels.length > 1) expect(Math.max(...spreads)).toBeGreaterThan(0.005);
  }
}
