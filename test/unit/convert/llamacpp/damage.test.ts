// Damaged files of llama.cpp: each converts or is refused with a code, and nothing else ever happens.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { convert } from '../../../../src/convert/convert';
import { isEncoderError } from '../../../../src/errors';
import { flag, text } from '../../../../src/gguf/entries';
import { readGgufHead } from '../../../../src/gguf/reader';
import { temporaryFolder } from '../temp-folder';
import { strings, writeLlamaCppFile } from './gguf-files';

const ROUNDS = 400;

/** A generator of integers below `limit`, the same in every run. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const BPE = {
  'tokenizer.ggml.model': text('tokenizer.ggml.model', 'gpt2'),
  'tokenizer.ggml.pre': text('tokenizer.ggml.pre', 'roberta-bpe'),
  'tokenizer.ggml.merges': strings('tokenizer.ggml.merges', ['a b', 'ab c']),
  'tokenizer.ggml.add_bos_token': flag('tokenizer.ggml.add_bos_token', true),
};
const UNIGRAM = {
  'tokenizer.ggml.model': text('tokenizer.ggml.model', 't5'),
  'tokenizer.ggml.scores': {
    key: 'tokenizer.ggml.scores',
    type: 'float32[]',
    value: new Float32Array(8).fill(-2),
  } as const,
};

describe.each([
  ['WordPiece', {}],
  ['BPE', BPE],
  ['Unigram', UNIGRAM],
])('%s', (_, entries) => {
  it(`${ROUNDS} damaged heads`, async () => {
    const sound = writeLlamaCppFile(entries);
    const bytes = readFileSync(sound);
    const { dataOffset } = await readGgufHead(sound);
    const folder = temporaryFolder();
    const source = join(folder, 'damaged.gguf');
    const random = numbers(17);
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const damaged = Buffer.from(bytes);
      for (let change = 0; change <= random(3); change++) {
        const at = random(dataOffset);
        damaged[at] = random(2) === 0 ? random(256) : damaged[at]! ^ (1 << random(8));
      }
      writeFileSync(source, random(8) === 0 ? damaged.subarray(0, random(damaged.length)) : damaged);
      const attempt = convert(source, { output: join(folder, 'out.gguf'), overwrite: true });
      const error = await attempt.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) continue;
      refused++;
      if (!isEncoderError(error) || error.code === 'internal') throw error;
    }
    expect(refused).toBeGreaterThan(ROUNDS / 4);
    expect(refused).toBeLessThan(ROUNDS);
  });
});
