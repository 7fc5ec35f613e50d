/**
 * Checks of what callers pass in. Misuse is a TypeError or RangeError that names the argument, what was expected and
 * what came; `code` follows Node's own ERR_INVALID_ARG_TYPE and ERR_OUT_OF_RANGE.
 */

/** @internal */
export function invalidType(name: string, expected: string, received: unknown): TypeError {
  return wrongType(`${name}: expected ${expected}, received ${describe(received)}`);
}

/** @internal */
export function outOfRange(name: string, expected: string, received: unknown): RangeError {
  return wrongValue(`${name}: expected ${expected}, received ${describe(received)}`);
}

/** @internal For what needs another sentence than `invalidType` has. */
export function wrongType(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** @internal For what needs another sentence than `outOfRange` has. */
export function wrongValue(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}

/** True for errors that invalidType or outOfRange made. */
export function isArgumentError(error: unknown): error is TypeError | RangeError {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ERR_INVALID_ARG_TYPE' || error.code === 'ERR_OUT_OF_RANGE')
  );
}

/** A plain options object with known keys only: a misspelt option must not be ignored in silence. */
export function checkOptions(options: unknown, known: readonly string[], name = 'options'): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    // What a bound method gets from Array.prototype.map behind each item.
    const ofMap = typeof options === 'number' ? ' (map passes an index: write item => model.method(item) there)' : '';
    throw invalidType(name, `an object${ofMap}`, options);
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw wrongType(`${name}.${key}: ${unknownOption(key, known)}`);
  }
}

function unknownOption(key: string, known: readonly string[]): string {
  // As Python and the command line spell it: top_k, top-k.
  const plain = (word: string) => word.toLowerCase().replace(/[^a-z0-9]/g, '');
  const meant =
    known.find((word) => plain(word) === plain(key)) ?? known.find((word) => isSlip(plain(key), plain(word)));
  return meant === undefined
    ? `there is no such option; those there are: ${known.join(', ')}`
    : `there is no such option; did you mean ${meant}?`;
}

/** Whether the words differ by one letter that is missing, too much or another: `thread`, `topN`. */
function isSlip(word: string, other: string): boolean {
  if (word.length > other.length) return isSlip(other, word);
  if (word.length < 3 || other.length - word.length > 1) return false;
  let same = 0;
  while (same < word.length && word[same] === other[same]) same += 1;
  return word.slice(other.length === word.length ? same + 1 : same) === other.slice(same + 1);
}

export function checkString(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidType(name, 'a string', value);
  return value;
}

export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'true or false', value);
  return value;
}

export function checkInteger(name: string, value: unknown, min: number, max: number): number {
  const expected = max === Infinity ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`;
  if (typeof value !== 'number') throw invalidType(name, expected, value);
  if (!Number.isInteger(value) || value < min || value > max) throw outOfRange(name, expected, value);
  return value;
}

export function checkNumber(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (!Number.isFinite(value)) throw outOfRange(name, 'a finite number', value);
  return value;
}

export function checkOneOf<const Value extends string>(name: string, value: unknown, allowed: readonly Value[]): Value {
  const expected = `one of ${allowed.map((word) => `"${word}"`).join(', ')}`;
  if (typeof value !== 'string') throw invalidType(name, expected, value);
  const match = allowed.find((word) => word === value);
  if (match === undefined) throw outOfRange(name, expected, value);
  return match;
}

/** Names that must differ, since results are told apart by them. */
export function checkNames(name: string, value: unknown): void {
  if (!isList<unknown>(value)) throw invalidType(name, 'an array of strings', value);
  const names = new Set<string>();
  for (const [index, item] of value.entries()) {
    const text = checkString(`${name}[${index}]`, item);
    if (names.has(text)) throw outOfRange(`${name}[${index}]`, 'a name that differs from those before', text);
    names.add(text);
  }
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value);
}

export function checkSignal(value: unknown): void {
  if (!isSignal(value)) throw invalidType('options.signal', 'an AbortSignal', value);
}

/** By what it has: signals of jsdom, of polyfills and of other realms are of other classes. */
function isSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('aborted' in value) || !('addEventListener' in value))
    return false;
  return typeof value.aborted === 'boolean' && typeof value.addEventListener === 'function';
}

/** Array.isArray that keeps readonly element types. */
export function isList<Item>(value: unknown): value is readonly Item[] {
  return Array.isArray(value);
}

const MAX_SHOWN = 40;

/** What was received, short enough for one line whatever it is. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') {
    const shown = value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value;
    return JSON.stringify(shown);
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? `an instance of ${name}` : 'an object';
}
