/** What `load` was given, turned into a GGUF file: the file itself, a converted folder or repository, or the default. */
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';

import { headOptions, refuseHeadOptions } from '../convert/head-options';
import { EncoderError } from '../errors';
import { ENCODER_KEYS } from '../gguf/keys';
import { hasGgufKey } from '../gguf/reader';
import { GGUF_MAGIC } from '../gguf/types';
import { GIT_LFS_ADVICE, POINTER_BYTES, isGitLfsPointer } from '../support/git-lfs';
import { resolveLimits } from '../support/limits';
import { defaultModelPath } from '../support/package-root';
import { SourceFile } from '../support/source-file';
import { invalidType } from '../support/arguments';
import { converter } from './conversion';
import type { LoadOptions } from './load-options';
import type { ModelWarning } from './warnings';

/** @internal */
export interface ModelFile {
  /** Absolute. */
  readonly path: string;
  readonly warnings: readonly ModelWarning[];
}

/** @internal */
export async function resolveModelFile(source: string, options: LoadOptions): Promise<ModelFile> {
  const { type, cacheDir, onProgress, signal, limits } = options;
  const found = await findSource(source, options);
  const path = found.folder;
  const stats = await stat(path).catch((cause: unknown) => {
    throw new EncoderError('model_not_found', notFoundMessage(source, path), { cause });
  });
  if (stats.isDirectory() || (await isForeign(path, options))) {
    const converted = await converter().cachedConvert(found, type, {
      ...headOptions(options),
      cacheDir,
      onProgress,
      signal,
      limits,
    });
    const warnings = [
      ...found.warnings.map((message) => ({ code: 'hub_unreachable', message })),
      ...converted.warnings.map((message) => ({ code: 'conversion', message })),
    ];
    return { path: converted.path, warnings };
  }
  await refuseOtherFiles(path);
  if (options.type !== undefined) {
    throw invalidType('options.type', 'no value for a .gguf file, which keeps its own tensor type', options.type);
  }
  refuseHeadOptions(options, 'a .gguf file, which keeps its own');
  return { path, warnings: [] };
}

/** A file is itself; what it may not be, by the options, is for the search to say. */
async function findSource(source: string, { revision, hub, base, limits, signal, onProgress }: LoadOptions) {
  const path = resolve(source);
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile() === true && revision === undefined && base === undefined) {
    return { folder: path, base: undefined, warnings: [] };
  }
  const { resolveCheckpoint, downloadReporter } = converter();
  return resolveCheckpoint(source, {
    revision,
    hub,
    base,
    limits: resolveLimits(limits),
    signal,
    onProgress: downloadReporter(onProgress),
  });
}

/** Whether the file is a sound GGUF file that another converter wrote. What is wrong with others, the loader says. */
async function isForeign(path: string, { limits }: LoadOptions): Promise<boolean> {
  if (!path.endsWith('.gguf')) return false;
  try {
    return !(await hasGgufKey(path, ENCODER_KEYS.formatVersion, resolveLimits(limits)));
  } catch (error) {
    if (error instanceof EncoderError && error.code !== 'io_failed') return false;
    throw error;
  }
}

function notFoundMessage(source: string, path: string): string {
  if (path === defaultModelPath) return `the default model ${path} is missing; install ggml-encoder again`;
  const resolved = source === path ? '' : ` (that is ${path})`;
  return `no model at ${source}${resolved}; pass a .gguf file, a folder with a Hugging Face checkpoint, or owner/name of a repository on the Hub`;
}

/** Other libraries open the file with the weights; here the head and the tokenizer beside it are needed too. */
async function refuseOtherFiles(path: string): Promise<void> {
  const head = await firstBytes(path);
  if (head.startsWith(GGUF_MAGIC)) return;
  if (isGitLfsPointer(head)) throw new EncoderError('gguf_malformed', `${path}: ${GIT_LFS_ADVICE}`);
  const name = basename(path);
  if (!/\.(?:safetensors|bin|h5|json|pt|onnx|msgpack)$/.test(name)) return;
  // Repositories for transformers.js keep their exports in a folder of their own, beside config.json.
  const isWithin = basename(dirname(path)) === 'onnx';
  const folder = isWithin ? dirname(dirname(path)) : dirname(path);
  const held = isWithin ? `onnx/${name}` : name;
  throw new EncoderError(
    'gguf_malformed',
    `${path} is no GGUF file; for a Hugging Face checkpoint pass the folder that holds ${held}: ${folder}`,
  );
}

/** Since a file may have any name. */
async function firstBytes(path: string): Promise<string> {
  const file = await SourceFile.open(path, 'model_not_found');
  try {
    const head = await file.read(0, Math.min(POINTER_BYTES, file.sizeBytes));
    return head.toString('latin1');
  } finally {
    await file.close();
  }
}
