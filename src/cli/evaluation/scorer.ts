/**
 * A loaded model as `evaluate` runs it: pairs through a model with one label as `predict` runs them, with its prompts,
 * and everything else as `classify` does.
 */
import { classificationActivation, pairActivation } from '../../api/activations';
import type { PairActivation } from '../../api/activations';
import { Classifier } from '../../api/classifier';
import type { ChatOptions } from '../../api/template-variables';
import { CrossEncoder } from '../../api/cross-encoder';
import type { ClassifierInput } from '../../api/classifier';
import type { LoadOptions } from '../../api/load-options';
import type { ModelFacts } from '../../api/model-info';
import { defaultModelPath } from '../../support/package-root';
import type { PredictOptions } from '../../api/options';
import { Session } from '../../api/session';
import { UsageError } from '../errors';
import { isPair } from './input/examples';

export interface Scored {
  readonly logits: Float32Array;
  readonly truncated: boolean;
}

/** A prompt stands before the first text of pairs through a model with one label. */
export type ScorerOptions = Pick<PredictOptions, 'specialTokens' | 'signal' | 'prompt' | 'promptName'> & ChatOptions;

export class Scorer {
  readonly info: ModelFacts;
  readonly #session: Session;
  readonly #classifier: Classifier;
  readonly #crossEncoder: CrossEncoder | undefined;

  private constructor(session: Session) {
    this.info = session.facts;
    this.#session = session;
    this.#classifier = Classifier.fromSession(session);
    this.#crossEncoder = session.facts.numLabels === 1 ? CrossEncoder.fromSession(session) : undefined;
  }

  /** @throws as `Classifier.load` does. */
  static async load(source: string | undefined, options: LoadOptions): Promise<Scorer> {
    return new Scorer(
      await Session.load(source ?? defaultModelPath, options, {}, { ranksDocuments: true, answersChats: true }),
    );
  }

  /** What makes scores of the logits by the model's own rule; a checkpoint for regression keeps them for pairs too. */
  activation(ofPairs: boolean): PairActivation {
    const { problemType, numLabels } = this.info;
    const { activationFn } = this.#session;
    const isRegression = problemType === 'regression' && activationFn === '';
    return ofPairs && this.#crossEncoder !== undefined && !isRegression
      ? pairActivation(activationFn, numLabels)
      : classificationActivation(problemType, numLabels);
  }

  /** The model reads all documents of a query at once. */
  get ranksLists(): boolean {
    return this.#session.list !== null;
  }

  /**
   * One row per input, in order. Inputs are all pairs or all texts where the model has one label.
   *
   * @param groups one for each input: pairs of the same one that stand behind each other are a query's documents.
   */
  async score(
    inputs: readonly ClassifierInput[],
    { templateVariables, ...options }: ScorerOptions,
    groups?: readonly number[],
  ): Promise<Scored[]> {
    if (groups !== undefined && this.ranksLists && inputs.every(isPair)) return this.#rank(inputs, options, groups);
    const results =
      this.#crossEncoder !== undefined && inputs.every(isPair)
        ? await this.#crossEncoder.predict(inputs, { ...options, logits: true })
        : await this.#classify(inputs, { templateVariables, ...options });
    return results.map(({ logits, truncated }) => ({ logits: logits ?? new Float32Array(), truncated }));
  }

  async #rank(
    pairs: readonly { text: string; textPair: string }[],
    options: ScorerOptions,
    groups: readonly number[],
  ): Promise<Scored[]> {
    const rows: Scored[] = [];
    for (let begin = 0, end = 0; begin < pairs.length; begin = end) {
      while (end < pairs.length && groups[end] === groups[begin]) end += 1;
      const documents = pairs.slice(begin, end).map(({ textPair }) => textPair);
      const ranked = await this.#crossEncoder!.rank(pairs[begin]!.text, documents, { ...options, activation: 'none' });
      for (const { index, score, truncated } of ranked) {
        rows[begin + index] = { logits: Float32Array.of(score), truncated };
      }
    }
    return rows;
  }

  async #classify(inputs: readonly ClassifierInput[], { prompt, promptName, ...options }: ScorerOptions) {
    if (prompt === undefined && promptName === undefined) {
      return this.#classifier.classify(inputs, { ...options, logits: true });
    }
    throw new UsageError(`a prompt is for pairs through a model with one label, which ${this.info.path} was not given`);
  }

  async dispose(): Promise<void> {
    return this.#session.dispose();
  }
}
