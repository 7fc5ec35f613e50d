/** What the caller gives a chat template beside the messages. */
import type { JsonValue } from '../support/json';
import { invalidType, isList, outOfRange, wrongValue } from '../support/arguments';

/** JSON: texts, numbers, true, false, null, lists and objects of them. */
export type TemplateValue =
  string | number | boolean | null | readonly TemplateValue[] | { readonly [name: string]: TemplateValue };

/** What calls with chats accept. */
export interface ChatOptions {
  /**
   * Variables of the checkpoint's chat template, as keyword arguments of transformers' `apply_chat_template` are: a
   * `guideline`, `categories`, `documents`, `add_generation_prompt`. For chats, and texts that a model reads as such.
   */
  readonly templateVariables?: Readonly<Record<string, TemplateValue>> | undefined;
}

/** @internal */
export type TemplateVariables = Readonly<Record<string, JsonValue>>;

const MAX_DEPTH = 16;
/** Values, and characters of all texts. */
const MAX_VALUES = 2 ** 14;
const MAX_CHARACTERS = 2 ** 18;

/** @internal A copy. Throws TypeError or RangeError for what is no JSON, and for more of it than is given to a template. */
export function checkTemplateVariables(value: unknown, name = 'options.templateVariables'): TemplateVariables {
  if (typeof value !== 'object' || value === null || isList(value)) throw invalidType(name, 'an object', value);
  if ('messages' in value) throw wrongValue(`${name}.messages: expected none, since the input has them`);
  let [values, characters] = [0, 0];
  const count = (text: string): string => {
    values += 1;
    characters += text.length;
    if (values > MAX_VALUES || characters > MAX_CHARACTERS)
      throw wrongValue(`${name}: expected at most ${MAX_VALUES} values and ${MAX_CHARACTERS} characters in all`);
    return text;
  };
  const copy = (item: unknown, place: string, depth: number): JsonValue => {
    if (depth > MAX_DEPTH) throw wrongValue(`${place}: expected at most ${MAX_DEPTH} lists and objects in one another`);
    if (typeof item === 'string') return count(item);
    count('');
    if (item === null || typeof item === 'boolean') return item;
    if (typeof item === 'number') {
      if (Number.isFinite(item)) return item;
      throw outOfRange(place, 'a finite number', item);
    }
    if (isList<unknown>(item)) return Array.from(item, (part, index) => copy(part, `${place}[${index}]`, depth + 1));
    if (typeof item === 'object') return copyObject(item, place, depth);
    throw invalidType(place, 'JSON: a text, number, true, false, null, a list or an object', item);
  };
  const copyObject = (object: object, place: string, depth: number): Record<string, JsonValue> => {
    const copied = Object.create(null) as Record<string, JsonValue>;
    for (const [key, part] of Object.entries(object) as [string, unknown][]) {
      if (part !== undefined) copied[count(key)] = copy(part, `${place}.${key.slice(0, 40)}`, depth + 1);
    }
    return copied;
  };
  return copyObject(value, name, 0);
}
