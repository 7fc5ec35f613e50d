/**
 * Where the library does something else than Jinja in Python, without an error: what variables a loop and a macro see,
 * what is written before a loop is left, how texts are stripped, split and cut, and what of values `python-values.ts` says.
 */
import {
  type BinaryExpression,
  type Call,
  Environment,
  type Filter,
  Interpreter,
  type Loop,
  type Macro,
  type Member,
  type Method,
  type Node,
  type Selection,
  type Test,
  UNDEFINED,
  type Value,
  iterableOf,
  toList,
  toObject,
  toValue,
} from './jinja';
import {
  canBeGoneOver,
  capitalize,
  combined,
  distinct,
  elementsOf,
  hasCase,
  indented,
  isList,
  isNumber,
  isText,
  isTrue,
  strippedOf,
  title,
  titleOfWords,
  written,
} from './python-values';
import { pythonWords, stripEnd, stripStart } from '../../support/white-space';

/** Statements, which write nothing where they have no value; an expression without one writes None. */
const STATEMENTS = ['Set', 'Macro', 'Comment'];
/** Statements that keep what is written in them, if anything is. */
const CAPTURES = ['Set', 'FilterStatement', 'CallStatement'];

interface Capture extends Node {
  /** Of `{% set name = value %}`. */
  readonly value?: Node | null;
  readonly body?: readonly Node[];
}

type TextMethod = (text: string, characters: Value | undefined) => string;

const strip: TextMethod = (text, characters) => {
  const stripped = strippedOf(characters);
  return stripEnd(stripStart(text, stripped), stripped);
};

const METHODS: Readonly<Record<string, TextMethod>> = {
  strip,
  lstrip: (text, characters) => stripStart(text, strippedOf(characters)),
  rstrip: (text, characters) => stripEnd(text, strippedOf(characters)),
  capitalize,
  title,
};

/** The same in the place of a filter. */
const FILTERS: typeof METHODS = { trim: strip, capitalize, title: titleOfWords };

/** Filters that write what they are applied to out. */
const OF_TEXTS: readonly unknown[] = ['trim', 'lower', 'upper', 'capitalize', 'title', 'replace', 'string', 'safe'];
/** Filters for which what is undefined is an empty list. */
const OF_LISTS: readonly unknown[] = [
  'length',
  'list',
  'first',
  'last',
  'join',
  'sort',
  'unique',
  'reverse',
  'map',
  'selectattr',
  'rejectattr',
];
/** Filters that give a generator, which is true even where there is nothing in it. */
const GENERATORS: readonly unknown[] = ['unique', 'reverse', 'map', 'selectattr', 'rejectattr', 'items'];
const OTHER_NAMES: Readonly<Record<string, string>> = { d: 'default', count: 'length' };

const TESTS: Readonly<Record<string, (value: Value) => boolean>> = {
  number: isNumber,
  iterable: canBeGoneOver,
  sequence: canBeGoneOver,
  upper: (value) => hasCase(written(value), 'toUpperCase'),
  lower: (value) => hasCase(written(value), 'toLowerCase'),
};

/** Parameters of the filter. */
const INDENT = ['width', 'first', 'blank'];
const PLAIN_NUMBER = /^\s*[-+]?\d+(\.\d+)?\s*$/;

/** `break` or `continue`. */
class LoopExit extends Error {
  /** What the loop's body has written before. */
  text = '';

  constructor(readonly ends: boolean) {
    super('a loop is left where there is none');
  }
}

export class PythonInterpreter extends Interpreter {
  override evaluate(node: Node | undefined, environment: Environment): Value {
    if (node?.type === KNOWN) return (node as Known).value;
    if (node?.type === 'Break' || node?.type === 'Continue') throw new LoopExit(node.type === 'Break');
    // The library has no value for the first of an empty list, which is undefined in Jinja.
    if (node === undefined || !CAPTURES.includes(node.type)) return super.evaluate(node, environment) ?? UNDEFINED;
    try {
      return this.evaluateCapture(node, environment);
    } catch (error) {
      if (error instanceof LoopExit) error.text = '';
      throw error;
    }
  }

  /** What is set within is gone behind it. */
  private evaluateCapture(node: Capture, environment: Environment): Value {
    const scope = new Environment(environment);
    if (node.type !== 'Set') return super.evaluate(node, scope)!;
    const value = node.value ? this.evaluate(node.value, environment) : this.evaluateBlock(node.body!, scope);
    return super.evaluate({ ...node, value: known(value) } as Node, environment)!;
  }

