/**
 * What an error says, whichever realm made it: in the vm contexts of test runners the addon's errors and Node's own are
 * of another class `Error` than this code's, so `instanceof` tells nothing.
 */
export function messageOf(error: unknown): string {
  const message: unknown = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return typeof message === 'string' ? message : String(error);
}
