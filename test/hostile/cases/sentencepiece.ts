/** Hand-made SentencePiece models: the file in place of tokenizer.json, under a class that reads it. */
import { bytesField, field, integerField, varint } from '../../unit/convert/readers/protobuf-builder';
import { piece, sentencePieceFile } from '../../unit/convert/readers/sentencepiece-builder';
import { type Case, either, refused } from '../case';

const MODEL = 'spiece.model';
const KINDS = { '[UNK]': 2, '[PAD]': 3, '[CLS]': 3, '[SEP]': 3 } as const;
const WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '\u2581a', 'b', '\u2581'];
const PIECES = WORDS.map((word, id) => piece(word, id < 5 ? 0 : -id, KINDS[word as keyof typeof KINDS]));
const TRAINER = [integerField(3, 1), integerField(40, 1), integerField(41, -1), integerField(42, -1)];

export function soundSentencePiece(): Buffer {
  return sentencePieceFile({ pieces: PIECES, trainer: TRAINER });
}

/** Laid over the sound checkpoint. */
export function sentencePieceFiles(bytes: Uint8Array, tokenizerClass = 'AlbertTokenizer'): Case['files'] & object {
  const config = { tokenizer_class: tokenizerClass, unk_token: '[UNK]', pad_token: '[PAD]' };
  return { [MODEL]: bytes, 'tokenizer.json': undefined, 'tokenizer_config.json': JSON.stringify(config) };
}

export function sentencePieceCases(): Case[] {
  const sound = soundSentencePiece();
  const withPieces = (pieces: readonly Uint8Array[], trainer = TRAINER) => sentencePieceFile({ pieces, trainer });
  const cases: Case[] = [{ name: 'sentencepiece/sound', files: sentencePieceFiles(sound), expect: 'accepted' }];
  const bad: Record<string, Uint8Array> = {
    empty: Buffer.alloc(0),
    zeros: Buffer.alloc(4096),
    'a length of 2^63': Buffer.concat([Buffer.from([0x0a]), varint(2n ** 63n - 1n)]),
    'a length of -1': Buffer.concat([Buffer.from([0x0a]), varint(-1)]),
    'a number without end': Buffer.alloc(4096, 0xff),
    'a group that never ends': Buffer.alloc(4096, 0x0b),
    'only a trainer': sentencePieceFile({ pieces: [], trainer: TRAINER }),
    'a score that is no number': withPieces([...PIECES, piece('x', NaN)]),
    'an infinite score': withPieces([...PIECES, piece('x', Infinity)]),
    'a piece that is not UTF-8': withPieces([...PIECES, piece(Buffer.from([0xff, 0xfe]), 0)]),
    'half a surrogate': withPieces([...PIECES, piece(Buffer.from([0xed, 0xa0, 0x80]), 0)]),
    'a kind that does not exist': withPieces([...PIECES, piece('x', 0, 200)]),
    'an unknown piece outside': withPieces(PIECES, [integerField(40, 2 ** 31 - 1)]),
    'a model of characters': withPieces(PIECES, [integerField(3, 4)]),
    'two million pieces': Buffer.concat(Array.from({ length: 2_100_000 }, () => Buffer.from([0x0a, 0]))),
  };
  for (const [what, bytes] of Object.entries(bad)) {
    cases.push(refused(`sentencepiece/${what}`, sentencePieceFiles(bytes)));
  }
  const long = piece('ab'.repeat(100_000), -9);
  const odd: Record<string, Case['files'] & object> = {
    'equal pieces': sentencePieceFiles(withPieces([...PIECES.slice(0, -1), PIECES[5]!])),
    'an empty piece': sentencePieceFiles(withPieces([...PIECES, piece('', -1)])),
    'a zero in a piece': sentencePieceFiles(withPieces([...PIECES, piece('a\0b', -1)])),
    '__proto__ as a piece': sentencePieceFiles(withPieces([...PIECES, piece('__proto__', -1)])),
    'a piece of 200,000 characters': sentencePieceFiles(withPieces([...PIECES, long])),
    'a BPE piece of 200,000 characters': sentencePieceFiles(
      withPieces([...PIECES, long], [integerField(3, 2), integerField(40, 1)]),
      'LlamaTokenizer',
    ),
    'more pieces than rows': sentencePieceFiles(
      withPieces([...PIECES, ...Array.from({ length: 50 }, (_, i) => piece(`w${i}`, -i))]),
    ),
    'huge scores': sentencePieceFiles(withPieces([...PIECES, piece('x', 3e38), piece('y', -3e38)])),
    'a charsmap of noise': sentencePieceFiles(
      sentencePieceFile({ pieces: PIECES, trainer: TRAINER, normalizer: [bytesField(2, Buffer.alloc(999, 0x5a))] }),
    ),
    'a charsmap that says 4 GiB': sentencePieceFiles(
      sentencePieceFile({ pieces: PIECES, trainer: TRAINER, normalizer: [bytesField(2, Buffer.alloc(8, 0xff))] }),
    ),
    'unknown fields of all types': sentencePieceFiles(
      Buffer.concat([field(500, 1, Buffer.alloc(8)), field(501, 5, Buffer.alloc(4)), bytesField(502, 'x'), sound]),
    ),
  };
  for (const name of ['XLMRoberta', 'Camembert', 'DebertaV2', 'Llama', 'Gemma', 'Roberta', 'Bert', 'T5']) {
    odd[`read by ${name}Tokenizer`] = sentencePieceFiles(sound, `${name}Tokenizer`);
    odd[`BPE read by ${name}Tokenizer`] = sentencePieceFiles(
      withPieces(PIECES, [integerField(3, 2)]),
      `${name}Tokenizer`,
    );
  }
  for (const [what, files] of Object.entries(odd)) cases.push(either(`sentencepiece/${what}`, files));
  for (let length = 0; length < sound.length; length += 3) {
    cases.push(either(`sentencepiece/cut after ${length}`, sentencePieceFiles(sound.subarray(0, length))));
  }
  return cases;
}
