// Runs the checkpoints of scripts/check-configurations.py, check-module-heads.py, check-late-interaction.py or
// check-prompt-router.py, and compares what comes of them with what their Python packages make of them.
//
// node scripts/check-configurations.mjs FOLDER [--refused] [MODEL_TYPE ...]     Needs `npm run build`.
// A check for development. Prints what differs and a line for each class, with --refused also what is refused and why;
// exits 1 when anything differs.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Classifier, CrossEncoder, ZeroShotClassifier, convert, isEncoderError } from '../dist/index.mjs';

/** Of the largest logit, or of 1. */
const BOUND = 2e-4;
/** Likewise for smaller types, of weights in whose small models rounding is large. */
const COARSE_BOUNDS = { own: 1.5, f16: 0.1, bf16: 1.5, q8_0: 2, q5_0: 4, q4_0: 4 };

/** What convert says where it gives a model segments that transformers 5 leaves out. */
const KEPT_SEGMENTS = 'gives its model segments, as in transformers 4';

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined || folder.startsWith('-')) {
  console.error('usage: node scripts/check-configurations.mjs FOLDER [--refused] [MODEL_TYPE ...]');
  process.exit(2);
}
const showsRefused = rest.includes('--refused');
const chosen = rest.filter((word) => word !== '--refused');
const scratch = mkdtempSync(path.join(tmpdir(), 'check-configurations-'));
let total = 0;

/** Results for every input of a checkpoint's conversion to `type`, or why there are none. `labels`: those of each, zero-shot. */
async function resultsOf(checkpoint, inputs, type, { isAlone = false, labels } = {}) {
  const isPair = Array.isArray(inputs[0]);
  const kind = isPair ? CrossEncoder : labels === undefined ? Classifier : ZeroShotClassifier;
  let model;
  try {
    const output = path.join(scratch, 'converted.gguf');
    const { warnings } = await convert(checkpoint, { output, type, overwrite: true });
    model = await kind.load(output, { threads: 1, onWarning: () => undefined });
    const run = (input, own) => {
      if (own !== undefined) return model.classify(input, own, { multiLabel: true, specialTokens: 'parse' });
      return isPair
        ? model.predict(input, { logits: true })
        : model.classify(input, { logits: true, specialTokens: 'parse' });
    };
    const results = await run(inputs, labels);
    const alone = [];
    if (isAlone) for (const [index, input] of inputs.entries()) alone.push(await run(input, labels?.[index]));
    return { results, rows: logitsOf(results, labels), alone: logitsOf(alone, labels), warnings };
  } catch (error) {
    if (isEncoderError(error)) return { refusal: error.message.replaceAll(checkpoint, '') };
    throw error;
  } finally {
    await model?.dispose();
  }
}

/** With `labels` those of their sigmoids. */
function logitsOf(results, labels) {
  if (labels === undefined) return results.map(({ logits }) => Array.from(logits));
  return results.map(({ labels: ranked, scores }, index) =>
    labels[index].map((label) => {
      const score = scores[ranked.indexOf(label)];
      return Math.log(score / (1 - score));
    }),
  );
}

/** The largest difference as a share of the largest logit, over the texts that transformers has logits for. */
function largestDifference(expected, found) {
  const pairs = expected.flatMap((row, text) => row?.map((value, label) => [value, found[text][label] ?? NaN]) ?? []);
  const scale = Math.max(1, ...pairs.map(([value]) => Math.abs(value)));
  return pairs.reduce((most, [a, b]) => Math.max(most, Number.isNaN(b) ? Infinity : Math.abs(a - b) / scale), 0);
}

/** What a combination is also looked at for; `found` is what came of it as f32. */
async function otherDifferences(
  checkpoint,
  { rows, tokens, named = null, scores: wanted, type, labels },
  inputs,
  found,
) {
  const differences = [];
  const ran = rows.flatMap((row, index) => (row === null ? [] : [index]));
  for (const index of ran) {
    const { tokens: count, scores } = found.results[index];
    if (count !== tokens[index])
      differences.push(`${count} tokens for ${tokens[index]} of ${JSON.stringify(inputs[index])}`);
    if (wanted !== undefined && !(largestDifference([wanted[index]], [scores]) <= BOUND)) {
      differences.push(`the scores ${JSON.stringify(scores)} for ${JSON.stringify(wanted[index])}`);
    }
    if (named === null) continue;
    const own = new Map(scores.map(({ label, score }) => [label, score]));
    const isNamed = named[index].every(
      ([label, score]) => Math.abs(own.get(label) - score) <= BOUND * Math.max(1, Math.abs(score)),
    );
    if (!isNamed || own.size !== named[index].length) {
      differences.push(`${JSON.stringify([...own])} for ${JSON.stringify(named[index])}`);
    }
  }
  if (JSON.stringify(found.rows) !== JSON.stringify(found.alone)) differences.push('a text alone has other bits');
  const smaller = await resultsOf(checkpoint, inputs, type ?? undefined, { labels });
  const difference = smaller.refusal ?? largestDifference(found.rows, smaller.rows);
  if (!(difference <= COARSE_BOUNDS[type ?? 'own'])) differences.push(`${type}: ${difference} of the largest logit`);
  return differences;
}

try {
  for (const modelType of readdirSync(folder)) {
    if (chosen.length > 0 && !chosen.includes(modelType)) continue;
    const { items: ofAll, cases } = JSON.parse(readFileSync(path.join(folder, modelType, 'cases.json'), 'utf8'));
    const counts = { equal: 0, refused: 0, different: 0, 'not run by transformers': 0 };
    for (const one of cases) {
      const { label, rows: expected, items = ofAll, pairs, labels } = one;
      if (expected === null) {
        counts['not run by transformers'] += 1;
        continue;
      }
      const checkpoint = path.join(folder, modelType, one.folder);
      const inputs =
        pairs ?? items.map((item) => (typeof item === 'string' ? item : { text: item[0], textPair: item[1] }));
      const isCombination = one.tokens !== undefined;
      const found = await resultsOf(checkpoint, inputs, 'f32', { isAlone: isCombination, labels });
      if (found.refusal !== undefined) {
        counts.refused += 1;
        if (showsRefused) console.log(`  refused: ${one.folder} ${label}: ${found.refusal}`);
        continue;
      }
      const difference = largestDifference(expected, found.rows);
      const differences = difference <= BOUND ? [] : [`${difference.toPrecision(3)} of the largest logit`];
      if (one.warns !== undefined && one.warns !== found.warnings.some((text) => text.includes(KEPT_SEGMENTS)))
        differences.push(`${one.warns ? 'no' : 'a'} warning of segments`);
      if (isCombination) differences.push(...(await otherDifferences(checkpoint, one, inputs, found)));
      counts[differences.length === 0 ? 'equal' : 'different'] += 1;
      if (differences.length > 0)
        console.log(`  different: ${one.folder} ${label}: ${differences.slice(0, 3).join('; ')}`);
    }
    total += counts.different;
    console.log(
      `${modelType}: ${Object.entries(counts)
        .map(([what, count]) => `${count} ${what}`)
        .join(', ')}`,
    );
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = total === 0 ? 0 : 1;