  override evaluateBlock(statements: readonly Node[], environment: Environment): Value {
    let text = '';
    for (const statement of statements) {
      try {
        const value = this.evaluate(statement, environment);
        text += value.type === 'NullValue' && STATEMENTS.includes(statement.type) ? '' : written(value);
      } catch (error) {
        if (error instanceof LoopExit) error.text = text + error.text;
        throw error;
      }
    }
    return toValue(text);
  }

  /** A scope of its own for each turn: what is set in one is gone in the next. */
  override evaluateFor(loop: Loop, environment: Environment): Value {
    const items = this.itemsOf(loop, environment);
    let text = '';
    let isThrough = false;
    for (const [place, item] of items.entries()) {
      const scope = new Environment(environment);
      assign(loop, item, scope);
      scope.setVariable('loop', placeOf(items, place));
      try {
        text += this.evaluateBlock(loop.body, scope).value as string;
        isThrough = true;
      } catch (error) {
        if (!(error instanceof LoopExit)) throw error;
        text += error.text;
        if (error.ends) break;
      }
    }
    // With turns that were all left early, too, as the code that Jinja makes of it.
    return toValue(isThrough ? text : text + (this.evaluateBlock(loop.defaultBlock, environment).value as string));
  }

  private itemsOf(loop: Loop, environment: Environment): readonly Value[] {
    const items = elementsOf(this.evaluate(iterableOf(loop), environment));
    if (loop.iterable.type !== 'SelectExpression') return items;
    const { test } = loop.iterable as Selection;
    return items.filter((item) => {
      const scope = new Environment(environment);
      assign(loop, item, scope);
      return isTrue(this.evaluate(test, scope));
    });
  }

  /** It sees what is set where it is written, not where it is called. */
  override evaluateMacro(macro: Macro, environment: Environment): Value {
    const none = super.evaluateMacro(macro, environment);
    const called = environment.lookupVariable(macro.name.value);
    const method = called.value as Method;
    (called as { value: unknown }).value = ((args, place) => {
      const scope = new Environment(environment);
      scope.setVariable('caller', place.lookupVariable('caller'));
      return method(args, scope);
    }) satisfies Method;
    return none;
  }

  override evaluateBinaryExpression(node: BinaryExpression, environment: Environment): Value {
    const { value: operator } = node.operator;
    if (operator === 'and' || operator === 'or') return super.evaluateBinaryExpression(node, environment);
    const left = this.evaluate(node.left, environment);
    const right = this.evaluate(node.right, environment);
    return (
      this.combine(operator, left, right) ??
      super.evaluateBinaryExpression({ ...node, left: known(left), right: known(right) }, environment)
    );
  }

  /** Undefined where the library does as Python does. */
  protected combine(operator: string, left: Value, right: Value): Value | undefined {
    return combined(operator, left, right);
  }

  override evaluateMemberExpression(member: Member, environment: Environment): Value {
    if (member.property.type === 'SliceExpression') return super.evaluateMemberExpression(member, environment);
    const object = this.evaluate(member.object, environment);
    if (object.type === 'UndefinedValue') throw new Error('it takes something of what is undefined');
    const isName = member.computed !== true && member.property.type === 'Identifier';
    const property = isName ? toValue(String(member.property.value)) : this.evaluate(member.property, environment);
    if (property.type === 'IntegerValue' && isText(object)) {
      // A character, where the library has one of UTF-16's units.
      const character = Array.from(object.value as string).at(property.value as number);
      return character === undefined ? UNDEFINED : toValue(character);
    }
    return super.evaluateMemberExpression(
      { ...member, computed: true, object: known(object), property: known(property) },
      environment,
    );
  }

  override evaluateTestExpression(node: Test, environment: Environment): Value {
    const test = find(TESTS, node.test.value);
    if (test === undefined) return super.evaluateTestExpression(node, environment);
    return toValue(test(this.evaluate(node.operand, environment)) !== node.negate);
  }

