/** One run over several inputs, of which some may be refused. */
import { EncoderError, isEncoderError } from '../errors';

/** @internal Results of the inputs before the one that failed; `error` is there when one did. */
export interface Answer<Result> {
  readonly results: readonly Result[];
  readonly error?: unknown;
}

/**
 * @internal Runs all inputs at once. Where one of them is refused, or its result is not finite, they are run one by one, so that
 * those before it are answered and it can be named.
 *
 * @param nameOf what to call an input in a message, by its place in `inputs`.
 */
export async function answerUntilRefused<Input, Result>(
  inputs: readonly Input[],
  run: (inputs: readonly Input[]) => Promise<readonly Result[]>,
  nameOf: (place: number) => string,
): Promise<Answer<Result>> {
  try {
    return { results: await run(inputs) };
  } catch (error) {
    if (!isAboutAnInput(error)) return { results: [], error };
  }
  const results: Result[] = [];
  for (const [place, input] of inputs.entries()) {
    try {
      results.push(...(await run([input])));
    } catch (error) {
      return { results, error: isAboutAnInput(error) ? named(error, nameOf(place)) : error };
    }
  }
  return { results };
}

/**
 * @internal The error of a call with `count` inputs, with the name of the one that it is about.
 *
 * @param refuse does to one input what refused it in the call.
 */
export async function nameRefused(
  error: unknown,
  count: number,
  nameOf: (place: number) => string,
  refuse: (place: number) => Promise<unknown>,
): Promise<unknown> {
  if (count === 1 || !isRefusal(error)) return error;
  for (let place = 0; place < count; place++) {
    try {
      await refuse(place);
    } catch (own) {
      return isRefusal(own) ? named(own, nameOf(place)) : error;
    }
  }
  return error;
}

/**
 * @internal The error of a run whose result for one input is not finite, with the name of that input. What ran counted its own
 * inputs, which may be a part of the call's or several for one text.
 *
 * @param nameOf undefined where the caller names it.
 */
export function nameNotFinite(error: unknown, count: number, nameOf: ((place: number) => string) | undefined): unknown {
  if (!isEncoderError(error, 'weights_not_finite')) return error;
  const place = placeOf(error);
  const message = error.message.replace(PLACE, '');
  const name = count === 1 || nameOf === undefined || place === undefined ? '' : `${nameOf(place)}: `;
  return new EncoderError(error.code, name + message, { cause: error });
}

/** @internal The same error of a run whose first input is the call's `first`. */
export function countedFrom(error: unknown, first: number): unknown {
  if (!isEncoderError(error, 'weights_not_finite')) return error;
  const place = placeOf(error);
  if (place === undefined) return error;
  return new EncoderError(error.code, error.message.replace(PLACE, ` for input ${first + place}`), { cause: error });
}

/** As the native side and `assertFinite` say which input of a run it is. */
const PLACE = / for input (\d+)/;

function placeOf({ message }: Error): number | undefined {
  const [, place] = PLACE.exec(message) ?? [];
  return place === undefined ? undefined : Number(place);
}

/** An error of one input's own, whatever runs beside it. */
function isAboutAnInput(error: unknown): error is EncoderError {
  return isRefusal(error) || isEncoderError(error, 'weights_not_finite');
}

function isRefusal(error: unknown): error is EncoderError {
  return (
    isEncoderError(error) &&
    (error.code === 'input_invalid' || error.code === 'input_too_long' || error.code === 'limit_exceeded')
  );
}

function named(error: EncoderError, name: string): EncoderError {
  return new EncoderError(error.code, `${name}: ${error.message}`, { cause: error });
}
