/** Scores for pairs of texts and rankings of documents, as sentence-transformers' CrossEncoder computes them. */
import { pairActivation } from './activations';
import { checkString, invalidType, isList, outOfRange } from './arguments';
import { checkPairInput, isOnePair, pairColumns } from './inputs';
import type { InputColumns, PairInput } from './inputs';
import type { LoadOptions } from './load-options';
import type { ModelInfo } from './model-info';
import { resolvePredictOptions, resolveRankOptions, resolveTokenizeOptions } from './options';
import type { PredictOptions, RankOptions, ResolvedPredictOptions, TokenizeOptions } from './options';
import { streamResults } from './result-stream';
import { only, toPairPrediction, toRanking } from './results';
import type { PairPrediction, RankedDocument, Tokenization } from './results';
import { Session } from './session';

/**
 * A loaded cross-encoder: a reranker with one label, or a model such as NLI with several.
 *
 * @typeParam Label the label names, where they are known: `CrossEncoder.load<'entailment' | 'neutral'>(path)`.
 */
export class CrossEncoder<Label extends string = string> implements AsyncDisposable {
  /** Facts about the model and what it runs on. */
  readonly info: ModelInfo<Label>;
  readonly #session: Session;

  private constructor(session: Session) {
    const { facts } = session;
    this.#session = session;
    // The label type is the caller's statement about the file; the compiler cannot check it.
    const labels = facts.labels as readonly Label[];
    const activation = pairActivation(session.activationFn, facts.numLabels);
    this.info = Object.freeze({ ...facts, labels, activation });
  }

  /** @internal */
  static fromSession<Label extends string = string>(session: Session): CrossEncoder<Label> {
    return new CrossEncoder<Label>(session);
  }

  /**
   * Loads a model off the event loop.
   *
   * @param source a .gguf file, or a folder with a Hugging Face checkpoint, which is converted into the cache first.
   * @throws as `Classifier.load` does.
   */
  static async load<const Label extends string = string>(
    source: string,
    options: LoadOptions<Label> = {},
  ): Promise<CrossEncoder<Label>> {
    return new CrossEncoder<Label>(await Session.load(source, options));
  }

  /**
   * Scores one pair or many. One pair gives one result, a list gives a list in the same order.
   *
   * @param input `[text, textPair]` or `{ text, textPair }`, or a list of these. Two strings are one pair.
   * @throws TypeError or RangeError for wrong arguments; EncoderError with `input_invalid`, `limit_exceeded`,
   *   `weights_not_finite`, `model_disposed` or `aborted`.
   */
  predict(input: PairInput, options?: PredictOptions): Promise<PairPrediction<Label>>;
  predict(inputs: readonly PairInput[], options?: PredictOptions): Promise<PairPrediction<Label>[]>;
  async predict(
    input: PairInput | readonly PairInput[],
    options: PredictOptions = {},
  ): Promise<PairPrediction<Label> | PairPrediction<Label>[]> {
    const resolved = resolvePredictOptions(options, this.info);
    const one = isOnePair(input);
    const columns = one ? pairColumns([input], () => 'input') : pairColumns(input, (index) => `inputs[${index}]`);

    const results = await this.#predict(columns, resolved);
    return one ? only(results) : results;
  }

  /**
   * Scores the pairs of any iterable, results in the same order as they come; as `Classifier.classifyStream`.
   *
   * @throws TypeError or RangeError at once for wrong options; while iterating, errors as `predict`, after the results
   *   of the pairs before the one that failed.
   */
  predictStream(
    inputs: Iterable<PairInput> | AsyncIterable<PairInput>,
    options: PredictOptions = {},
  ): AsyncGenerator<PairPrediction<Label>, void, undefined> {
    const resolved = resolvePredictOptions(options, this.info);
    return streamResults(inputs, {
      check: checkPairInput,
      run: async (list, signal) =>
        this.#predict(
          pairColumns(list, () => 'input'),
          { ...resolved, signal },
        ),
      signal: resolved.signal,
    });
  }

  /**
   * Sorts documents by how well they answer a query, best first; equal scores keep the order of `documents`.
   *
   * @throws TypeError when the model has several labels and `label` names none, and for other wrong arguments;
   *   EncoderError as `predict`.
   */
  async rank(query: string, documents: readonly string[], options: RankOptions<Label> = {}): Promise<RankedDocument[]> {
    checkString('query', query);
    if (!isList<string>(documents)) throw invalidType('documents', 'an array of strings', documents);
    documents.forEach((document: unknown, index) => checkString(`documents[${index}]`, document));
    const resolved = resolveRankOptions(options, this.info);
    const labelIndex = this.#labelIndex(resolved.label);

    const columns = { texts: documents.map(() => query), pairs: documents };
    const rows = await this.#session.run(columns, resolved.run, resolved.signal);
    return toRanking(rows, documents, { ...resolved, labelIndex });
  }

  /**
   * The tokens that `predict` would send through the model, truncation included.
   *
   * @throws as `predict` does.
   */
  tokenize(input: PairInput, options?: TokenizeOptions): Promise<Tokenization>;
  tokenize(inputs: readonly PairInput[], options?: TokenizeOptions): Promise<Tokenization[]>;
  async tokenize(
    input: PairInput | readonly PairInput[],
    options: TokenizeOptions = {},
  ): Promise<Tokenization | Tokenization[]> {
    const { run, signal } = resolveTokenizeOptions(options, this.info.maxLength);
    const one = isOnePair(input);
    const columns = one ? pairColumns([input], () => 'input') : pairColumns(input, (index) => `inputs[${index}]`);

    const results = await this.#session.tokenize(columns, run, signal);
    return one ? only(results) : results;
  }

  /** Ends the model: waits for running calls, frees its memory. Later calls reject with `model_disposed`. Idempotent. */
  dispose(): Promise<void> {
    return this.#session.dispose();
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #predict(columns: InputColumns, options: ResolvedPredictOptions): Promise<PairPrediction<Label>[]> {
    const rows = await this.#session.run(columns, options.run, options.signal);
    return rows.map((row) => toPairPrediction(row, this.info.labels, options));
  }

  #labelIndex(label: string | undefined): number {
    const { labels, numLabels } = this.info;
    if (label === undefined) {
      if (numLabels === 1) return 0;
      const expected = `the label to rank by, because this model has ${numLabels}: ${labels.join(', ')}`;
      throw invalidType('options.label', expected, label);
    }
    const index = labels.findIndex((known) => known === label);
    if (index < 0) throw outOfRange('options.label', `one of ${labels.join(', ')}`, label);
    return index;
  }
}
