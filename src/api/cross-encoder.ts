/** Scores for pairs of texts and rankings of documents, as sentence-transformers' CrossEncoder computes them. */
import type { NativeRunOptions } from '../native/bindings';
import { checkOptions, checkString, invalidType, isList, outOfRange, wrongType } from '../support/arguments';
import { mapInTurns } from '../support/map-in-turns';
import { pairActivation } from './activations';
import { placePrompt } from './chat-template';
import { detachedMethod } from './detached';
import { checkPairInput, checkStrings, pairCall, pairColumns } from './inputs';
import type { InputColumns, PairInput } from './inputs';
import { LOAD_KEYS } from './load-options';
import type { LoadOptions } from './load-options';
import type { ModelInfo } from './model-info';
import { resolvePairTokenizeOptions, resolvePredictOptions, resolveRankOptions } from './options';
import type { PairTokenizeOptions, PredictOptions, RankOptions, ResolvedPredictOptions } from './options';
import { checkPromptLoadOptions } from './prompts';
import type { PromptLoadOptions, Prompts } from './prompts';
import { streamResults } from './result-stream';
import { only, toPairPrediction, toRanking } from './results';
import type { PairPrediction, RankedDocument, Tokenization } from './results';
import { Session, checkSession } from './session';

/** How to load a cross-encoder. */
export interface CrossEncoderLoadOptions<Label extends string = string> extends LoadOptions<Label>, PromptLoadOptions {}

/**
 * A loaded cross-encoder: a reranker with one label, or a model such as NLI with several.
 *
 * @typeParam Label the label names, where they are known: `CrossEncoder.load<'entailment' | 'neutral'>(path)`.
 */
export class CrossEncoder<Label extends string = string> implements AsyncDisposable {
  /** Facts about the model and what it runs on. */
  readonly info: ModelInfo<Label>;
  /** The model's named prompts; a prompt stands before the first text of every pair. */
  readonly prompts: Prompts;
  readonly #session: Session;

  private constructor(session: Session) {
    checkSession(session, 'CrossEncoder');
    const { facts } = session;
    this.#session = session;
    // The label type is the caller's statement about the file; the compiler cannot check it.
    const labels = facts.labels as readonly Label[];
    const activation = pairActivation(session.activationFn, facts.numLabels);
    this.info = Object.freeze({ ...facts, labels, activation });
    this.prompts = session.prompts;
    if (session.activationFn === 'softmax' && facts.numLabels === 1) {
      session.warn({
        code: 'softmax_of_one_label',
        message:
          'the checkpoint asks for a softmax, which is 1 for every pair where a model has one label; sigmoid is applied',
      });
    }
  }

  /** @internal */
  static fromSession<Label extends string = string>(session: Session): CrossEncoder<Label> {
    return new CrossEncoder<Label>(session);
  }

  /**
   * Loads a model off the event loop.
   *
   * @param source a .gguf file, a folder with a Hugging Face checkpoint, or `owner/name` on its Hub; the last two are converted
   *   into the cache first.
   * @throws as `Classifier.load` does.
   */
  static async load<const Label extends string = string>(
    source: string,
    options: CrossEncoderLoadOptions<Label> = {},
  ): Promise<CrossEncoder<Label>> {
    checkOptions(options, [...LOAD_KEYS, 'prompts', 'defaultPromptName']);
    const { prompts, defaultPromptName, ...loadOptions } = options;
    checkPromptLoadOptions({ prompts, defaultPromptName });
    const session = await Session.load(source, loadOptions, { prompts, defaultPromptName }, { ranksDocuments: true });
    return new CrossEncoder<Label>(session);
  }

