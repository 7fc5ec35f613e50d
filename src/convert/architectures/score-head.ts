/** The head of decoders as classifiers: logits = score(h[last token that is no pad]), without a bias. */
import type { ConfigReader } from '../config';
import type { EncoderHead } from './architecture';
import type { TensorPlanner } from './tensor-planner';

/** The pad token is passed over; there is none where neither the file nor the class has one, and where the file says null. */
export function scoreHead(config: ConfigReader, classPadToken = -1): EncoderHead {
  const id = config.json['pad_token_id'] === null ? -1 : config.integer('pad_token_id', classPadToken, -1, 2 ** 31 - 1);
  return { pooling: 'last', activation: 'none', ...(id < 0 ? {} : { padTokenId: id }) };
}

/** `prefix`: of the checkpoint's `score`, whose logits are divided by `divisor`. */
export function planScore(
  planner: TensorPlanner,
  prefix: string,
  numLabels: number,
  hiddenSize: number,
  divisor = 1,
): void {
  const shape = [numLabels, hiddenSize];
  if (divisor !== 1) {
    planner.computed('cls.output.weight', shape, [[`${prefix}score.weight`, shape]], ([rows]) => [
      rows!.map((value) => value / divisor),
    ]);
    return;
  }
  planner.headDense('cls.output', numLabels, hiddenSize, `${prefix}score`, false);
}
