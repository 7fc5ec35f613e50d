/** What a model is measured at, and what every kind of measurement has in common. */
import { EncoderError } from '../../errors';
import { UsageError } from '../errors';
import type { ModelFacts } from '../../api/model-info';
import type { Paint } from '../style';
import type { TargetFormat } from './input/target-format';

/** `binary` and `regression` are for models with one label. */
export const TASKS = ['single-label', 'multi-label', 'binary', 'regression'] as const;

export type TaskName = (typeof TASKS)[number];

/** A measurement under way: takes answers as they come, and says at the end what they are worth. */
export interface Task<Target> {
  readonly format: TargetFormat<Target>;
  /** All inputs must be pairs, or none. */
  readonly needsAlike: boolean;
  /** @param otherLogits those of the second model, where there is one. */
  add(target: Target, isPair: boolean, logits: Float32Array, otherLogits: Float32Array | undefined): void;
  /** After at least one example. */
  finish(): Findings;
}

/** What was found, in the forms that it is shown in. */
export interface Findings {
  /** What stands in the JSON line after the model and the examples (docs/cli.md). */
  readonly line: Readonly<Record<string, unknown>>;
  /** For people: names and numbers that stand on top. */
  readonly summary: readonly (readonly [string, string])[];
  /** For people: the lines below. */
  details(paint: Paint): string[];
  /** The report's parts, as markup. */
  sections(): string[];
  /** What the report's footer says about the numbers. */
  readonly note: string;
}

/**
 * The task that a model is for. `undefined`: one score, which is binary where all right answers are 0 or 1.
 *
 * @throws EncoderError `architecture_unsupported` and UsageError where the model cannot be measured at the task.
 */
export function taskOf(
  { path, problemType, numLabels }: ModelFacts,
  asked: TaskName | undefined,
): TaskName | undefined {
  if (numLabels > 1 && problemType === 'regression') {
    const message = `evaluate measures one value; ${path} is a regression model with ${numLabels}`;
    throw new EncoderError('architecture_unsupported', message);
  }
  const isForOneLabel = asked === 'binary' || asked === 'regression';
  if (asked !== undefined && isForOneLabel !== (numLabels === 1)) {
    const labels = numLabels === 1 ? 'one label' : `${numLabels} labels`;
    const possible = numLabels === 1 ? 'binary or regression' : 'single-label or multi-label';
    throw new UsageError(`--task ${asked} is not for a model with ${labels}, as ${path} is; ${possible} is`);
  }
  if (asked !== undefined) return asked;
  if (numLabels === 1) return problemType === 'regression' ? 'regression' : undefined;
  return problemType === 'multi_label_classification' ? 'multi-label' : 'single-label';
}

/** Fails for a second model whose logits stand for something else. */
export function checkComparable(own: ModelFacts, other: ModelFacts): void {
  if (own.numLabels === 1 && other.numLabels === 1) return;
  if (other.labels.join('\n') === own.labels.join('\n')) return;
  const [ours, theirs] = [own, other].map(({ labels }) => labels.join(', '));
  throw new UsageError(`models with different labels cannot be compared: ${ours} and ${theirs}`);
}
