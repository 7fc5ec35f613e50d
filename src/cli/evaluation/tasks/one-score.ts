/**
 * One score per example: a regression model's value, or a reranker's judgement of a pair. Where all right answers are 0
 * or 1 it is measured by how well it tells them apart, else by how far it is off and how well it follows.
 */
import { activate } from '../../../api/activations';
import type { PairActivation } from '../../../api/activations';
import { labelledText } from '../input/labelled-text';
import { targetValue } from '../input/target-value';
import { GrowingColumn } from '../metrics/growing-column';
import { LogitComparison } from '../logit-comparison';
import type { Findings, Task } from '../task';
import { binaryFindings } from './binary';
import { regressionFindings } from './regression';

export interface OneScoreOptions {
  /** undefined: what the right answers are. */
  readonly task: 'binary' | 'regression' | undefined;
  /** Of a binary task, besides the best ones. */
  readonly threshold: number | undefined;
}

/** A model's path, and what makes scores of its logits. */
export interface OneScoreModel {
  readonly path: string;
  activation(ofPairs: boolean): PairActivation;
}

/** One model's scores beside the right answers. */
export interface ScoredModel {
  readonly path: string;
  readonly activation: PairActivation;
  /** f64[examples] */
  readonly scores: Float64Array;
}

/** Everything that was collected. */
export interface ScoredExamples {
  /** f64[examples] */
  readonly values: Float64Array;
  readonly own: ScoredModel;
  readonly other: ScoredModel | undefined;
  readonly maxLogitDifference: number;
}

export class OneScoreTask implements Task<number> {
  readonly format;
  readonly needsAlike = true;
  readonly #options: OneScoreOptions;
  readonly #own: OneScoreModel;
  readonly #other: OneScoreModel | undefined;
  readonly #values = new GrowingColumn((length) => new Float64Array(length));
  readonly #scores = new GrowingColumn((length) => new Float64Array(length));
  readonly #otherScores = new GrowingColumn((length) => new Float64Array(length));
  readonly #compared = new LogitComparison();
  #arePairs = false;

  constructor(own: OneScoreModel, other: OneScoreModel | undefined, options: OneScoreOptions) {
    this.format = labelledText(targetValue(options.task === 'binary'));
    this.#own = own;
    this.#other = other;
    this.#options = options;
  }

  add(value: number, isPair: boolean, logits: Float32Array, otherLogits: Float32Array | undefined): void {
    this.#arePairs = isPair;
    this.#values.add([value]);
    this.#scores.add(activate(logits, this.#own.activation(isPair)));
    if (otherLogits === undefined || this.#other === undefined) return;
    this.#otherScores.add(activate(otherLogits, this.#other.activation(isPair)));
    this.#compared.add(logits, otherLogits);
  }

  finish(): Findings {
    const { task, threshold } = this.#options;
    const values = this.#values.values;
    const scored = (model: OneScoreModel, scores: Float64Array): ScoredModel => ({
      path: model.path,
      activation: model.activation(this.#arePairs),
      scores,
    });
    const examples: ScoredExamples = {
      values,
      own: scored(this.#own, this.#scores.values),
      other: this.#other && scored(this.#other, this.#otherScores.values),
      maxLogitDifference: this.#compared.maxDifference,
    };
    const isBinary = task === 'binary' || (task === undefined && values.every((value) => value === 0 || value === 1));
    return isBinary ? binaryFindings(examples, threshold) : regressionFindings(examples);
  }
}
