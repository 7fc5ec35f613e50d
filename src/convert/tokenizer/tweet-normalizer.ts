/** BERTweet's normalizer, as transformers has it with the Python package emoji. The names go along in the file. */
import type { JsonObject } from '../../support/json';
import { object } from './tokenizer-components';
import { EMOJI_NAMES, ENTITY_NAMES } from './tweet-names';

/** What demojize() removes where it stands alone: it only says how the emoji before it looks. */
const VARIATION_SELECTORS = ['\ufe0e', '\ufe0f'];

export function tweetNormalizer(): JsonObject {
  const emoji = object({});
  for (const selector of VARIATION_SELECTORS) emoji[selector] = '';
  for (const [name, code] of namedCharacters(EMOJI_NAMES)) emoji[String.fromCodePoint(code)] = `:${name}:`;
  return object({
    type: 'TweetNormalizer',
    emoji,
    entities: object(Object.fromEntries(namedCharacters(ENTITY_NAMES))),
  });
}

/** Of a list of runs: the number of the first character, hexadecimal, and the names of it and those that follow it. */
function namedCharacters(list: string): [name: string, code: number][] {
  return list
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [first, ...names] = line.split(' ');
      return names.map((name, index): [string, number] => [name, parseInt(first!, 16) + index]);
    });
}
