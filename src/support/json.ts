/**
 * A strict JSON parser for files that came from somewhere else: bounded depth, no duplicate keys unless the file is one
 * that Python reads, objects without a prototype so that a key such as `__proto__` is only a key.
 */
import { TextDecoder } from 'node:util';

import { EncoderError, type ErrorCode } from '../errors';
import { GIT_LFS_ADVICE, isGitLfsPointer } from './git-lfs';

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

export interface ParseJsonOptions {
  /** What the text is, for messages: the file's name. */
  readonly what: string;
  /** Raised for text that is not JSON. Default `checkpoint_malformed`. */
  readonly code?: ErrorCode;
  /** Most nested objects and arrays, 1 to 64. Default 64. */
  readonly maxDepth?: number;
  /** Take what Python's own parser takes: NaN, Infinity and -Infinity, and of equal keys the last. */
  readonly isOfPython?: boolean;
  /** Refuse numbers that are not written as plain non-negative integers below 2^53. */
  readonly integersOnly?: boolean;
}

const MAX_JSON_DEPTH = 64;
/** Values, keys, and once more the objects and arrays: a vocabulary of two million tokens with scores, six times a real one's. */
const MAX_JSON_PARTS = 2 ** 23;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The beginning of a value, for a message; that of a text stands in quotes. */
export function shown(value: unknown, length = 60): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, length));
  return String(JSON.stringify(value)).slice(0, length);
}

/** Parses `text`. Throws `EncoderError` naming `options.what` and the position of the fault. */
export function parseJson(text: string, options: ParseJsonOptions): JsonValue {
  return new Parser(text, options).document();
}

/** UTF-8 bytes to text; bytes that are not UTF-8 are an error, a byte order mark is kept (and is no JSON). */
export function decodeUtf8(bytes: Uint8Array, what: string, code: ErrorCode = 'checkpoint_malformed'): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new EncoderError(code, `${what} is not UTF-8 text; fetch the file again`, { cause });
  }
}

/** True for a JSON object, as opposed to an array, null or a plain value. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const UNSIGNED_INTEGER = /^(?:0|[1-9]\d{0,15})$/;
const LITERALS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const PYTHON_LITERALS: ReadonlyMap<string, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

class Parser {
  private position = 0;
  private depth = 0;
  private parts = 0;
  private readonly maxDepth: number;

  constructor(
    private readonly text: string,
    private readonly options: ParseJsonOptions,
  ) {
    this.maxDepth = options.maxDepth ?? MAX_JSON_DEPTH;
  }

  document(): JsonValue {
    if (isGitLfsPointer(this.text)) {
      throw new EncoderError(this.options.code ?? 'checkpoint_malformed', `${this.options.what}: ${GIT_LFS_ADVICE}`);
    }
    if (this.text.startsWith('\ufeff'))
      this.fail('a byte order mark, which JSON files do not have; save it as UTF-8 without one,');
    const value = this.value();
    this.skipSpace();
    if (this.position !== this.text.length) this.fail('text after the end of the document');
    return value;
  }

  private value(): JsonValue {
    this.count();
    this.skipSpace();
    const character = this.text.charCodeAt(this.position);
    if (character === 0x7b) return this.object();
    if (character === 0x5b) return this.array();
    if (character === 0x22) return this.string();
    if (this.options.isOfPython === true) {
      for (const [word, value] of PYTHON_LITERALS) if (this.skips(word)) return value;
    }
    if (character === 0x2d || (character >= 0x30 && character <= 0x39)) return this.number();
    for (const [word, value] of LITERALS) if (this.skips(word)) return value;
    return this.fail('a value expected');
  }

  private skips(word: string): boolean {
    if (!this.text.startsWith(word, this.position)) return false;
    this.position += word.length;
    return true;
  }

  private object(): JsonObject {
    this.enter();
    const result = Object.create(null) as JsonObject;
    if (!this.closes(0x7d)) {
      do {
        this.count();
        this.skipSpace();
        if (this.text.charCodeAt(this.position) !== 0x22) this.fail('a key expected');
        const key = this.string();
        if (key in result && this.options.isOfPython !== true)
          this.fail(`the key ${JSON.stringify(key.slice(0, 100))} occurs twice`);
        this.skipSpace();
        if (this.text.charCodeAt(this.position++) !== 0x3a) this.fail('a colon expected');
        result[key] = this.value();
      } while (this.continues(0x7d));
    }
    this.depth--;
    return result;
  }

  private array(): JsonValue[] {
    this.enter();
    const result: JsonValue[] = [];
    if (!this.closes(0x5d)) {
      do result.push(this.value());
      while (this.continues(0x5d));
    }
    this.depth--;
    return result;
  }

  /** Bytes bound the text alone, and a `{}` of two bytes takes a hundred times that in memory. */
  private count(): void {
    if (++this.parts > MAX_JSON_PARTS) {
      throw new EncoderError('limit_exceeded', `${this.options.what} has more than ${MAX_JSON_PARTS} values and keys`);
    }
  }

  private enter(): void {
    this.count();
    if (++this.depth > this.maxDepth) {
      throw new EncoderError('limit_exceeded', `${this.options.what} is nested deeper than ${this.maxDepth} levels`);
    }
    this.position++;
  }

  private closes(bracket: number): boolean {
    this.skipSpace();
    if (this.text.charCodeAt(this.position) !== bracket) return false;
    this.position++;
    return true;
  }

  private continues(bracket: number): boolean {
    this.skipSpace();
    const character = this.text.charCodeAt(this.position++);
    if (character === bracket) return false;
    if (character !== 0x2c) this.fail('a comma or the closing bracket expected');
    return true;
  }

  private string(): string {
    const start = this.position;
    let end = start + 1;
    let plain = true;
    for (; ; end++) {
      const character = this.text.charCodeAt(end);
      if (character === 0x22) break;
      if (character === 0x5c) {
        plain = false;
        end++;
      } else if (!(character >= 0x20)) {
        this.position = end;
        this.fail('a string with a control character or without an end');
      }
    }
    this.position = end + 1;
    if (plain) return this.text.slice(start + 1, end);
    const text = this.unescape(this.text.slice(start, end + 1));
    // Half a surrogate pair has no UTF-8 form: written out, two different strings would become one.
    if (/\p{Cs}/u.test(text)) this.fail('a string with half a surrogate pair');
    return text;
  }

  private unescape(literal: string): string {
    try {
      return JSON.parse(literal) as string;
    } catch {
      return this.fail('a string with a bad escape');
    }
  }

  private number(): number {
    NUMBER.lastIndex = this.position;
    const match = NUMBER.exec(this.text);
    if (match === null) return this.fail('a number expected');
    const literal = match[0];
    this.position += literal.length;
    const value = Number(literal);
    if (this.options.integersOnly && !(UNSIGNED_INTEGER.test(literal) && Number.isSafeInteger(value))) {
      this.fail(`an integer between 0 and 2^53 expected, ${literal.slice(0, 40)} found`);
    }
    return value;
  }

  private skipSpace(): void {
    for (; ; this.position++) {
      const character = this.text.charCodeAt(this.position);
      if (character !== 0x20 && character !== 0x0a && character !== 0x0d && character !== 0x09) return;
    }
  }

  private fail(reason: string): never {
    const code = this.options.code ?? 'checkpoint_malformed';
    throw new EncoderError(code, `${this.options.what} is not valid JSON: ${reason} at offset ${this.position}`);
  }
}
