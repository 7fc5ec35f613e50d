// The process survives the end of its workers and ends when it is told to, whatever the model is doing. Each scenario
// runs in a process of its own, so that a crash is an exit status and not the end of the test run. `npm run test:lifecycle` is
// the long form.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';

import { goldenModel, writeCheckpoint } from '../golden/checkpoint-fixture';

const root = path.join(__dirname, '..', '..');
const isLong = process.env['LIFECYCLE_TEST'] === 'long';
const WORKERS = isLong ? 1000 : 60;
const EXITS = isLong ? 200 : 3;
const CYCLES = isLong ? 100 : 60;
/** The longest scenario starts a thousand workers. */
const TIMEOUT_MS = isLong ? 1_800_000 : 100_000;

function run(script: string, env: Record<string, string> = {}) {
  const prelude = `
    const { Classifier, convert, estimateMemory } = require(${JSON.stringify(root)});
    const { Worker, isMainThread } = require('node:worker_threads');
    const texts = Array.from({ length: 20000 }, (_, index) => 'some text of no importance ' + index);
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const threads = () => require('node:fs').readdirSync('/proc/self/task').length;
  `;
  return spawnSync(process.execPath, ['-e', prelude + script], {
    cwd: root,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: { ...process.env, ...env },
  });
}

const WORKER = JSON.stringify(`
  const { Classifier } = require(${JSON.stringify(root)});
  const texts = Array.from({ length: 20000 }, (_, index) => 'some text of no importance ' + index);
  Classifier.load().then(async (model) => {
    require('node:worker_threads').parentPort.postMessage('loaded');
    for (;;) await model.classify(texts);
  });
`);

it(`survives ${WORKERS} workers terminated at random moments`, { timeout: TIMEOUT_MS }, () => {
  const { status, stderr, stdout } = run(`
    (async () => {
      let rssHalfway = 0;
      for (let round = 0; round < ${WORKERS}; round++) {
        if (round === ${WORKERS / 2}) rssHalfway = process.memoryUsage().rss;
        const worker = new Worker(${WORKER}, { eval: true });
        // Before it loads, while it loads, while it computes.
        if (round % 3 === 2) await new Promise((done) => worker.once('message', done));
        await pause(Math.random() * 50);
        await worker.terminate();
      }
      const growth = process.memoryUsage().rss - rssHalfway;
      const model = await Classifier.load();
      const { label } = await model.classify('Real-time strategy game of ancient warfare');
      await model.dispose();
      console.log(JSON.stringify({ label, threads: threads(), growth }));
    })();
  `);
  expect(status, stderr).toBe(0);
  const { label, threads, growth } = JSON.parse(stdout) as { label: string; threads: number; growth: number };
  if (isLong) console.log(`${WORKERS} workers: ${threads} threads, ${growth} bytes more than halfway`);
  expect(label).toBe('games');
  // Node itself keeps about a dozen; a worker's inference threads would add two each.
  expect(threads).toBeLessThan(40);
  // A model that stays behind holds 2.8 MB. In the short form Node's own heap is still finding its size.
  if (isLong) expect(growth).toBeLessThan((WORKERS / 2) * 100_000);
});

it.each([
  ['process.exit', 'process.exit(7);', 7],
  ['an uncaught error', "throw new Error('planted');", 1],
])(
  `ends with the right status on %s in mid-work, ${EXITS} times`,
  { timeout: TIMEOUT_MS },
  (_, statement, expected) => {
    for (let i = 0; i < EXITS; i++) {
      // While it loads, while it starts to compute, while it computes.
      const { status, signal } = run(`
      Classifier.load().then((model) => model.classify(texts));
      setTimeout(() => { ${statement} }, ${Math.random() * 150});
    `);
      expect({ status, signal }).toEqual({ status: expected, signal: null });
    }
  },
);

it('ends by itself when nothing is left to do, with or without dispose', () => {
  expect(run("Classifier.load().then((model) => model.classify('a text'));").status).toBe(0);
  expect(run("Classifier.load().then((model) => model.classify('a text').then(() => model.dispose()));").status).toBe(
    0,
  );
});

