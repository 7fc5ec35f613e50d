import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { convert } from '../../../src/convert/convert';
import { goldenModel, writeCheckpoint } from '../../golden/checkpoint-fixture';
import { temporaryFolder, writeSafetensors } from './temp-folder';

const FIRST = 'model-00001-of-00002.safetensors';
const SECOND = 'model-00002-of-00002.safetensors';

async function shardedFolder(): Promise<string> {
  const folder = join(temporaryFolder(), 'model');
  await writeCheckpoint(goldenModel('bert-gelu-new'), folder, { shards: 2 });
  return folder;
}

async function convertIndex(change: (map: Record<string, unknown>, folder: string) => unknown) {
  const folder = await shardedFolder();
  const path = join(folder, 'model.safetensors.index.json');
  const index = JSON.parse(readFileSync(path, 'utf8')) as { weight_map: Record<string, unknown> };
  const replaced = change(index.weight_map, folder);
  writeFileSync(path, typeof replaced === 'string' ? replaced : JSON.stringify(index));
  return convert(folder, { output: join(folder, 'out.gguf') });
}

describe('a sharded checkpoint', () => {
  it('converts when index and shards agree', async () => {
    expect((await convertIndex(() => undefined)).numTensors).toBe(33);
  });

  it('may lack what its index names and the model does not need', async () => {
    const result = await convertIndex((map) => {
      map['cls.predictions.decoder.weight'] = FIRST;
    });
    expect(result.numTensors).toBe(33);
  });

  it('is read by what lies in its shards, whatever else its index says of a tensor', async () => {
    const expected = await convertIndex(() => undefined);
    const moved = await convertIndex((map) => {
      map['classifier.weight'] = map['classifier.weight'] === FIRST ? SECOND : FIRST;
      delete map['classifier.bias'];
    });
    expect(moved.sha256).toBe(expected.sha256);
  });

  it('may have shards of any plain name', async () => {
    const expected = await convertIndex(() => undefined);
    const named = await convertIndex((map, folder) => {
      const names: Record<string, string> = { [FIRST]: 'weights (1).safetensors', [SECOND]: 'b.safetensors' };
      for (const [from, to] of Object.entries(names)) renameSync(join(folder, from), join(folder, to));
      for (const tensor of Object.keys(map)) map[tensor] = names[map[tensor] as string];
    });
    expect(named.sha256).toBe(expected.sha256);
  });

  it.each([
    '../model-00001-of-00002.safetensors',
    '/etc/model.safetensors',
    '..\\model.safetensors',
    'C:model.safetensors',
    '%2e%2e/model.safetensors',
    'model\0.safetensors',
    'sub/model.safetensors',
    '..',
    '.',
    '',
    'config.json',
    'model.bin',
    `${'a'.repeat(300)}.safetensors`,
    42,
    null,
    ['model.safetensors'],
  ])('may not name %j as a shard', async (name) => {
    const attempt = convertIndex((map) => (map['classifier.weight'] = name));
    await expect(attempt).rejects.toMatchObject({ code: 'checkpoint_malformed' });
  });

  it.each<[string, (map: Record<string, unknown>, folder: string) => unknown, string]>([
    ['no weight_map', () => '{}', 'checkpoint_malformed'],
    ['an empty weight_map', () => '{"weight_map":{}}', 'checkpoint_malformed'],
    ['an index that is a list', () => '[]', 'checkpoint_malformed'],
    ['a tensor named twice', () => `{"weight_map":{"a":"${FIRST}","a":"${FIRST}"}}`, 'checkpoint_malformed'],
    ['an index above the limit', () => ' '.repeat(25_000_001), 'limit_exceeded'],
    [
      'too many shards',
      (map) => {
        for (let i = 0; i < 1100; i++) map[`t${i}`] = `s${i}.safetensors`;
      },
      'limit_exceeded',
    ],
    [
      'a tensor in two shards',
      (_, folder) => {
        copyFileSync(join(folder, FIRST), join(folder, SECOND));
      },
      'checkpoint_malformed',
    ],
    [
      'a shard that is not there',
      (_, folder) => {
        rmSync(join(folder, SECOND));
      },
      'checkpoint_not_found',
    ],
    [
      'a shard that is a folder',
      (_, folder) => {
        rmSync(join(folder, SECOND));
        mkdirSync(join(folder, SECOND));
      },
      'io_failed',
    ],
  ])('is refused with %s', async (_, change, code) => {
    await expect(convertIndex(change)).rejects.toMatchObject({ code });
  });

  it('is refused when a shard is a link out of the folder', async () => {
    const attempt = convertIndex((_, folder) => {
      const outside = join(temporaryFolder(), SECOND);
      renameSync(join(folder, SECOND), outside);
      symlinkSync(outside, join(folder, SECOND));
    });
    await expect(attempt).rejects.toMatchObject({ code: 'checkpoint_malformed' });
  });

  it('gives way to model.safetensors, as in transformers', async () => {
    const attempt = convertIndex((_, folder) => {
      writeSafetensors(join(folder, 'model.safetensors'), {});
    });
    await expect(attempt).rejects.toMatchObject({ code: 'tensor_missing' });
  });
});
