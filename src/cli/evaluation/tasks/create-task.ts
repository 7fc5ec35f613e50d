/** The task for a model, from what it is and what the command line says. */
import { UsageError } from '../../errors';
import type { PairActivation } from '../../../api/activations';
import type { ColumnTitles } from '../input/columns';
import type { Scorer } from '../scorer';
import { checkComparable, taskOf } from '../task';
import type { Task, TaskName } from '../task';
import { labelThresholds, oneThreshold } from '../thresholds';
import type { ThresholdFlag } from '../thresholds';
import { MultiLabelTask } from './multi-label';
import { RankingTask } from './ranking';
import { SeveralValuesTask } from './several-values';
import { OneScoreTask } from './one-score';
import type { OneScoreModel } from './one-score';
import { SingleLabelTask } from './single-label';

/** Values of the command's options; each is for some of the tasks only. */
export interface TaskFlags {
  readonly task?: TaskName;
  readonly threshold?: readonly ThresholdFlag[];
  readonly separator?: string;
  readonly activation?: PairActivation;
  readonly atK?: number;
  readonly relevanceLevel?: number;
  readonly perQuery?: string;
  readonly column?: ColumnTitles;
}

/** Of the first documents, as sentence-transformers counts. */
const DEFAULT_AT_K = 10;
const TEXT_COLUMNS: readonly string[] = ['text', 'text_pair', 'label'];

/** @throws EncoderError and UsageError for what cannot be measured, or is asked with options of another task. */
export function createTask(own: Scorer, other: Scorer | undefined, flags: TaskFlags): Task<unknown> {
  const { info } = own;
  const task = taskOf(info, flags.task);
  if (other !== undefined) checkComparable(info, other.info);
  const { threshold = [], separator, activation, atK, relevanceLevel, perQuery, column = {} } = flags;
  const isRanking = task === 'ranking';
  const refuse = (option: string, value: unknown, tasks: string): void => {
    if (value !== undefined)
      throw new UsageError(`--${option} is for ${tasks}; ${info.path} is measured as ${task ?? 'one score'}`);
  };
  if (task !== 'multi-label') refuse('separator', separator, 'multi-label models');
  if (info.numLabels > 1) refuse('activation', activation, 'models with one label');
  if (isRanking) refuse('activation', activation, 'scores; none changes their order');
  if (task === 'single-label' || task === 'regression' || isRanking) {
    refuse('threshold', threshold[0], 'multi-label models and for --task binary');
  }
  if (!isRanking) {
    const options = { 'at-k': atK, 'relevance-level': relevanceLevel, 'per-query': perQuery };
    for (const [option, value] of Object.entries(options)) refuse(option, value, '--task ranking');
    const title = Object.keys(column).find((name) => !TEXT_COLUMNS.includes(name));
    if (title !== undefined) refuse(`column ${title}`, title, '--task ranking');
  }

  if (task === 'single-label') return new SingleLabelTask(info, other?.info);
  if (isRanking) return new RankingTask(other?.info.path, { k: atK ?? DEFAULT_AT_K, relevanceLevel });
  if (task === 'regression' && info.numLabels > 1) return new SeveralValuesTask(info, other?.info);
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
