/** What Classifier, CrossEncoder and ZeroShotClassifier share: one native model, its facts, its calls and its end. */
import { EncoderError } from '../errors';
import type { NativeModel, NativeRunOptions } from '../native/bindings';
import { assertNotAborted, openModel, runJob, toEncoderError } from '../native/native-model';
import { type Limits, resolveLimits } from '../support/limits';
import { checkString } from './arguments';
import type { InputColumns } from './inputs';
import { checkLoadOptions, nativeLoadOptions } from './load-options';
import type { LoadOptions } from './load-options';
import { describeModel } from './model-info';
import type { ModelFacts, ModelOverrides } from './model-info';
import { resolveModelFile } from './model-source';
import { assertFinite } from './results';
import type { OutputRow, Tokenization } from './results';
import { checkTextLimits } from './text-limits';

/** @internal */
export class Session {
  readonly facts: ModelFacts;
  /** The sentence-transformers activation that the checkpoint names, '' when it names none. */
  readonly activationFn: string;
  /** Most tokens that the model itself can take; `facts.maxLength` may be lower. */
  readonly lengthLimit: number;
  readonly #model: NativeModel;
  readonly #limits: Limits;
  #disposal: Promise<void> | undefined;

  constructor(model: NativeModel, path: string, options: ModelOverrides & Pick<LoadOptions, 'limits'> = {}) {
    this.#model = model;
    this.#limits = resolveLimits(options.limits);
    this.activationFn = model.info.activationFn;
    this.lengthLimit = model.info.maxLength;
    this.facts = describeModel(model.info, path, options);
  }

  static async load(source: string, options: LoadOptions): Promise<Session> {
    checkString('source', source);
    checkLoadOptions(options);
    const nativeOptions = nativeLoadOptions(options);
    assertNotAborted(options.signal);

    const path = await resolveModelFile(source, options);
    const model = await openModel(path, nativeOptions, options.signal, options.isolation);
    try {
      return new Session(model, path, options);
    } catch (error) {
      await model.dispose();
      throw error;
    }
  }

  /** One row per input, in order, all finite. */
  async run(inputs: InputColumns, options: NativeRunOptions, signal?: AbortSignal): Promise<OutputRow[]> {
    this.#assertUsable();
    assertNotAborted(signal);
    const count = inputs.texts.length;
    if (count === 0) return [];
    checkTextLimits(inputs, this.#limits);

    const result = await runJob(() => this.#model.run(inputs.texts, inputs.pairs, options), signal);
    const { numLabels } = this.facts;
    return inputs.texts.map((_, index) => {
      const logits = result.logits.subarray(index * numLabels, (index + 1) * numLabels);
      assertFinite(logits, index);
      return { logits, tokens: result.tokens[index] ?? 0, truncated: result.truncated[index] === 1 };
    });
  }

  async tokenize(inputs: InputColumns, options: NativeRunOptions, signal?: AbortSignal): Promise<Tokenization[]> {
    this.#assertUsable();
    assertNotAborted(signal);
    if (inputs.texts.length === 0) return [];
    checkTextLimits(inputs, this.#limits);

    const result = await runJob(() => this.#model.tokenize(inputs.texts, inputs.pairs, options), signal);
    return inputs.texts.map((_, index) => {
      const start = result.offsets[index] ?? 0;
      const end = result.offsets[index + 1] ?? start;
      return {
        // Copies: a view would keep the ids of the whole list alive.
        ids: result.ids.slice(start, end),
        typeIds: result.typeIds.slice(start, end),
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

  #assertUsable(): void {
    if (this.#disposal !== undefined) {
      throw new EncoderError('model_disposed', `the model ${this.facts.path} was disposed; load it again to use it`);
    }
  }
}
