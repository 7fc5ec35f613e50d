/** What Classifier, CrossEncoder and ZeroShotClassifier share: one native model, its facts, its calls and its end. */
import { EncoderError, isEncoderError } from '../errors';
import type { NativeListLimits, NativeModel, NativeRunOptions } from '../native/bindings';
import { checkSource } from '../convert/source-arguments';
import { assertNotAborted, openModel, runJob, toEncoderError } from '../native/native-model';
import { onAbort } from '../native/on-abort';
import { wrongType } from '../support/arguments';
import { type Limits, resolveLimits } from '../support/limits';
import { mapInTurns } from '../support/map-in-turns';
import { countedFrom, nameNotFinite, nameRefused } from './answer';
import { CallQueue } from './call-queue';
import { checkTemplateOptions, onlyRanks, type ChatTemplate } from './chat-template';
import { Chat } from './chat';
import type { ChatModel } from './chats';
import type { InputColumns } from './inputs';
import { type ListModel, scoreBlocks, scoreList, toVectors } from './list-ranking';
import { checkLoadOptions, nativeLoadOptions } from './load-options';
import type { LoadOptions } from './load-options';
import { describeModel } from './model-info';
import type { ModelFacts, ModelOverrides } from './model-info';
import { resolveModelFile } from './model-source';
import { mergePrompts } from './prompts';
import type { PromptLoadOptions, Prompts } from './prompts';
import { assertFinite } from './results';
import type { Tokenization } from './results';
import { checkTextLimits } from './text-limits';
import type { RunProgress } from './text-options';
import { Warnings } from './warnings';
import type { ModelWarning } from './warnings';
import { toOutputRow } from './windows';
import type { OutputRow } from './windows';

/** Inputs between two reports of progress: enough to keep a batch full. */
const INPUTS_PER_REPORT = 64;

/** @internal Throws for `new` by a caller: only `load` has a session to give. */
export function checkSession(session: unknown, className: string): void {
  if (!(session instanceof Session)) throw wrongType(`new ${className}(): write await ${className}.load(...)`);
}

/** @internal What a call wants besides its results. */
export interface RunControl {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Waits for room in the queue where others are refused. */
  readonly waitForRoom?: boolean;
}

/** @internal Kinds of models that not every class can ask. */
export interface Capabilities {
  /** The class gives each call its labels. */
  readonly readsLabels?: boolean;
  /** The class gives each call a query and documents. */
  readonly ranksDocuments?: boolean;
  /** The class reads a text as a chat where the model does. */
  readonly answersChats?: boolean;
}

/** @internal The part of the load options that a session keeps. */
export type SessionOptions = Pick<LoadOptions, 'labels' | 'maxLength' | 'maxQueue' | 'onWarning' | 'limits'> &
  PromptLoadOptions &
  Pick<ModelOverrides, 'warnings'>;

/** The score of a list's only document. */
const scoreAlone = (vectors: Float32Array): Float32Array => Float32Array.from(scoreBlocks([toVectors(vectors, 1)]));

/** @internal */
export class Session {
  readonly facts: ModelFacts;
  /** The sentence-transformers activation that the checkpoint names, '' when it names none. */
  readonly activationFn: string;
  readonly prompts: Prompts;
  readonly chatTemplate: ChatTemplate;
  /** The model reads the labels of each call; it has none of its own. */
  readonly readsLabels: boolean;
  /** What makes texts of chats; undefined for most models. */
  readonly chat: Chat | undefined;
  /** The model reads a query and all of its documents at once; null for others. */
  readonly list: NativeListLimits | null;
  /** Most tokens that the model itself can take; `facts.maxLength` may be lower. */
  readonly lengthLimit: number;
  readonly #model: NativeModel;
  readonly #limits: Limits;
  readonly #queue: CallQueue;
  readonly #warnings: Warnings;
  #disposal: Promise<void> | undefined;

  constructor(model: NativeModel, path: string, options: SessionOptions = {}) {
    this.#model = model;
    this.#limits = resolveLimits(options.limits);
    this.#queue = new CallQueue(options.maxQueue ?? Infinity);
    this.activationFn = model.info.activationFn;
    this.chatTemplate = model.info.chatTemplate;
    this.readsLabels = model.info.readsLabels;
    this.chat = model.info.chatSource === '' ? undefined : new Chat(path, model.info);
    this.list = model.info.list;
    this.lengthLimit = model.info.maxLength;
    this.prompts = mergePrompts(model.info, options);
    this.facts = describeModel(model.info, path, options);
    this.#warnings = new Warnings(this.facts.name || path, options.onWarning);
    this.#warnings.start(this.facts.warnings);
  }

