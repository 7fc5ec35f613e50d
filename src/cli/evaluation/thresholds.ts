/** `--threshold`: one score for all labels, or one for a label. */
import { InvalidArgumentError } from 'commander';

import { UsageError } from '../errors';
import { parseNumber } from '../model-options';
import { named } from './input/label-place';

export interface ThresholdFlag {
  /** undefined: for all labels. */
  readonly label: string | undefined;
  readonly score: number;
}

const DEFAULT_THRESHOLD = 0.5;

/** Adds `0.5`, or `toxic=0.3`, to those before it; a label may hold a "=". */
export function parseThreshold(value: string, before: readonly ThresholdFlag[] = []): ThresholdFlag[] {
  const end = value.lastIndexOf('=');
  const label = end < 0 ? undefined : value.slice(0, end);
  if (label === '') throw new InvalidArgumentError('It must be a number, or label=number.');
  return [...before, { label, score: parseNumber(value.slice(end + 1)) }];
}

/** One threshold per label; one that names its label wins over one for all. */
export function labelThresholds(labels: readonly string[], flags: readonly ThresholdFlag[]): number[] {
  for (const { label, score } of flags) {
    if (label !== undefined && !labels.includes(label)) {
      throw new UsageError(`--threshold ${label}=${score}: the model's labels are ${named(labels)}`);
    }
    if (score < 0 || score > 1) {
      throw new UsageError(`--threshold ${score}: the scores of a multi-label model go from 0 to 1`);
    }
  }
  const last = (name: string | undefined): number | undefined => flags.findLast(({ label }) => label === name)?.score;
  return labels.map((label) => last(label) ?? last(undefined) ?? DEFAULT_THRESHOLD);
}

/** The threshold of a model with one score, where there is one. */
export function oneThreshold(flags: readonly ThresholdFlag[]): number | undefined {
  const withLabel = flags.find(({ label }) => label !== undefined);
  if (withLabel === undefined) return flags.at(-1)?.score;
  throw new UsageError(
    `--threshold ${withLabel.label}=${withLabel.score}: the model has one score; give the number alone`,
  );
}
