/** What Python makes of a template's values: how it writes, compares and changes them. */
import { type Value, toFloat, toValue } from './jinja';
import { PYTHON_SPACES } from '../../support/white-space';

/** Ends of lines of str.splitlines that the library does not know. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const OTHER_LINES = /[\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

export const isText = ({ type }: Value): boolean => type === 'StringValue';
export const isList = ({ value }: Value): boolean => Array.isArray(value);
export const isTrue = (value: Value): boolean => value.__bool__().value === true;
export const isNumber = ({ value }: Value): boolean => typeof value === 'number' || typeof value === 'boolean';

/** As Python's str() has it; what lists and objects look like there is not known here. */
export function written(value: Value): string {
  switch (value.type) {
    case 'UndefinedValue':
      return '';
    case 'NullValue':
      return 'None';
    case 'BooleanValue':
      return value.value === true ? 'True' : 'False';
    case 'StringValue':
    case 'IntegerValue':
    case 'FloatValue':
      return value.toString();
    default:
      throw new Error(`it writes a value out that is no text (${value.type})`);
  }
}

function areEqual(left: Value, right: Value): boolean {
  const [a, b] = [left.value, right.value];
  if (isNumber(left) && isNumber(right)) return Number(a) === Number(b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, place) => areEqual(item as Value, b[place] as Value));
  }
  if (a instanceof Map && b instanceof Map) {
    const entries = [...(a as Map<string, Value>)];
    const other = b as Map<string, Value>;
    return (
      entries.length === other.size && entries.every(([key, item]) => other.has(key) && areEqual(item, other.get(key)!))
    );
  }
  // None is not what is undefined.
  return left.type === right.type && a === b;
}

/** What `operator` makes of two values where the library makes something else of them. */
export function combined(operator: string, left: Value, right: Value): Value | undefined {
  switch (operator) {
    case '==':
    case '!=':
      return toValue(areEqual(left, right) === (operator === '=='));
    case '~':
      return toValue(written(left) + written(right));
    case '+':
      if (isText(left) !== isText(right)) throw new Error('it adds a text and something that is none');
      return undefined;
    case 'in':
    case 'not in':
      if (!isList(right)) return undefined;
      return toValue((right.value as Value[]).some((item) => areEqual(item, left)) === (operator === 'in'));
    case '<':
    case '>':
    case '<=':
    case '>=':
      return isText(left) && isText(right) ? toValue(isOrdered(operator, left, right)) : undefined;
    case '/':
    case '//':
    case '%':
      return isNumber(left) && isNumber(right) ? quotient(operator, left, right) : undefined;
    default:
      return undefined;
  }
}

/** Texts by their characters. */
function isOrdered(operator: '<' | '>' | '<=' | '>=', left: Value, right: Value): boolean {
  const [a, b] = [left, right].map(({ value }) => Array.from(value as string, (one) => one.codePointAt(0)!));
  const place = a!.findIndex((code, index) => code !== b![index]);
  const order = place < 0 ? a!.length - b!.length : a![place]! - (b![place] ?? -1);
  if (order === 0) return operator.endsWith('=');
  return order < 0 === operator.startsWith('<');
}

function quotient(operator: '/' | '//' | '%', left: Value, right: Value): Value {
  const [a, b] = [Number(left.value), Number(right.value)];
  if (b === 0) throw new Error('it divides by zero');
  if (operator === '/') return toFloat(a / b);
  const rest = a % b;
  // Of the sign of what it is divided by.
  const result = operator === '//' ? Math.floor(a / b) : rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
  return [left, right].some(({ type }) => type === 'FloatValue') ? toFloat(result) : toValue(result);
}

export function capitalize(text: string): string {
  return recased(text, titleCaseOf);
}

/** str.title: a letter behind what is none is large. */
export function title(text: string): string {
  let isInside = false;
  return Array.from(text, (character) => {
    const changed = isInside ? character.toLowerCase() : titleCaseOf(character);
    isInside = isCased(character);
    return changed;
  }).join('');
}

/** The filter, for which words end at white space, `-` and opening brackets alone. */
export function titleOfWords(text: string): string {
  const words = text.split(/([-\s({[<]+)/u);
  return words.map((word) => recased(word, (first) => first.toUpperCase())).join('');
}

function recased(text: string, enlarge: (first: string) => string): string {
  const [first = '', ...rest] = Array.from(text);
  return enlarge(first) + rest.join('').toLowerCase();
}

/** str.isupper and str.islower. */
export function hasCase(text: string, change: 'toUpperCase' | 'toLowerCase'): boolean {
  return isCased(text) && text === text[change]();
}

const isCased = (text: string): boolean => /[\p{Uppercase}\p{Lowercase}\p{Lt}]/u.test(text);

function titleCaseOf(character: string): string {
  const large = character.toUpperCase();
  // Of a ligature Python makes one large letter and small ones.
  return Array.from(large).length > 1 ? large[0]! + large.slice(1).toLowerCase() : large;
}

/** What a loop goes over. */
export function elementsOf(value: Value): readonly Value[] {
  if (value.type === 'UndefinedValue') return [];
  if (isText(value)) return Array.from(value.value as string, toValue);
  if (isList(value)) return value.value as Value[];
  if (value.value instanceof Map) return [...(value.value as Map<string, Value>).keys()].map(toValue);
  throw new Error(`it goes over what is no list (${value.type})`);
}

export function canBeGoneOver({ type, value }: Value): boolean {
  return type === 'UndefinedValue' || typeof value === 'string' || Array.isArray(value) || value instanceof Map;
}

const NO = toValue(false);

export function strippedOf(characters: Value | undefined): ReadonlySet<string> {
  if (characters === undefined || characters.type === 'NullValue') return PYTHON_SPACES;
  if (isText(characters)) return new Set(characters.value as string);
  throw new Error('it strips something that is no text');
}

export function indented(text: string, { width = toValue(4), first = NO, blank = NO }: Record<string, Value>): string {
  if (OTHER_LINES.test(text)) throw new Error('it indents lines that end in \\r');
  const indention = isText(width) ? (width.value as string) : ' '.repeat(Number(width.value));
  const [head, ...lines] = text.split('\n');
  const rest = lines.map((line) => (line === '' && !isTrue(blank) ? line : indention + line));
  return (isTrue(first) ? indention : '') + [head, ...rest].join('\n');
}

/** Of texts and numbers; texts without regard to case, as the filter has it. */
export function distinct(items: readonly Value[]): Value[] {
  const seen = new Set<unknown>();
  return items.filter((item) => {
    if (!isText(item) && !isNumber(item)) throw new Error('it compares what is neither text nor number');
    const key = isText(item) ? (item.value as string).toLowerCase() : Number(item.value);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
