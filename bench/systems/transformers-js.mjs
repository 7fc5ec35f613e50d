/** transformers.js over onnxruntime-node. Model and tokenizer directly: its pipeline has no pairs and no raw logits. */
import path from 'node:path';

import { AutoModelForSequenceClassification, AutoTokenizer, env } from '@huggingface/transformers';

/**
 * One batch of all texts, which its pipeline would make, pads each to the longest: here they are sorted and cut.
 *
 * @param {{ folder: string, type: string, threads: number, batch: number }} request
 */
export async function load({ folder, type, threads, batch: batchSize }) {
  env.allowRemoteModels = false;
  env.localModelPath = path.dirname(folder);
  const name = path.basename(folder);
  const model = await AutoModelForSequenceClassification.from_pretrained(name, {
    dtype: type === 'int8' ? 'q8' : 'fp32',
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  });
  const tokenizer = await AutoTokenizer.from_pretrained(name);

  /** @param {{ text: string, textPair?: string }[]} inputs */
  async function logits(inputs) {
    const characters = ({ text, textPair = '' }) => text.length + textPair.length;
    const order = inputs.map((_, index) => index).sort((a, b) => characters(inputs[b]) - characters(inputs[a]));
    const rows = new Array(inputs.length);
    for (let start = 0; start < order.length; start += batchSize) {
      const batch = order.slice(start, start + batchSize);
      const pairs = inputs[0].textPair === undefined ? null : batch.map((index) => inputs[index].textPair);
      const encoded = tokenizer(
        batch.map((index) => inputs[index].text),
        { text_pair: pairs, padding: true, truncation: true },
      );
      const output = await model(encoded);
      output.logits.tolist().forEach((row, place) => (rows[batch[place]] = row));
    }
    return rows;
  }

  return {
    version: env.version,
    logits,
    classify: (texts) => logits(texts.map((text) => ({ text }))),
    async rank(query, documents) {
      const rows = await logits(documents.map((textPair) => ({ text: query, textPair })));
      return rows.map(([score], index) => ({ index, score })).sort((a, b) => b.score - a.score);
    },
  };
}
