/**
 * A chat template in Jinja, rendered as transformers renders it, in bounded time and memory whatever it says: every step
 * of the interpreter and every value that it makes is charged to one budget, of all renderings or of each.
 */
import { EncoderError } from '../../errors';
import { messageOf } from '../../support/error-message';
import {
  type Arguments,
  Environment,
  type Filter,
  type Loop,
  type Method,
  type Node,
  type Value,
  iterableOf,
  parse,
  tokenize,
} from './jinja';
import { KNOWN, PythonInterpreter } from './python-interpreter';
import { BudgetExceeded, boundedSize, checkProduct } from './value-bounds';

/** Published templates of rerankers have 1 KiB, those of chat models with tools up to 16. */
export const MAX_SOURCE = 24 * 1024;
/** What a loop may count to; a longer list is too large a value in any case. */
const MAX_COUNT = 2048;
/** Steps of the interpreter, of half a microsecond to one each; values count by `costOf`. */
const MAX_STEPS = 2_000_000;
/** Making an element, and a loop over it, take that much longer than a step takes. */
const ELEMENT_STEPS = 16;
/** Nodes that give a value which was there before. */
const LOOKUPS: readonly string[] = ['Identifier', 'MemberExpression', KNOWN];
/** Filters that repeat an argument for each element or line of what they are applied to. */
const MULTIPLYING_FILTERS: readonly unknown[] = ['join', 'indent', 'tojson'];
/** A text from which `replace` could make more than is good. */
const LONG_TEXT = 256;

export interface TemplateBounds {
  /** Characters of a text. */
  readonly maxText: number;
  /** Whether each rendering has a budget of its own. */
  readonly startsAnew: boolean;
}

/** A conversion renders a template again and again, with short texts. */
const OF_CONVERSION: TemplateBounds = { maxText: 48 * 1024, startsAnew: false };

export class BoundedTemplate {
  private readonly program: Node;
  private steps = 0;

  /** `path`: where the template is, for messages. Throws `tokenizer_unsupported`. */
  constructor(
    readonly source: string,
    private readonly path: string,
    private readonly bounds: TemplateBounds = OF_CONVERSION,
  ) {
    if (source.length > MAX_SOURCE) {
      this.refuse(`it has ${source.length} characters; templates of up to ${MAX_SOURCE} are read`);
    }
    try {
      this.program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    } catch (cause) {
      this.refuse(`it cannot be read: ${reasonOf(cause)}`, cause);
    }
  }

  /** What it renders, or the exception that it raises. Throws `tokenizer_unsupported` when the budget is spent. */
  tryRender(variables: Readonly<Record<string, unknown>>): string | { readonly failure: string } {
    if (this.bounds.startsAnew) this.steps = 0;
    try {
      const environment = new Environment();
      for (const [name, value] of Object.entries({ ...GLOBALS, ...variables })) environment.set(name, value);
      const interpreter = new BoundedInterpreter(environment, this.bounds.maxText, (cost) => {
        this.steps += cost;
        if (this.steps > MAX_STEPS) throw new BudgetExceeded(`it takes more than ${MAX_STEPS} steps`);
      });
      return interpreter.run(this.program).toString();
    } catch (cause) {
      if (cause instanceof BudgetExceeded) this.refuse(cause.message, cause);
      return { failure: reasonOf(cause) };
    }
  }

  /** The strings and numbers written in the template: whatever it compares a text with is among them. */
  literals(): { readonly texts: readonly string[]; readonly numbers: readonly number[] } {
    const texts = new Set<string>();
    const numbers = new Set<number>();
    const pending: unknown[] = [this.program];
    while (pending.length > 0) {
      const node = pending.pop();
      if (node instanceof Map) pending.push(...node.keys(), ...node.values());
      else if (Array.isArray(node)) for (const item of node) pending.push(item);
      else if (typeof node === 'object' && node !== null) {
        const { type, value } = node as { readonly type?: unknown; readonly value?: unknown };
        if (type === 'StringLiteral' && typeof value === 'string') texts.add(value);
        if (type === 'IntegerLiteral' && typeof value === 'number') numbers.add(value);
        for (const part of Object.values(node)) pending.push(part);
      }
    }
    return { texts: [...texts], numbers: [...numbers] };
  }

