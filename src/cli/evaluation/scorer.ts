/**
 * A loaded model as `evaluate` runs it: pairs through a model with one label as `predict` runs them, with its prompts,
 * and everything else as `classify` does.
 */
import { classificationActivation, pairActivation } from '../../api/activations';
import type { PairActivation } from '../../api/activations';
import { Classifier } from '../../api/classifier';
import { CrossEncoder } from '../../api/cross-encoder';
import type { TextInput } from '../../api/inputs';
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
export type ScorerOptions = Pick<PredictOptions, 'specialTokens' | 'signal' | 'prompt' | 'promptName'>;

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
    return new Scorer(await Session.load(source ?? defaultModelPath, options, {}, { ranksLists: true }));
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

  /** One row per input, in order. Inputs are all pairs or all texts where the model has one label. */
  async score(inputs: readonly TextInput[], options: ScorerOptions): Promise<Scored[]> {
    const results =
      this.#crossEncoder !== undefined && inputs.every(isPair)
        ? await this.#crossEncoder.predict(inputs, { ...options, logits: true })
        : await this.#classify(inputs, options);
    return results.map(({ logits, truncated }) => ({ logits: logits ?? new Float32Array(), truncated }));
  }

  async #classify(inputs: readonly TextInput[], { prompt, promptName, ...options }: ScorerOptions) {
    if (prompt === undefined && promptName === undefined) {
      return this.#classifier.classify(inputs, { ...options, logits: true });
    }
    throw new UsageError(`a prompt is for pairs through a model with one label, which ${this.info.path} was not given`);
  }

  async dispose(): Promise<void> {
    return this.#session.dispose();
  }
}
