/**
 * node-llama-cpp's ranking context on our GGUF file, its only way to run a classifier's head. It takes one input at a
 * time, gives the sigmoid of the first logit, and llama.cpp has neither BERT's pooler nor segment ids.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { getLlama } from 'node-llama-cpp';

/** Single texts stand in the query's place, so that they get the same tokens as everywhere. */
const SINGLE = '[CLS]{{query}}{{document}}[SEP]';
const PAIR = '[CLS]{{query}}[SEP]{{document}}[SEP]';

/** @param {{ folder: string, type: string, threads: number }} request */
export async function load({ folder, type, threads }) {
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'disabled' });
  const model = await llama.loadModel({ modelPath: path.join(folder, `${type}.gguf`) });
  const positions = model.trainContextSize;
  // A context must be larger than its input.
  const options = { contextSize: positions + 8, batchSize: positions + 8, threads };
  const singles = await model.createRankingContext({ ...options, template: SINGLE });
  let pairs;

  /** It refuses what is too long, so we cut, from the end as all others do. */
  const tokens = (text, room) => model.tokenize(text, false, 'trimLeadingSpace').slice(0, room);
  const logit = (probability) => Math.log(probability / (1 - probability));

  async function classify(texts) {
    const scores = [];
    for (const text of texts) scores.push(await singles.rank(tokens(text, positions - 2), ''));
    return scores;
  }

  async function rankPair(text, textPair) {
    pairs ??= await model.createRankingContext({ ...options, template: PAIR });
    const first = tokens(text, positions - 3);
    return pairs.rank(first, tokens(textPair, positions - 3 - first.length));
  }

  async function logits(inputs) {
    const rows = [];
    for (const { text, textPair } of inputs) {
      const score = textPair === undefined ? (await classify([text]))[0] : await rankPair(text, textPair);
      rows.push([logit(score)]);
    }
    return rows;
  }

  async function rank(query, documents) {
    const scored = [];
    for (const document of documents) scored.push({ document, score: await rankPair(query, document) });
    return scored.sort((a, b) => b.score - a.score);
  }

  const manifest = JSON.parse(
    await readFile(new URL('../node_modules/node-llama-cpp/package.json', import.meta.url), 'utf8'),
  );
  return { version: manifest.version, logits, classify, rank };
}
