/**
 * node --expose-gc cycles.js [--cycles N] [--warm-up N]: loads, asks, disposes N times, failures and aborts among them; then
 * there are as many threads and descriptors as before, and resident memory has not grown.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Classifier, defaultModelPath, isEncoderError } from 'ggml-encoder';
import { runProgram } from './program';

/** A quarter of a page: anything that a model owns is far larger. */
const MAX_BYTES_PER_CYCLE = 1024;

interface Held {
  readonly threads: number;
  readonly descriptors: number;
  readonly residentBytes: number;
}

async function held(): Promise<Held> {
  // What was disposed is collected in two rounds: wrappers first, then what they kept.
  for (let i = 0; i < 3; i++) {
    globalThis.gc!();
    await new Promise((done) => setImmediate(done));
  }
  const resident = /^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1];
  return {
    threads: readdirSync('/proc/self/task').length,
    descriptors: readdirSync('/proc/self/fd').length,
    residentBytes: Number(resident) * 1024,
  };
}

async function expectCode(attempt: Promise<unknown>, code: 'gguf_malformed' | 'aborted'): Promise<void> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isEncoderError(error, code)) throw new Error(`expected ${code}, got ${String(error)}`);
}

async function cycle(number: number, broken: string, expected: string | undefined): Promise<string> {
  const model = await Classifier.load(undefined, { threads: 2, kernels: number % 4 === 3 ? 'portable' : 'auto' });
  const results = await model.classify(['A chess engine', 'Fonts for Bengali', 'a '.repeat(600)]);
  await model.tokenize(['some text']);
  if (number % 10 === 0) {
    await expectCode(Classifier.load(broken), 'gguf_malformed');
    const controller = new AbortController();
    const call = model.classify(new Array<string>(2000).fill('some text'), { signal: controller.signal });
    controller.abort();
    await expectCode(call, 'aborted');
  }
  await model.dispose();
  const labels = results.map(({ label }) => label).join();
  if (expected !== undefined && labels !== expected) throw new Error(`cycle ${number} answered ${labels}`);
  return labels;
}

/** Least squares over (cycle, bytes). */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  return points.reduce((sum, [at, bytes]) => sum + (at - x) * (bytes - y), 0) / spread;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { cycles: { type: 'string', default: '1000' }, 'warm-up': { type: 'string', default: '200' } },
  });
  const warmUp = Number(values['warm-up']);
  const cycles = Number(values.cycles);
  const broken = join(process.env['HOSTILE_ROOT']!, 'broken.gguf');
  writeFileSync(broken, readFileSync(defaultModelPath).subarray(0, 100_000));
  let labels: string | undefined;
  for (let i = 0; i < warmUp; i++) labels = await cycle(i, broken, labels);
  const before = await held();
  const points: [number, number][] = [];
  for (let i = 0; i < cycles; i++) {
    await cycle(i, broken, labels);
    if (i % 10 === 9) points.push([i, (await held()).residentBytes]);
  }
  const after = await held();
  const growth = slope(points);
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  console.log(`  after ${warmUp} cycles: ${before.threads} threads, ${before.descriptors} descriptors`);
  console.log(`  after ${cycles} more:   ${after.threads} threads, ${after.descriptors} descriptors`);
  console.log(`  resident ${mebibytes(before.residentBytes)} MiB, then ${mebibytes(after.residentBytes)} MiB`);
  console.log(`  slope ${growth.toFixed(0)} bytes a cycle`);
  const faults = [
    after.threads !== before.threads,
    after.descriptors !== before.descriptors,
    growth > MAX_BYTES_PER_CYCLE,
  ].filter(Boolean).length;
  console.log(`${cycles} cycles, ${faults} faults`);
  return faults === 0 ? 0 : 1;
}

runProgram(main);
