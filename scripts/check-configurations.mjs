// Runs the checkpoints of scripts/check-configurations.py and compares their logits with those of transformers.
//
// node scripts/check-configurations.mjs FOLDER [--refused] [MODEL_TYPE ...]     Needs `npm run build`.
// A check for development. Prints what differs and a line for each class, with --refused also what is refused and why;
// exits 1 when anything differs.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Classifier, convert, isEncoderError } from '../dist/index.mjs';

/** Of the largest logit, or of 1. */
const BOUND = 2e-4;

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node scripts/check-configurations.mjs FOLDER [--refused] [MODEL_TYPE ...]');
  process.exit(2);
}
const showsRefused = rest.includes('--refused');
const chosen = rest.filter((word) => word !== '--refused');
const scratch = mkdtempSync(path.join(tmpdir(), 'check-configurations-'));
let total = 0;

/** Logits of every input, or why there are none. */
async function logitsOf(checkpoint, inputs) {
  let classifier;
  try {
    const output = path.join(scratch, 'converted.gguf');
    await convert(checkpoint, { output, type: 'f32', overwrite: true });
    classifier = await Classifier.load(output, { threads: 1, onWarning: () => undefined });
    const results = await classifier.classify(inputs, { logits: true, specialTokens: 'parse' });
    return { rows: results.map(({ logits }) => Array.from(logits)) };
  } catch (error) {
    if (isEncoderError(error)) return { refusal: error.message.replaceAll(checkpoint, '') };
    throw error;
  } finally {
    await classifier?.dispose();
  }
}

/** The largest difference as a share of the largest logit, over the texts that transformers has logits for. */
function largestDifference(expected, found) {
  const pairs = expected.flatMap((row, text) => row?.map((value, label) => [value, found[text][label] ?? NaN]) ?? []);
  const scale = Math.max(1, ...pairs.map(([value]) => Math.abs(value)));
  return pairs.reduce((most, [a, b]) => Math.max(most, Number.isNaN(b) ? Infinity : Math.abs(a - b) / scale), 0);
}

try {
  for (const modelType of readdirSync(folder)) {
    if (chosen.length > 0 && !chosen.includes(modelType)) continue;
    const { items, cases } = JSON.parse(readFileSync(path.join(folder, modelType, 'cases.json'), 'utf8'));
    const inputs = items.map((item) => (typeof item === 'string' ? item : { text: item[0], textPair: item[1] }));
    const counts = { equal: 0, refused: 0, different: 0, 'not run by transformers': 0 };
    for (const { label, folder: name, rows: expected } of cases) {
      if (expected === null) {
        counts['not run by transformers'] += 1;
        continue;
      }
      const { rows, refusal } = await logitsOf(path.join(folder, modelType, name), inputs);
      if (refusal !== undefined) {
        counts.refused += 1;
        if (showsRefused) console.log(`  refused: ${label}: ${refusal}`);
        continue;
      }
      const difference = largestDifference(expected, rows);
      counts[difference <= BOUND ? 'equal' : 'different'] += 1;
      if (difference > BOUND) console.log(`  different: ${label}: ${difference.toPrecision(3)} of the largest logit`);
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