  static async load(
    source: string,
    options: LoadOptions,
    prompts: PromptLoadOptions = {},
    { readsLabels = false, ranksDocuments = false, answersChats = false }: Capabilities = {},
  ): Promise<Session> {
    checkSource(source);
    checkLoadOptions(options);
    const nativeOptions = nativeLoadOptions(options);
    assertNotAborted(options.signal);

    const { path, warnings } = await resolveModelFile(source, options);
    const model = await openModel(path, nativeOptions, options.signal, options.isolation);
    try {
      if (onlyRanks(model.info.chatTemplate) && !ranksDocuments) {
        throw new EncoderError(
          'architecture_unsupported',
          `the model ${source} ranks documents by a query and does nothing else; use CrossEncoder (rank)`,
        );
      }
      if (model.info.chatAnswer !== null && !answersChats) {
        throw new EncoderError(
          'architecture_unsupported',
          `the model ${source} answers texts and chats with one of its labels; use Classifier (classify)`,
        );
      }
      if (model.info.readsLabels && !readsLabels) {
        throw new EncoderError(
          'architecture_unsupported',
          `the model ${source} has no labels of its own: it reads those of each call; use ZeroShotClassifier (zero-shot)`,
        );
      }
      return new Session(model, path, { ...options, ...prompts, warnings });
    } catch (error) {
      await model.dispose();
      throw error;
    }
  }

  /** Most inputs that a stream may bring at once. */
  get maxPerRun(): number {
    return this.#queue.limit;
  }

  warn(warning: ModelWarning): void {
    this.#warnings.warn(warning);
  }

