/** What is measured: the models, the texts, and how milliseconds become the figure of a row. */
import { readFileSync } from 'node:fs';

/** Made by make-models.py; the last number is the hidden size. */
export const MODELS = ['bert-2l-128', 'bert-4l-312', 'minilm-6l-384', 'distilbert-6l-768'];

const DOCUMENTS = 100;
/** Requests of `serve` that are under way at any time. */
const CLIENTS = 16;
/** As long as those that language models are given for reranking. */
const INSTRUCTION =
  'System: you judge passages for a search over the pages of a town and its harbour. Say yes when the passage answers ' +
  'the question by itself, and no when it only speaks of the same things; say nothing else. Task: given a question of a ' +
  'visitor, find the passages that a clerk at the counter would read out. Question:';
/**
 * A hundred calls of one short text are a round. Other work on a shared processor comes and goes within tenths of a second,
 * so they are taken in several short turns: with all of a round in one, nobody may have met a quiet moment.
 */
const LATENCY_CALLS = 20;
const LATENCY_TURNS = 5;
/** Calls of a turn are repeated until they take about this long, so that small models are timed well too. */
const TURN_MS = 400;
const MAX_CALLS = 40;

/** @param {number[]} values @param {number} share 0.5 for the median */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/**
 * @typedef {object} Turn
 * @property {number[]} ms wall-clock time of each call
 * @property {number[]} cpuMs processor time of each call, all threads together; of `serve` of each pass over its texts
 * @property {number[]} [passMs] of `serve`: wall-clock time of each pass
 * @property {number[]} [loopBusy] share of it in which the event loop was not idle
 * @property {number[]} [loopDelayMs] the longest that a timer was kept waiting
 *
 * @typedef {object} Metric
 * @property {string} metric
 * @property {string} unit
 * @property {boolean} higherIsBetter
 * @property {(turn: Turn, items: number) => number[]} [of] the figures that a turn adds to a row; only timed workloads have it
 * @property {boolean} [ofRound] whether `of` wants the turns of a round as one
 */

/** @type {Record<string, Metric>} */
export const METRICS = {
  p50: { metric: 'p50', unit: 'ms', higherIsBetter: false, of: ({ ms }) => [quantile(ms, 0.5)] },
  p99: { metric: 'p99', unit: 'ms', higherIsBetter: false, of: ({ ms }) => [quantile(ms, 0.99)], ofRound: true },
  time: { metric: 'time', unit: 'ms', higherIsBetter: false, of: ({ ms }) => ms },
  throughput: {
    metric: 'throughput',
    unit: 'texts/s',
    higherIsBetter: true,
    of: ({ ms }, items) => ms.map((call) => (items * 1000) / call),
  },
  cpu: {
    metric: 'cpu_time',
    unit: 'ms/text',
    higherIsBetter: false,
    of: ({ cpuMs }, items) => cpuMs.map((call) => call / items),
  },
  requests: {
    metric: 'throughput',
    unit: 'requests/s',
    higherIsBetter: true,
    of: ({ passMs }, items) => passMs.map((pass) => (items * 1000) / pass),
  },
  loopBusy: {
    metric: 'event_loop_busy',
    unit: '%',
    higherIsBetter: false,
    of: ({ loopBusy }) => loopBusy.map((share) => share * 100),
  },
  loopDelay: { metric: 'event_loop_delay', unit: 'ms', higherIsBetter: false, of: ({ loopDelayMs }) => loopDelayMs },
  load: { metric: 'load', unit: 'ms', higherIsBetter: false },
  memory: { metric: 'peak_memory', unit: 'MiB', higherIsBetter: false },
  conversion: { metric: 'throughput', unit: 'MB/s', higherIsBetter: true },
};

