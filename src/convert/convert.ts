/**
 * A Hugging Face checkpoint folder becomes one GGUF file: hyperparameters, labels, tokenizer and weights. Weights pass
 * through in pieces, so memory does not grow with the model, and the file appears only when it is complete.
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { EncoderError } from '../errors';
import { TENSOR_TYPES, type TensorType } from '../gguf/types';
import { GgufWriter } from '../gguf/writer';
import type { HubOptions } from '../hub/settings';
import type { DownloadProgress } from '../hub/snapshot';
import {
  checkBoolean,
  checkFunction,
  checkNames,
  checkOneOf,
  checkOptions,
  checkSignal,
  checkString,
  outOfRange,
} from '../support/arguments';
import { AtomicFile, outputExists } from '../support/atomic-file';
import { type LimitOptions, resolveLimits } from '../support/limits';
import type { SourceFile } from '../support/source-file';
import { checkHeadOptions } from './head-options';
import { resolveCheckpoint } from './resolve-checkpoint';
import type { ConversionPlan } from './conversion-plan';
import { type ConversionSource, type SourcePaths, openSource } from './source';
import { checkHubOptions, checkSource } from './source-arguments';
import { copyTensor } from './tensor-copy';

export type { TensorType } from '../gguf/types';

const REPORT_MS = 100;

/** What `convert` is doing. */
export interface ConvertProgress {
  /**
   * `download`: files from the Hub, only those that the cache lacks; `read`: opening and checking the checkpoint;
   * `write`: tensors; `finish`: sync and rename.
   */
  readonly phase: 'download' | 'read' | 'write' | 'finish';
  /** The file that is being downloaded; '' outside `download`. */
  readonly file: string;
  /** Name of the tensor that was last written, in the GGUF file; '' outside `write`. */
  readonly tensor: string;
  /** Bytes of the GGUF file or, in `download`, of the files. */
  readonly bytesWritten: number;
  /** What `bytesWritten` will be at the end of the phase, 0 while it is not known. */
  readonly bytesTotal: number;
}

/** Where the file goes and what is in it. */
export interface ConvertOptions {
  /** The file to make. Its folder must exist. */
  readonly output: string;
  /**
   * Type of the embedding table and the linear layers. Default: the checkpoint's own, f32, f16 or bf16 (the widest when
   * they are mixed). Norms, biases, positions, segments and the head are f32 in any case.
   */
  readonly type?: TensorType | undefined;
  /** Replace an existing output. Default false: it is an error with code `output_exists`. */
  readonly overwrite?: boolean | undefined;
  /** Ends the conversion early; it then rejects with code `aborted` and leaves no file. */
  readonly signal?: AbortSignal | undefined;
  /** Called a few times per second at most, and once at the start of each phase. */
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  /** Names for the labels in place of those in config.json, one per row of the classifier. */
  readonly labels?: readonly string[] | undefined;
  /**
   * For a reranker that answers with one of two words (monoT5 and its kind), these as they stand in its vocabulary, such as
   * `\u2581true` and `\u2581false`. Default: those of the published rerankers, which are known by their names.
   */
  readonly scoreTokens?: readonly [positive: string, negative: string] | undefined;
  /**
   * For a language model that answers a text with one of its labels: the tokens that the answer may begin with, as they stand
   * in its vocabulary, 2 to 1024 of them, such as `Yes` and `No`. Default: those of the published guard models, which are
   * known by their names; other language models are rerankers. `labels` names them otherwise.
   */
  readonly answerTokens?: readonly string[] | undefined;
  /** What stands between the chat template's text and such a token, where the text does not end with it. Default: nothing. */
  readonly answerPrefix?: string | undefined;
  /**
   * For a reranker with a head after each of its last layers (bge-reranker-v2-minicpm-layerwise,
   * bge-reranker-v2.5-gemma2-lightweight), the layer whose head scores, counted from 1; those after it are left out.
   * Default: the last. An error for other models.
   */
  readonly cutoffLayer?: number | undefined;
  /** Branch, tag or commit, for a repository on the Hub. Default `main`; may also be written `owner/name@revision`. */
  readonly revision?: string | undefined;
  /** How to reach the Hub, in place of huggingface_hub's environment variables. */
  readonly hub?: HubOptions | undefined;
  /**
   * What an adapter changes: a folder, or owner/name on the Hub. Default: the base that its adapter_config.json names.
   * An error for sources that are no adapter.
   */
  readonly base?: string | undefined;
  /** Limits to change, by name. Default: `DEFAULT_LIMITS`. */
  readonly limits?: LimitOptions | undefined;
}

/** What was written. */
export interface ConvertResult {
  /** Absolute path of the file. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the whole file, hexadecimal. The same checkpoint and options give the same bytes. */
  readonly sha256: string;
  /** Tensor type that was asked for, or that of most weights in the embedding table and the linear layers. */
  readonly type: string;
  readonly numTensors: number;
  /** Elements of all tensors. */
  readonly parameters: number;
  /** What is worth knowing and no error, in sentences. */
  readonly warnings: readonly string[];
}

/** See api/conversion. */
export async function convert(source: string, options: ConvertOptions): Promise<ConvertResult> {
  checkArguments(source, options);
  const { signal, onProgress, overwrite = false, revision, hub, base } = options;
  throwIfAborted(signal);
  if (!overwrite) await requireAbsent(resolve(options.output));
  const found = await resolveCheckpoint(source, {
    revision,
    hub,
    base,
    limits: resolveLimits(options.limits),
    signal,
    onProgress: downloadReporter(onProgress),
  });
  const result = await convertSource(found, options);
  return { ...result, warnings: [...found.warnings, ...result.warnings] };
}