it('tells that no thread can be started, goes on when one can, and ends by itself', () => {
  const library = path.join(root, 'build-cmake', 'out', 'libenc_no_threads.so');
  expect(existsSync(library)).toBe(true);
  const { status, signal, stdout, stderr } = run(
    `
    (async () => {
      const codeOf = async (action) => { try { await action(); return 'ok'; } catch ({ code }) { return code; } };
      const model = await Classifier.load();
      process.env.NO_THREADS = '1';
      const codes = [
        await codeOf(() => Classifier.load()),
        await codeOf(() => estimateMemory(${JSON.stringify(path.join(root, 'models', 'default.gguf'))})),
        await codeOf(() => model.dispose()),
      ];
      process.env.NO_THREADS = '0';
      codes.push(await codeOf(() => model.classify('a text')), await codeOf(() => model.dispose()));
      console.log(codes.join());
    })();
  `,
    { LD_PRELOAD: library },
  );
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null });
  expect(stdout.trim()).toBe('out_of_memory,out_of_memory,out_of_memory,ok,ok');
}, 20_000);

it('tells that memory has run out, whichever allocation of a call or a load fails, up to the last', () => {
  const library = path.join(root, 'build-cmake', 'out', 'libenc_no_memory.so');
  expect(existsSync(library)).toBe(true);
  const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-no-memory-'));
  const control = path.join(folder, 'control');
  writeFileSync(control, Buffer.alloc(32));
  const { status, signal, stdout, stderr } = run(
    `
    const fs = require('node:fs');
    const file = fs.openSync(process.env.FAULT_CONTROL, 'r+');
    const word = Buffer.alloc(8);
    const write = (place, value) => { word.writeBigUInt64LE(BigInt(value)); fs.writeSync(file, word, 0, 8, 8 * place); };
    const read = (place) => { fs.readSync(file, word, 0, 8, 8 * place); return Number(word.readBigUInt64LE()); };
    const [MARKS, FAILS, COUNT, FAILED] = [0, 1, 2, 3];
    const source = ${JSON.stringify(path.join(root, 'models', 'default.gguf'))};
    const load = () => Classifier.load(source, { threads: 1 });
    const codes = new Set();
    let model;
    const loadMarked = async () => {
      await model?.dispose();
      write(MARKS, 1);
      model = await load();
      write(MARKS, 0);
      await model.classify('a text');
    };
    const failEach = async (action, first) => {
      for (let nth = first; ; nth++) {
        write(COUNT, 0);
        write(FAILED, 0);
        write(FAILS, nth);
        await action().then(() => codes.add('ok'), ({ code }) => codes.add(code));
        write(FAILS, 0);
        if (read(FAILED) === 0) return;
        // Where ggml itself ran out of memory the model is of no use any more, and says so.
        await model.classify('a text').catch(loadMarked);
      }
    };
    (async () => {
      // The threads that read files are not meant.
      await Promise.all(Array.from({ length: 8 }, () => fs.promises.stat('.')));
      await loadMarked();
      await failEach(() => model.classify('a text'), 1);
      await failEach(() => model.tokenize('a text'), 1);
      write(MARKS, 1);
      for (const action of [() => estimateMemory(source), () => load().then((loaded) => loaded.dispose())]) {
        await action();
        write(COUNT, 0);
        await action();
        await failEach(action, read(COUNT) - 20);
      }
      console.log([...codes].sort().join());
    })();
  `,
    { LD_PRELOAD: library, FAULT_CONTROL: control },
  );
  rmSync(folder, { recursive: true });
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null });
  expect(stdout.trim()).toBe('ok,out_of_memory');
}, 60_000);

