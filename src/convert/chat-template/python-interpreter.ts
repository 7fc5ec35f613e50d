/**
 * Where the library does something else than Jinja in Python, without an error: how texts are stripped, split and capitalized,
 * what equals what, and how values are written.
 */
import {
  type BinaryExpression,
  type Call,
  type Environment,
  type Filter,
  Interpreter,
  type Node,
  type Value,
  toList,
  toValue,
} from './jinja';
import { PYTHON_SPACES, pythonWords, stripEnd, stripStart } from '../../support/white-space';

/** Statements, which write nothing where they have no value; an expression without one writes None. */
const STATEMENTS = ['Set', 'Macro', 'Comment'];

/** Ends of lines of str.splitlines that the library does not know. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const OTHER_LINES = /[\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

const METHODS: Readonly<Record<string, (text: string, characters: Value | undefined) => string>> = {
  strip: (text, characters) => stripEnd(stripStart(text, strippedOf(characters)), strippedOf(characters)),
  lstrip: (text, characters) => stripStart(text, strippedOf(characters)),
  rstrip: (text, characters) => stripEnd(text, strippedOf(characters)),
  capitalize,
};

/** The same in the place of a filter. */
const FILTERS: typeof METHODS = { trim: METHODS['strip']!, capitalize };

export class PythonInterpreter extends Interpreter {
  override evaluateBlock(statements: readonly Node[], environment: Environment): Value {
    const texts = statements.map((statement) => {
      const value = this.evaluate(statement, environment)!;
      return value.type === 'NullValue' && STATEMENTS.includes(statement.type) ? '' : written(value);
    });
    return toValue(texts.join(''));
  }

  override evaluateBinaryExpression(node: BinaryExpression, environment: Environment): Value {
    const { value: operator } = node.operator;
    if (operator !== '==' && operator !== '!=' && operator !== '~') {
      return super.evaluateBinaryExpression(node, environment);
    }
    const left = this.evaluate(node.left, environment)!;
    const right = this.evaluate(node.right, environment)!;
    if (operator === '~') return toValue(written(left) + written(right));
    return toValue(areEqual(left, right) === (operator === '=='));
  }

  override evaluateCallExpression(call: Call, environment: Environment): Value {
    const { object, property, computed = false } = call.callee;
    const name = computed ? undefined : property?.value;
    const method = find(METHODS, name);
    const splits = name === 'split' && call.args.length === 0;
    if (object !== undefined && (method !== undefined || splits)) {
      const text = this.evaluate(object, environment)!;
      const [[characters]] = this.evaluateArguments(call.args, environment);
      if (text.type === 'StringValue' && method !== undefined) return toValue(method(text.value as string, characters));
      if (text.type === 'StringValue') return toList(pythonWords(text.value as string).map(toValue));
    }
    return super.evaluateCallExpression(call, environment);
  }

  override applyFilter(operand: Value, filter: Filter, environment: Environment): Value {
    const name = filter.callee === undefined ? (filter as { readonly value?: unknown }).value : filter.callee.value;
    if (operand.type !== 'StringValue') return super.applyFilter(operand, filter, environment);
    if (name === 'length' || name === 'count') return toValue(Array.from(operand.value as string).length);
    if (name === 'indent' && OTHER_LINES.test(operand.value as string))
      throw new Error('it indents lines that end in \\r');
    const method = find(FILTERS, name);
    if (method === undefined) return super.applyFilter(operand, filter, environment);
    const [[characters]] = this.evaluateArguments(filter.args ?? [], environment);
    return toValue(method(operand.value as string, characters));
  }
}

function find(table: typeof METHODS, name: unknown): (typeof METHODS)[string] | undefined {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** As Python's str() has it; what lists and objects look like there is not known here. */
function written(value: Value): string {
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
  const isNumber = (value: unknown) => typeof value === 'number' || typeof value === 'boolean';
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b);
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

function strippedOf(characters: Value | undefined): ReadonlySet<string> {
  if (characters === undefined || characters.type === 'NullValue') return PYTHON_SPACES;
  if (characters.type === 'StringValue') return new Set(characters.value as string);
  throw new Error('it strips something that is no text');
}

function capitalize(text: string): string {
  const [first = '', ...rest] = Array.from(text);
  return first.toUpperCase() + rest.join('').toLowerCase();
}
