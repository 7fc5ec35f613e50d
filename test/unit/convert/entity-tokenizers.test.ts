/** The tokenizers of LUKE and mLUKE: which files they are refused without, and tokens that the model has no rows for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { TokenizerFiles } from '../../../src/convert/checkpoint';
import { prepareTokenizer } from '../../../src/convert/tokenizer/prepare-tokenizer';
import type { JsonObject } from '../../../src/support/json';

const CASES = JSON.parse(readFileSync(join(__dirname, 'fixtures/tokenizers.json'), 'utf8')) as {
  readonly name: string;
  readonly files: Readonly<Record<string, JsonObject>>;
}[];

function prepare(name: string, changes: Partial<TokenizerFiles> = {}, vocabSize?: number) {
  const { files } = CASES.find((one) => one.name === name)!;
  const none = { specialTokens: undefined, addedTokens: undefined, vocabulary: undefined };
  const own = { ...none, tokenizer: files['tokenizer.json'], config: files['tokenizer_config.json'], ...changes };
  return prepareTokenizer(own, 'checkpoint', { modelType: 'luke', vocabSize });
}

describe.each([
  ['luke', 'RobertaTokenizer', 10],
  ['mluke', 'XLMRobertaTokenizer', 9],
])('the tokenizer of %s', (name, other, ownTokens) => {
  it('is refused without a tokenizer.json, and says which class reads its other files', () => {
    expect(() => prepare(name, { tokenizer: undefined })).toThrow(
      expect.objectContaining({ code: 'tokenizer_unsupported', message: expect.stringContaining(other) as string }),
    );
  });

  it('is refused with a task, for which texts have entities', () => {
    const config = { ...prepareConfig(name), task: 'entity_classification' };
    expect(() => prepare(name, { config })).toThrow(/task is "entity_classification"/);
  });

  it('knows tokens of entities as far as the model has rows for them', () => {
    const contents = (vocabSize?: number) => {
      const { json, tokens } = prepare(name, {}, vocabSize);
      const added = (json['added_tokens'] as { content: string; id: number }[]).filter(({ id }) => id >= ownTokens);
      expect(added.every(({ id, content }) => tokens.get(id) === content)).toBe(true);
      expect(tokens.size).toBe(ownTokens + added.length);
      return added.map(({ content }) => content);
    };
    expect(contents()).toEqual(['[UNK]', '[PAD]', '[MASK]', '[MASK2]', '<ent>', '<ent2>']);
    expect(contents(ownTokens + 2)).toEqual(['[UNK]', '[PAD]']);
    expect(contents(ownTokens)).toEqual([]);
  });
});

function prepareConfig(name: string): JsonObject {
  return CASES.find((one) => one.name === name)!.files['tokenizer_config.json']!;
}