/**
 * `timed` workloads are calls to a process that stays; `load` and `convert` have turns of their own (run.mjs).
 * Those on request are for models that make something of them, and those of Node have no meaning elsewhere.
 * @typedef {object} Workload
 * @property {string} title
 * @property {'timed' | 'load' | 'convert'} kind
 * @property {Metric[]} metrics
 * @property {boolean} [onRequest]
 * @property {boolean} [ofNode]
 */

/** @type {Record<string, Workload>} */
export const WORKLOADS = {
  latency: { title: 'one short text at a time (31 tokens)', kind: 'timed', metrics: [METRICS.p50, METRICS.p99] },
  batch: {
    title: '32 of those of mixed, in one call',
    kind: 'timed',
    metrics: [METRICS.time, METRICS.throughput],
  },
  mixed: {
    title: '512 texts of 5 to 512 tokens, mean 60, in one call',
    kind: 'timed',
    metrics: [METRICS.throughput, METRICS.cpu],
  },
  rank: { title: `one query with ${DOCUMENTS} documents`, kind: 'timed', metrics: [METRICS.time, METRICS.cpu] },
  instructed: {
    title: `one query behind an instruction of 59 words, with ${DOCUMENTS} documents`,
    kind: 'timed',
    metrics: [METRICS.time, METRICS.cpu],
    onRequest: true,
  },
  long: {
    title: '32 texts of 512 tokens (or what the model takes) in one call',
    kind: 'timed',
    metrics: [METRICS.throughput, METRICS.cpu],
  },
  serve: {
    title: `the texts of mixed, a request each, of ${CLIENTS} clients at once`,
    kind: 'timed',
    metrics: [METRICS.requests, METRICS.p50, METRICS.p99, METRICS.cpu, METRICS.loopBusy, METRICS.loopDelay],
    ofNode: true,
  },
  load: {
    title: 'a new process: import and load; peak memory after the mixed texts',
    kind: 'load',
    metrics: [METRICS.load, METRICS.memory],
  },
  convert: { title: 'checkpoint to GGUF, file to file', kind: 'convert', metrics: [METRICS.conversion] },
};

/**
 * @typedef {object} Texts
 * @property {string} short
 * @property {string[]} mixed
 * @property {string[]} long
 * @property {string} query
 * @property {string[]} documents
 */

/** @param {number} part one n-th of them @returns {Texts} */
export function readTexts(part) {
  const all = JSON.parse(readFileSync(new URL('texts/sentences.json', import.meta.url), 'utf8'));
  const share = (list) => list.slice(0, Math.ceil(list.length / part));
  // Passages as a search would return them: neither single lines nor whole pages.
  const passages = all.mixed.filter((text) => text.length > 150 && text.length < 900);
  return {
    ...all,
    mixed: share(all.mixed),
    long: share(all.long),
    documents: share(passages.slice(0, DOCUMENTS)),
  };
}

/** The request of a timed workload, for one call. @param {string} workload @param {Texts} texts */
export function requestOf(workload, texts) {
  if (workload === 'rank' || workload === 'instructed') {
    const query = workload === 'rank' ? texts.query : `${INSTRUCTION} ${texts.query}`;
    return { op: 'time', task: 'rank', query, documents: texts.documents, calls: 1 };
  }
  if (workload === 'serve') return { op: 'serve', texts: texts.mixed, clients: CLIENTS, calls: 1 };
  const step = Math.ceil(texts.mixed.length / 32);
  const batch = texts.mixed.filter((_, index) => index % step === 0);
  const list = { latency: [texts.short], batch, mixed: texts.mixed, long: texts.long }[workload];
  return { op: 'time', task: 'classify', texts: list, calls: 1 };
}

export function turnsPerRound(workload) {
  return workload === 'latency' ? LATENCY_TURNS : 1;
}

/** Calls of one turn, after a first call that took `ms`. */
export function callsPerTurn(workload, ms) {
  if (workload === 'latency') return LATENCY_CALLS;
  return Math.min(MAX_CALLS, Math.max(1, Math.round(TURN_MS / ms)));
}
