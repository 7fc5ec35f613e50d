/** What is used of the library; its own declarations import each other in a way that TypeScript does not resolve here. */
import * as jinja from '@huggingface/jinja';

import type { TemplateValue } from './value-bounds';

interface Library {
  /** A scope, within another or by itself. */
  readonly Environment: new (parent?: Environment) => Environment;
  readonly Interpreter: new (environment: Environment) => {
    run(program: Node): Value;
    /** Undefined where nothing is written, as the ends of a slice may be. */
    evaluate(node: Node | undefined, environment: Environment): Value | undefined;
    evaluateBlock(statements: readonly Node[], environment: Environment): Value;
    evaluateBinaryExpression(node: BinaryExpression, environment: Environment): Value;
    evaluateCallExpression(call: Call, environment: Environment): Value;
    evaluateMemberExpression(member: Member, environment: Environment): Value;
    evaluateTestExpression(node: Test, environment: Environment): Value;
    evaluateFor(node: Loop, environment: Environment): Value;
    evaluateMacro(node: Macro, environment: Environment): Value;
    applyFilter(operand: Value, filter: Filter, environment: Environment): Value;
    evaluateArguments(args: readonly Node[], environment: Environment): Arguments;
  };
  parse(tokens: readonly object[]): Node;
  tokenize(source: string, options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean }): object[];
}

export interface Environment {
  set(name: string, value: unknown): void;
  setVariable(name: string, value: Value): void;
  lookupVariable(name: string): Value;
}

export interface Node {
  readonly type: string;
}

export interface BinaryExpression extends Node {
  readonly left: Node;
  readonly right: Node;
  readonly operator: { readonly value: string };
}

export interface Member extends Node {
  /** Whether it is written in brackets. */
  readonly computed?: boolean;
  readonly object: Node;
  readonly property: Node & { readonly value?: unknown };
}

export interface Call extends Node {
  readonly callee: Node & Partial<Member>;
  readonly args: readonly Node[];
}

export interface Test extends Node {
  readonly operand: Node;
  readonly negate: boolean;
  readonly test: { readonly value: string };
}

export interface Loop extends Node {
  /** A name, or a tuple of names. */
  readonly loopvar: Node & { readonly value: string | readonly { readonly value: string }[] };
  readonly iterable: Node;
  readonly body: readonly Node[];
  /** Where there is nothing to go over. */
  readonly defaultBlock: readonly Node[];
}

export interface Macro extends Node {
  readonly name: { readonly value: string };
}

/** A list and the test that its elements have to pass. */
export interface Selection extends Node {
  readonly lhs: Node;
  readonly test: Node;
}

/** `{% for x in list if test %}` goes over `list`. */
export function iterableOf({ iterable }: Loop): Node {
  return iterable.type === 'SelectExpression' ? (iterable as Selection).lhs : iterable;
}

/** A name, or a call of one. */
export interface Filter extends Node {
  readonly value?: unknown;
  readonly callee?: { readonly value: unknown };
  readonly args?: readonly Node[];
}

export interface Value extends TemplateValue {
  /** The methods of a text. */
  readonly builtins: Map<string, Value>;
  /** Whether it is true. */
  __bool__: () => TemplateValue;
  toString(): string;
}

/** Those by position and those by name. */
export type Arguments = [Value[], Map<string, Value>];
export type Method = (args: Value[], environment: Environment) => Value;

export const { Environment, Interpreter, parse, tokenize } = jinja as unknown as Library;

export const UNDEFINED = new Environment().lookupVariable('undefined');

/** A value that holds `content`: a text, an integer or a boolean. */
export function toValue(content: string | number | boolean): Value {
  return new SAMPLES[typeof content as keyof typeof SAMPLES](content);
}

export function toFloat(content: number): Value {
  return new SAMPLES.float(content);
}

export function toList(items: readonly Value[]): Value {
  return new SAMPLES.list(items);
}

export function toObject(entries: Readonly<Record<string, Value>>): Value {
  return new SAMPLES.object(new Map(Object.entries(entries)));
}

const SAMPLES = {
  string: classOf(''),
  number: classOf(0),
  float: classOf(0.5),
  boolean: classOf(true),
  list: classOf([]),
  object: classOf({}),
};

function classOf(content: unknown): new (value: unknown) => Value {
  const environment = new Environment();
  environment.set('sample', content);
  return environment.lookupVariable('sample').constructor as new (value: unknown) => Value;
}