  refuse(reason: string, cause?: unknown): never {
    throw new EncoderError('tokenizer_unsupported', `the chat template ${this.path} is not supported: ${reason}`, {
      cause,
    });
  }
}

/** As Jinja and transformers have them, but for a range without end and the time of day. */
const GLOBALS = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown) => {
    throw new Error(String(message));
  },
  strftime_now: () => {
    throw new Error('it asks for the time of day');
  },
  range,
};

class BoundedInterpreter extends PythonInterpreter {
  /** What the filter is applied to whose arguments come next. */
  private multiplied: Value | undefined;
  private readonly guarded = new WeakSet<Value>();
  /** What loops go over. */
  private readonly iterated = new WeakSet<Node>();

  constructor(
    environment: Environment,
    private readonly maxText: number,
    private readonly charge: (cost: number) => void,
  ) {
    super(environment);
  }

  override evaluate(node: Node | undefined, environment: Environment): Value {
    this.charge(1);
    if (node?.type === 'For') this.iterated.add(iterableOf(node as Loop));
    const value = super.evaluate(node, environment);
    const { value: content } = value;
    if (typeof content !== 'string' && typeof content !== 'object') return value;
    this.charge(this.costOf(value, node));
    if (typeof content === 'string' && content.length > LONG_TEXT) this.guardReplace(value);
    return value;
  }

  /** What a text, a list or an object counts for: by its characters and elements where it was made or is gone over. */
  private costOf(value: Value, node: Node | undefined): number {
    const size = boundedSize(value, this.maxText);
    const { value: content } = value;
    const isIterated = node !== undefined && this.iterated.has(node);
    if (typeof content === 'string') return isIterated ? size * ELEMENT_STEPS : 1 + size / 16;
    const length = Array.isArray(content) ? content.length : content instanceof Map ? content.size : 0;
    const isLookedUp = node !== undefined && LOOKUPS.includes(node.type) && !isIterated;
    return isLookedUp ? length / 16 + size / 4096 : length * ELEMENT_STEPS + size / 16;
  }

  override combine(operator: string, left: Value, right: Value): Value | undefined {
    // Lists and objects are compared with all that is in them.
    for (const value of [left, right]) {
      if (typeof value.value === 'object') this.charge(boundedSize(value, this.maxText) / ELEMENT_STEPS);
    }
    return super.combine(operator, left, right);
  }

  override applyFilter(operand: Value, filter: Filter, environment: Environment): Value {
    const multiplies = filter.args !== undefined && MULTIPLYING_FILTERS.includes(filter.callee?.value);
    this.multiplied = multiplies ? operand : undefined;
    return super.applyFilter(operand, filter, environment);
  }

  override evaluateArguments(args: readonly Node[], environment: Environment): Arguments {
    const { multiplied } = this;
    this.multiplied = undefined;
    const [positional, named] = super.evaluateArguments(args, environment);
    if (multiplied !== undefined) checkProduct(multiplied, [...positional, ...named.values()], this.maxText);
    return [positional, named];
  }

  /** The method of a text, which the filter calls too. */
  private guardReplace(text: Value): void {
    const replace = text.builtins.get('replace');
    if (replace === undefined || this.guarded.has(text)) return;
    this.guarded.add(text);
    const method = replace.value as Method;
    (replace as { value: unknown }).value = ((args, environment) => {
      checkProduct(text, args.slice(1, 2), this.maxText);
      return method(args, environment);
    }) satisfies Method;
  }
}

/** Python's range. */
function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= MAX_COUNT)) throw new BudgetExceeded(`it counts from ${from} to ${to}`);
  return Array.from({ length }, (_, index) => from + index * step);
}

function reasonOf(error: unknown): string {
  return messageOf(error).slice(0, 200);
}
