/** What is used of the library; its own declarations import each other in a way that TypeScript does not resolve here. */
import * as jinja from '@huggingface/jinja';

import type { TemplateValue } from './value-bounds';

interface Library {
  readonly Environment: new () => Environment;
  readonly Interpreter: new (environment: Environment) => {
    run(program: Node): Value;
    /** Undefined where nothing is written, as the ends of a slice may be. */
    evaluate(node: Node | undefined, environment: Environment): Value | undefined;
    evaluateBlock(statements: readonly Node[], environment: Environment): Value;
    evaluateBinaryExpression(node: BinaryExpression, environment: Environment): Value;
    evaluateCallExpression(call: Call, environment: Environment): Value;
    applyFilter(operand: Value, filter: Filter, environment: Environment): Value;
    evaluateArguments(args: readonly Node[], environment: Environment): Arguments;
  };
  parse(tokens: readonly object[]): Node;
  tokenize(source: string, options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean }): object[];
}

export interface Environment {
  set(name: string, value: unknown): void;
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

export interface Call extends Node {
  readonly callee: Node & {
    readonly computed?: boolean;
    readonly object?: Node;
    readonly property?: Node & { readonly value?: unknown };
  };
  readonly args: readonly Node[];
}

export interface Loop extends Node {
  readonly iterable: Node;
}

/** A list and the test that its elements have to pass. */
export interface Selection extends Node {
  readonly lhs: Node;
}

/** A name, or a call of one. */
export interface Filter extends Node {
  readonly callee?: { readonly value: unknown };
  readonly args?: readonly Node[];
}

export interface Value extends TemplateValue {
  /** The methods of a text. */
  readonly builtins: Map<string, Value>;
  toString(): string;
}

/** Those by position and those by name. */
export type Arguments = [Value[], Map<string, Value>];
export type Method = (args: Value[], environment: Environment) => Value;

export const { Environment, Interpreter, parse, tokenize } = jinja as unknown as Library;

export const UNDEFINED = new Environment().lookupVariable('undefined');

/** A value that holds `content`: a text, an integer or a boolean. */
export function toValue(content: string | number | boolean): Value {
  const { constructor } = SAMPLES[typeof content as keyof typeof SAMPLES];
  return new (constructor as new (value: unknown) => Value)(content);
}

export function toList(items: readonly Value[]): Value {
  const { constructor } = sampleOf([]);
  return new (constructor as new (value: unknown) => Value)(items);
}

const SAMPLES = { string: sampleOf(''), number: sampleOf(0), boolean: sampleOf(true) };

function sampleOf(content: unknown): Value {
  const environment = new Environment();
  environment.set('sample', content);
  return environment.lookupVariable('sample');
}
