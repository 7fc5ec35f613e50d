/** What a caller should hear once: legal, and yet often a mistake. */
import type { ChatTemplate } from './chat-template';
import type { InputColumns } from './inputs';
import type { OutputRow } from './windows';

/** Something about a model or its use that is legal and yet often a mistake. */
export interface ModelWarning {
  /** Stable word to branch on, such as `label_names_missing`. */
  readonly code: string;
  readonly message: string;
}

/** Equal scores of fewer inputs than this may be chance. */
const MIN_EQUAL = 3;

/** Scores closer than this are equal for a reader. */
const EQUAL_LOGITS = 1e-6;

/** How more of a long text is read, where it can be. */
const MORE_OF_A_TEXT: Partial<Record<ChatTemplate, string>> = {
  none: '. Pass `windows` to read long texts whole',
  apart:
    '. To read more of them, pass `maxQueryTokens` and `maxDocumentTokens` to `rank`, or `maxTextTokens` and ' +
    '`maxTextPairTokens` to `predict`',
};

/** A share of truncated inputs is only worth telling over this many. */
const MIN_COUNTED = 32;
const MAX_TRUNCATED_SHARE = 0.1;

/** @internal Tells each warning once, and watches results for those that only use can show. */
export class Warnings {
  readonly #tell: (warning: ModelWarning) => void;
  readonly #told = new Set<string>();
  #numInputs = 0;
  #numTruncated = 0;

  /**
   * @param model what is warned of, for process warnings.
   * @param tell default: a process warning, which Node prints to stderr.
   */
  constructor(model: string, tell: ((warning: ModelWarning) => void) | undefined) {
    this.#tell =
      tell ??
      (({ code, message }) => {
        process.emitWarning(`ggml-encoder: ${model}: ${message}`, { type: 'EncoderWarning', code });
      });
  }

  /** Tells what is known when the model is loaded, each of it. */
  start(warnings: readonly ModelWarning[]): void {
    for (const { code } of warnings) this.#told.add(code);
    for (const warning of warnings) this.#tell(warning);
  }

  warn(warning: ModelWarning): void {
    if (this.#told.has(warning.code)) return;
    this.#told.add(warning.code);
    this.#tell(warning);
  }

  /** Looks at what one call gave. */
  observe(inputs: InputColumns, rows: readonly OutputRow[], limit: number, template: ChatTemplate): void {
    this.#numInputs += rows.length;
    for (const { truncated } of rows) if (truncated) this.#numTruncated += 1;
    if (this.#numInputs >= MIN_COUNTED && this.#numTruncated > MAX_TRUNCATED_SHARE * this.#numInputs) {
      this.warn({
        code: 'inputs_truncated',
        message:
          `${this.#numTruncated} of ${this.#numInputs} inputs were cut to fit ` +
          (template === 'apart' ? "the model's limits of queries and documents" : `${limit} tokens`) +
          '; `truncated` says which' +
          (MORE_OF_A_TEXT[template] ?? ''),
      });
    }
    // Texts that were cut may differ in what was not read.
    const isWhole = rows.some(({ truncated }) => !truncated);
    if (rows.length >= MIN_EQUAL && isWhole && haveEqualLogits(rows) && areDifferent(inputs)) {
      this.warn({
        code: 'scores_equal',
        message:
          `all ${rows.length} inputs of a call got the same logits; the checkpoint may be damaged, or its head was ` +
          'never trained',
      });
    }
  }
}

function haveEqualLogits(rows: readonly OutputRow[]): boolean {
  const first = rows[0]?.logits[0];
  if (first === undefined) return false;
  return rows.every(({ logits }) =>
    logits.every((row) => row.every((logit, label) => Math.abs(logit - (first[label] ?? NaN)) <= EQUAL_LOGITS)),
  );
}

/** Not by case and the space around them alone, which most models read alike. */
function areDifferent({ texts, pairs }: InputColumns): boolean {
  // What else stands there goes with the text.
  const second = (index: number) => (typeof pairs?.[index] === 'string' ? pairs[index] : '');
  const read = (index: number) =>
    JSON.stringify([texts[index], second(index)].map((text) => text?.trim().toLowerCase()));
  return texts.some((_, index) => read(index) !== read(0));
}
