/** The report on the order of documents. */
import type { Comparison } from '../comparison';
import { namedMetrics, ndcgGain } from '../metrics/retrieval';
import type { RetrievalMetrics } from '../metrics/retrieval';
import { signed } from '../numbers';
import type { RankedQuery, RankingResult } from '../tasks/ranking';
import { histogram } from './histogram';
import { card, comparedCard, plainTable, threeDigits, tiles } from './sections';
import { shorten } from '../../style';

const MAX_QUERIES = 15;
const MAX_QUERY_LENGTH = 90;

export function rankingSections(result: RankingResult, comparison: Comparison<RetrievalMetrics> | undefined): string[] {
  const { k, queries, metrics, base } = result;
  const gains = Float64Array.from(queries, gainOf);
  return [
    tiles(namedMetrics(k).map(([name, key]) => [name, threeDigits(metrics[key])])),
    ...(base === null && comparison === undefined ? [] : [ordersCard(result, comparison)]),
    card(
      `NDCG@${k} of the queries`,
      shares(
        Float64Array.from(queries, (query) => query.metrics.ndcg),
        `NDCG@${k}`,
      ),
    ),
    ...(base === null ? [] : [card(`Gain in NDCG@${k} over the order in the file`, shares(gains, 'gain'))]),
    queriesCard(
      `Lowest NDCG@${k}`,
      k,
      [...queries].sort((a, b) => a.metrics.ndcg - b.metrics.ndcg),
    ),
    ...(base === null || base.worse === 0
      ? []
      : [
          queriesCard(
            `Lost most NDCG@${k}`,
            k,
            queries.filter((query) => gainOf(query) < 0).sort((a, b) => gainOf(a) - gainOf(b)),
          ),
        ]),
  ];
}

function shares(values: Float64Array, name: string): string {
  return histogram(values, new Uint8Array(values.length).fill(1), name, 'queries');
}

/** All orders side by side. */
function ordersCard({ k, metrics, base }: RankingResult, comparison: Comparison<RetrievalMetrics> | undefined): string {
  const orders = [
    ...(base === null ? [] : [['in the file', base] as const]),
    ['this model', metrics] as const,
    ...(comparison === undefined ? [] : [['the other', comparison.result] as const]),
  ];
  const rows = namedMetrics(k).map(([name, key]) => [
    name,
    ...orders.map(([, order]) => threeDigits(order[key])),
    ...(base === null ? [] : [signed(metrics[key] - base[key], 3)]),
  ]);
  const head = ['', ...orders.map(([name]) => name), ...(base === null ? [] : ['gain'])];
  if (comparison === undefined)
    return card('The order in the file and that of the model', plainTable(rows, head), 'wide');
  const difference = [
    'largest difference of logits',
    ...orders.map(([name]) => (name === 'the other' ? comparison.maxLogitDifference.toPrecision(3) : '')),
  ];
  return comparedCard(comparison.model, plainTable([...rows, difference], head));
}

/** @param queries the first of them are shown. */
function queriesCard(title: string, k: number, queries: readonly RankedQuery[]): string {
  const hasBase = queries.some(({ base }) => base !== null);
  const rows = queries
    .slice(0, MAX_QUERIES)
    .map(({ query, documents, relevant, metrics, base }) => [
      shorten(query, MAX_QUERY_LENGTH),
      `${relevant} of ${documents}`,
      ...(hasBase ? [threeDigits(base?.ndcg)] : []),
      threeDigits(metrics.ndcg),
      threeDigits(metrics.mrr),
      threeDigits(metrics.recall),
    ]);
  const head = ['query', 'relevant', ...(hasBase ? ['in the file'] : []), `NDCG@${k}`, `MRR@${k}`, `recall@${k}`];
  return card(title, plainTable(rows, head), 'wide');
}

function gainOf({ metrics, base }: RankedQuery): number {
  return ndcgGain(metrics, base);
}
