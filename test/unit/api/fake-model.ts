/** A native model without the addon: logits from a table, calls recorded, cancel and dispose as the real one has them. */
import type {
  NativeJob,
  NativeModel,
  NativeModelInfo,
  NativeRunOptions,
  NativeRunResult,
  NativeTokenizeResult,
} from '../../../src/native/bindings';

/** One call that reached the model. */
export interface Call {
  readonly texts: readonly string[];
  readonly pairs: readonly (string | null)[] | null;
  readonly options: NativeRunOptions;
}

const INFO: NativeModelInfo = {
  architecture: 'bert',
  sourceClass: 'BertForSequenceClassification',
  name: 'fake',
  labels: ['World', 'Sports', 'Business'],
  numLabels: 3,
  problemType: '',
  activationFn: '',
  truncationSide: 'right',
  promptNames: [],
  promptTexts: [],
  defaultPrompt: '',
  readsLabels: false,
  list: null,
  chatTemplate: 'none' as const,
  chatSource: '',
  chatVariables: [],
  chatValues: [],
  chatAnswer: null,
  chatGenerationPrompt: false,
  maxLength: 128,
  hiddenSize: 8,
  numLayers: 1,
  numHeads: 2,
  intermediateSize: 16,
  vocabSize: 100,
  numParameters: 1000,
  weightType: 'f32',
  computeType: 'f32',
  device: 'cpu',
  kernels: 'portable',
  threads: 1,
  weightBytes: 4000,
  warnings: [],
};

export class FakeModel implements NativeModel {
  readonly info: NativeModelInfo;
  readonly calls: Call[] = [];
  disposals = 0;
  cancellations = 0;
  /** While set, runs stay open until they are cancelled. */
  hold = false;
  /** A text that refuses every call it is in. */
  refused: string | undefined;

  /** A text whose result is not finite, as the native side says it. */
  notFinite: string | undefined;

  readonly #logitsOf: (text: string, pair: string | null) => readonly number[];

  /** @param logits the same row for every text, or a function of text and pair. */
  constructor(
    logits: readonly number[] | ((text: string, pair: string | null) => readonly number[]),
    info: Partial<NativeModelInfo> = {},
  ) {
    this.info = { ...INFO, ...info };
    this.#logitsOf = typeof logits === 'function' ? logits : () => logits;
  }

  /** A model with one unnamed label, as rerankers have. */
  static reranker(logitOf: (document: string) => number, info: Partial<NativeModelInfo> = {}): FakeModel {
    return new FakeModel((_, document) => [logitOf(document ?? '')], { labels: ['LABEL_0'], numLabels: 1, ...info });
  }

  run(
    texts: readonly string[],
    pairs: readonly (string | null)[] | null,
    options: NativeRunOptions,
  ): NativeJob<NativeRunResult> {
    this.calls.push({ texts, pairs, options });
    if (this.#isRefused(texts, pairs)) return refusal();
    const bad = texts.findIndex((text) => text === this.notFinite);
    if (bad >= 0) return notFinite(bad);
    const rows = texts.map((text, index) => this.#logitsOf(text, pairs?.[index] ?? null));
    return this.#job({
      logits: Float32Array.from(rows.flat()),
      tokens: Int32Array.from(texts, (text) => Math.min(text.length + 2, options.maxLength)),
      truncated: Uint8Array.from(texts, (text) => (text.length + 2 > options.maxLength ? 1 : 0)),
    });
  }

  tokenize(
    texts: readonly string[],
    pairs: readonly (string | null)[] | null,
    options: NativeRunOptions,
  ): NativeJob<NativeTokenizeResult> {
    this.calls.push({ texts, pairs, options });
    if (this.#isRefused(texts, pairs)) return refusal();
    const ids = texts.map((text) => Array.from(text, (character) => character.charCodeAt(0)));
    const offsets = [0];
    for (const list of ids) offsets.push((offsets.at(-1) ?? 0) + list.length);
    return this.#job({
      ids: Int32Array.from(ids.flat()),
      typeIds: new Int32Array(ids.flat().length),
      offsets: Int32Array.from(offsets),
      truncated: new Uint8Array(texts.length),
    });
  }

  dispose(): Promise<void> {
    this.disposals += 1;
    return Promise.resolve();
  }

  #isRefused(...columns: readonly (readonly (string | null)[] | null)[]): boolean {
    return columns.some((column) => column?.some((text) => text === this.refused));
  }

  #job<Result>(result: Result): NativeJob<Result> {
    let fail: (error: Error) => void = () => undefined;
    const promise = this.hold
      ? new Promise<Result>((_, reject) => {
          fail = reject;
        })
      : Promise.resolve(result);
    const cancel = (): void => {
      this.cancellations += 1;
      fail(Object.assign(new Error('stopped'), { code: 'aborted' }));
    };
    return { promise, cancel };
  }
}

function notFinite(input: number): NativeJob<never> {
  const message = `the model's logits for input ${input} are not finite; its weights hold or produce NaN or infinity`;
  const error = Object.assign(new Error(message), { code: 'weights_not_finite' });
  return { promise: Promise.reject(error), cancel: () => undefined };
}

function refusal(): NativeJob<never> {
  return {
    promise: Promise.reject(Object.assign(new Error('no such text'), { code: 'input_invalid' })),
    cancel: () => undefined,
  };
}
