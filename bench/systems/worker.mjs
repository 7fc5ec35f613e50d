// The process of a system that runs in Node: node worker.mjs <system>. Reads requests as JSON lines, answers likewise.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

const MODULES = {
  'ggml-encoder': './ggml-encoder.mjs',
  'transformers.js': './transformers-js.mjs',
  'node-llama-cpp': './node-llama-cpp.mjs',
};

/** What a system's module gives: load(request) -> { version, logits(inputs), classify(texts), rank(query, documents) }. */
const name = process.argv[2];
let model;

const operations = {
  async load(request) {
    const start = performance.now();
    const { load } = await import(MODULES[name]);
    model = await load(request);
    return { ms: performance.now() - start, version: model.version };
  },
  async logits({ inputs }) {
    return { rows: await model.logits(inputs) };
  },
  /** Runs one task `calls` times, one call after another. */
  async time({ task, texts, query, documents, calls }) {
    const run = task === 'rank' ? () => model.rank(query, documents) : () => model.classify(texts);
    const answer = { ms: [], cpuMs: [] };
    for (let call = 0; call < calls; call += 1) {
      const before = process.cpuUsage();
      const start = performance.now();
      await run();
      answer.ms.push(performance.now() - start);
      const { user, system } = process.cpuUsage(before);
      answer.cpuMs.push((user + system) / 1000);
    }
    return answer;
  },
  /** A call for each text, `clients` of them at any time; all of it `calls` times. */
  async serve({ texts, clients, calls }) {
    const answer = { ms: [], passMs: [], cpuMs: [], loopBusy: [], loopDelayMs: [] };
    for (let call = 0; call < calls; call += 1) {
      const waiting = texts.values();
      const beClient = async () => {
        for (const text of waiting) {
          const start = performance.now();
          await model.classify([text]);
          answer.ms.push(performance.now() - start);
        }
      };
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const [start, cpu, loop] = [performance.now(), process.cpuUsage(), performance.eventLoopUtilization()];
      await Promise.all(Array.from({ length: clients }, beClient));
      answer.passMs.push(performance.now() - start);
      const { user, system } = process.cpuUsage(cpu);
      answer.cpuMs.push((user + system) / 1000);
      answer.loopBusy.push(performance.eventLoopUtilization(loop).utilization);
      delay.disable();
      answer.loopDelayMs.push(delay.max / 1e6);
    }
    return answer;
  },
  async convert(request) {
    const { convertOnce } = await import(MODULES[name]);
    return convertOnce(request);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = await operations[request.op](request);
  } catch (error) {
    answer = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
