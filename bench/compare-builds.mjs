// What a call costs in two builds of this package, in turns within one process, so that a busy machine is as busy for both:
// node bench/compare-builds.mjs --before <folder> [--after <folder>] [--model <source>] [--threads 1] [--text <text>] [--turns 100]
// A turn is 300 calls of one text. Prints µs a call: the least of the turns and, of each pair of turns, the median ratio.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const CALLS = 300;
const WARM_UP_CALLS = 5000;

const { values } = parseArgs({
  options: {
    before: { type: 'string' },
    after: { type: 'string', default: root },
    model: { type: 'string', default: path.join(root, 'models', 'default.gguf') },
    threads: { type: 'string', default: '1' },
    text: { type: 'string', default: 'game' },
    turns: { type: 'string', default: '100' },
  },
});
if (values.before === undefined) throw new Error('give --before <folder of a build of this package>');

async function load(folder) {
  const { Classifier } = await import(path.join(path.resolve(folder), 'dist', 'index.mjs'));
  return Classifier.load(values.model, { threads: Number(values.threads) });
}

/** Of `calls` calls, one after another: the median time of one, its 99th of a hundred, and the processor time. */
async function turn(classifier, calls) {
  const times = [];
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call++) {
    const start = performance.now();
    await classifier.classify(values.text);
    times.push((performance.now() - start) * 1000);
  }
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(calls / 2)], p99: times[Math.floor(calls * 0.99)], cpu: (user + system) / calls };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const builds = [await load(values.before), await load(values.after)];
for (const build of builds) await turn(build, WARM_UP_CALLS);
const turns = [];
for (let number = 0; number < Number(values.turns); number++) {
  const pair = [];
  for (const which of number % 2 === 0 ? [0, 1] : [1, 0]) pair[which] = await turn(builds[which], CALLS);
  turns.push(pair);
}
for (const figure of ['p50', 'p99', 'cpu']) {
  const [before, after] = [0, 1].map((which) => Math.min(...turns.map((pair) => pair[which][figure])).toFixed(0));
  const ratio = median(turns.map(([first, second]) => second[figure] / first[figure])).toFixed(3);
  console.log(`${figure}: ${before} µs before, ${after} µs after; ${ratio} times`);
}
for (const build of builds) await build.dispose();