  override evaluateCallExpression(call: Call, environment: Environment): Value {
    const { object, property, computed = false } = call.callee;
    const name = computed ? undefined : property?.value;
    const method = find(METHODS, name);
    const splits = name === 'split' && call.args.length === 0;
    if (object === undefined || (method === undefined && !splits))
      return super.evaluateCallExpression(call, environment);
    const value = this.evaluate(object, environment);
    if (!isText(value)) {
      return super.evaluateCallExpression({ ...call, callee: { ...call.callee, object: known(value) } }, environment);
    }
    const text = value.value as string;
    if (method === undefined) return toList(pythonWords(text).map(toValue));
    const [[characters]] = this.evaluateArguments(call.args, environment);
    return toValue(method(text, characters));
  }

  override applyFilter(operand: Value, filter: Filter, environment: Environment): Value {
    const name = filter.callee === undefined ? filter.value : filter.callee.value;
    const value = this.filtered(name, operand, filter, environment);
    if (GENERATORS.includes(name) && isList(value)) value.__bool__ = () => toValue(true);
    return value;
  }

  private filtered(name: unknown, operand: Value, filter: Filter, environment: Environment): Value {
    const other = find(OTHER_NAMES, name);
    if (other !== undefined) {
      const { callee } = filter;
      const named = callee === undefined ? { value: other } : { callee: { ...callee, value: other } };
      return this.applyFilter(operand, { ...filter, ...named }, environment);
    }
    if (!isText(operand) && OF_TEXTS.includes(name)) {
      return this.applyFilter(toValue(written(operand)), filter, environment);
    }
    if (operand.type === 'UndefinedValue' && OF_LISTS.includes(name)) {
      return this.applyFilter(toList([]), filter, environment);
    }
    const text = isText(operand) ? (operand.value as string) : undefined;
    const method = text === undefined ? undefined : find(FILTERS, name);
    if (method !== undefined) {
      const [[characters]] = this.evaluateArguments(filter.args ?? [], environment);
      return toValue(method(text!, characters));
    }
    if (name === 'length' && text !== undefined) return toValue(Array.from(text).length);
    if (name === 'indent' && text !== undefined)
      return toValue(indented(text, this.argumentsOf(INDENT, filter, environment)));
    if ((name === 'int' || name === 'float') && text !== undefined && !PLAIN_NUMBER.test(text)) {
      throw new Error('it reads a number from a text that is none');
    }
    if (operand.type === 'FloatValue' && name === 'int') return toValue(Math.trunc(operand.value as number));
    if (operand.type === 'FloatValue' && name === 'tojson') return toValue(written(operand));
    if (name === 'join' && isList(operand)) {
      const { d: separator = toValue('') } = this.argumentsOf(['d'], filter, environment);
      return toValue((operand.value as Value[]).map(written).join(written(separator)));
    }
    if (name === 'unique' && isList(operand)) return toList(distinct(operand.value as Value[]));
    return super.applyFilter(operand, filter, environment);
  }

  /** By the names of Jinja's parameters. */
  private argumentsOf(names: readonly string[], filter: Filter, environment: Environment): Record<string, Value> {
    const [positional, named] = this.evaluateArguments(filter.args ?? [], environment);
    const values = new Map(named);
    for (const [place, value] of positional.entries()) values.set(names[place] ?? `argument ${place + 1}`, value);
    const unknown = [...values.keys()].find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`it gives a filter ${unknown}, which is not known`);
    return Object.fromEntries(values);
  }
}

/** An expression whose value is known. */
export const KNOWN = 'Known';

interface Known extends Node {
  readonly value: Value;
}

function known(value: Value): Known {
  return { type: KNOWN, value };
}

function find<T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Puts `item` into the loop's variable, or its parts into the variables. */
function assign({ loopvar }: Loop, item: Value, scope: Environment): void {
  if (typeof loopvar.value === 'string') return scope.setVariable(loopvar.value, item);
  const parts = elementsOf(item);
  if (parts.length !== loopvar.value.length) throw new Error(`it takes ${parts.length} values apart`);
  for (const [place, { value: name }] of loopvar.value.entries()) scope.setVariable(name, parts[place]!);
}

function placeOf(items: readonly Value[], place: number): Value {
  const rest = items.length - place;
  return toObject({
    index: toValue(place + 1),
    index0: toValue(place),
    revindex: toValue(rest),
    revindex0: toValue(rest - 1),
    first: toValue(place === 0),
    last: toValue(rest === 1),
    length: toValue(items.length),
    previtem: items[place - 1] ?? UNDEFINED,
    nextitem: items[place + 1] ?? UNDEFINED,
    depth: toValue(1),
    depth0: toValue(0),
  });
}
