/** Writes what `torch.save(state_dict)` writes: a zip of stored entries with a pickle and one file for each storage. */

const STORAGES: Readonly<Record<string, { readonly type: string; readonly bytes: number }>> = {
  F32: { type: 'FloatStorage', bytes: 4 },
  F16: { type: 'HalfStorage', bytes: 2 },
  BF16: { type: 'BFloat16Storage', bytes: 2 },
};

export function encodeTorchFile(
  tensors: readonly { name: string; shape: readonly number[]; dtype: string; bytes: Uint8Array }[],
): Uint8Array {
  const pickle: Buffer[] = [Buffer.from([0x80, 2]), Buffer.from('}(')];
  tensors.forEach(({ name, shape, dtype }, index) => {
    const { type } = STORAGES[dtype]!;
    const count = shape.reduce((product, size) => product * size, 1);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
    pickle.push(
      text(name),
      global('torch._utils', '_rebuild_tensor_v2'),
      Buffer.from('(('),
      text('storage'),
      global('torch', type),
      text(String(index)),
      text('cpu'),
      integer(count),
      Buffer.from('tQ'),
      integer(0),
      tuple(shape),
      tuple(strides),
      Buffer.from([0x89]),
      global('collections', 'OrderedDict'),
      Buffer.from(')RtR'),
    );
  });
  pickle.push(Buffer.from('u.'));
  return encodeZip([
    ['archive/data.pkl', Buffer.concat(pickle)],
    ...tensors.map(({ bytes }, index): [string, Uint8Array] => [`archive/data/${index}`, bytes]),
    ['archive/version', Buffer.from('3\n')],
  ]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.from([0x58, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.from([0x4a, 0, 0, 0, 0]);
  bytes.writeInt32LE(value, 1);
  return bytes;
}

function tuple(values: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from('('), ...values.map(integer), Buffer.from('t')]);
}

function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

function encodeZip(entries: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of entries) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name)]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const made = Buffer.from([20, 0]);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), made, fields, place, Buffer.from(name)]));
    parts.push(local, data);
    offset += local.length + data.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
