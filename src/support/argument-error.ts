/** A TypeError or RangeError with the code that Node has for wrong arguments. */
export function argumentError<Failure extends TypeError | RangeError>(
  Kind: new (message: string) => Failure,
  message: string,
): Failure {
  const code = Object.is(Kind, TypeError) ? 'ERR_INVALID_ARG_TYPE' : 'ERR_OUT_OF_RANGE';
  return Object.assign(new Kind(message), { code });
}