  /** One row per input, in order, all finite. */
  async run(inputs: InputColumns, options: NativeRunOptions, control: RunControl = {}): Promise<OutputRow[]> {
    const { signal, onProgress, waitForRoom = false } = control;
    this.#assertUsable();
    assertNotAborted(signal);
    const count = inputs.texts.length;
    if (count === 0) return [];
    checkTemplateOptions(options, this.chatTemplate);
    checkTextLimits(inputs, this.#limits);

    if (waitForRoom) await this.#queue.enterLater(count, signal);
    else this.#queue.enter(count);
    try {
      this.#assertUsable();
      const rows =
        onProgress === undefined
          ? await this.#runAll(inputs, options, signal)
          : await this.#runReporting(inputs, options, signal, onProgress);
      this.#warnings.observe(inputs, rows, options.maxLength, this.chatTemplate);
      return rows;
    } catch (error) {
      throw await this.#named(error, inputs, options, signal);
    } finally {
      this.#queue.leave(count);
    }
  }

  /** A query with all of its documents, for a model that ranks lists: one row per document. */
  async runList(
    query: string,
    documents: InputColumns,
    options: NativeRunOptions,
    control: RunControl = {},
  ): Promise<OutputRow[]> {
    const { signal, onProgress } = control;
    const { texts, nameOf } = documents;
    this.#assertUsable();
    assertNotAborted(signal);
    if (texts.length === 0) return [];
    checkTemplateOptions(options, this.chatTemplate);
    checkTextLimits(documents, this.#limits);
    const tokenize = async (inputs: InputColumns, more: Partial<NativeRunOptions>) =>
      this.tokenize(inputs, { ...options, ...more }, signal);
    const measure = async (list: readonly string[], maxTextTokens: number, name?: (index: number) => string) => {
      const rows = await tokenize({ texts: list, pairs: null, ...(name && { nameOf: name }) }, { maxTextTokens });
      return rows.map(({ ids, truncated }) => ({ tokens: ids.length, truncated }));
    };
    const model: ListModel = {
      limits: this.list!,
      measureQuery: async (limit) => (await measure([query], limit))[0]!,
      measure: async (list, limit, begin) => measure(list, limit, nameOf && ((index) => nameOf(begin + index))),
      count: async (labels) => {
        const whole = { labels, maxLength: 0 };
        const [row] = await tokenize({ texts: [query], pairs: null }, whole);
        return row?.ids.length ?? 0;
      },
      run: async (labels) => {
        const result = await runJob(() => this.#model.run([query], null, { ...options, labels }), signal);
        assertFinite(result.logits, 0);
        return result.logits;
      },
    };
    this.#queue.enter(texts.length);
    try {
      const scored = await scoreList(model, texts, options, (done) => {
        onProgress?.({ done, total: texts.length });
      });
      const rows = scored.map(({ score, ...facts }, index): OutputRow => {
        const logits = Float32Array.of(score);
        assertFinite(logits, index);
        return { logits: [logits], spans: undefined, ...facts };
      });
      this.#warnings.observe(documents, rows, options.maxLength, this.chatTemplate);
      return rows;
    } finally {
      this.#queue.leave(texts.length);
    }
  }

  /** The model as the chats of a call see it. */
  chatModel(options: NativeRunOptions, signal: AbortSignal | undefined): ChatModel {
    return {
      path: this.facts.path,
      chat: this.chat,
      checkContents: async (contents) => {
        await this.tokenize(contents, { ...options, specialTokens: 'error' }, signal);
      },
    };
  }

  async tokenize(inputs: InputColumns, options: NativeRunOptions, signal?: AbortSignal): Promise<Tokenization[]> {
    this.#assertUsable();
    assertNotAborted(signal);
    if (inputs.texts.length === 0) return [];
    checkTemplateOptions(options, this.chatTemplate);
    checkTextLimits(inputs, this.#limits);

    const result = await runJob(() => this.#model.tokenize(inputs.texts, inputs.pairs, options), signal).catch(
      async (error: unknown) => {
        throw await this.#named(error, inputs, options, signal);
      },
    );
    return inputs.texts.map((_, index) => {
      const start = result.offsets[index] ?? 0;
      const end = result.offsets[index + 1] ?? start;
      return {
        // Copies: a view would keep the ids of the whole list alive. By this realm's class: `slice` makes the addon's.
        ids: new Int32Array(result.ids.subarray(start, end)),
        typeIds: new Int32Array(result.typeIds.subarray(start, end)),
        truncated: result.truncated[index] === 1,
      };
    });
  }

  /** Idempotent: every call gets the same promise. */
  dispose(): Promise<void> {
    this.#disposal ??= this.#model.dispose().catch((error: unknown) => {
      throw toEncoderError(error);
    });
    return this.#disposal;
  }

  /** Tokens are what an input is refused for, and to make them takes little. */
  async #named(
    error: unknown,
    { texts, pairs, nameOf }: InputColumns,
    options: NativeRunOptions,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    if (isEncoderError(error, 'weights_not_finite')) return nameNotFinite(error, texts.length, nameOf);
    if (nameOf === undefined) return error;
    const alone = { ...options, windows: 'none' } as const;
    return nameRefused(error, texts.length, nameOf, async (place) => {
      const only = pairs && pairs.slice(place, place + 1);
      await runJob(() => this.#model.tokenize(texts.slice(place, place + 1), only, alone), signal);
    });
  }

  async #runAll(inputs: InputColumns, options: NativeRunOptions, signal?: AbortSignal): Promise<OutputRow[]> {
    const result = await runJob(() => this.#model.run(inputs.texts, inputs.pairs, options), signal);
    const count = inputs.texts.length;
    // Of a model that ranks lists each input is one with a single document.
    const columns = this.list === null ? options.labels.length || this.facts.numLabels : result.logits.length / count;
    return mapInTurns(inputs.texts, (_, index): OutputRow => {
      const row = toOutputRow(result, index, columns);
      const scored = this.list === null ? row : { ...row, logits: row.logits.map(scoreAlone) };
      for (const values of scored.logits) assertFinite(values, index);
      return scored;
    });
  }

  /** The same in parts, all queued at once, so that the threads are as busy as with one. */
  async #runReporting(
    { texts, pairs }: InputColumns,
    options: NativeRunOptions,
    signal: AbortSignal | undefined,
    onProgress: (progress: RunProgress) => void,
  ): Promise<OutputRow[]> {
    const total = texts.length;
    const stop = new AbortController();
    const takeBack =
      signal &&
      onAbort(signal, () => {
        stop.abort(signal.reason);
      });
    let done = 0;
    const runPart = async (begin: number): Promise<OutputRow[]> => {
      const end = Math.min(begin + INPUTS_PER_REPORT, total);
      const part = { texts: texts.slice(begin, end), pairs: pairs === null ? null : pairs.slice(begin, end) };
      const rows = await this.#runAll(part, { ...options, inputsBefore: begin }, stop.signal).catch(
        (error: unknown) => {
          throw countedFrom(error, begin);
        },
      );
      done += end - begin;
      if (!stop.signal.aborted) onProgress({ done, total });
      return rows;
    };
    const parts = Array.from({ length: Math.ceil(total / INPUTS_PER_REPORT) }, async (_, part) =>
      runPart(part * INPUTS_PER_REPORT),
    );
    try {
      return (await Promise.all(parts)).flat();
    } catch (error) {
      // What is under way is of no use any more; the caller hears of the failure when all of it has ended.
      stop.abort();
      await Promise.allSettled(parts);
      throw error;
    } finally {
      takeBack?.();
    }
  }

  #assertUsable(): void {
    if (this.#disposal !== undefined) {
      throw new EncoderError('model_disposed', `the model ${this.facts.path} was disposed; load it again to use it`);
    }
  }
}
