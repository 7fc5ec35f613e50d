/**
 * The native model as promises that honour an AbortSignal and reject with EncoderError.
 * The addon's own errors are plain Errors with a `code`; nothing above this file sees them.
 */
import { ERROR_CODES, EncoderError } from '../errors';
import type { ErrorCode } from '../errors';
import { messageOf } from '../support/error-message';
import { nativeAddon } from './addon';
import { IsolatedModel } from './isolation/isolated-model';
import { onAbort } from './on-abort';
import type { NativeJob, NativeLoadOptions, NativeMemoryEstimate, NativeModel } from './bindings';

/** Rejects before any work when the caller has already given up. */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal);
}

/** Where a model runs: in this process, or in a child that may die without harm. */
export type Isolation = 'none' | 'process';

/**
 * Loads a GGUF file. An abort rejects at once and ends the loading soon; a model that arrives all the same is freed unseen.
 */
export async function openModel(
  path: string,
  options: NativeLoadOptions,
  signal?: AbortSignal,
  isolation: Isolation = 'none',
): Promise<NativeModel> {
  assertNotAborted(signal);
  const job = isolation === 'process' ? IsolatedModel.load(path, options) : startLoading(path, options);
  const loading = job.promise;
  if (signal === undefined) return settled(loading, signal);

  let takeBack = (): void => undefined;
  const gaveUp = new Promise<never>((_, reject) => {
    takeBack = onAbort(signal, () => {
      job.cancel();
      reject(abortedError(signal));
    });
  });
  try {
    return await settled(Promise.race([loading, gaveUp]), signal);
  } catch (error) {
    if (signal.aborted) {
      loading.then(
        (model) => model.dispose(),
        () => undefined,
      );
    }
    throw error;
  } finally {
    takeBack();
  }
}

/** What loading a GGUF file would take. Rejects as `openModel` does. */
export async function estimateModel(
  path: string,
  options: NativeLoadOptions,
  maxLength: number,
): Promise<NativeMemoryEstimate> {
  try {
    return await nativeAddon().estimateMemory(path, options, maxLength);
  } catch (error) {
    throw toEncoderError(error);
  }
}

/** Starts a native job and waits for it; nothing of it is left on the signal's list when this settles. */
export async function runJob<Result>(start: () => NativeJob<Result>, signal?: AbortSignal): Promise<Result> {
  assertNotAborted(signal);
  let job: NativeJob<Result>;
  try {
    job = start();
  } catch (error) {
    throw toEncoderError(error, signal);
  }
  const takeBack =
    signal &&
    onAbort(signal, () => {
      job.cancel();
    });
  try {
    return await settled(job.promise, signal);
  } finally {
    takeBack?.();
  }
}

/** What the native side raised, as an EncoderError with the same code; anything without a known code is `internal`. */
export function toEncoderError(error: unknown, signal?: AbortSignal): EncoderError {
  if (error instanceof EncoderError) return error;
  const message = messageOf(error);
  const code = errorCode(error);
  if (code === 'aborted') return signal === undefined ? new EncoderError(code, message) : abortedError(signal);
  return new EncoderError(code, message, { cause: error });
}

function startLoading(path: string, options: NativeLoadOptions): NativeJob<NativeModel> {
  try {
    return nativeAddon().loadModel(path, options);
  } catch (error) {
    throw toEncoderError(error);
  }
}

async function settled<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  try {
    return await promise;
  } catch (error) {
    throw toEncoderError(error, signal);
  }
}

function errorCode(error: unknown): ErrorCode {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return ERROR_CODES.find((known) => known === code) ?? 'internal';
}

function abortedError(signal: AbortSignal): EncoderError {
  return new EncoderError('aborted', 'the call was aborted by its signal', { cause: signal.reason });
}
