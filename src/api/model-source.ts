/** What `load` was given, turned into the path of a GGUF file: the file itself, a converted folder, or the default. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { cachedConvert } from '../convert/cache';
import { EncoderError } from '../errors';
import { packageRoot } from '../support/package-root';
import { invalidType } from './arguments';
import type { LoadOptions } from './load-options';

/** Absolute path of the classifier that comes with the package (sections of the Debian archive, 20 labels). */
export const defaultModelPath: string = join(packageRoot, 'models', 'default.gguf');

/** @internal */
export async function resolveModelFile(source: string, options: LoadOptions): Promise<string> {
  const path = resolve(source);
  const stats = await stat(path).catch((cause: unknown) => {
    throw new EncoderError('model_not_found', notFoundMessage(source, path), { cause });
  });
  if (stats.isDirectory()) {
    const { type, cacheDir, onProgress, signal, limits } = options;
    return cachedConvert(path, type, { cacheDir, onProgress, signal, limits });
  }
  if (options.type !== undefined) {
    throw invalidType('options.type', 'no value for a .gguf file, which keeps its own tensor type', options.type);
  }
  return path;
}

function notFoundMessage(source: string, path: string): string {
  if (path === defaultModelPath) return `the default model ${path} is missing; install ggml-encoder again`;
  const resolved = source === path ? '' : ` (that is ${path})`;
  return `no model at ${source}${resolved}; pass a .gguf file or a folder with a Hugging Face checkpoint`;
}