  /**
   * Scores one pair or many. One pair gives one result, a list gives a list in the same order.
   *
   * @param input `[text, textPair]` or `{ text, textPair }`, or a list of these. Two strings are one pair.
   * @example
   * const { label, scores } = await nli.predict(['A man eats.', 'Somebody eats.'], { activation: 'softmax' });
   * @throws TypeError or RangeError for wrong arguments; EncoderError with `input_invalid`, `limit_exceeded`,
   *   `queue_full`, `weights_not_finite`, `model_disposed` or `aborted`.
   */
  predict(input: PairInput, options?: PredictOptions): Promise<PairPrediction<Label>>;
  predict(inputs: readonly PairInput[], options?: PredictOptions): Promise<PairPrediction<Label>[]>;
  predict(
    input: PairInput | readonly PairInput[],
    options?: PredictOptions,
  ): Promise<PairPrediction<Label> | PairPrediction<Label>[]>;
  async predict(
    input: PairInput | readonly PairInput[],
    options: PredictOptions = {},
  ): Promise<PairPrediction<Label> | PairPrediction<Label>[]> {
    CrossEncoder.#check(this, 'pair => crossEncoder.predict(pair)');
    const resolved = resolvePredictOptions(options, this.info, this.prompts);
    const { columns, many } = pairCall(input);

    const results = await this.#predict(columns, resolved);
    return many ? results : only(results);
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
    CrossEncoder.#check(this, 'pairs => crossEncoder.predictStream(pairs)');
    const resolved = resolvePredictOptions(options, this.info, this.prompts);
    return streamResults(inputs, {
      check: checkPairInput,
      run: async (list, signal) =>
        this.#predict(
          pairColumns(list, () => 'input'),
          { ...resolved, onProgress: undefined, signal },
          true,
        ),
      signal: resolved.signal,
      maxPerRun: this.#session.maxPerRun,
    });
  }

  /**
   * Sorts documents by how well they answer a query, best first; equal scores keep the order of `documents`.
   *
   * @throws TypeError when the model has several labels and `label` names none, and for other wrong arguments;
   *   EncoderError as `predict`.
   */
  async rank(query: string, documents: readonly string[], options: RankOptions<Label> = {}): Promise<RankedDocument[]> {
    CrossEncoder.#check(this, '(query, documents) => crossEncoder.rank(query, documents)');
    checkString('query', query);
    if (!isList<string>(documents)) throw invalidType('documents', 'an array of strings', documents);
    // A copy: the caller's list may change before the results are there.
    const texts = [...documents];
    const nameOf = (index: number): string => `documents[${index}]`;
    checkStrings(texts, nameOf);
    const resolved = resolveRankOptions(options, this.info, this.prompts);
    const labelIndex = this.#labelIndex(resolved.label);

    const { columns, run } = this.#withPrompt(
      { texts: texts.map(() => query), pairs: texts, nameOf },
      resolved.run,
      resolved.prompt,
    );
    const rows =
      this.#session.list === null
        ? await this.#session.run(columns, run, resolved)
        : await this.#session.runList(query, { texts, pairs: null, nameOf }, run, resolved);
    return toRanking(rows, texts, { ...resolved, labelIndex });
  }

  /**
   * The tokens that `predict` would send through the model, truncation included.
   *
   * @throws as `predict` does.
   */
  tokenize(input: PairInput, options?: PairTokenizeOptions): Promise<Tokenization>;
  tokenize(inputs: readonly PairInput[], options?: PairTokenizeOptions): Promise<Tokenization[]>;
  tokenize(
    input: PairInput | readonly PairInput[],
    options?: PairTokenizeOptions,
  ): Promise<Tokenization | Tokenization[]>;
  async tokenize(
    input: PairInput | readonly PairInput[],
    options: PairTokenizeOptions = {},
  ): Promise<Tokenization | Tokenization[]> {
    CrossEncoder.#check(this, 'pair => crossEncoder.tokenize(pair)');
    const resolved = resolvePairTokenizeOptions(options, this.info, this.prompts);
    const { columns: pairs, many } = pairCall(input);

    const { columns, run } = this.#withPrompt(pairs, resolved.run, resolved.prompt);
    const results = await this.#session.tokenize(columns, run, resolved.signal);
    return many ? results : only(results);
  }

  /**
   * Ends the model: waits for calls that run, frees its memory. Calls that wait for their turn and later ones reject with
   * `model_disposed`. Idempotent.
   */
  async dispose(): Promise<void> {
    CrossEncoder.#check(this, '() => crossEncoder.dispose()');
    await this.#session.dispose();
  }

  /** For `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    CrossEncoder.#check(this, '() => crossEncoder.dispose()');
    await this.#session.dispose();
  }

  /** Throws unless the method was called on a model of this class. */
  static #check(self: unknown, call: string): void {
    if (typeof self !== 'object' || self === null || !(#session in self))
      throw detachedMethod(self, 'CrossEncoder', call);
  }

  async #predict(
    pairs: InputColumns,
    options: ResolvedPredictOptions,
    waitForRoom = false,
  ): Promise<PairPrediction<Label>[]> {
    const { columns, run } = this.#withPrompt(pairs, options.run, options.prompt);
    const rows = await this.#session.run(columns, run, { ...options, waitForRoom });
    return mapInTurns(rows, (row) => toPairPrediction(row, this.info.labels, options));
  }

  #withPrompt(columns: InputColumns, run: NativeRunOptions, prompt: string) {
    return placePrompt(columns, run, prompt, this.#session.chatTemplate);
  }

  #labelIndex(label: string | undefined): number {
    const { labels, numLabels } = this.info;
    if (label === undefined) {
      if (numLabels === 1) return 0;
      throw wrongType(
        `options.label: name the label to rank by, since this model has ${numLabels}: ${labels.join(', ')}`,
      );
    }
    const index = labels.findIndex((known) => known === label);
    if (index < 0) throw outOfRange('options.label', `one of ${labels.join(', ')}`, label);
    return index;
  }
}
