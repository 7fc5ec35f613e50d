/** What a smaller tensor type costs a model that ranks lists: the same lists through the converted file and the F32 one. */
import type { CrossEncoder } from '../api/cross-encoder';
import type { TextInput } from '../api/inputs';
import type { Numbered } from './input';

export interface ListVerification {
  readonly texts: number;
  readonly lists: number;
  /** Largest difference of two scores of the same document. */
  readonly maxScoreDifference: number;
  /** Share of lists of which both put the same document first. */
  readonly bestAgreement: number;
  /** Share of pairs of a list's documents that both put in the same order; null where no list has two. */
  readonly orderAgreement: number | null;
}

export interface TextList {
  readonly query: string;
  readonly documents: readonly string[];
  /** Of the first of its texts. */
  readonly line: number;
  /** Lines that it came from. */
  readonly texts: number;
}

const MAX_DOCUMENTS = 32;

/**
 * Pairs of one first text that stand together are that query's documents. Of other texts the first is the query of those
 * that follow; a last one without any is its own document. Lists have 32 documents at most.
 */
export async function* listsOf(batches: AsyncIterable<readonly Numbered<TextInput>[]>): AsyncGenerator<TextList> {
  let list: ListOfTexts | undefined;
  for await (const batch of batches) {
    for (const { line, value } of batch) {
      const { text, textPair = undefined } = typeof value === 'string' ? { text: value } : value;
      if (list?.takes(text, textPair) === true) continue;
      if (list !== undefined) yield list.whole;
      list = new ListOfTexts(line, text, textPair);
    }
  }
  if (list !== undefined) yield list.whole;
}

class ListOfTexts {
  readonly #documents: string[];

  constructor(
    readonly line: number,
    readonly query: string,
    private readonly textPair: string | undefined,
  ) {
    this.#documents = textPair === undefined ? [] : [textPair];
  }

  takes(text: string, textPair: string | undefined): boolean {
    const ofPairs = this.textPair !== undefined;
    if (this.#documents.length === MAX_DOCUMENTS || ofPairs !== (textPair !== undefined)) return false;
    if (ofPairs && text !== this.query) return false;
    this.#documents.push(textPair ?? text);
    return true;
  }

  get whole(): TextList {
    const [query, line, documents] = [this.query, this.line, this.#documents];
    const texts = documents.length + (this.textPair === undefined ? 1 : 0);
    return { query, line, texts, documents: documents.length > 0 ? documents : [query] };
  }
}

/** Scores of the list's documents, in its order. */
export async function scoresOf(
  model: CrossEncoder,
  { query, documents }: TextList,
  signal: AbortSignal,
): Promise<Float64Array> {
  const scores = new Float64Array(documents.length);
  for (const { index, score } of await model.rank(query, documents, { activation: 'none', signal })) {
    scores[index] = score;
  }
  return scores;
}

/** How far two models' scores of the same lists are apart. */
export class ListComparison {
  #texts = 0;
  #lists = 0;
  #sameBest = 0;
  #pairs = 0;
  #sameOrder = 0;
  #maxDifference = 0;

  add(texts: number, scores: Float64Array, otherScores: Float64Array): void {
    this.#texts += texts;
    this.#lists += 1;
    if (best(scores) === best(otherScores)) this.#sameBest += 1;
    scores.forEach((score, index) => {
      const other = otherScores[index] ?? NaN;
      this.#maxDifference = Math.max(this.#maxDifference, Math.abs(score - other));
      for (let before = 0; before < index; before++) {
        const order = Math.sign(score - scores[before]!);
        this.#pairs += 1;
        if (order === Math.sign(other - otherScores[before]!)) this.#sameOrder += 1;
      }
    });
  }

  get result(): ListVerification {
    return {
      texts: this.#texts,
      lists: this.#lists,
      maxScoreDifference: this.#maxDifference,
      bestAgreement: this.#sameBest / this.#lists,
      orderAgreement: this.#pairs === 0 ? null : this.#sameOrder / this.#pairs,
    };
  }
}

/** Place of the document that `rank` puts first. */
function best(scores: Float64Array): number {
  return scores.indexOf(Math.max(...scores));
}
