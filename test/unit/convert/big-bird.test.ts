/** BigBird: texts are no longer than those that transformers computes all attention for. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { convert } from '../../../src/convert/convert';
import { readGgufHead } from '../../../src/gguf/reader';
import { writeFamily } from '../../golden/family-checkpoints';
import { describeModel, family } from './describe-family';
import { temporaryFolder } from './temp-folder';

const SPARSE = family('big-bird-sparse');

describe('the limit of BigBird', () => {
  it.each([
    [{ num_random_blocks: 0, block_size: 100 }, 500],
    [{ num_random_blocks: 1, block_size: 64 }, 448],
    [{ num_random_blocks: 3, block_size: 16 }, 176],
  ])('with %j is %i tokens', (changes, tokens) => {
    const { maxTokens, assumptions } = describeModel(SPARSE, changes);
    expect(maxTokens).toBe(tokens);
    expect(assumptions).toEqual([expect.stringContaining(`texts are cut at ${tokens} tokens`)]);
  });

  it.each([
    ['has no more positions', { num_random_blocks: 1, block_size: 74 }],
    ['computes all attention', { attention_type: 'original_full', block_size: 1 }],
  ])('is that of the positions where the model %s', (_, changes) => {
    const { maxTokens, assumptions } = describeModel(SPARSE, changes);
    expect([maxTokens, assumptions]).toEqual([undefined, undefined]);
  });

  it('stands in the file, with a warning', async () => {
    const folder = temporaryFolder();
    const config = { ...SPARSE.config, block_size: 16 };
    await writeFamily({ ...SPARSE, config }, folder, 'safetensors', 'F32');
    const output = path.join(folder, 'model.gguf');
    const { warnings } = await convert(folder, { output });
    expect(warnings).toContainEqual(expect.stringContaining('texts are cut at 144 tokens'));
    const { metadata } = await readGgufHead(output);
    const value = (key: string) => Number(metadata.get(key)?.value);
    expect([value('ggml_encoder.max_length'), value('big-bird.context_length')]).toEqual([144, 512]);
  });
});
