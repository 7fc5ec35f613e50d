// LFM2, whose scores the tests of rerankers, heads and late interaction compare: what batches, threads and stored types make
// of layers that convolve over a few tokens.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CrossEncoder, type TensorType, convert } from 'ggml-encoder';

import { causalModel, causalPairs, writeCausal } from './golden/causal-checkpoints';
import { temporaryFolder } from './unit/convert/temp-folder';

const NAMES = ['lfm2-texts', 'lfm2-saved-biases', 'lfm2-convolutions'];
const LOGITS = { logits: true, specialTokens: 'parse' } as const;

async function fileOf(name: string, type: TensorType): Promise<string> {
  const output = join(temporaryFolder(), 'model.gguf');
  await convert(writeCausal(causalModel(name)), { output, type });
  return output;
}

function load(file: string, kernels: 'auto' | 'portable', threads = 1): Promise<CrossEncoder> {
  return CrossEncoder.load(file, { device: 'cpu', kernels, threads, onWarning: () => undefined });
}

async function logitsOf(model: CrossEncoder, pairs: readonly (readonly [string, string])[]): Promise<number[]> {
  return (await model.predict(pairs, LOGITS)).map(({ logits }) => logits![0]!);
}

describe.each(['auto', 'portable'] as const)('on %s', (kernels) => {
  it.each(NAMES)('%s scores a text the same in every batch, bit for bit', async (name) => {
    const pairs = [...causalPairs, ['', ''], ['', 'a'], ['a', '']] as (readonly [string, string])[];
    for (const type of ['f32', 'q8_0'] as const) {
      await using model = await load(await fileOf(name, type), kernels);
      const together = await logitsOf(model, pairs);
      for (const [index, pair] of pairs.entries()) {
        expect(await logitsOf(model, [pair]), pair.join(' | ')).toEqual([together[index]]);
      }
    }
  });

  // Differences of the stored types are those of their rounding, on weights that are random and large.
  it.each([
    ['f16', 1e-2],
    ['bf16', 0.2],
    ['q8_0', 0.4],
  ] as const)('%s is near f32', async (type, bound) => {
    for (const name of NAMES) {
      await using model = await load(await fileOf(name, type), kernels);
      const { logits } = causalModel(name).expected.calls[0]!;
      const own = await logitsOf(model, causalPairs);
      expect(Math.max(...own.map((value, index) => Math.abs(value - logits[index]!))), name).toBeLessThan(bound);
    }
  });

  it.each(NAMES)('%s is the same for any number of threads, call after call, where texts begin alike', async (name) => {
    const file = await fileOf(name, 'f32');
    const query = 'the rivers of the north run to a cold sea';
    const pairs = ['', 'a', 'salt', 'salt and water', 'iron rusts'].map((document) => [query, document] as const);
    const rows: number[][] = [];
    for (const threads of [1, 2, 3]) {
      await using model = await load(file, kernels, threads);
      for (const call of [pairs, pairs]) rows.push(await logitsOf(model, call));
      rows.push((await Promise.all(pairs.map((pair) => logitsOf(model, [pair])))).flat());
    }
    for (const row of rows.slice(1)) expect(row).toEqual(rows[0]);
  });
});
