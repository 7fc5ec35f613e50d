import { isEncoderError } from 'ggml-encoder';

/** The error that `action` is refused with. */
export async function refusal(action: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await action.catch((e: unknown) => e);
  if (!isEncoderError(error)) throw new Error('it was not refused', { cause: error });
  return error;
}
