/** ONNX files field by field, right by default and wrong wherever a test wants them to be. */
import { bytesField, floatField, integerField, varint } from './protobuf-builder';

export interface BuiltTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** As TensorProto counts: 1 is F32, 7 I64. */
  readonly type?: number;
  /** Where the values are kept: `raw_data`, `float_data`, one number after another, or a file beside it. */
  readonly storage?: 'raw' | 'floats' | 'numbers' | Readonly<Record<string, string>>;
  readonly packedShape?: boolean;
}

export interface BuiltNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly name?: string;
  readonly domain?: string;
  /** The floats among its attributes. */
  readonly scales?: Readonly<Record<string, number>>;
  /** The integers among its attributes. */
  readonly attributes?: Readonly<Record<string, number>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

export function onnxFile(nodes: readonly BuiltNode[], tensors: readonly BuiltTensor[]): Buffer {
  const graph = [
    ...nodes.map((node) => bytesField(1, builtNode(node))),
    bytesField(2, 'main_graph'),
    ...tensors.map((tensor) => bytesField(5, builtTensor(tensor))),
  ];
  return Buffer.concat([integerField(1, 8), bytesField(2, 'a test'), bytesField(7, Buffer.concat(graph))]);
}

function builtNode({
  type,
  inputs,
  output,
  name = '',
  domain = '',
  attributes = {},
  scales = {},
  metadata = {},
}: BuiltNode): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => bytesField(1, input)),
    bytesField(2, output),
    bytesField(3, name),
    bytesField(4, type),
    ...Object.entries(attributes).map(([key, value]) => {
      return bytesField(5, Buffer.concat([bytesField(1, key), integerField(3, value), integerField(20, 2)]));
    }),
    ...Object.entries(scales).map(([key, value]) => {
      return bytesField(5, Buffer.concat([bytesField(1, key), floatField(2, value), integerField(20, 1)]));
    }),
    bytesField(7, domain),
    ...Object.entries(metadata).map((entry) => bytesField(9, pair(entry))),
  ]);
}

function builtTensor({ name, shape, values, type = 1, storage = 'raw', packedShape }: BuiltTensor): Buffer {
  const raw = Buffer.from(Float32Array.from(values).buffer);
  const kept = {
    raw: () => [bytesField(9, raw)],
    floats: () => [bytesField(4, raw)],
    numbers: () => values.map((value) => integerField(5, value)),
  };
  return Buffer.concat([
    ...(packedShape === true
      ? [bytesField(1, Buffer.concat(shape.map((size) => varint(size))))]
      : shape.map((size) => integerField(1, size))),
    integerField(2, type),
    bytesField(8, name),
    ...(typeof storage === 'string'
      ? kept[storage]()
      : [...Object.entries(storage).map((entry) => bytesField(13, pair(entry))), integerField(14, 1)]),
  ]);
}

function pair([key, value]: readonly [string, string]): Buffer {
  return Buffer.concat([bytesField(1, key), bytesField(2, value)]);
}
