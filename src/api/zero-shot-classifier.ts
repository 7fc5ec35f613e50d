/**
 * Zero-shot classification: a model scores labels it was never trained on. An NLI model does it as transformers' pipeline,
 * by a hypothesis for each label; one that reads labels and text together as its own code does.
 */
import { isEntailment } from '../convert/labels';
import { EncoderError, isEncoderError } from '../errors';
import type { NativeRunOptions } from '../native/bindings';
import { checkOptions, checkString, describe, isList, outOfRange, wrongValue } from '../support/arguments';
import { mapInTurns } from '../support/map-in-turns';
import { detachedMethod } from './detached';
import { labelsPerText, toHypothesis } from './hypotheses';
import { checkStrings, placesOf } from './inputs';
import type { InputColumns } from './inputs';
import { classifyByReadLabels } from './labels-in-text';
import { LOAD_KEYS } from './load-options';
import type { LoadOptions } from './load-options';
import type { ModelInfo } from './model-info';
import { resolveZeroShotOptions } from './options';
import type { ZeroShotOptions } from './options';
import { streamResults } from './result-stream';
import { only, toZeroShotClassification } from './results';
import type { ZeroShotClassification } from './results';
import { Session, checkSession } from './session';
import type { RunControl } from './session';
import type { OutputRow } from './windows';

/** How to load a model for zero-shot classification. */
export interface ZeroShotLoadOptions<ModelLabel extends string = string> extends LoadOptions<ModelLabel> {
  /**
   * The NLI model's label that means entailment. Default: the first whose lower-cased name starts with "entail". An error for
   * models that read the labels themselves.
   */
  readonly entailment?: NoInfer<ModelLabel> | undefined;
}

/** Pairs that a stream runs at once, or texts with their labels. */
const INPUTS_PER_RUN = 128;

const DEFAULT_TEMPLATE = 'This example is {}.';

/** The text and the hypothesis of every pair that a call runs. */
interface PairColumns extends InputColumns {
  readonly pairs: readonly string[];
}

/** A loaded model that classifies into labels chosen per call. Calls may overlap. */
export class ZeroShotClassifier implements AsyncDisposable {
  /** Facts about the model and what it runs on; `labels` are the NLI model's own. */
  readonly info: ModelInfo;
  /** The NLI model's label whose logit decides; '' for a model that reads the labels themselves. */
  readonly entailment: string;
  readonly #session: Session;
  readonly #entailmentId: number;

