/** Fields of protobuf messages, one by one. */

export function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** `wire`: 0 varint, 1 eight bytes, 2 bytes with their length, 5 four bytes. */
export function field(number: number, wire: number, payload: Uint8Array): Buffer {
  const tag = varint(number * 8 + wire);
  return Buffer.concat(wire === 2 ? [tag, varint(payload.length), payload] : [tag, payload]);
}

export function integerField(number: number, value: number): Buffer {
  return field(number, 0, varint(value));
}

export function bytesField(number: number, value: string | Uint8Array): Buffer {
  return field(number, 2, Buffer.from(value));
}

export function floatField(number: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeFloatLE(value);
  return field(number, 5, payload);
}
