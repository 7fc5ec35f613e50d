/**
 * Rankings by a model that reads a query and all of its documents at once: how they are shared out into blocks, and what
 * becomes of the vectors of documents and queries. As jina-reranker-v3's own code does both.
 */
import { isEncoderError } from '../errors';
import type { NativeListLimits, NativeRunOptions } from '../native/bindings';

/** @internal What a list of documents becomes scores by. */
export interface ListModel {
  readonly limits: NativeListLimits;
  /** How many tokens the query has by itself, cut to `limit`, and whether it was cut. */
  measureQuery(limit: number): Promise<MeasuredText>;
  /** The same of documents, of which the first is number `begin`. */
  measure(texts: readonly string[], limit: number, begin: number): Promise<readonly MeasuredText[]>;
  /** How many tokens the documents take with the query, all that the model reads counted. */
  count(documents: readonly string[]): Promise<number>;
  /** f32[documents + 1, size]: the vectors of the documents, then that of the query. */
  run(documents: readonly string[]): Promise<Float32Array>;
}

/** @internal */
export interface MeasuredText {
  readonly tokens: number;
  readonly truncated: boolean;
}

/** @internal */
export interface ScoredDocument extends MeasuredText {
  /** Cosine of the document's vector and the query's. */
  readonly score: number;
}

/** Texts that are measured at a time. */
const TEXTS_PER_MEASURE = 256;
/** Tokens that a document may take beside its own and those around an empty one: digits of its number, joints. */
const TOKENS_TO_SPARE = 8;

/** @internal `onBlock` hears how many documents are through. */
export async function scoreList(
  model: ListModel,
  documents: readonly string[],
  {
    maxLength,
    maxTextTokens,
    maxTextPairTokens,
  }: Pick<NativeRunOptions, 'maxLength' | 'maxTextTokens' | 'maxTextPairTokens'>,
  onBlock: (done: number) => void,
): Promise<ScoredDocument[]> {
  const { limits } = model;
  const maxDocumentTokens = maxTextPairTokens || limits.maxDocumentTokens;
  const query = await model.measureQuery(maxTextTokens || limits.maxQueryTokens);
  const measured: MeasuredText[] = [];
  for (let begin = 0; begin < documents.length; begin += TEXTS_PER_MEASURE) {
    const texts = documents.slice(begin, begin + TEXTS_PER_MEASURE);
    measured.push(...(await model.measure(texts, maxDocumentTokens, begin)));
  }
  const empty = await model.count(['']);
  const blocks = await splitIntoBlocks(
    measured.map(({ tokens }) => tokens),
    {
      room: maxLength - 2 * query.tokens,
      maxDocuments: limits.maxDocuments,
      maxDocumentTokens,
      around: empty,
      perDocument: (await model.count(['', ''])) - empty + TOKENS_TO_SPARE,
      maxLength,
    },
    // What is beyond the model is not counted.
    async (begin, end) =>
      model.count(documents.slice(begin, end)).catch((error: unknown) => {
        if (isEncoderError(error, 'input_too_long')) return Infinity;
        throw error;
      }),
  );
  const vectors: BlockVectors[] = [];
  for (const [begin, end] of blocks) {
    vectors.push(toVectors(await model.run(documents.slice(begin, end)), end - begin));
    onBlock(end);
  }
  return scoreBlocks(vectors).map((score, index) => {
    const { tokens, truncated } = measured[index] ?? { tokens: 0, truncated: false };
    return { score, tokens, truncated: truncated || query.truncated };
  });
}

interface BlockLimits {
  /** Tokens of documents that a block has room for. */
  readonly room: number;
  readonly maxDocuments: number;
  /** A block without room for a document of as many is full. */
  readonly maxDocumentTokens: number;
  /** Tokens of a list with one document that is empty, the query counted. */
  readonly around: number;
  readonly perDocument: number;
  /** Most tokens of a block, all counted. */
  readonly maxLength: number;
}

/**
 * @internal Places [begin, end) of the documents that are read together. The model's own code counts no token but those of
 * the documents and twice the query's; here a block ends too before the document with which it would be too long for the
 * model.
 *
 * @param count the tokens of the documents [begin, end) as one block; asked only where they may be too many.
 */
export async function splitIntoBlocks(
  lengths: readonly number[],
  { room, maxDocuments, maxDocumentTokens, around, perDocument, maxLength }: BlockLimits,
  count: (begin: number, end: number) => Promise<number>,
): Promise<(readonly [begin: number, end: number])[]> {
  const blocks: (readonly [number, number])[] = [];
  let begin = 0;
  let own = 0;
  for (const [index, length] of lengths.entries()) {
    const most = around + own + length + (index + 1 - begin) * perDocument;
    if (index > begin && most > maxLength && (await count(begin, index + 1)) > maxLength) {
      blocks.push([begin, index]);
      begin = index;
      own = 0;
    }
    own += length;
    if (index + 1 - begin >= maxDocuments || room - own <= maxDocumentTokens) {
      blocks.push([begin, index + 1]);
      begin = index + 1;
      own = 0;
    }
  }
  if (begin < lengths.length) blocks.push([begin, lengths.length]);
  return blocks;
}

/** @internal */
export interface BlockVectors {
  readonly documents: readonly Float32Array[];
  readonly query: Float32Array;
}

/** @internal */
export function toVectors(values: Float32Array, count: number): BlockVectors {
  const size = values.length / (count + 1);
  const at = (index: number): Float32Array => values.subarray(index * size, (index + 1) * size);
  return { documents: Array.from({ length: count }, (_, index) => at(index)), query: at(count) };
}

/**
 * @internal The cosines of all documents and one query: of several blocks the mean of their queries, each weighing as much as
 * its block's best document is near to it. NaN where a vector is all zeros.
 */
export function scoreBlocks(blocks: readonly BlockVectors[]): number[] {
  const [first] = blocks;
  if (first === undefined) return [];
  let query: ArrayLike<number> = first.query;
  if (blocks.length > 1) {
    const sum = new Float64Array(first.query.length);
    for (const block of blocks) {
      const weight = (1 + block.documents.reduce((max, one) => Math.max(max, cosine(one, block.query)), -1)) / 2;
      block.query.forEach((value, index) => {
        sum[index] = (sum[index] ?? 0) + weight * value;
      });
    }
    query = sum;
  }
  return blocks.flatMap(({ documents }) => documents.map((document) => cosine(document, query)));
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}
