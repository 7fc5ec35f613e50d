/** What a model is measured at, and what every kind of measurement has in common. */
import { UsageError } from '../errors';
import type { ModelFacts } from '../../api/model-info';
import type { Paint } from '../style';
import type { RecordFormat } from './input/record-format';

/** `binary` and `ranking` are for models with one label, `regression` also for regression models with several. */
export const TASKS = ['single-label', 'multi-label', 'binary', 'regression', 'ranking'] as const;

export type TaskName = (typeof TASKS)[number];

/** A measurement under way: takes answers as they come, and says at the end what they are worth. */
export interface Task<Target> {
  readonly format: RecordFormat<Target>;
  /** All inputs must be pairs, or none. */
  readonly needsAlike: boolean;
  /** Examples of the same group that stand behind each other are read together by models that read lists. */
  groupOf?(target: Target): number;
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
  /** What `--per-query` writes, a line each; absent where the task knows no queries. */
  readonly rows?: () => readonly Readonly<Record<string, unknown>>[];
  /** What the report's footer says about the numbers. */
  readonly note: string;
}

/**
 * The task that a model is for. `undefined`: one score, which is binary where all right answers are 0 or 1.
 *
 * @throws UsageError where the model cannot be measured at the task.
 */
export function taskOf(
  { path, problemType, numLabels }: ModelFacts,
  asked: TaskName | undefined,
): TaskName | undefined {
  const isRegression = problemType === 'regression';
  if (asked === 'ranking' && numLabels > 1) {
    throw new UsageError(
      `--task ranking is for rerankers, which have one label; ${path} has ${numLabels} (-m names another)`,
    );
  }
  if (asked !== undefined && !possibleTasks(numLabels, isRegression).includes(asked)) {
    const values = isRegression && numLabels > 1;
    const labels = numLabels === 1 ? 'one label' : values ? `${numLabels} values` : `${numLabels} labels`;
    const possible = possibleTasks(numLabels, isRegression).join(' or ');
    throw new UsageError(`--task ${asked} is not for a model with ${labels}, as ${path} is; ${possible} is`);
  }
  if (asked !== undefined) return asked;
  if (isRegression) return 'regression';
  if (numLabels === 1) return undefined;
  return problemType === 'multi_label_classification' ? 'multi-label' : 'single-label';
}

function possibleTasks(numLabels: number, isRegression: boolean): readonly TaskName[] {
  if (numLabels === 1) return ['binary', 'regression', 'ranking'];
  return isRegression ? ['regression'] : ['single-label', 'multi-label'];
}

/** Fails for a second model whose logits stand for something else. */
export function checkComparable(own: ModelFacts, other: ModelFacts): void {
  if (own.numLabels === 1 && other.numLabels === 1) return;
  if (other.labels.join('\n') === own.labels.join('\n')) return;
  const [ours, theirs] = [own, other].map(({ labels }) => labels.join(', '));
  throw new UsageError(`models with different labels cannot be compared: ${ours} and ${theirs}`);
}
