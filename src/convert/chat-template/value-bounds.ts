/**
 * How large the values of a chat template may be. A list of lists of lists is small and makes a text without end, and
 * one step may multiply two texts: neither shows in the number of steps before it is too late.
 */

/** A value of the interpreter, as far as it is looked at here. */
export interface TemplateValue {
  readonly type: string;
  readonly value: unknown;
}

/** What was thrown is the budget's, and not the template's own `raise_exception`. */
export class BudgetExceeded extends Error {}

/** Elements of a list. */
const MAX_LIST = 2048;
/** Characters of all that a value holds, written out; lists in lists, or in objects. */
const MAX_SIZE = 1 << 20;
const MAX_DEPTH = 32;
/** Characters of a value times those that a filter may put in for each of them. */
const MAX_PRODUCT = 1 << 24;

/** A number with the comma behind it. */
const ELEMENT_SIZE = 8;

interface Extent {
  /** Characters. */
  readonly size: number;
  /** Levels of lists and objects. */
  readonly depth: number;
}

const SCALAR: Extent = { size: ELEMENT_SIZE, depth: 0 };
/** Lists and objects do not change once they are made. */
const known = new WeakMap<object, Extent>();

/**
 * Characters that `value` makes when it is written out. Throws BudgetExceeded where that is too much, or a text has more
 * than `maxText` characters.
 */
export function boundedSize(value: TemplateValue, maxText: number): number {
  const { value: content } = value;
  if (typeof content === 'string' && content.length > maxText) {
    throw new BudgetExceeded(`it makes a text of ${content.length} characters`);
  }
  if (Array.isArray(content) && content.length > MAX_LIST) {
    throw new BudgetExceeded(`it makes a list of ${content.length} elements`);
  }
  const { size, depth } = value.type === 'NamespaceValue' ? extentOf(partsOf(content)) : extent(value);
  if (size > MAX_SIZE) throw new BudgetExceeded('it puts lists into lists that make a text without end');
  if (depth > MAX_DEPTH) throw new BudgetExceeded(`it puts ${depth} lists into one another`);
  return size;
}

/** Throws BudgetExceeded where a step that repeats an argument for each character of a value makes too much of it. */
export function checkProduct(value: TemplateValue, factors: Iterable<TemplateValue>, maxText: number): void {
  const size = boundedSize(value, maxText);
  for (const factor of factors) {
    const times = typeof factor.value === 'number' ? Math.abs(factor.value) : boundedSize(factor, maxText);
    if (size * times > MAX_PRODUCT) throw new BudgetExceeded(`it makes ${size} times ${times} characters at once`);
  }
}

function extent({ type, value: content }: TemplateValue): Extent {
  if (typeof content === 'string') return { size: content.length, depth: 0 };
  if (!Array.isArray(content) && !(content instanceof Map)) return SCALAR;
  // It can change, so that what holds it could grow unseen.
  if (type === 'NamespaceValue') throw new BudgetExceeded('it puts a namespace into a list or an object');
  const before = known.get(content);
  if (before !== undefined) return before;
  const now = extentOf(partsOf(content));
  known.set(content, now);
  return now;
}

function extentOf(parts: Iterable<TemplateValue>): Extent {
  let size = ELEMENT_SIZE;
  let depth = 0;
  for (const part of parts) {
    const { size: own, depth: below } = extent(part);
    size += own + ELEMENT_SIZE;
    depth = Math.max(depth, below);
  }
  return { size, depth: depth + 1 };
}

function partsOf(content: unknown): Iterable<TemplateValue> {
  if (!(content instanceof Map)) return content as Iterable<TemplateValue>;
  const entries = content as Map<string, TemplateValue>;
  return [...entries].flatMap(([key, value]) => [{ type: 'StringValue', value: key }, value]);
}
