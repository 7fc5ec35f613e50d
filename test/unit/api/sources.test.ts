/** What a hurried caller passes as a source: the refusal says what to pass instead. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { Classifier } from '../../../src/index';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ggml-encoder-sources-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function refusal(source: unknown): Promise<unknown> {
  return Classifier.load(source as string).then(
    () => undefined,
    (error: unknown) => error,
  );
}

test.each<[string, unknown, string]>([
  ['options in its place', { threads: 1 }, 'options come second'],
  ['a file URL', new URL('file:///tmp/model.gguf'), 'fileURLToPath'],
  ['another object', Buffer.from('model.gguf'), 'received an instance of Buffer'],
])('%s is a TypeError', async (_, source, words) => {
  const error = await refusal(source);
  expect(error).toBeInstanceOf(TypeError);
  expect(String(error)).toContain(words);
});

test.each(['https://huggingface.co/owner/name', 'file:///tmp/model.gguf'])('the address %s is refused', async (url) => {
  const error = await refusal(url);
  expect(error).toBeInstanceOf(RangeError);
  expect(String(error)).toContain('owner/name');
});

test.each(['model.safetensors', 'pytorch_model.bin', 'tf_model.h5', 'config.json', 'model.onnx', 'onnx/model.onnx'])(
  'of the file %s it says that the folder is wanted',
  async (name) => {
    mkdirSync(join(folder, 'onnx'), { recursive: true });
    writeFileSync(join(folder, name), 'no GGUF file');
    expect(await refusal(join(folder, name))).toMatchObject({
      code: 'gguf_malformed',
      message: expect.stringContaining(`pass the folder that holds ${name}: ${folder}`) as string,
    });
  },
);

test.each(['model.gguf', 'model.safetensors', 'model'])(
  'of the Git LFS pointer %s it says what fetches the file',
  async (name) => {
    writeFileSync(join(folder, name), 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
    expect(await refusal(join(folder, name))).toMatchObject({
      code: 'gguf_malformed',
      message: `${join(folder, name)}: it is a Git LFS pointer, not the file itself; fetch it with git lfs pull`,
    });
  },
);
