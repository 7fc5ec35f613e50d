/**
 * SentencePiece's model file: the protobuf message ModelProto of its sentencepiece_model.proto, read as far as a
 * tokenizer can be made of it. Pieces keep their order, which is that of their ids.
 */
import { EncoderError } from '../../errors';
import { decodeUtf8 } from '../../support/json';
import { MAX_VOCAB_SIZE } from '../limits';
import { ByteCursor } from './byte-cursor';

export type PieceKind = 'normal' | 'unknown' | 'control' | 'user-defined' | 'unused' | 'byte';

export interface Piece {
  readonly text: string;
  /** Log probability; an f32 in the file. */
  readonly score: number;
  readonly kind: PieceKind;
}

export interface SentencePieceModel {
  readonly model: 'Unigram' | 'BPE';
  readonly pieces: readonly Piece[];
  readonly unkId: number;
  readonly byteFallback: boolean;
  /** Names of the special pieces; undefined where the model was trained without one. */
  readonly special: { readonly unk?: string; readonly bos?: string; readonly eos?: string };
  /** The precompiled normalization; undefined when text is taken as it is. */
  readonly charsmap: Buffer | undefined;
}

/** By their numbers in the format; 0 is no kind. */
const KINDS: readonly (PieceKind | undefined)[] = [
  undefined,
  'normal',
  'unknown',
  'control',
  'user-defined',
  'unused',
  'byte',
];

/** The algorithms of trainer_spec.model_type; words and characters (3, 4) are no model of the tokenizers library. */
const MODELS: readonly (SentencePieceModel['model'] | undefined)[] = [undefined, 'Unigram', 'BPE'];

/** Throws `checkpoint_malformed`, `limit_exceeded` or `tokenizer_unsupported`. */
export function readSentencePiece(bytes: Buffer, path: string): SentencePieceModel {
  const pieces: Piece[] = [];
  let trainer: Message = new Map();
  let normalizer: Message = new Map();
  for (const [number, field] of readFields(bytes, path)) {
    if (number === 1) pieces.push(readPiece(bytesOf(field, path), path, pieces.length));
    else if (number === 2) trainer = readMessage(bytesOf(field, path), path);
    else if (number === 3) normalizer = readMessage(bytesOf(field, path), path);
    if (pieces.length > MAX_VOCAB_SIZE) {
      throw new EncoderError('limit_exceeded', `${path} has more than ${MAX_VOCAB_SIZE} pieces`);
    }
  }
  if (pieces.length === 0) throw malformed(path, 'it has no pieces; it is no SentencePiece model');
  const modelType = integer(trainer, 3, 1, path);
  const model = MODELS[modelType];
  if (model === undefined) {
    throw new EncoderError(
      'tokenizer_unsupported',
      `${path}: model_type is ${modelType}; only 1 (unigram) and 2 (BPE) are supported`,
    );
  }
  const unkId = integer(trainer, 40, 0, path);
  if (unkId >= pieces.length) throw malformed(path, `unk_id is ${unkId}, of ${pieces.length} pieces`);
  const charsmap = normalizer.get(2);
  const charsmapBytes = charsmap === undefined ? undefined : bytesOf(charsmap, path);
  return {
    model,
    pieces,
    unkId: Math.max(unkId, 0),
    byteFallback: integer(trainer, 35, 0, path) !== 0,
    special: {
      ...(unkId >= 0 && { unk: text(trainer, 45, '<unk>', path) }),
      ...(integer(trainer, 41, 1, path) >= 0 && { bos: text(trainer, 46, '<s>', path) }),
      ...(integer(trainer, 42, 2, path) >= 0 && { eos: text(trainer, 47, '</s>', path) }),
    },
    charsmap: charsmapBytes?.length === 0 ? undefined : charsmapBytes,
  };
}

function readPiece(bytes: Buffer, path: string, id: number): Piece {
  const fields = readMessage(bytes, path);
  const score = fields.get(2) ?? 0;
  const kind = KINDS[integer(fields, 3, 1, path)];
  if (Buffer.isBuffer(score) || !Number.isFinite(score)) throw malformed(path, `piece ${id} has no finite score`);
  if (kind === undefined) throw malformed(path, `piece ${id} is of no known kind`);
  return { text: text(fields, 1, '', path), score, kind };
}

/** A number for the wire types varint, fixed32 (as a float) and fixed64 (as a double); bytes for the rest. */
type Field = number | Buffer;

/** Of a field that occurs several times the last one holds, as protobuf has it. */
type Message = Map<number, Field>;

function readMessage(bytes: Buffer, path: string): Message {
  return new Map(readFields(bytes, path));
}

function* readFields(bytes: Buffer, path: string): Generator<[number: number, field: Field]> {
  const cursor = new ByteCursor(bytes, `${path}, as a SentencePiece model`);
  while (cursor.remaining > 0) {
    const tag = readVarint(cursor);
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield [number, readVarint(cursor)];
        break;
      case 1:
        yield [number, cursor.take(8).readDoubleLE()];
        break;
      case 2:
        yield [number, cursor.take(readVarint(cursor))];
        break;
      case 5:
        yield [number, cursor.take(4).readFloatLE()];
        break;
      default:
        cursor.fail(`a field has the unknown wire type ${tag % 8}`);
    }
  }
}

/** Negative numbers come as 64-bit two's complement, in ten bytes. */
function readVarint(cursor: ByteCursor): number {
  const first = cursor.u8();
  // Most are; BigInt takes several times as long.
  if (first < 0x80) return first;
  let value = BigInt(first & 0x7f);
  for (let shift = 7n; shift < 70n; shift += 7n) {
    const byte = cursor.u8();
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return Number(BigInt.asIntN(64, value));
  }
  return cursor.fail('a number has more than ten bytes');
}

function bytesOf(field: Field, path: string): Buffer {
  if (Buffer.isBuffer(field)) return field;
  throw malformed(path, 'a message is stored as a number; it is no SentencePiece model');
}

function text(message: Message, number: number, absent: string, path: string): string {
  const field = message.get(number);
  return field === undefined ? absent : decodeUtf8(bytesOf(field, path), path);
}

function integer(message: Message, number: number, absent: number, path: string): number {
  const field = message.get(number) ?? absent;
  if (!Buffer.isBuffer(field) && Number.isInteger(field)) return field;
  throw malformed(path, `field ${number} is no integer; it is no SentencePiece model`);
}

function malformed(path: string, reason: string): EncoderError {
  return new EncoderError('checkpoint_malformed', `${path}: ${reason}`);
}
