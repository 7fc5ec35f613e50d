/** The task for a model, from what it is and what the command line says. */
import { UsageError } from '../../errors';
import type { PairActivation } from '../../../api/activations';
import type { Scorer } from '../scorer';
import { checkComparable, taskOf } from '../task';
import type { Task, TaskName } from '../task';
import { labelThresholds, oneThreshold } from '../thresholds';
import type { ThresholdFlag } from '../thresholds';
import { MultiLabelTask } from './multi-label';
import { OneScoreTask } from './one-score';
import type { OneScoreModel } from './one-score';
import { SingleLabelTask } from './single-label';

/** Values of the command's options; each is for some of the tasks only. */
export interface TaskFlags {
  readonly task?: TaskName;
  readonly threshold?: readonly ThresholdFlag[];
  readonly separator?: string;
  readonly activation?: PairActivation;
}

/** @throws EncoderError and UsageError for what cannot be measured, or is asked with options of another task. */
export function createTask(own: Scorer, other: Scorer | undefined, flags: TaskFlags): Task<unknown> {
  const { info } = own;
  const task = taskOf(info, flags.task);
  if (other !== undefined) checkComparable(info, other.info);
  const { threshold = [], separator, activation } = flags;
  const refuse = (option: string, value: unknown, tasks: string): void => {
    if (value !== undefined)
      throw new UsageError(`--${option} is for ${tasks}; ${info.path} is measured as ${task ?? 'one score'}`);
  };
  if (task !== 'multi-label') refuse('separator', separator, 'multi-label models');
  if (task === 'single-label' || task === 'multi-label') refuse('activation', activation, 'models with one label');
  if (task === 'single-label' || task === 'regression') {
    refuse('threshold', threshold[0], 'multi-label models and for --task binary');
  }

  if (task === 'single-label') return new SingleLabelTask(info, other?.info);
  if (task === 'multi-label') {
    const thresholds = labelThresholds(info.labels, threshold);
    return new MultiLabelTask(info, other?.info, { thresholds, separator: separator ?? ',' });
  }
  const model = (scorer: Scorer): OneScoreModel => ({
    path: scorer.info.path,
    activation: (ofPairs) => activation ?? scorer.activation(ofPairs),
  });
  const chosen = oneThreshold(threshold);
  // A threshold makes sense for yes and no alone.
  const oneScore = { task: task ?? (chosen === undefined ? undefined : 'binary'), threshold: chosen } as const;
  return new OneScoreTask(model(own), other && model(other), oneScore);
}
