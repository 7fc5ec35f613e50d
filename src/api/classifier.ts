/** Text classification: one text or pair in, labels with scores out, as transformers' pipeline computes them. */
import { classificationActivation } from './activations';
import type { Activation } from './activations';
import { detachedMethod } from './detached';
import { chatColumns, checkChat, isChat } from './chats';
import type { ChatInput } from './chats';
import { checkTextInput, inputList, textColumns } from './inputs';
import type { InputColumns, TextInput } from './inputs';
import type { LoadOptions } from './load-options';
import type { ModelInfo } from './model-info';
import { wrongValue } from '../support/arguments';
import { mapInTurns } from '../support/map-in-turns';
import { defaultModelPath } from '../support/package-root';
import { resolveClassifierTokenizeOptions, resolveClassifyOptions } from './options';
import type {
  ClassifierTokenizeOptions,
  ClassifyOptions,
  ModelDefaults,
  ResolvedChatOptions,
  ResolvedClassifyOptions,
} from './options';
import { streamResults } from './result-stream';
import { only, toClassification } from './results';
import type { Classification, Tokenization } from './results';
import { Session, checkSession } from './session';
import type { ResolvedTextOptions } from './text-options';

/** What a classifier reads: a text, a pair, or a chat. The inputs of one call are chats, or none of them is. */
export type ClassifierInput = TextInput | ChatInput;

/**
 * A loaded classifier. Calls may overlap; each gives the same numbers as it would alone.
 *
 * @typeParam Label the label names, where they are known: `Classifier.load<'World' | 'Sports'>(path)`.
 */
export class Classifier<Label extends string = string> implements AsyncDisposable {
  /** Facts about the model and what it runs on. */
  readonly info: ModelInfo<Label>;
  readonly #session: Session;
  readonly #defaults: ModelDefaults<Activation>;

  private constructor(session: Session) {
    checkSession(session, 'Classifier');
    const { facts } = session;
    this.#session = session;
    const { maxLength, truncationSide, numLabels } = facts;
    const activation = classificationActivation(facts.problemType, numLabels);
    this.#defaults = { maxLength, truncationSide, numLabels, activation };
    // The label type is the caller's statement about the file; the compiler cannot check it.
    const labels = facts.labels as readonly Label[];
    this.info = Object.freeze({ ...facts, labels, activation });
  }

  /** @internal */
  static fromSession<Label extends string = string>(session: Session): Classifier<Label> {
    return new Classifier<Label>(session);
  }

  /**
   * Loads a model off the event loop.
   *
   * @param source a .gguf file, a folder with a Hugging Face checkpoint, or `owner/name` on its Hub; the last two are converted
   *   into the cache first. The model that comes with the package when left out.
   * @throws TypeError or RangeError for wrong arguments; EncoderError with `model_not_found`, `gguf_malformed`,
   *   `device_unavailable`, `addon_missing`, `aborted`, or a code of the conversion.
   */
  static async load<const Label extends string = string>(
    source?: string,
    options: LoadOptions<Label> = {},
  ): Promise<Classifier<Label>> {
    const path = source === undefined ? defaultModelPath : source;
    return new Classifier<Label>(await Session.load(path, options, {}, { answersChats: true }));
  }

