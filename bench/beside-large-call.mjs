// What calls of one text take while a call of many is answered (docs/decisions/0011):
// node bench/beside-large-call.mjs <model> [--type q8_0] [--threads 2] [--texts 512] [--build <folder of another build>]
// One small call after another, until the large one is done. Prints ms.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { quantile } from './workloads.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    type: { type: 'string' },
    threads: { type: 'string', default: '2' },
    texts: { type: 'string', default: '512' },
    build: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
  },
});
const [source] = positionals;
if (source === undefined) throw new Error('give a model: a folder, owner/name on the Hub, or a .gguf file');

const { Classifier } = await import(pathToFileURL(path.resolve(values.build, 'dist/index.mjs')).href);
const { short, mixed } = JSON.parse(readFileSync(new URL('texts/sentences.json', import.meta.url), 'utf8'));
const { type, threads } = values;
const classifier = await Classifier.load(source, { ...(type && { type }), threads: Number(threads) });
await classifier.classify(mixed.slice(0, 64));

async function timed(texts) {
  const start = performance.now();
  await classifier.classify(texts);
  return performance.now() - start;
}

let large;
const largeCall = timed(mixed.slice(0, Number(values.texts))).then((ms) => (large = ms));
const small = [];
while (large === undefined) small.push(await timed(short));
await largeCall;
const [half, longest] = [quantile(small, 0.5), Math.max(...small)].map((ms) => ms.toFixed(0));
console.log(
  `the large call ${large.toFixed(0)} ms, beside it ${small.length} small ones: median ${half} ms, longest ${longest} ms`,
);
await classifier.dispose();
