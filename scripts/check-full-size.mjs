// A model of 1.24 billion parameters from its checkpoint to logits: conversion, memory, time, and the difference from
// transformers in float32.
//
// node scripts/check-full-size.mjs CHECKPOINT FOLDER [TYPE ...]
// CHECKPOINT is what scripts/make-full-size-checkpoint.py made, FOLDER takes one file at a time. Needs /usr/bin/time (GNU).
// Prints a line per step; exits 1 when bf16 is off by more than the bound or a conversion takes more than 1 GB of memory.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Classifier } from '../dist/index.mjs';

const BOUND = 2e-2;
const MOST_MEMORY = 1e9;
const CLI = fileURLToPath(new URL('../bin/ggml-encoder.js', import.meta.url));

const [checkpoint, folder, ...types] = process.argv.slice(2);
if (checkpoint === undefined || folder === undefined) {
  console.error('usage: node scripts/check-full-size.mjs CHECKPOINT FOLDER [TYPE ...]');
  process.exit(2);
}
const { texts, tokens, logits } = JSON.parse(readFileSync(path.join(checkpoint, 'transformers.json'), 'utf8'));

/** Seconds of CPU and the largest resident memory in bytes, file pages included. */
function convertWithCli(output, type) {
  const command = [process.execPath, CLI, 'convert', checkpoint, '-o', output, '--type', type, '--force'];
  const done = spawnSync('/usr/bin/time', ['-f', '%U %S %M', ...command], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);
  const [user, system, kibibytes] = done.stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { seconds: user + system, bytes: kibibytes * 1024 };
}

const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
let failed = false;
for (const type of types.length > 0 ? types : ['bf16', 'f16', 'q8_0']) {
  const output = path.join(folder, `full-size-${type}.gguf`);
  const { seconds, bytes } = convertWithCli(output, type);
  failed ||= bytes > MOST_MEMORY;
  const size = megabytes(statSync(output).size);
  console.log(`${type}: converted in ${seconds.toFixed(1)} s of CPU, at most ${megabytes(bytes)}, file ${size}`);

  const model = await Classifier.load(output, { threads: 1 });
  const { weightType, computeType } = model.info;
  let [largest, agreeing, longest] = [0, 0, 0];
  const alone = [];
  for (const [index, text] of texts.entries()) {
    const start = process.cpuUsage();
    const [row] = await model.classify([text], { logits: true, specialTokens: 'parse' });
    if (row.tokens !== tokens[index]) throw new Error(`text ${index} has ${row.tokens} tokens, not ${tokens[index]}`);
    const { user, system } = process.cpuUsage(start);
    if (row.tokens === 512) longest = Math.max(longest, user + system);
    alone.push(row);
    const wanted = logits[index];
    largest = Math.max(largest, ...wanted.map((logit, label) => Math.abs(logit - row.logits[label])));
    agreeing += wanted[0] > wanted[1] === row.logits[0] > row.logits[1];
  }
  const together = await model.classify(texts, { logits: true, specialTokens: 'parse' });
  if (!together[3].logits.every((logit, label) => logit === alone[3].logits[label])) failed = true;
  console.log(
    `${type}: ${weightType}, computed in ${computeType}, ${megabytes(model.info.weightBytes)} of weights, 512 tokens in ` +
      `${(longest / 1e6).toFixed(1)} s of CPU, largest difference ${largest.toExponential(1)}, same label for ` +
      `${agreeing} of ${texts.length}`,
  );
  await model.dispose();
  rmSync(output);
  failed ||= type === 'bf16' && largest > BOUND;
}
process.exitCode = failed ? 1 : 0;
