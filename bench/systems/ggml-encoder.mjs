/** This package, through its public interface. */
import { stat } from 'node:fs/promises';
import path from 'node:path';

import { Classifier, CrossEncoder, convert, version } from '../../dist/index.mjs';

/** @param {{ folder: string, type: string, threads: number, device: string }} request */
export async function load({ folder, type, threads, device }) {
  const file = path.join(folder, `${type}.gguf`);
  // A device has its own number of threads that feed it.
  const options = device === 'cpu' ? { device, threads } : { device };
  let crossEncoder;
  const loadCrossEncoder = async () => (crossEncoder ??= await CrossEncoder.load(file, options));
  // A model of late interaction has nothing to classify.
  const classifier = await Classifier.load(file, options).catch(async () => undefined);
  const { info } = classifier ?? (await loadCrossEncoder());
  const { labels, kernels, computeType } = info;
  const where = device === 'cpu' ? '' : `${info.device}, `;

  return {
    version: `${version} (${where}${kernels} kernels, products in ${computeType})`,
    async logits(inputs) {
      const options = { logits: true };
      const results = await (classifier?.classify(inputs, options) ?? crossEncoder.predict(inputs, options));
      return results.map((result) => Array.from(result.logits));
    },
    classify: (texts) => classifier.classify(texts),
    async rank(query, documents) {
      return (await loadCrossEncoder()).rank(query, documents, { label: labels[0] });
    },
  };
}

/** Milliseconds for one conversion of the checkpoint, and the megabytes of weights it read. */
export async function convertOnce({ folder, type, output }) {
  const start = performance.now();
  await convert(folder, { output, type, overwrite: true });
  const ms = performance.now() - start;
  const { size } = await stat(path.join(folder, 'model.safetensors'));
  return { ms, megabytes: size / 1e6 };
}
