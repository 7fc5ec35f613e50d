// Two copies of the package in one process, of one version or of two: both score, in the main thread and in workers, and the end of
// one leaves the other alone.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OTHER_VERSION, VERSION, copyPackage, shareDependencies } from '../support/other-version';

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-two-versions-'));
const own = path.join(folder, 'own');
const twin = path.join(folder, 'twin');
const other = path.join(folder, 'other');

beforeAll(() => {
  shareDependencies(folder);
  copyPackage(own, VERSION);
  copyPackage(twin, VERSION);
  copyPackage(other, OTHER_VERSION);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Prints the scores of two texts by the packages in process.argv, together and after one of them is gone, and what was mapped. */
const SCRIPT = `
  const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
  const texts = ['Real-time strategy game of ancient warfare', 'Fonts for Bengali'];
  const folders = isMainThread ? process.argv.slice(1) : workerData.folders;
  async function score() {
    const packages = folders.map((folder) => require(folder));
    const models = [];
    for (const { Classifier } of packages) models.push(await Classifier.load());
    const run = (model) => model.classify(Array(50).fill(texts).flat(), { topK: 3 });
    const together = await Promise.all(models.map(run));
    const [first, ...rest] = models;
    await first.dispose();
    const alone = await Promise.all(rest.map(run));
    const refused = await first.classify(texts).catch((error) => error.code);
    for (const model of rest) await model.dispose();
    return { results: [...together, ...alone].map((list) => JSON.stringify(list)), refused };
  }
  async function main() {
    const main = await score();
    const worker = await new Promise((done, failed) => {
      const thread = new Worker(workerData?.script ?? process.env.SCRIPT, { eval: true, workerData: { folders } });
      thread.once('message', done);
      thread.once('error', failed);
    });
    const again = await score();
    const maps = require('node:fs').readFileSync('/proc/self/maps', 'utf8');
    const mapped = [...new Set(maps.match(/[^/]+\\.(so|node)$/gm).filter((name) => /ggml/.test(name)))].sort();
    const addons = Object.keys(require.cache).filter((file) => file.endsWith('.node'));
    console.log(JSON.stringify({ runs: [main, worker, again], mapped, addons }));
  }
  if (isMainThread) void main();
  else void score().then((result) => parentPort.postMessage(result));
`;

interface Answer {
  runs: { results: string[]; refused: string }[];
  mapped: string[];
  addons: string[];
}

function run(...folders: string[]): Answer {
  const env = { ...process.env, SCRIPT };
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', SCRIPT, ...folders], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null });
  return JSON.parse(stdout) as Answer;
}

function libraries(...versions: string[]): string[] {
  const names = versions.flatMap((version) =>
    ['base', 'cpu'].map((part) => `libggml-encoder-${version}-ggml-${part}.so`),
  );
  return ['ggml_encoder.node', ...names].sort();
}

describe.each([
  ['two versions', [own, other], libraries(VERSION, OTHER_VERSION)],
  ['two versions in the other order', [other, own], libraries(VERSION, OTHER_VERSION)],
  // The dynamic linker takes the libraries of the first for the second: they are the same.
  ['one version twice', [own, twin], libraries(VERSION)],
])('%s', (_, folders, expected) => {
  it('score alike in the main thread and in a worker, with libraries of their own version', () => {
    const { runs, mapped, addons } = run(...folders);
    expect(addons.map((file) => path.relative(folder, file).split(path.sep)[0])).toEqual(
      folders.map((name) => path.basename(name)),
    );
    expect(mapped).toEqual(expected);
    const results = runs.flatMap(({ results: lists }) => lists);
    expect(results).toHaveLength(9);
    expect(new Set(results).size).toBe(1);
    const [list] = results.map((text) => JSON.parse(text) as { label: string }[]);
    expect(list!.slice(0, 2).map(({ label }) => label)).toEqual(['games', 'fonts']);
    for (const { refused } of runs) expect(refused).toBe('model_disposed');
  });
});
