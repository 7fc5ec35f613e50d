// Other native packages in the same process: sharp, better-sqlite3, onnxruntime-node and, where the folder has one, another
// version of this package work while a classifier does, in either order of loading, in the main thread and in a worker, and the
// process ends by itself.
// node scripts/check-neighbours.mjs <folder whose node_modules has them>     Needs `npm run build`.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread } from 'node:worker_threads';

const self = fileURLToPath(import.meta.url);
const ours = createRequire(import.meta.url);
const ROUNDS = 20;

// A model of one node, y = x + x for f32[4], in ONNX's protobuf encoding: ir_version 8, opset 13.
const field = (number, type, payload) => [
  (number << 3) | type,
  ...(type === 2 ? [payload.length, ...payload] : [payload]),
];
const text = (value) => [...Buffer.from(value)];
const tensor = (name) => {
  const shape = field(2, 2, field(1, 2, field(1, 0, 4)));
  return [...field(1, 2, text(name)), ...field(2, 2, field(1, 2, [...field(1, 0, 1), ...shape]))];
};
const node = [
  ...field(1, 2, text('x')),
  ...field(1, 2, text('x')),
  ...field(2, 2, text('y')),
  ...field(4, 2, text('Add')),
];
const graph = [
  ...field(1, 2, node),
  ...field(2, 2, text('g')),
  ...field(11, 2, tensor('x')),
  ...field(12, 2, tensor('y')),
];
const ONNX_MODEL = Buffer.from([...field(1, 0, 8), ...field(7, 2, graph), ...field(8, 2, field(2, 0, 13))]);

async function classifyWith({ Classifier }) {
  const model = await Classifier.load();
  return async () => assert.equal((await model.classify('Real-time strategy game of ancient warfare')).label, 'games');
}

const jobs = {
  classifier: () => classifyWith(ours('ggml-encoder')),
  another: (theirs) => classifyWith(theirs('ggml-encoder')),
  async sharp(theirs) {
    const sharp = theirs('sharp');
    return async () => {
      const image = sharp({ create: { width: 256, height: 256, channels: 3, background: 'red' } });
      assert.ok((await image.resize(64).png().toBuffer()).length > 0);
    };
  },
  async sqlite(theirs) {
    const database = new (theirs('better-sqlite3'))(':memory:');
    return async () => assert.equal(database.prepare('select 20 + 22 as sum').get().sum, 42);
  },
  async onnxruntime(theirs) {
    const { InferenceSession, Tensor } = theirs('onnxruntime-node');
    const session = await InferenceSession.create(ONNX_MODEL);
    return async () => {
      const { y } = await session.run({ x: new Tensor('float32', [1, 2, 3, 4]) });
      assert.deepEqual([...y.data], [2, 4, 6, 8]);
    };
  },
};

async function work(folder, order) {
  const theirs = createRequire(path.join(path.resolve(folder), 'package.json'));
  const running = [];
  for (const name of order) running.push(await jobs[name](theirs));
  for (let round = 0; round < ROUNDS; round++) await Promise.all(running.map((run) => run()));
}

const [folder, list] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node scripts/check-neighbours.mjs <folder>');
if (list !== undefined) {
  await work(folder, list.split(','));
  if (isMainThread) {
    await new Promise((done, failed) => {
      const worker = new Worker(self, { argv: [folder, list] });
      worker.on('error', failed);
      worker.on('exit', (code) => (code === 0 ? done() : failed(new Error(`the worker ended with ${code}`))));
    });
  }
} else {
  const hasAnother = existsSync(path.join(folder, 'node_modules', 'ggml-encoder'));
  const others = ['sharp', 'sqlite', 'onnxruntime', ...(hasAnother ? ['another'] : [])];
  for (const order of [
    ...others.flatMap((name) => [
      [name, 'classifier'],
      ['classifier', name],
    ]),
    [...others, 'classifier'],
    ['classifier', ...others],
  ]) {
    const { status, signal, stderr } = spawnSync(process.execPath, [self, folder, order.join(',')], {
      encoding: 'utf8',
    });
    console.log(`${order.join(', ')}: ${status === 0 ? 'ok' : `status ${status}, signal ${signal}\n${stderr}`}`);
    if (status !== 0) process.exitCode = 1;
  }
}
