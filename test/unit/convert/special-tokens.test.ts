/** Which flags a special token has where a file leaves them out: as transformers 5.18 reads the same settings. */
import { expect, it } from 'vitest';

import { ConfigReader } from '../../../src/convert/config';
import { readSpecialTokens } from '../../../src/convert/tokenizer/special-tokens';
import { findTokenizerClass } from '../../../src/convert/tokenizer/tokenizer-registry';
import type { JsonObject } from '../../../src/support/json';

function flags(settings: JsonObject): Record<string, [special: boolean, normalized: boolean]> {
  const config = new ConfigReader({ tokenizer_class: 'BertTokenizer', ...settings }, 'tokenizer_config.json');
  const { toAdd } = readSpecialTokens(
    {} as never,
    config,
    findTokenizerClass('BertTokenizer', 'bert', 'tokenizer_config.json'),
  );
  return Object.fromEntries(toAdd.map(({ content, special, normalized }) => [content, [special, normalized]]));
}

it('looks for a token with a role before the normalizer, however it is written', () => {
  const decoder = { 0: { content: '[PAD]', special: true }, 2: { content: '[CLS]' }, 5: { content: 'a' } };
  expect(flags({ added_tokens_decoder: decoder })).toMatchObject({
    '[PAD]': [true, false],
    '[CLS]': [true, false],
    '[SEP]': [true, false],
    a: [false, true],
  });
  const cls = { __type: 'AddedToken', content: '[CLS]', lstrip: false };
  expect(flags({ cls_token: cls, added_tokens_decoder: {} })).toMatchObject({ '[CLS]': [true, false] });
  expect(flags({ cls_token: cls })).toMatchObject({ '[CLS]': [true, false] });
});

it('looks for it behind the normalizer where the file says so', () => {
  const said = { content: '[CLS]', normalized: true };
  expect(flags({ cls_token: said })).toMatchObject({ '[CLS]': [true, true] });
  expect(flags({ added_tokens_decoder: { 2: said } })).toMatchObject({ '[CLS]': [true, true] });
});

it('takes the files of some models as they are, whatever class they name', () => {
  const named = (modelType: string) => findTokenizerClass('GPT2TokenizerFast', modelType, 'tokenizer_config.json').name;
  for (const type of ['granite', 'ministral', 'ministral3', 'mistral', 'glm', 'glm4', 'nemotron']) {
    expect(named(type), type).toBe('TokenizersBackend');
  }
  expect(named('exaone4')).toBe('GPT2Tokenizer');
  expect(findTokenizerClass(undefined, 'olmo', 'tokenizer_config.json').name).toBe('GPTNeoXTokenizer');
});
