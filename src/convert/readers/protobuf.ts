/** The fields of a protobuf message in memory, in their order. */
import { ByteCursor } from './byte-cursor';

/** A number for the wire types varint, fixed32 (as a float) and fixed64 (as a double); bytes for the rest. */
export type ProtobufField = number | Buffer;

/** `what` the bytes are, for messages: file and format. Throws `checkpoint_malformed`. */
export function* readFields(bytes: Buffer, what: string): Generator<[number: number, field: ProtobufField]> {
  const cursor = new ByteCursor(bytes, what);
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
export function readVarint(cursor: ByteCursor): number {
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
