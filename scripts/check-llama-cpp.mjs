// Our files in llama.cpp: converts checkpoints, has node-llama-cpp rank with them, and compares with transformers.
//
// node scripts/check-llama-cpp.mjs CHECKPOINTS NODE_LLAMA_CPP
// CHECKPOINTS is the third argument of scripts/make-llama-cpp-fixtures.py: folders that hold transformers.json beside the
// checkpoint. NODE_LLAMA_CPP is a folder in which node-llama-cpp is installed. A check for development: neither is part
// of this package. Prints a line per checkpoint, tensor type and form of attention, and exits 1 when a logit is off by more
// than the form's bound.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { Classifier, convert } from '../dist/index.mjs';

/**
 * Bounds for llama.cpp's forms of attention. Both round GELU to a table in f16; flash attention, which is its default, also
 * computes with queries, keys, values and sums in f16.
 */
const FORMS = [
  { form: 'plain attention', flashAttention: false, bound: 1e-2 },
  { form: 'flash attention', flashAttention: true, bound: 4e-2 },
];
const TYPES = ['f32', 'f16'];

const [checkpoints, peer] = process.argv.slice(2);
if (checkpoints === undefined || peer === undefined) {
  console.error('usage: node scripts/check-llama-cpp.mjs CHECKPOINTS NODE_LLAMA_CPP');
  process.exit(2);
}
const require = createRequire(path.join(path.resolve(peer), 'package.json'));
const { getLlama } = await import(pathToFileURL(require.resolve('node-llama-cpp')).href);
const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 2, logLevel: 'error' });

/** What stands around one text and between two. */
const TEMPLATES = {
  bert: ['[CLS]{{query}}{{document}}[SEP]', '[CLS]{{query}}[SEP]{{document}}[SEP]'],
  roberta: ['<s>{{query}}{{document}}</s>', '<s>{{query}}</s></s>{{document}}</s>'],
};

/** The model's logits for its first label, from the ids that our tokenizer gives, and how many ids llama.cpp shares. */
async function rankAll(file, inputs, ours, templates, flashAttention) {
  const model = await llama.loadModel({ modelPath: file, defaultContextFlashAttention: flashAttention });
  const options = { contextSize: model.trainContextSize + 8, batchSize: model.trainContextSize + 8, threads: 2 };
  const contexts = [];
  for (const template of templates) contexts.push(await model.createRankingContext({ ...options, template }));
  const rows = [];
  let equal = 0;
  for (const [index, input] of inputs.entries()) {
    const isPair = typeof input !== 'string';
    const ids = [...ours[index].ids];
    const [query, document] = parts(ids, isPair, templates);
    const probability = await contexts[isPair ? 1 : 0].rank(query, document);
    rows.push(Math.log(probability / (1 - probability)));
    if (!isPair && !ours[index].truncated && isSame(model.tokenize(input, false), ids.slice(1, -1))) equal++;
  }
  for (const context of contexts) await context.dispose();
  await model.dispose();
  return { rows, equal };
}

/** The ids of the texts alone: the template puts the tokens around them back. */
function parts(ids, isPair, templates) {
  const inner = ids.slice(1, -1);
  if (!isPair) return [inner, ''];
  const separator = ids.at(-1);
  const end = inner.indexOf(separator);
  const width = templates[1].includes('</s></s>') ? 2 : 1;
  return [inner.slice(0, end), inner.slice(end + width)];
}

function isSame(a, b) {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-llama-cpp-'));
let failed = false;
for (const name of readdirSync(checkpoints).sort()) {
  const checkpoint = path.join(checkpoints, name);
  const { inputs, logits, template } = JSON.parse(readFileSync(path.join(checkpoint, 'transformers.json'), 'utf8'));
  const all = inputs.map((_, index) => index);
  const textIndices = all.filter((index) => typeof inputs[index] === 'string');
  const pairIndices = all.filter((index) => typeof inputs[index] !== 'string');
  // Segments are what llama.cpp cannot tell apart: a file says so of itself.
  const isExact = template === 'roberta' || name.startsWith('modernbert');
  for (const type of TYPES) {
    const output = path.join(folder, `${name}-${type}.gguf`);
    await convert(checkpoint, { output, type });
    const own = await Classifier.load(output, { threads: 2 });
    const tokens = await own.tokenize(inputs, { specialTokens: 'parse' });
    await own.dispose();
    for (const { form, flashAttention, bound } of FORMS) {
      const { rows, equal } = await rankAll(output, inputs, tokens, TEMPLATES[template], flashAttention);
      const largest = (indices) => Math.max(...indices.map((index) => Math.abs(rows[index] - logits[index][0])));
      const [texts, pairs] = [largest(textIndices), largest(pairIndices)];
      const within = texts <= bound && (!isExact || pairs <= bound);
      failed ||= !within;
      console.log(
        `${name} ${type}, ${form}: texts ${texts.toExponential(1)}, pairs ${pairs.toExponential(1)}` +
          `${isExact ? '' : ' (segments)'}, same ids for ${equal} of ${textIndices.length} texts` +
          `${within ? '' : '  FAILED'}`,
      );
    }
  }
}
rmSync(folder, { recursive: true });
process.exitCode = failed ? 1 : 0;
