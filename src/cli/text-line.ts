/** What a line of input may say: a JSON string, or an object with `text` and perhaps `text_pair`. */
import type { TextInput } from '../api/inputs';

/** @throws Error with what is wrong about the line, for the caller to put its number in front. */
export function parseTextLine(line: string): TextInput {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error(`not JSON; expected ${EXPECTED}`, { cause });
  }
  const input = readTextInput(value);
  if (typeof input === 'object' && 'problem' in input) throw new Error(`${input.problem}; expected ${EXPECTED}`);
  return input;
}

/**
 * A document for `rank`: lines as above, or the line itself as plain text when it is anything else, so that both a
 * .jsonl and a .txt file can be ranked.
 */
export function parseDocumentLine(line: string): string {
  try {
    const input = readTextInput(JSON.parse(line));
    if (typeof input === 'string') return input;
    if (!('problem' in input)) return input.text;
  } catch {
    // Not JSON, so plain text.
  }
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

const EXPECTED = 'a JSON string, {"text": ...} or {"text": ..., "text_pair": ...}';

/** The text or pair that a JSON value stands for, or what is wrong with it. */
export function readTextInput(value: unknown): TextInput | { problem: string } {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problem: `found ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`}` };
  }
  if (!('text' in value)) return { problem: 'found an object without "text"' };
  if (typeof value.text !== 'string') return { problem: '"text" is no string' };
  const pair = 'text_pair' in value ? value.text_pair : undefined;
  if (pair === undefined || pair === null) return { text: value.text };
  if (typeof pair !== 'string') return { problem: '"text_pair" is no string' };
  return { text: value.text, textPair: pair };
}
