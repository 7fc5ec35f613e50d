/** What a model will take in memory, told before any of it is taken. */
import { checkSource } from '../convert/source-arguments';
import { assertNotAborted, estimateModel } from '../native/native-model';
import { checkLoadOptions, nativeLoadOptions } from './load-options';
import type { LoadOptions } from './load-options';
import { resolveModelFile } from './model-source';

/** Bytes of memory that a model takes once it runs. */
export interface MemoryEstimate {
  /** The weights as the kernels read them, with the tables that are made of them. */
  readonly weightBytes: number;
  /** Working memory of one inference thread, at the longest input. */
  readonly bytesPerThread: number;
  /** The inference threads that `load` would start. */
  readonly threads: number;
  /** weightBytes + threads * bytesPerThread. */
  readonly totalBytes: number;
  /**
   * What a model may take: the limit `memoryBytes`, or 80 % of what the machine and its container have left, less
   * 64 MiB. On a GPU what is free of its own memory. Infinity where the system does not say.
   */
  readonly availableBytes: number;
}

/** Beyond every model's own limit, to which it is cut. */
const ANY_LENGTH = 2 ** 31 - 1;

/**
 * Says what `load` with the same options would take, for inputs of up to `options.maxLength` tokens (default: the
 * model's own limit). Reads the file's header and allocates nothing for the model; a checkpoint is fetched and converted
 * first, as `load` converts it. The tokenizer comes on top.
 *
 * @param source a .gguf file, a checkpoint folder or a repository of the Hub, as for `load`
 * @throws EncoderError as `load`
 */
export async function estimateMemory(source: string, options: LoadOptions = {}): Promise<MemoryEstimate> {
  checkSource(source);
  checkLoadOptions(options);
  const nativeOptions = nativeLoadOptions(options);
  assertNotAborted(options.signal);
  const { path } = await resolveModelFile(source, options);
  return estimateModel(path, nativeOptions, options.maxLength ?? ANY_LENGTH);
}
