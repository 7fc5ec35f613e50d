/**
 * Tokenizers whose tokens are, one after the other, the bytes of the text: where a token ends in the text then follows from
 * the tokens alone, and is what `tokenizers` gives as its offset.
 */
import { EncoderError } from '../../errors';
import { type JsonObject, type JsonValue, isJsonObject, shown } from '../../support/json';
import type { PreparedTokenizer } from './prepare-tokenizer';

/** Bytes that are characters of their own, [first, last]; the others are those from U+0100 on. */
const PRINTABLE = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
] as const;

/** Throws `tokenizer_unsupported` for any other tokenizer. */
export function checkTokenBytes({ json, vocabulary }: PreparedTokenizer, folder: string): void {
  const problem = problemOf(json, vocabulary.ids);
  if (problem === undefined) return;
  throw new EncoderError(
    'tokenizer_unsupported',
    `the tokenizer of ${folder} ${problem}; the model finds its labels by where tokens end in the text, which is known for a ` +
      'BPE of bytes alone that leaves texts as they are',
  );
}

function problemOf(json: JsonObject, ids: ReadonlyMap<string, number>): string | undefined {
  const normalizer = json['normalizer'] ?? null;
  if (normalizer !== null) return `has a normalizer, ${shown(typeOf(normalizer))}`;
  const steps = stepsOf(json['pre_tokenizer'], 'pretokenizers');
  for (const step of steps) {
    const type = typeOf(step);
    const { behavior, add_prefix_space: prefixed = true } = step;
    if (type !== 'ByteLevel' && type !== 'Split' && type !== 'Digits') return `has the pre-tokenizer ${shown(type)}`;
    if (type === 'Split' && behavior === 'Removed') return 'leaves out what it splits texts at';
    if (type === 'ByteLevel' && prefixed !== false) return 'puts a space before texts (add_prefix_space)';
  }
  if (steps.filter((step) => typeOf(step) === 'ByteLevel').length !== 1)
    return 'has no pre-tokenizer ByteLevel, or several';
  for (const step of stepsOf(json['post_processor'], 'processors')) {
    const trims = typeOf(step) === 'ByteLevel' || typeOf(step) === 'RobertaProcessing';
    if (trims && step['trim_offsets'] !== false) return 'takes no space for a part of its token (trim_offsets)';
  }
  const model = json['model'];
  if (!isJsonObject(model) || model['type'] !== 'BPE') return `has the model ${shown(typeOf(model))}`;
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix', 'byte_fallback']) {
    if (![undefined, null, '', false].includes(model[key] as null)) return `has ${key}`;
  }
  for (let byte = 0; byte < 256; byte++) {
    if (!ids.has(BYTES[byte]!)) return `has no token for the byte ${byte}`;
  }
  return stepsOf(json['added_tokens'], '')
    .map((token) => problemOfAdded(token, ids))
    .find((found) => found !== undefined);
}

function problemOfAdded(token: JsonObject, ids: ReadonlyMap<string, number>): string | undefined {
  const content = String(token['content']);
  // A special one is found only by a caller who asks for control tokens, and then refused if it is this one.
  if (token['special'] !== true && (token['lstrip'] === true || token['rstrip'] === true))
    return `has the token ${shown(content)}, which takes in spaces`;
  // The vocabulary's token is bytes, each written as a character.
  if (ids.has(content) && /[^\x21-\x7e]/.test(content))
    return `has the added token ${shown(content)}, which it may read as bytes`;
  return undefined;
}

function typeOf(value: JsonValue | undefined): string {
  return isJsonObject(value) ? String(value['type']) : 'null';
}

/** A component, or those of a sequence of them. */
function stepsOf(value: JsonValue | undefined, key: string): JsonObject[] {
  if (Array.isArray(value)) return value.filter(isJsonObject);
  if (!isJsonObject(value)) return [];
  return value['type'] === 'Sequence' ? stepsOf(value[key], key).flatMap((step) => stepsOf(step, key)) : [value];
}

const BYTES: readonly string[] = (() => {
  let others = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = PRINTABLE.some(([first, last]) => byte >= first && byte <= last);
    return String.fromCodePoint(isPrintable ? byte : others++);
  });
})();