it('tells V8 that the memory of a model is free again when it is collected without dispose', () => {
  const { status, stdout, stderr } = run(`
    const counter = { exports: {} };
    process.dlopen(counter, ${JSON.stringify(path.join(root, 'build-cmake', 'out', 'libenc_external_memory.so'))});
    require('node:v8').setFlagsFromString('--expose-gc');
    const collect = require('node:vm').runInNewContext('gc');
    const settle = async () => { for (let i = 0; i < 10; i++) { collect(); await pause(10); } };
    (async () => {
      await (await Classifier.load()).dispose();
      await settle();
      const before = counter.exports();
      let model = await Classifier.load();
      const { weightBytes } = model.info;
      await settle();
      const held = counter.exports() - before;
      model = undefined;
      for (let i = 0; i < 9; i++) await Classifier.load();
      await settle();
      console.log(JSON.stringify({ held: held / weightBytes, left: (counter.exports() - before) / weightBytes }));
    })();
  `);
  expect(status, stderr).toBe(0);
  // In models.
  const { held, left } = JSON.parse(stdout) as { held: number; left: number };
  expect(held).toBeGreaterThan(0.9);
  expect(left).toBeLessThan(0.1);
});

it(`gives memory and threads back over ${CYCLES} cycles of load, classify, dispose`, { timeout: TIMEOUT_MS }, () => {
  const { status, stdout, stderr } = run(`
    (async () => {
      const cycle = async () => {
        const model = await Classifier.load();
        await model.classify('a text');
        await model.dispose();
      };
      for (let i = 0; i < 20; i++) await cycle();
      const threadsBefore = threads();
      const rounds = [];
      for (let round = 0; round < 3; round++) {
        const before = process.memoryUsage().rss;
        for (let i = 0; i < ${CYCLES}; i++) await cycle();
        rounds.push((process.memoryUsage().rss - before) / ${CYCLES});
      }
      // A thread that has ended counts until the system has done with it.
      for (let tries = 0; tries < 500 && threads() > threadsBefore; tries++) await pause(10);
      console.log(JSON.stringify({ bytes: Math.min(...rounds), threads: threads() - threadsBefore }));
    })();
  `);
  expect(status, stderr).toBe(0);
  // The weights are 2.8 MB: what is kept shows in every round, the growth of the allocator's arenas in the first ones.
  const { bytes, threads } = JSON.parse(stdout) as { bytes: number; threads: number };
  if (isLong) console.log(`${CYCLES} cycles: ${bytes} bytes each, ${threads} threads more`);
  expect(bytes).toBeLessThan(400_000);
  expect(threads).toBeLessThanOrEqual(1);
});

it(
  'gives matrices of some megabytes back, on dispose and when a load is aborted',
  { timeout: TIMEOUT_MS },
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-matrices-'));
    // The matrices take 64 MB, the largest 9: glibc would keep such blocks when they are freed.
    const model = goldenModel('distilbert-768');
    const config = { ...model.config, vocab_size: 7100, n_layers: 2 };
    await writeCheckpoint({ ...model, config }, folder);
    const { status, stderr, stdout } = run(`
    (async () => {
      const folder = ${JSON.stringify(folder)};
      const file = require('node:path').join(folder, 'model.gguf');
      await convert(folder, { output: file });
      const rss = () => process.memoryUsage().rss;
      const cycle = async () => {
        const model = await Classifier.load(file);
        await model.dispose();
        return model.info.weightBytes;
      };
      const weightBytes = await cycle();
      const before = rss();
      let [disposed, aborted] = [0, 0];
      for (let i = 0; i < 20; i++) {
        await cycle();
        disposed = Math.max(disposed, rss() - before);
      }
      const controller = new AbortController();
      const threadsBefore = threads();
      const loads = Array.from({ length: 8 }, () => Classifier.load(file, { signal: controller.signal }));
      for (let i = 0; i < 2000 && threads() < threadsBefore + 4; i++) await pause(1);
      controller.abort();
      const codes = (await Promise.allSettled(loads)).map(({ reason }) => reason?.code);
      // Loads that went on would take their memory now.
      for (let i = 0; i < 400; i++) {
        aborted = Math.max(aborted, rss() - before);
        await pause(5);
      }
      console.log(JSON.stringify({ disposed: disposed / weightBytes, aborted: aborted / weightBytes, codes }));
    })();
  `);
    rmSync(folder, { recursive: true });
    expect(status, stderr).toBe(0);
    // In models.
    const { disposed, aborted, codes } = JSON.parse(stdout) as { disposed: number; aborted: number; codes: string[] };
    expect(disposed).toBeLessThan(1.5);
    expect(aborted).toBeLessThan(3);
    expect(new Set(codes)).toEqual(new Set(['aborted']));
  },
);