/** Converts what lies at `paths`; options are checked, and those of the search are unused. */
export async function convertSource(paths: SourcePaths, options: ConvertOptions): Promise<ConvertResult> {
  const { onProgress } = options;
  const output = resolve(options.output);
  onProgress?.({ phase: 'read', file: '', tensor: '', bytesWritten: 0, bytesTotal: 0 });
  const checkpoint = await openSource(paths, resolveLimits(options.limits));
  try {
    const plan = await checkpoint.plan(options);
    await requireNoSource(output, checkpoint);
    const sha256 = await writeFile(output, checkpoint, plan, options);
    return {
      path: output,
      sizeBytes: plan.layout.sizeBytes,
      sha256,
      type: plan.type,
      numTensors: plan.layout.tensors.length,
      parameters: plan.numParameters,
      warnings: plan.warnings,
    };
  } finally {
    await checkpoint.close();
  }
}

async function writeFile(
  output: string,
  checkpoint: ConversionSource,
  plan: ConversionPlan,
  { signal, onProgress, overwrite = false }: ConvertOptions,
): Promise<string> {
  const { layout } = plan;
  throwIfAborted(signal);
  const file = await AtomicFile.create(output, layout.sizeBytes);
  try {
    const writer = new GgufWriter(file, layout);
    const pass = onProgress && throttled(onProgress);
    const report = (phase: ConvertProgress['phase'], tensor: string) =>
      pass?.({ phase, file: '', tensor, bytesWritten: writer.bytesWritten, bytesTotal: layout.sizeBytes });
    report('write', '');
    for (const [index, tensor] of plan.tensors.entries()) {
      await copyTensor(plan.weights, tensor, layout.tensors[index]!, async (data) => {
        throwIfAborted(signal);
        await writer.write(tensor.name, data);
        report('write', tensor.name);
      });
    }
    await checkpoint.checkUnchanged();
    report('finish', '');
    throwIfAborted(signal);
    const sha256 = await writer.finish();
    throwIfAborted(signal);
    await file.commit(overwrite);
    return sha256;
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** What a download says, in the converter's words. */
export function downloadReporter(
  onProgress: ConvertOptions['onProgress'],
): ((progress: DownloadProgress) => void) | undefined {
  if (onProgress === undefined) return undefined;
  const report = throttled(onProgress);
  return ({ file, bytesReceived, bytesTotal }) => {
    report({ phase: 'download', file, tensor: '', bytesWritten: bytesReceived, bytesTotal });
  };
}

/** Passes on ten reports a second at most, and always the first and the last of each phase and file. */
function throttled(onProgress: NonNullable<ConvertOptions['onProgress']>): (progress: ConvertProgress) => void {
  let last: ConvertProgress | undefined;
  let lastMs = 0;
  return (progress) => {
    const nowMs = performance.now();
    const isNew = progress.phase !== last?.phase || progress.file !== last.file;
    if (!isNew && progress.bytesWritten < progress.bytesTotal && nowMs - lastMs < REPORT_MS) return;
    last = progress;
    lastMs = nowMs;
    onProgress(progress);
  };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EncoderError('aborted', 'the conversion was aborted', { cause: signal.reason });
}

async function requireAbsent(output: string): Promise<void> {
  const found = await stat(output).catch(() => undefined);
  if (found?.isDirectory() === true) throw isFolder(output);
  if (found !== undefined) throw outputExists(output);
}

/** Nothing replaces a folder, so that is not what the message advises. */
function isFolder(output: string): EncoderError {
  const example = join(output, 'model.gguf');
  return new EncoderError('io_failed', `${output} is a folder; name the file to write, such as ${example}`);
}

/** Overwriting must not replace the very files that are being read. */
async function requireNoSource(output: string, checkpoint: ConversionSource): Promise<void> {
  const found = await stat(output, { bigint: true }).catch(() => undefined);
  if (found === undefined) return;
  if (found.isDirectory()) throw isFolder(output);
  // Renaming would replace the device or the pipe itself.
  if (!found.isFile()) throw new EncoderError('io_failed', `${output} is no regular file; name another one`);
  const isSame = ({ file: { identity } }: { readonly file: SourceFile }) =>
    identity.device === found.dev && identity.inode === found.ino;
  if (checkpoint.namedFiles.some(isSame))
    throw new EncoderError('input_invalid', `${output} is a file of the checkpoint; write elsewhere`);
}

const CONVERT_KEYS = [
  'output',
  'type',
  'overwrite',
  'signal',
  'onProgress',
  'labels',
  'scoreTokens',
  'answerTokens',
  'answerPrefix',
  'cutoffLayer',
  'revision',
  'hub',
  'base',
  'limits',
] as const satisfies readonly (keyof ConvertOptions)[];

function checkArguments(source: unknown, options: ConvertOptions): void {
  checkSource(source);
  checkOptions(options, CONVERT_KEYS);
  const { output, type, overwrite, signal, onProgress, labels, revision, hub, base } = options;
  if (checkString('options.output', output) === '') throw outOfRange('options.output', 'a path', output);
  if (type !== undefined) checkOneOf('options.type', type, TENSOR_TYPES);
  if (overwrite !== undefined) checkBoolean('options.overwrite', overwrite);
  if (onProgress !== undefined) checkFunction('options.onProgress', onProgress);
  if (signal !== undefined) checkSignal(signal);
  if (labels !== undefined) checkNames('options.labels', labels);
  checkHeadOptions(options);
  if (base !== undefined) checkString('options.base', base);
  checkHubOptions(revision, hub);
}