  private constructor(session: Session, entailment: string | undefined, name: string) {
    checkSession(session, 'ZeroShotClassifier');
    this.#session = session;
    this.#entailmentId = session.readsLabels ? -1 : entailmentId(session, entailment, name);
    if (session.readsLabels && entailment !== undefined) {
      throw wrongValue('options.entailment: expected none for a model that reads the labels themselves');
    }
    this.entailment = session.facts.labels[this.#entailmentId] ?? '';
    this.info = Object.freeze({ ...session.facts, activation: 'softmax' });
  }

  /** @internal */
  static fromSession(session: Session, entailment?: string): ZeroShotClassifier {
    return new ZeroShotClassifier(session, entailment, session.facts.path);
  }

  /**
   * Loads an NLI model, or one that reads labels and text together, off the event loop.
   *
   * @param source a .gguf file, a folder with a Hugging Face checkpoint, or `owner/name` on its Hub; the last two are converted
   *   into the cache first.
   * @throws as `Classifier.load` does; EncoderError `architecture_unsupported` when no label of the model means
   *   entailment (transformers takes the last logit then, whatever it stands for).
   */
  static async load<const ModelLabel extends string = string>(
    source: string,
    options: ZeroShotLoadOptions<ModelLabel> = {},
  ): Promise<ZeroShotClassifier> {
    checkOptions(options, [...LOAD_KEYS, 'entailment']);
    const { entailment, ...loadOptions } = options;
    if (entailment !== undefined) checkString('options.entailment', entailment);

    const session = await Session.load(source, loadOptions, {}, { readsLabels: true });
    try {
      return new ZeroShotClassifier(session, entailment, source);
    } catch (error) {
      await session.dispose();
      throw error;
    }
  }

  /**
   * Scores every label for one text or many. All pairs of text and label go through an NLI model, in one run; through a model
   * that reads the labels themselves every text goes once.
   *
   * @param input one text or a list. One text gives one result, a list gives a list in the same order.
   * @param labels the candidates, at least one; for a list of texts also one list of candidates per text.
   * @throws TypeError or RangeError for wrong arguments; EncoderError with `input_invalid`, `input_too_long` (a
   *   hypothesis, or labels, that fill the model), `limit_exceeded`, `weights_not_finite`, `model_disposed` or `aborted`.
   */
  classify<const Label extends string>(
    input: string,
    labels: readonly Label[],
    options?: ZeroShotOptions,
  ): Promise<ZeroShotClassification<Label>>;
  classify<const Label extends string>(
    inputs: readonly string[],
    labels: readonly Label[],
    options?: ZeroShotOptions,
  ): Promise<ZeroShotClassification<Label>[]>;
  classify<const Label extends string>(
    inputs: readonly string[],
    // eslint-disable-next-line @typescript-eslint/unified-signatures -- from a union no literal types are inferred
    labelsPerText: readonly (readonly Label[])[],
    options?: ZeroShotOptions,
  ): Promise<ZeroShotClassification<Label>[]>;
  classify<const Label extends string>(
    input: string | readonly string[],
    labels: readonly Label[],
    options?: ZeroShotOptions,
  ): Promise<ZeroShotClassification<Label> | ZeroShotClassification<Label>[]>;
  async classify<const Label extends string>(
    input: string | readonly string[],
    labels: readonly Label[] | readonly (readonly Label[])[],
    options: ZeroShotOptions = {},
  ): Promise<ZeroShotClassification<Label> | ZeroShotClassification<Label>[]> {
    ZeroShotClassifier.#check(this, 'text => zeroShot.classify(text, labels)');
    const many = isList<string>(input);
    const texts = many ? input : [input];
    const nameOf = (index: number): string => (many ? `inputs[${index}]` : 'input');
    checkStrings(texts, nameOf);
    const resolved = this.#resolve(options);
    const candidates = labelsPerText(labels, texts.length, many);

    const results = await this.#classify(texts, candidates, resolved, resolved, nameOf);
    return many ? results : only(results);
  }

  /**
   * Classifies the texts of any iterable, results in the same order as they come; as `Classifier.classifyStream`.
   *
   * @param labels the candidates for every text, at least one.
   * @throws TypeError or RangeError at once for wrong labels or options; while iterating, errors as `classify`, after
   *   the results of the texts before the one that failed.
   */
  classifyStream<const Label extends string>(
    inputs: Iterable<string> | AsyncIterable<string>,
    labels: readonly Label[],
    options: ZeroShotOptions = {},
  ): AsyncGenerator<ZeroShotClassification<Label>, void, undefined> {
    ZeroShotClassifier.#check(this, 'texts => zeroShot.classifyStream(texts, labels)');
    const resolved = this.#resolve(options);
    const [candidates = []] = labelsPerText<Label>(labels, 1, false);
    return streamResults(inputs, {
      check: (input, name) => {
        checkString(name, input);
      },
      run: async (texts, signal) =>
        this.#classify(
          texts,
          texts.map(() => candidates),
          resolved,
          { signal, waitForRoom: true },
        ),
      signal: resolved.signal,
      // A run of an NLI model holds pairs of text and label.
      maxPerRun: Math.floor(
        Math.min(INPUTS_PER_RUN, this.#session.maxPerRun) / (this.#session.readsLabels ? 1 : candidates.length),
      ),
    });
  }

  /**
   * Ends the model: waits for calls that run, frees its memory. Calls that wait for their turn and later ones reject with
   * `model_disposed`. Idempotent.
   */
  async dispose(): Promise<void> {
    ZeroShotClassifier.#check(this, '() => zeroShot.dispose()');
    await this.#session.dispose();
  }

  /** For `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    ZeroShotClassifier.#check(this, '() => zeroShot.dispose()');
    await this.#session.dispose();
  }

  /** Throws unless the method was called on a model of this class. */
  static #check(self: unknown, call: string): void {
    if (typeof self !== 'object' || self === null || !(#session in self))
      throw detachedMethod(self, 'ZeroShotClassifier', call);
  }

  #resolve(options: ZeroShotOptions): ReturnType<typeof resolveZeroShotOptions> {
    const resolved = resolveZeroShotOptions(options, this.info);
    if (this.#session.readsLabels && resolved.hypothesisTemplate !== undefined) {
      throw wrongValue('options.hypothesisTemplate: expected none for a model that reads the labels themselves');
    }
    return resolved;
  }

  async #classify<Label extends string>(
    texts: readonly string[],
    candidates: readonly (readonly Label[])[],
    resolved: ReturnType<typeof resolveZeroShotOptions>,
    control: RunControl,
    nameOf?: (index: number) => string,
  ): Promise<ZeroShotClassification<Label>[]> {
    if (this.#session.readsLabels) {
      return classifyByReadLabels(this.#session, texts, candidates, resolved, control, nameOf);
    }
    const { hypothesisTemplate = DEFAULT_TEMPLATE } = resolved;
    const places = candidates.flatMap((list, index) => list.map(() => index));
    const columns = {
      texts: places.map((index) => texts[index] ?? ''),
      pairs: candidates.flatMap((list) => list.map((label) => toHypothesis(hypothesisTemplate, label))),
      ...(nameOf && { nameOf: (pair: number) => nameOf(places[pair] ?? 0) }),
    };
    const rows = await this.#run(columns, resolved.run, control);
    let start = 0;
    return mapInTurns(candidates, (list) => {
      const own = rows.slice(start, (start += list.length));
      return toZeroShotClassification(own, list, { ...resolved, entailmentId: this.#entailmentId });
    });
  }

  async #run(columns: PairColumns, options: NativeRunOptions, control: RunControl): Promise<OutputRow[]> {
    try {
      return await this.#session.run(columns, options, control);
    } catch (error) {
      if (!isEncoderError(error, 'input_too_long')) throw error;
    }
    return this.#runByHypothesis(columns, options, control);
  }

  /**
   * For a hypothesis that leaves no room for the text: transformers then runs the pair whole, so such pairs get the
   * model's own limit in place of the caller's. Whether there is room depends on the hypothesis alone.
   */
  async #runByHypothesis(
    { texts, pairs }: PairColumns,
    options: NativeRunOptions,
    { signal, waitForRoom = false }: RunControl,
  ): Promise<OutputRow[]> {
    const control = { signal, waitForRoom };
    const { lengthLimit } = this.#session;
    const rows: OutputRow[] = [];
    for (const [pair, places] of placesOf(pairs)) {
      const columns = { texts: places.map((place) => texts[place] ?? ''), pairs: places.map(() => pair) };
      const own = await this.#session.run(columns, options, control).catch(async (error: unknown) => {
        if (!isEncoderError(error, 'input_too_long')) throw error;
        if (options.maxLength === lengthLimit) throw tooLong(pair, lengthLimit, error);
        return this.#session
          .run(columns, { ...options, maxLength: lengthLimit }, control)
          .catch((whole: unknown) => Promise.reject(tooLong(pair, lengthLimit, whole)));
      });
      own.forEach((row, index) => {
        rows[places[index] ?? 0] = row;
      });
    }
    return rows;
  }
}

