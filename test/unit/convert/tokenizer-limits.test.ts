// Files of a tokenizer within the limit of bytes that would take more lists or arguments than JavaScript has room for.
import { describe, expect, it } from 'vitest';

import { readSentencePiece } from '../../../src/convert/readers/sentencepiece';
import { prepareTokenizer } from '../../../src/convert/tokenizer/prepare-tokenizer';
import { synthesizeSentencePiece } from '../../../src/convert/tokenizer/sentencepiece-json';
import { addMissingTokens, plainToken } from '../../../src/convert/tokenizer/special-tokens';
import { countSegments, object } from '../../../src/convert/tokenizer/tokenizer-components';
import { tokenizerEntries } from '../../../src/convert/tokenizer/tokenizer-metadata';
import { readVocabulary } from '../../../src/convert/tokenizer/vocabulary';
import { synthesize, synthesizeBpe, synthesizeSubwords } from '../../../src/convert/tokenizer/vocabulary-json';
import type { JsonObject } from '../../../src/support/json';
import { integerField } from './readers/protobuf-builder';
import { piece, sentencePieceFile } from './readers/sentencepiece-builder';

const BREAKS = '\n'.repeat(2 ** 27);
const SPACES = 'a '.repeat(2 ** 26);
const TOO_MUCH = expect.objectContaining({ code: 'limit_exceeded' }) as unknown;
const MALFORMED = expect.objectContaining({ code: 'checkpoint_malformed' }) as unknown;

describe('nothing but line breaks', () => {
  it.each<[string, () => JsonObject]>([
    ['vocab.txt', () => synthesize(BREAKS, object({}), '[UNK]', 'vocab.txt')],
    ['merges.txt', () => synthesizeBpe(object({ a: 0 }), BREAKS, 'merges.txt')],
    ['vocab.txt of subwords', () => synthesizeSubwords({ vocabulary: BREAKS, codes: 'a b 1\n' }, [], '.')],
    ['bpe.codes', () => synthesizeSubwords({ vocabulary: 'a 1\n', codes: BREAKS }, [], '.')],
  ])('is too much for %s', (_, read) => {
    expect(read).toThrow(TOO_MUCH);
  });
});

describe('a line of nothing but words', () => {
  const vocabulary = (merges: string[]) =>
    readVocabulary(object({ model: object({ type: 'BPE', vocab: object({ a: 0 }), merges }) }), 'tokenizer.json');

  it('is no merge', () => {
    expect(() => synthesizeBpe(object({ a: 0 }), SPACES, 'merges.txt')).toThrow(MALFORMED);
    expect(() => vocabulary([SPACES])).toThrow(MALFORMED);
    const files = { vocabulary: 'a 1\n', codes: `a b 1\n${SPACES}\n` };
    const { merges } = synthesizeSubwords(files, [], '.')['model'] as JsonObject;
    expect(merges).toEqual([['a', 'b']]);
  });
});

describe('many tokens', () => {
  it('are added one by one', () => {
    const count = 200_000;
    const toAdd = Array.from({ length: count }, (_, index) => plainToken(`<${index}>`, true));
    const vocabulary = readVocabulary(
      object({ model: object({ type: 'BPE', vocab: object({ a: 0, b: 1 }), merges: [] }) }),
      'tokenizer.json',
    );
    const specials = { contents: new Map(), toAdd, overruling: new Set<string>() };
    const added = addMissingTokens(object({}), vocabulary, specials, 'tokenizer.json');
    expect([added[0], added.at(-1)]).toMatchObject([
      { id: 2, content: '<0>' },
      { id: count + 1, content: `<${count - 1}>` },
    ]);
  });

  it('may stand in a template', () => {
    const single = Array.from({ length: 500_000 }, (_, index) => ({ Sequence: { id: 'A', type_id: index % 3 } }));
    expect(countSegments({ type: 'TemplateProcessing', single }, 'single')).toBe(3);
    const processors = Array.from({ length: 500_000 }, () => ({ type: 'TemplateProcessing', single: [] }));
    expect(countSegments({ type: 'Sequence', processors }, 'single')).toBe(1);
  });

  it('of SentencePiece are too much where most of their halves are tokens', () => {
    const letters = Array.from({ length: 66 }, (_, index) => String.fromCharCode(0x100 + index));
    const texts = letters.flatMap((letter) => Array.from({ length: 256 }, (_, index) => letter.repeat(index + 1)));
    const file = sentencePieceFile({ pieces: [piece('<unk>', 0, 2)], trainer: [integerField(3, 2)] });
    const source = readSentencePiece(file, 'spiece.model');
    const entries = texts.map((text): [string, number] => [text, 0]);
    expect(() => synthesizeSentencePiece(source, entries, 'spiece.model')).toThrow(TOO_MUCH);
    expect(() => synthesizeSentencePiece(source, entries.slice(0, 256), 'spiece.model')).not.toThrow();
  });
});

describe('a token of control characters', () => {
  it('is too much where it is longer than a string can be as JSON', () => {
    const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '\u0001'.repeat(2 ** 27 - 64)];
    const none = { tokenizer: undefined, config: undefined, specialTokens: undefined, addedTokens: undefined };
    const files = { ...none, vocabulary: words.join('\n'), vocabularyTable: undefined, merges: undefined };
    const tokenizer = prepareTokenizer({ ...files, sentencePiece: undefined }, '.', { modelType: 'bert' });
    expect(() => tokenizerEntries(tokenizer, words.length, 2, [])).toThrow(TOO_MUCH);
  });
});
