import { describe, expect, it } from 'vitest';

import { isEncoderError } from '../../../../src/errors';
import { readSentencePiece } from '../../../../src/convert/readers/sentencepiece';
import { synthesizeSentencePiece } from '../../../../src/convert/tokenizer/sentencepiece-json';
import { Random, damageBytes } from '../../../hostile/random';
import { bytesField, field, floatField, integerField, varint } from './protobuf-builder';
import { piece, sentencePieceFile } from './sentencepiece-builder';

const PIECES = [piece('<unk>', 0, 2), piece('<s>', 0, 3), piece('</s>', 0, 3), piece('\u2581a', -1.5), piece('b', -3)];

function read(bytes: Buffer) {
  return readSentencePiece(bytes, 'spm.model');
}

describe('readSentencePiece', () => {
  it('gives pieces in order, with the defaults of the format', () => {
    const model = read(sentencePieceFile({ pieces: PIECES }));
    expect(model.pieces.map(({ text, score, kind }) => [text, score, kind])).toEqual([
      ['<unk>', 0, 'unknown'],
      ['<s>', 0, 'control'],
      ['</s>', 0, 'control'],
      ['\u2581a', -1.5, 'normal'],
      ['b', -3, 'normal'],
    ]);
    expect(model).toMatchObject({
      model: 'Unigram',
      unkId: 0,
      byteFallback: false,
      special: { unk: '<unk>', bos: '<s>', eos: '</s>' },
      charsmap: undefined,
    });
  });

  it('reads what the trainer says, and knows pieces that it was trained without', () => {
    const trainer = [
      integerField(3, 2),
      integerField(35, 1),
      integerField(40, 3),
      integerField(41, -1),
      integerField(42, 2),
      bytesField(47, '<end>'),
    ];
    const normalizer = [bytesField(1, 'nmt_nfkc'), bytesField(2, Buffer.from([1, 2, 3]))];
    expect(read(sentencePieceFile({ pieces: PIECES, trainer, normalizer }))).toMatchObject({
      model: 'BPE',
      unkId: 3,
      byteFallback: true,
      special: { unk: '<unk>', eos: '<end>' },
      charsmap: Buffer.from([1, 2, 3]),
    });
    const without = read(sentencePieceFile({ pieces: PIECES, trainer: [integerField(41, -1)] }));
    expect(without.special).not.toHaveProperty('bos');
  });

  it('passes over fields that it has no use for, and takes the last of equal ones', () => {
    const odd = [field(99, 1, Buffer.alloc(8)), integerField(98, 7), bytesField(97, 'x'), floatField(96, 1)];
    const twice = bytesField(1, Buffer.concat([bytesField(1, 'a'), bytesField(1, 'z'), floatField(2, -2)]));
    const model = read(Buffer.concat([...odd, ...PIECES, twice]));
    expect(model.pieces.at(-1)).toEqual({ text: 'z', score: -2, kind: 'normal' });
  });

  it.each([
    ['no bytes', Buffer.alloc(0), 'no pieces'],
    ['text', Buffer.from('this is no model'), 'SentencePiece model'],
    ['a length beyond the end', Buffer.from([0x0a, 0x7f, 1]), 'ends after'],
    ['a length of 2^63', Buffer.concat([Buffer.from([0x0a]), varint(2n ** 63n - 1n)]), 'ends after'],
    ['a negative length', Buffer.concat([Buffer.from([0x0a]), varint(-1)]), 'ends after'],
    ['a number without end', Buffer.concat([Buffer.from([0x08]), Buffer.alloc(11, 0xff)]), 'more than ten bytes'],
    ['a group', Buffer.from([0x0b]), 'wire type'],
    ['pieces stored as numbers', integerField(1, 5), 'stored as a number'],
    ['a score that is no number', piece('a', NaN), 'no finite score'],
    ['an infinite score', piece('a', -Infinity), 'no finite score'],
    ['a score stored as bytes', bytesField(1, bytesField(2, 'x')), 'no finite score'],
    ['a kind that does not exist', piece('a', 0, 7), 'no known kind'],
    ['a kind that is no integer', bytesField(1, Buffer.concat([bytesField(1, 'a'), floatField(3, 0.5)])), 'no integer'],
    ['a piece that is not UTF-8', piece(Buffer.from([0xc3, 0x28]), 0), 'not UTF-8'],
    ['an unknown piece outside', sentencePieceFile({ pieces: PIECES, trainer: [integerField(40, 5)] }), 'unk_id is 5'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'checkpoint_malformed' }));
    expect(() => read(bytes)).toThrow(message);
  });

  it('refuses a model of words or characters by its number', () => {
    const bytes = sentencePieceFile({ pieces: PIECES, trainer: [integerField(3, 4)] });
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'tokenizer_unsupported' }));
    expect(() => read(bytes)).toThrow('model_type is 4');
  });

  it('reads or refuses 2,000 damaged files', () => {
    const trainer = [integerField(3, 1), integerField(40, 0), integerField(41, -1), bytesField(45, '<unk>')];
    const sound = sentencePieceFile({ pieces: PIECES, trainer, normalizer: [bytesField(2, Buffer.alloc(40, 7))] });
    const random = new Random(11);
    let refused = 0;
    for (let i = 0; i < 2_000; i++) {
      try {
        read(damageBytes(sound, random));
      } catch (error) {
        expect(isEncoderError(error)).toBe(true);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(500);
    expect(refused).toBeLessThan(2_000);
  });
});

describe('synthesizeSentencePiece', () => {
  it('has no normalization beyond the spaces when the model has no charsmap', () => {
    const json = synthesizeSentencePiece(read(sentencePieceFile({ pieces: PIECES })), [['a', 0]], 'spm.model');
    expect(JSON.stringify(json['normalizer'])).not.toContain('Precompiled');
  });

  it('makes merges by id, then by the length of the left part in characters, not halves of one', () => {
    const words = ['a', 'b', '\u{1f600}', 'ab', 'ba', 'aba', 'a\u{1f600}'];
    const model = read(
      sentencePieceFile({ pieces: words.map((word) => piece(word, 0)), trainer: [integerField(3, 2)] }),
    );
    const entries = words.map((word) => [word, 0] as const);
    const json = synthesizeSentencePiece(model, entries, 'tokenizer.model');
    expect((json['model'] as { readonly merges: unknown }).merges).toEqual([
      ['a', 'b'],
      ['b', 'a'],
      ['a', 'ba'],
      ['ab', 'a'],
      ['a', '\u{1f600}'],
    ]);
  });

  it('refuses a piece that would take long to split', () => {
    const model = read(sentencePieceFile({ pieces: PIECES, trainer: [integerField(3, 2)] }));
    const entries = [['x'.repeat(300), 0] as const];
    expect(() => synthesizeSentencePiece(model, entries, 'tokenizer.model')).toThrow(
      expect.objectContaining({ code: 'limit_exceeded' }),
    );
  });
});