/** The native side's advice is to cut the longest text first, which here would cut the hypothesis. */
function tooLong(hypothesis: string, limit: number, error: unknown): unknown {
  if (!isEncoderError(error, 'input_too_long')) return error;
  return new EncoderError(
    'input_too_long',
    `the hypothesis ${describe(hypothesis)} leaves no room for the text within the model's ${limit} tokens; ` +
      'shorten the label or the template',
    { cause: error },
  );
}

/** `name`: what the caller calls the model. */
function entailmentId({ facts }: Session, named: string | undefined, name: string): number {
  const { labels } = facts;
  const problem = `the model ${name} cannot classify zero-shot`;
  if (labels.length < 2) {
    throw new EncoderError('architecture_unsupported', `${problem}: it has one label; use an NLI model`);
  }
  if (named !== undefined) {
    const index = labels.indexOf(named);
    if (index < 0) throw outOfRange('options.entailment', `one of ${labels.join(', ')}`, named);
    return index;
  }
  const index = labels.findIndex(isEntailment);
  if (index < 0) {
    throw new EncoderError(
      'architecture_unsupported',
      `${problem}: none of its labels (${labels.join(', ')}) starts with "entail"; use an NLI model, or name the ` +
        'label that means entailment as `entailment`',
    );
  }
  return index;
}
