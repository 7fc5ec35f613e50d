/**
 * SentencePiece's model file: the protobuf message ModelProto of its sentencepiece_model.proto, read as far as a
 * tokenizer can be made of it. Pieces keep their order, which is that of their ids.
 */
import { EncoderError } from '../../errors';
import { decodeUtf8 } from '../../support/json';
import { MAX_VOCAB_SIZE } from '../limits';
import { type ProtobufField, readFields } from './protobuf';

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
  for (const [number, field] of readFields(bytes, named(path))) {
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

/** Of a field that occurs several times the last one holds, as protobuf has it. */
type Message = Map<number, ProtobufField>;

function readMessage(bytes: Buffer, path: string): Message {
  return new Map(readFields(bytes, named(path)));
}

function named(path: string): string {
  return `${path}, as a SentencePiece model`;
}

function bytesOf(field: ProtobufField, path: string): Buffer {
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
