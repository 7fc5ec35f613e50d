// Checkpoints whose tokenizer has tokens for which the embedding has no row: other texts have the scores that they have without
// these tokens, as in transformers, and texts with them are refused, where transformers fails.
import { expect, test } from 'vitest';

import { Classifier, CrossEncoder } from 'ggml-encoder';
import { writeMicro } from './unit/convert/micro-checkpoint';
import { temporaryFolder } from './unit/convert/temp-folder';

const TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', '##c', 'd', 'e'];

function checkpoint(vocabulary: string): string {
  return writeMicro({ files: { 'vocab.txt': vocabulary } });
}

const PLAIN = `${TOKENS.join('\n')}\n`;
const LONGER = `${PLAIN}more\n`;
const MARKED = `\ufeff${PLAIN}`;

const options = () => ({ cacheDir: temporaryFolder(), onWarning: () => undefined });

test.each([
  ['a longer vocabulary', LONGER],
  ['a byte order mark', MARKED],
])('%s changes no other score', async (_, vocabulary) => {
  await using expected = await Classifier.load(checkpoint(PLAIN), options());
  await using model = await Classifier.load(checkpoint(vocabulary), options());
  const texts = ['a', 'a b e', 'nothing of it', ''];
  const logits = async (classifier: Classifier) =>
    (await classifier.classify(texts, { logits: true })).map((result) => [...result.logits!]);
  expect(await logits(model)).toEqual(await logits(expected));
  expect(model.info.warnings.map(({ message }) => message).join()).toContain('of 10 rows');
});

test('a text with such a token is refused by itself, in windows and in pairs too', async () => {
  await using model = await Classifier.load(checkpoint(LONGER), options());
  await using pairs = await CrossEncoder.load(checkpoint(LONGER), options());
  const refusal = { code: 'input_invalid', message: expect.stringContaining('the token 10') as unknown };
  await expect(model.classify('a more')).rejects.toMatchObject(refusal);
  await expect(model.classify('a more a', { windows: { overlap: 1 } })).rejects.toMatchObject(refusal);
  await expect(pairs.predict(['a', 'more'])).rejects.toMatchObject(refusal);
  expect(await model.classify('a')).toHaveProperty('label');
  // What is cut off is not read.
  expect(await model.classify('a b more', { maxLength: 4 })).toHaveProperty('truncated', true);
});

test('a special token without a row is plain text unless it is parsed', async () => {
  await using model = await Classifier.load(checkpoint(MARKED), options());
  expect(await model.classify('a [PAD]')).toHaveProperty('label');
  await expect(model.classify('a [PAD]', { specialTokens: 'parse' })).rejects.toMatchObject({ code: 'input_invalid' });
});
