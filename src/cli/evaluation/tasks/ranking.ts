/** Queries with judged documents: how much better the model orders them than they were given. */
import { EncoderError } from '../../../errors';
import type { Paint } from '../../style';
import { JudgedDocuments } from '../input/judged-documents';
import type { JudgedDocument } from '../input/judged-documents';
import type { Comparison } from '../comparison';
import { LogitComparison } from '../logit-comparison';
import { GrowingColumn } from '../metrics/growing-column';
import { rangeOf } from '../metrics/range';
import type { Range } from '../metrics/range';
import {
  NOTHING_FOUND,
  meanRetrieval,
  namedMetrics,
  ndcgGain,
  relevance,
  retrievalMetrics,
} from '../metrics/retrieval';
import type { Judgement, RetrievalMetrics } from '../metrics/retrieval';
import { comparedLines, digits, signed } from '../numbers';
import { rankingSections } from '../report/ranking';
import type { Findings, Task } from '../task';

/** One query's numbers. */
export interface RankedQuery {
  /** Its id, else its text. */
  readonly query: string;
  readonly documents: number;
  readonly relevant: number;
  readonly metrics: RetrievalMetrics;
  /** Of the order in which the documents were given; null where they came as a set. */
  readonly base: RetrievalMetrics | null;
}

/** What is said about all queries. */
export interface RankingResult {
  readonly k: number;
  readonly queries: readonly RankedQuery[];
  readonly metrics: RetrievalMetrics;
  readonly base: (RetrievalMetrics & { readonly better: number; readonly worse: number }) | null;
}

const ORIGINS: readonly JudgedDocument['origin'][] = ['listed', 'added', 'unordered'];

export class RankingTask implements Task<JudgedDocument> {
  readonly format = new JudgedDocuments();
  readonly needsAlike = false;
  readonly #judgement: Judgement;
  readonly #other: string | undefined;
  readonly #queries = new GrowingColumn((length) => new Uint32Array(length));
  readonly #origins = new GrowingColumn((length) => new Uint8Array(length));
  readonly #grades = new GrowingColumn((length) => new Float64Array(length));
  readonly #logits = new GrowingColumn((length) => new Float32Array(length));
  readonly #otherLogits = new GrowingColumn((length) => new Float32Array(length));
  readonly #compared = new LogitComparison();

  /** @param other path of a second model. */
  constructor(other: string | undefined, judgement: Judgement) {
    this.#other = other;
    this.#judgement = judgement;
  }

  groupOf({ query }: JudgedDocument): number {
    return query;
  }

  add(
    { query, grade, origin }: JudgedDocument,
    _isPair: boolean,
    logits: Float32Array,
    otherLogits: Float32Array | undefined,
  ): void {
    this.#queries.add([query]);
    this.#origins.add([ORIGINS.indexOf(origin)]);
    this.#grades.add([grade]);
    // Activations of one score keep the order.
    this.#logits.add(logits);
    if (otherLogits === undefined) return;
    this.#otherLogits.add(otherLogits);
    this.#compared.add(logits, otherLogits);
  }

  finish(): Findings {
    const result = this.#measure(this.#logits.values, true);
    const comparison = this.#other === undefined ? undefined : this.#compare(this.#other);
    const { k, queries, metrics, base } = result;
    const level = this.#judgement.relevanceLevel;
    if (queries.every(({ relevant }) => relevant === 0)) {
      const needed = level === undefined ? 'above 0' : `of at least ${level} (--relevance-level)`;
      throw new EncoderError(
        'input_invalid',
        `no document of any query is relevant, which is to have a grade ${needed}`,
      );
    }
    const documents = rangeOf(Float64Array.from(queries, (query) => query.documents));
    const relevant = rangeOf(Float64Array.from(queries, (query) => query.relevant));
    const withoutRelevant = queries.filter((query) => query.relevant === 0).length;
    const counted = { queries: queries.length, withoutRelevant, documents, relevant };
    const compare = comparison && {
      model: comparison.model,
      ...comparison.result,
      maxLogitDifference: comparison.maxLogitDifference,
    };
    return {
      line: { task: 'ranking', k, relevanceLevel: level ?? null, ...counted, ...metrics, base, compare },
      summary: [
        ...namedMetrics(k).map(([name, key]): [string, string] => [name, changeText(metrics[key], base?.[key])]),
        ['queries', queriesText(queries.length, withoutRelevant)],
        ['documents of a query', `${rangeText(documents)}; relevant ${rangeText(relevant)}`],
      ],
      details: (paint) => [
        ...describeBase(result, paint),
        ...comparedLines(paint, comparison, (other) =>
          namedMetrics(k).map(([name, key]) => [name, digits(other[key])]),
        ),
      ],
      sections: () => rankingSections(result, comparison),
      rows: () => queries.map(rowOf),
      note:
        'NDCG takes grades as gains. A query without a relevant document counts 0. Equal scores count as the mean of ' +
        'their orders, in MAP as one place.',
    };
  }

