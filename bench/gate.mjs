/** Before anything is timed: do all systems compute the same model? */

import { attempt } from './turns.mjs';

/** Whose f32 logits are the reference: the first of these that takes part. */
const REFERENCES = ['pytorch', 'onnxruntime', 'transformers.js', 'ggml-encoder'];

/** Far above rounding in f32, far below what a wrong head or a wrong token does. */
const F32_LIMIT = 1e-3;

/** A model that has no logits for a text alone. */
const takesPairsOnly = (contender) => contender.model.startsWith('colbert');

/** Short of every model's limit, because what happens to longer ones differs by design. @param {import('./workloads.mjs').Texts} texts */
function gateInputs(texts) {
  const few = texts.mixed.filter((text) => text.length < 300).slice(0, 24);
  return {
    texts: [texts.short, ...few].map((text) => ({ text })),
    pairs: few.slice(0, 8).map((textPair) => ({ text: texts.query, textPair })),
  };
}

/**
 * Asks every worker for its logits, prints how far each is from the reference, and gives a row for each.
 *
 * @param {import('./turns.mjs').Contender[]} contenders
 * @returns {Promise<{ rows: object[], wrong: boolean }>} wrong: our f32 is not the model
 */
export async function checkLogits(contenders, texts) {
  const { texts: singles, pairs } = gateInputs(texts);
  const answers = new Map();
  for (const contender of contenders) {
    const ask = async (inputs) => (await contender.turn({ op: 'logits', inputs })).rows;
    const logits = await attempt(contender, async () => [
      ...(takesPairsOnly(contender) ? [] : await ask(singles)),
      ...(await ask(pairs)),
    ]);
    if (logits !== undefined) answers.set(contender, logits);
  }
  const reference = REFERENCES.map((name) =>
    [...answers.keys()].find((one) => one.system.name === name && one.type === 'f32'),
  ).find(Boolean);
  if (reference === undefined) return { rows: [], wrong: false };

  const expected = answers.get(reference);
  const [low, high] = [Math.min, Math.max].map((pick) => pick(...expected.flat()).toFixed(2));
  console.log(`  logits against ${reference.system.name} f32, which range from ${low} to ${high}:`);
  let wrong = false;
  const rows = [];
  for (const [contender, actual] of answers) {
    if (contender === reference) continue;
    const { difference, agreeing } = compare(actual, expected);
    const far = contender.type === 'f32' && !(difference < F32_LIMIT);
    wrong ||= far && contender.system.name === 'ggml-encoder';
    const same = agreeing === undefined ? '' : `, same label ${agreeing} of ${expected.length}`;
    console.log(
      `    ${contender.name.padEnd(22)} largest difference ${difference.toExponential(1)}${same}${far ? '  NOT THE SAME MODEL' : ''}`,
    );
    rows.push(contender.row('gate', 'largest_logit_difference', 'logit', [difference]));
  }
  return { rows, wrong };
}

/** node-llama-cpp gives the first logit only: then only that is compared, and no label. */
function compare(actual, expected) {
  const differences = actual.flatMap((row, index) =>
    row.map((logit, label) => Math.abs(logit - expected[index][label])),
  );
  const top = (row) => row.indexOf(Math.max(...row));
  const whole = actual[0].length === expected[0].length && expected[0].length > 1;
  const agreeing = whole ? actual.filter((row, index) => top(row) === top(expected[index])).length : undefined;
  return { difference: Math.max(...differences), agreeing };
}
