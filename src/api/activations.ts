/**
 * From logits to scores, by the rules of transformers' text-classification pipeline (classify) and of
 * sentence-transformers' CrossEncoder (predict, rank). f32 in, computed in double.
 */

/** How logits become scores; `none` leaves them as they are. */
export type Activation = 'softmax' | 'sigmoid' | 'none';

/** Activations of a cross-encoder; `tanh` because checkpoints can name it. */
export type PairActivation = Activation | 'tanh';

/** All values of Activation, for argument checks. */
export const ACTIVATIONS = ['softmax', 'sigmoid', 'none'] as const satisfies readonly Activation[];

/** All values of PairActivation, for argument checks. */
export const PAIR_ACTIVATIONS = ['softmax', 'sigmoid', 'tanh', 'none'] as const satisfies readonly PairActivation[];

/**
 * transformers' rule: regression keeps the logits, multi-label heads and heads of one label take a sigmoid, all others
 * a softmax. Regression is asked first: an STS head has one label and must stay raw.
 */
export function classificationActivation(problemType: string, numLabels: number): Activation {
  if (problemType === 'regression') return 'none';
  if (problemType === 'multi_label_classification' || numLabels === 1) return 'sigmoid';
  return 'softmax';
}

/**
 * sentence-transformers' rule: what the checkpoint names; else a sigmoid for one label and raw rows for several.
 *
 * @param named `activationFn` of the file, '' when the checkpoint names none.
 */
export function pairActivation(named: string, numLabels: number): PairActivation {
  if (named === 'identity' || named === 'none') return 'none';
  if (named === 'sigmoid' || named === 'tanh') return named;
  // A softmax over a single logit is 1 for every pair, which would hide the order of all documents.
  if (named === 'softmax' && numLabels > 1) return named;
  return numLabels === 1 ? 'sigmoid' : 'none';
}

/** Scores of one row of logits, in the same order. The logits must be finite. */
export function activate(logits: Float32Array, activation: PairActivation): number[] {
  switch (activation) {
    case 'softmax':
      return softmax(logits);
    case 'sigmoid':
      return Array.from(logits, sigmoid);
    case 'tanh':
      return Array.from(logits, Math.tanh);
    case 'none':
      return Array.from(logits);
  }
}

function softmax(logits: Float32Array): number[] {
  let max = -Infinity;
  for (const logit of logits) max = Math.max(max, logit);
  const scores: number[] = [];
  let total = 0;
  for (const logit of logits) {
    const score = Math.exp(logit - max);
    scores.push(score);
    total += score;
  }
  return scores.map((score) => score / total);
}

function sigmoid(logit: number): number {
  // The exponent is never positive, so nothing overflows for logits of either sign.
  const decay = Math.exp(-Math.abs(logit));
  return logit >= 0 ? 1 / (1 + decay) : decay / (1 + decay);
}
