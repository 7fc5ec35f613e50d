/**
 * Everything that can go wrong outside the caller's own code, as one class with a stable code.
 * `native/include/enc/error.h` holds the same list; a test keeps the two equal.
 */

/** Stable, documented reasons. New codes may be added in a minor version, none is renamed or reused. */
export const ERROR_CODES = [
  'checkpoint_not_found',
  'checkpoint_malformed',
  'architecture_unsupported',
  'tensor_missing',
  'tensor_shape_mismatch',
  'dtype_unsupported',
  'weights_not_finite',
  'model_not_found',
  'gguf_malformed',
  'tokenizer_missing',
  'tokenizer_unsupported',
  'hub_not_found',
  'hub_unauthorized',
  'hub_rate_limited',
  'hub_unreachable',
  'hub_offline',
  'hub_response_invalid',
  'hub_download_corrupt',
  'input_invalid',
  'input_too_long',
  'limit_exceeded',
  'queue_full',
  'device_unavailable',
  'isa_unsupported',
  'out_of_memory',
  'output_exists',
  'io_failed',
  'model_disposed',
  'method_detached',
  'model_poisoned',
  'process_died',
  'aborted',
  'addon_missing',
  'addon_failed',
  'internal',
] as const;

/** One of ERROR_CODES. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** On every copy of the class: test runners, hot reloads and nested installs load this package more than once. */
const BRAND = Symbol.for('ggml-encoder.EncoderError');

/** An error with a stable `code`. The message says what failed, on what, and what to do about it. */
export class EncoderError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EncoderError';
    this.code = code;
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }
}

/**
 * True for every error that this package raises on purpose, also when another copy of it did; narrows to the given code
 * when there is one.
 */
export function isEncoderError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is EncoderError & { readonly code: Code } {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
  return code === undefined || (error as unknown as EncoderError).code === code;
}