  /**
   * Classifies one text or many. One text gives one result, a list gives a list in the same order.
   *
   * @param input a string, or `{ text, textPair }` for models that read pairs, or `{ messages }` for models that read chats,
   *   or a list of these. A list of two strings is two texts.
   * @example
   * const { label, score, scores } = await classifier.classify('A chess engine', { topK: 3 });
   * @throws TypeError or RangeError for wrong arguments; EncoderError with `input_invalid`, `limit_exceeded`,
   *   `queue_full`, `weights_not_finite`, `model_disposed` or `aborted`.
   */
  classify(input: ClassifierInput, options?: ClassifyOptions): Promise<Classification<Label>>;
  classify(inputs: readonly ClassifierInput[], options?: ClassifyOptions): Promise<Classification<Label>[]>;
  classify(
    input: ClassifierInput | readonly ClassifierInput[],
    options?: ClassifyOptions,
  ): Promise<Classification<Label> | Classification<Label>[]>;
  async classify(
    input: ClassifierInput | readonly ClassifierInput[],
    options: ClassifyOptions = {},
  ): Promise<Classification<Label> | Classification<Label>[]> {
    Classifier.#check(this, 'text => classifier.classify(text)');
    const resolved = resolveClassifyOptions(options, this.#defaults);
    const { inputs, nameOf, many } = inputList(input);

    const results = await this.#classify(inputs, nameOf, resolved);
    return many ? results : only(results);
  }

  /**
   * Classifies the texts of any iterable, results in the same order as they come. Few texts are under way at a time:
   * memory is bounded whatever the number of texts, and a slow reader of the results slows the source down.
   *
   * Where the model has a `maxQueue`, a stream waits for room in it. Progress is what the loop sees: `onProgress` is not
   * called.
   *
   * Ending the loop early, or an abort, cancels what is under way and closes the source.
   *
   * @throws TypeError or RangeError at once for wrong options; while iterating, errors as `classify`, after the results
   *   of the inputs before the one that failed.
   */
  classifyStream(
    inputs: Iterable<ClassifierInput> | AsyncIterable<ClassifierInput>,
    options: ClassifyOptions = {},
  ): AsyncGenerator<Classification<Label>, void, undefined> {
    Classifier.#check(this, 'texts => classifier.classifyStream(texts)');
    const resolved = resolveClassifyOptions(options, this.#defaults);
    return streamResults(inputs, {
      check: checkAlike(),
      run: async (list, signal) =>
        this.#classify(list, () => 'input', { ...resolved, onProgress: undefined, signal }, true),
      signal: resolved.signal,
      maxPerRun: this.#session.maxPerRun,
    });
  }

  /**
   * The tokens that `classify` would send through the model, truncation included.
   *
   * @throws as `classify` does.
   */
  tokenize(input: ClassifierInput, options?: ClassifierTokenizeOptions): Promise<Tokenization>;
  tokenize(inputs: readonly ClassifierInput[], options?: ClassifierTokenizeOptions): Promise<Tokenization[]>;
  tokenize(
    input: ClassifierInput | readonly ClassifierInput[],
    options?: ClassifierTokenizeOptions,
  ): Promise<Tokenization | Tokenization[]>;
  async tokenize(
    input: ClassifierInput | readonly ClassifierInput[],
    options: ClassifierTokenizeOptions = {},
  ): Promise<Tokenization | Tokenization[]> {
    Classifier.#check(this, 'text => classifier.tokenize(text)');
    const resolved = resolveClassifierTokenizeOptions(options, this.info);
    const { inputs, nameOf, many } = inputList(input);

    const results = await this.#withColumns(inputs, nameOf, resolved, (columns) =>
      this.#session.tokenize(columns, resolved.run, resolved.signal),
    );
    return many ? results : only(results);
  }

  /**
   * Ends the model: waits for calls that run, frees its memory. Calls that wait for their turn and later ones reject with
   * `model_disposed`. Idempotent.
   */
  async dispose(): Promise<void> {
    Classifier.#check(this, '() => classifier.dispose()');
    await this.#session.dispose();
  }

  /** For `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    Classifier.#check(this, '() => classifier.dispose()');
    await this.#session.dispose();
  }

  /** Throws unless the method was called on a model of this class. */
  static #check(self: unknown, call: string): void {
    if (typeof self !== 'object' || self === null || !(#session in self))
      throw detachedMethod(self, 'Classifier', call);
  }

  async #classify(
    inputs: readonly ClassifierInput[],
    nameOf: (index: number) => string,
    options: ResolvedClassifyOptions,
    waitForRoom = false,
  ): Promise<Classification<Label>[]> {
    const rows = await this.#withColumns(inputs, nameOf, options, (columns) =>
      this.#session.run(columns, options.run, { ...options, waitForRoom }),
    );
    return mapInTurns(rows, (row) => toClassification(row, this.info.labels, options));
  }

  /** Calls `use` at once for texts: a call of them is in the queue once it is made. */
  async #withColumns<Result>(
    inputs: readonly ClassifierInput[],
    nameOf: (index: number) => string,
    { run, signal, templateVariables }: ResolvedTextOptions & ResolvedChatOptions,
    use: (columns: InputColumns) => Promise<Result>,
  ): Promise<Result> {
    const readsChats = isChat(inputs[0]) || this.#session.chat?.answers === true;
    if (readsChats)
      return use(await chatColumns(inputs, nameOf, this.#session.chatModel(run, signal), run, templateVariables));
    if (templateVariables !== undefined)
      throw wrongValue('options.templateVariables: expected none for texts, which stand in no chat template');
    return use(textColumns(inputs as readonly TextInput[], nameOf));
  }
}

/** Checks inputs of which all are chats, or none is. */
function checkAlike(): (input: unknown, name: string) => void {
  let check: typeof checkChat | undefined;
  return (input, name) => {
    check ??= isChat(input) ? checkChat : checkTextInput;
    check(input, name);
  };
}
