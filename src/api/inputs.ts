/** Texts and pairs as callers write them, and the columns that the native side takes. */
import type { PairColumn } from '../native/bindings';
import { checkString, invalidType, isList, wrongType } from '../support/arguments';

/** A text, or a text with a second one that the model reads as its pair (premise and hypothesis, for example). */
export type TextInput = string | { readonly text: string; readonly textPair?: string | undefined };

/** Two texts: query and document, premise and hypothesis. */
export type PairInput = readonly [string, string] | { readonly text: string; readonly textPair: string };

/** @internal texts[i] with pairs[i]. */
export interface InputColumns {
  readonly texts: readonly string[];
  readonly pairs: PairColumn;
  /** What the caller knows input i by, for messages. */
  readonly nameOf?: (index: number) => string;
}

/** @internal */
export function textColumns(inputs: readonly TextInput[], nameOf: (index: number) => string): InputColumns {
  const texts: string[] = [];
  const pairs: (string | null)[] = [];
  let anyPair = false;
  // Unlike forEach, this passes over no hole of an array.
  for (const [index, input] of inputs.entries()) {
    const { text, pair } = readTextInput(input, nameOf(index));
    texts.push(text);
    pairs.push(pair);
    anyPair ||= pair !== null;
  }
  return { texts, pairs: anyPair ? pairs : null, nameOf };
}

/** @internal */
export function pairColumns(inputs: readonly PairInput[], nameOf: (index: number) => string): InputColumns {
  const texts: string[] = [];
  const pairs: string[] = [];
  for (const [index, input] of inputs.entries()) {
    const [text, pair] = readPairInput(input, nameOf(index));
    texts.push(text);
    pairs.push(pair);
  }
  return { texts, pairs, nameOf };
}

/** @internal One input or a list of them, as a list with names; `many`: it was one, and gives a list. */
export function inputList<Input>(input: Input | readonly Input[]): {
  inputs: readonly Input[];
  nameOf: (index: number) => string;
  many: boolean;
} {
  if (!isList<Input>(input)) return { inputs: [input], nameOf: () => 'input', many: false };
  return { inputs: input, nameOf: (index) => `inputs[${index}]`, many: true };
}

/** @internal The columns of one pair or of a list, which gives one result or a list of them. */
export function pairCall(input: PairInput | readonly PairInput[]): { columns: InputColumns; many: boolean } {
  if (isOnePair(input)) return { columns: pairColumns([input], () => 'input'), many: false };
  return { columns: pairColumns(input, (index) => `inputs[${index}]`), many: true };
}

/** @internal Throws unless every item is a string. */
export function checkStrings(list: readonly unknown[], nameOf: (index: number) => string): void {
  for (const [index, item] of list.entries()) checkString(nameOf(index), item);
}

/** @internal Where each key stands, in the order in which they first come. */
export function placesOf(keys: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  keys.forEach((key, place) => {
    const known = places.get(key);
    if (known === undefined) places.set(key, [place]);
    else known.push(place);
  });
  return places;
}

/** True for ["a", "b"], which is one pair; a list of pairs holds arrays or objects. */
function isOnePair(input: PairInput | readonly PairInput[]): input is PairInput {
  return !isList<unknown>(input) || typeof input[0] === 'string' || typeof input[1] === 'string';
}

/** @internal Throws unless the input is one that textColumns takes. */
export function checkTextInput(input: unknown, name: string): void {
  readTextInput(input, name);
}

/** @internal Throws unless the input is one that pairColumns takes. */
export function checkPairInput(input: unknown, name: string): void {
  readPairInput(input, name);
}

/** JSON and Python spell it so; read as a lone text it would give a wrong answer in silence. */
function refuseSnakeCase(input: object, name: string): void {
  if ('text_pair' in input) throw wrongType(`${name}.text_pair: write textPair`);
}

const TEXT_EXPECTED = 'a string or { text, textPair? }';
const PAIR_EXPECTED = '[text, textPair] or { text, textPair }';

/** @internal Throws for what is no text or pair. */
export function readTextInput(input: unknown, name: string): { text: string; pair: string | null } {
  if (typeof input === 'string') return { text: input, pair: null };
  if (isList<unknown>(input)) {
    throw invalidType(name, `${TEXT_EXPECTED} (write a pair as { text, textPair })`, input);
  }
  if (typeof input !== 'object' || input === null) throw invalidType(name, TEXT_EXPECTED, input);
  if ('messages' in input) {
    throw wrongType(`${name}.messages: the inputs of one call are all chats, or none is, as the first`);
  }
  if (!('text' in input)) {
    const isMessage = 'role' in input && 'content' in input;
    throw invalidType(name, isMessage ? `{ messages: [{ role, content }, ...] } around a chat` : TEXT_EXPECTED, input);
  }
  refuseSnakeCase(input, name);
  const pair = 'textPair' in input ? input.textPair : undefined;
  return {
    text: checkString(`${name}.text`, input.text),
    pair: pair === undefined ? null : checkString(`${name}.textPair`, pair),
  };
}

function readPairInput(input: unknown, name: string): readonly [string, string] {
  if (isList<unknown>(input)) {
    if (input.length !== 2) throw invalidType(name, PAIR_EXPECTED, input);
    return [checkString(`${name}[0]`, input[0]), checkString(`${name}[1]`, input[1])];
  }
  if (typeof input === 'object' && input !== null) refuseSnakeCase(input, name);
  if (typeof input !== 'object' || input === null || !('text' in input) || !('textPair' in input)) {
    throw invalidType(name, PAIR_EXPECTED, input);
  }
  return [checkString(`${name}.text`, input.text), checkString(`${name}.textPair`, input.textPair)];
}