  #compare(model: string): Comparison<RetrievalMetrics> {
    const { metrics: result } = this.#measure(this.#otherLogits.values, false);
    return { model, result, maxLogitDifference: this.#compared.maxDifference };
  }

  #measure(logits: Float32Array, withBase: boolean): RankingResult {
    const judgement = this.#judgement;
    const isRelevant = relevance(judgement.relevanceLevel);
    const names = this.format.queries;
    const queries = grouped(this.#queries.values, names.length).map((places, query): RankedQuery => {
      const grades = Array.from(places, (place) => this.#grades.at(place));
      const scores = Array.from(places, (place) => logits[place]!);
      const origins = Array.from(places, (place) => ORIGINS[this.#origins.at(place)]!);
      return {
        query: names[query] ?? '',
        documents: places.length,
        relevant: grades.filter(isRelevant).length,
        metrics: retrievalMetrics(grades, scores, judgement),
        base: withBase ? baseMetrics(grades, origins, judgement) : null,
      };
    });
    const metrics = meanRetrieval(queries.map((query) => query.metrics));
    return { k: judgement.k, queries, metrics, base: meanBase(queries) };
  }
}

/** For each query the places of its examples, in the order of the file. */
function grouped(queries: Uint32Array, count: number): Uint32Array[] {
  const ends = new Uint32Array(count + 1);
  for (const query of queries) ends[query + 1]! += 1;
  for (let query = 0; query < count; query++) ends[query + 1]! += ends[query]!;
  const next = ends.slice(0, count);
  const places = new Uint32Array(queries.length);
  queries.forEach((query, place) => (places[next[query]!++] = place));
  return Array.from(next, (_, query) => places.subarray(ends[query], ends[query + 1]));
}

/** As sentence-transformers: what the list lacked follows it, and a list of nothing relevant counts 0. */
function baseMetrics(
  grades: readonly number[],
  origins: readonly JudgedDocument['origin'][],
  judgement: Judgement,
): RetrievalMetrics | null {
  if (origins.includes('unordered')) return null;
  const isRelevant = relevance(judgement.relevanceLevel);
  const hasAdded = origins.includes('added');
  if (hasAdded && !grades.some((grade, place) => origins[place] === 'listed' && isRelevant(grade)))
    return NOTHING_FOUND;
  return retrievalMetrics(
    grades,
    grades.map((_, place) => -place),
    judgement,
  );
}

function meanBase(queries: readonly RankedQuery[]): RankingResult['base'] {
  const bases = queries.flatMap(({ base }) => base ?? []);
  if (bases.length < queries.length) return null;
  const gains = queries.map(({ metrics, base }) => ndcgGain(metrics, base));
  const [better, worse] = [gains.filter((gain) => gain > 0).length, gains.filter((gain) => gain < 0).length];
  return { ...meanRetrieval(bases), better, worse };
}

/** A line of `--per-query`; the contract of docs/cli.md. */
function rowOf({ query, documents, relevant, metrics, base }: RankedQuery) {
  return { query, documents, relevant, ...metrics, base };
}

function changeText(value: number, base: number | undefined): string {
  return base === undefined ? digits(value) : `${digits(base)} -> ${digits(value)} (${signed(value - base, 4)})`;
}

function queriesText(count: number, withoutRelevant: number): string {
  return withoutRelevant === 0 ? `${count}` : `${count}, ${withoutRelevant} without a relevant document count 0`;
}

function rangeText({ min, max, mean }: Range): string {
  return min === max ? `${min}` : `${min} to ${max}, mean ${mean.toFixed(1)}`;
}

function describeBase({ base, queries, k }: RankingResult, paint: Paint): string[] {
  if (base === null) return [];
  const { better, worse } = base;
  const same = queries.length - better - worse;
  const counts = `by NDCG@${k} ${better} queries became better, ${worse} worse, ${same} stayed`;
  return ['', paint('dim', `the order in the file -> the order of the model; ${counts}`)];
}
