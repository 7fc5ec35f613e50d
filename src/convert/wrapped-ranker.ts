/**
 * OpenProvenceForSequenceClassification: any reranker of transformers' with a second head that marks the sentences to keep,
 * which is left out. Its configuration is nested, and its tensors stand under `ranking_model`, or bare.
 */
import { findArchitecture, isOfClass } from './architectures/index';
import type { Architecture } from './architectures/architecture';
import { ConfigReader } from './config';
import { MAX_LABELS, MAX_POSITIONS, MIN_LENGTH } from './limits';
import { NestedSource } from './readers/nested';
import type { TensorSource } from './readers/tensor-source';

export const WRAPPED_RANKER = 'OpenProvenceForSequenceClassification';
const RANKER = 'ranking_model.';
const DEFAULT_MAX_LENGTH = 512;
/** What the class sets anew, or does not look at: its score is the sigmoid of its one logit. */
const WITHOUT_EFFECT = ['architectures', 'id2label', 'label2id', 'problem_type', 'sentence_transformers'];

export interface WrappedRanker {
  readonly sourceClass: string;
  readonly architecture: Architecture;
  readonly config: ConfigReader;
  /** Tokens that its code cuts a pair to, whatever the tokenizer says. */
  readonly maxLength: number;
}

/** The reranker in the configuration of one that also prunes; undefined for every other class. */
export function wrappedRanker(config: ConfigReader): WrappedRanker | undefined {
  if (!isOfClass(config, WRAPPED_RANKER, 'open_provence')) return undefined;
  config.oneOf('mode', 'reranking_pruning', ['reranking_pruning']);
  const base = config.object('base_model_config');
  if (base === undefined) config.malformed('base_model_config is absent, without which the reranker is not known');
  const numLabels = config.integer('num_labels', 1, 1, MAX_LABELS);
  if (numLabels !== 1) config.unsupported(`num_labels is ${numLabels}; a reranker has one`);
  const kept = Object.entries(base).filter(([key]) => !WITHOUT_EFFECT.includes(key));
  const ranker = new ConfigReader({ ...Object.fromEntries(kept), num_labels: 1 }, `${config.path}, base_model_config`);
  const architecture = findArchitecture(ranker);
  if (architecture.scoresVocabulary !== undefined || architecture.list !== undefined) {
    ranker.unsupported(`a ${architecture.sourceClass} is no classifier`);
  }
  const maxLength = config.integer('max_length', DEFAULT_MAX_LENGTH, MIN_LENGTH, MAX_POSITIONS);
  return { sourceClass: WRAPPED_RANKER, architecture, config: ranker, maxLength };
}

export function rankerWeights(weights: TensorSource): TensorSource {
  const isNested = [...weights.names()].some((name) => name.startsWith(RANKER));
  return isNested ? new NestedSource(weights, RANKER) : weights;
}
