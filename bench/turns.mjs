/** The contenders for one model, and the round-robin in which they take their turns. */
import { WorkerProcess } from './worker-process.mjs';
import { METRICS, WORKLOADS, callsPerTurn, quantile, requestOf, turnsPerRound } from './workloads.mjs';

/** Whoever is this many times slower than the fastest of a round rests after two: its place is known. */
const FAR_BEHIND = 4;

/** One system in one type, in a process that is stopped whenever it is not its turn. */
export class Contender {
  #worker;

  /** @param {import('./systems.mjs').System} system */
  constructor(system, { type, model, folder, threads, batch, device }) {
    Object.assign(this, { system, type, model, folder, threads, batch, device, version: '', failed: false });
    this.name = `${system.name} ${type}`;
    this.#worker = new WorkerProcess(system.command, threads);
  }

  /** @returns {Promise<number>} milliseconds for import and load */
  async load() {
    const { folder, type, threads, batch, device } = this;
    const { ms, version } = await this.turn({ op: 'load', folder, type, threads, batch, device });
    this.version = version;
    return ms;
  }

  async turn(request) {
    this.#worker.resume();
    try {
      return await this.#worker.request(request);
    } finally {
      this.#worker.pause();
    }
  }

  peakMemory() {
    return this.#worker.peakMemory();
  }

  end() {
    return this.#worker.end();
  }

  /** @param {number[]} values one per call or per turn, as the metric has it */
  row(workload, metric, unit, values) {
    const { model, type, threads, device } = this;
    const spread = { median: median(values), min: Math.min(...values), max: Math.max(...values), runs: values.length };
    const where = device === 'cpu' ? { threads } : { threads, device };
    return { workload, model, system: this.system.name, type, ...where, metric, unit, ...spread };
  }
}

function median(values) {
  return values.length % 2 === 1
    ? quantile(values, 0.5)
    : (quantile(values, 0.5) + quantile([...values, Infinity], 0.5)) / 2;
}

/**
 * A contender that fails is named and out of the race; the others go on.
 * @template Result
 * @param {Contender} contender @param {() => Promise<Result>} work @returns {Promise<Result | undefined>}
 */
export async function attempt(contender, work) {
  if (contender.failed) return undefined;
  try {
    return await work();
  } catch (error) {
    contender.failed = true;
    process.exitCode = 1;
    console.log(`  FAILED ${contender.name}: ${error.message.trim()}`);
    return undefined;
  }
}

/** @param {Contender[]} contenders @returns {Promise<object[]>} the rows of a timed workload */
export async function takeTurns(workload, contenders, texts, { rounds }) {
  const request = requestOf(workload, texts);
  /** @type {Map<Contender, { calls: number, turns: import('./workloads.mjs').Turn[] }>} */
  const states = new Map();
  for (const contender of contenders) {
    if (WORKLOADS[workload].ofNode && !contender.system.inNode) continue;
    const calls = await attempt(contender, () => warmUp(contender, workload, request));
    if (calls !== undefined) states.set(contender, { calls, turns: [] });
  }
  const best = ({ turns }) => Math.min(...turns.flatMap(({ ms, passMs = ms }) => passMs));
  const perRound = turnsPerRound(workload);
  for (let turn = 0; turn < rounds * perRound; turn += 1) {
    const fastest = Math.min(...[...states.values()].map(best));
    // Each time another one begins, so that nobody always follows the same neighbour.
    const entries = [...states];
    const order = entries.map((_, place) => entries[(place + turn) % entries.length]);
    for (const [contender, state] of order) {
      if (turn >= 2 * perRound && best(state) > FAR_BEHIND * fastest) continue;
      await attempt(contender, async () => {
        await contender.turn({ ...shortened(request, () => 1), calls: 3 });
        state.turns.push(await contender.turn({ ...request, calls: state.calls }));
      });
    }
  }
  const items = request.texts?.length ?? request.documents.length;
  const whole = [...states].filter(([contender]) => !contender.failed);
  return whole.flatMap(([contender, { turns }]) =>
    WORKLOADS[workload].metrics.map(({ metric, unit, of, ofRound }) => {
      const values = (ofRound ? wholeRounds(turns, perRound) : turns).flatMap((turn) => of(turn, items));
      return contender.row(workload, metric, unit, values);
    }),
  );
}

/** @param {import('./workloads.mjs').Turn[]} turns @returns {import('./workloads.mjs').Turn[]} one for each round */
function wholeRounds(turns, perRound) {
  return Array.from({ length: Math.ceil(turns.length / perRound) }, (_, round) => {
    const parts = turns.slice(round * perRound, (round + 1) * perRound);
    return { ms: parts.flatMap(({ ms }) => ms), cpuMs: parts.flatMap(({ cpuMs }) => cpuMs) };
  });
}

/** The request with so many of its texts or documents. @param {(length: number) => number} count */
function shortened(request, count) {
  const part = (list) => list?.slice(0, count(list.length));
  return { ...request, texts: part(request.texts), documents: part(request.documents) };
}

/** An eighth of a long list warms as well as all of it. @returns {Promise<number>} calls to a turn */
async function warmUp(contender, workload, request) {
  const small = { ...shortened(request, (length) => Math.ceil(length / 8)), calls: 2 };
  const { ms, passMs = ms } = await contender.turn(small);
  const length = ({ texts, documents }) => (texts ?? documents).length;
  return callsPerTurn(workload, (Math.min(...passMs) * length(request)) / length(small));
}

/** @returns {Promise<object[]>} load time and peak memory, each turn in a new process */
export async function loadInTurns(makeContenders, texts, rounds) {
  const results = new Map();
  for (let round = 0; round < rounds; round += 1) {
    for (const make of makeContenders) {
      const contender = make();
      await attempt(contender, async () => {
        const ms = await contender.load();
        await contender.turn(requestOf('mixed', texts));
        const result = results.get(make) ?? { contender, ms: [], memory: [] };
        result.ms.push(ms);
        result.memory.push(contender.peakMemory());
        results.set(make, result);
      });
      await contender.end();
    }
  }
  const rowOf = (contender, { metric, unit }, values) => contender.row('load', metric, unit, values);
  return [...results.values()].flatMap(({ contender, ms, memory }) => [
    rowOf(contender, METRICS.load, ms),
    rowOf(contender, METRICS.memory, memory),
  ]);
}
