/** SentencePiece's model files field by field, right by default and wrong wherever a test wants them to be. */
import { bytesField, floatField, integerField } from './protobuf-builder';

/** `kind`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; absent means 1. */
export function piece(text: string | Uint8Array, score: number, kind?: number): Buffer {
  const fields = [bytesField(1, text), floatField(2, score)];
  if (kind !== undefined) fields.push(integerField(3, kind));
  return bytesField(1, Buffer.concat(fields));
}

export interface BuiltModel {
  readonly pieces: readonly Uint8Array[];
  readonly trainer?: readonly Uint8Array[];
  readonly normalizer?: readonly Uint8Array[];
}

export function sentencePieceFile({ pieces, trainer = [], normalizer = [] }: BuiltModel): Buffer {
  return Buffer.concat([...pieces, bytesField(2, Buffer.concat(trainer)), bytesField(3, Buffer.concat(normalizer))]);
}
