/** GGUF's value and tensor types, as numbered in the format's specification (ggml, docs/gguf.md). */

/** The first bytes of every file. */
export const GGUF_MAGIC = 'GGUF';

/** Types of a metadata value. */
export const GGUF_VALUE_TYPES = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

export type GgufScalarType = Exclude<keyof typeof GGUF_VALUE_TYPES, 'array'>;

/** What a reader gives back: 64-bit integers as bigint, arrays of numbers as typed arrays. */
export type GgufScalar = number | bigint | boolean | string;
export type GgufArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array
  | readonly boolean[]
  | readonly string[];

/** One metadata entry as a reader finds it. `type` is the element type when `value` is an array. */
export interface GgufValue {
  readonly type: GgufScalarType;
  readonly isArray: boolean;
  readonly value: GgufScalar | GgufArray;
}

/** One metadata entry for the writer. */
export type GgufEntry =
  | { readonly key: string; readonly type: 'uint32' | 'float32'; readonly value: number }
  | { readonly key: string; readonly type: 'bool'; readonly value: boolean }
  | { readonly key: string; readonly type: 'string'; readonly value: string }
  | { readonly key: string; readonly type: 'int32[]'; readonly value: Int32Array }
  | { readonly key: string; readonly type: 'uint8[]'; readonly value: Uint8Array }
  | { readonly key: string; readonly type: 'uint32[]'; readonly value: readonly number[] }
  | { readonly key: string; readonly type: 'float32[]'; readonly value: Float32Array }
  | { readonly key: string; readonly type: 'string[]'; readonly value: readonly string[] };

/** How ggml stores elements: `blockSize` elements take `blockBytes` bytes. */
export interface GgmlType {
  readonly name: string;
  readonly id: number;
  readonly blockSize: number;
  readonly blockBytes: number;
}

function type(name: string, id: number, blockSize: number, blockBytes: number): GgmlType {
  return { name, id, blockSize, blockBytes };
}

/** Every tensor type that ggml still defines. */
export const GGML_TYPES: readonly GgmlType[] = [
  type('f32', 0, 1, 4),
  type('f16', 1, 1, 2),
  type('q4_0', 2, 32, 18),
  type('q4_1', 3, 32, 20),
  type('q5_0', 6, 32, 22),
  type('q5_1', 7, 32, 24),
  type('q8_0', 8, 32, 34),
  type('q8_1', 9, 32, 36),
  type('q2_k', 10, 256, 84),
  type('q3_k', 11, 256, 110),
  type('q4_k', 12, 256, 144),
  type('q5_k', 13, 256, 176),
  type('q6_k', 14, 256, 210),
  type('q8_k', 15, 256, 292),
  type('iq2_xxs', 16, 256, 66),
  type('iq2_xs', 17, 256, 74),
  type('iq3_xxs', 18, 256, 98),
  type('iq1_s', 19, 256, 50),
  type('iq4_nl', 20, 32, 18),
  type('iq3_s', 21, 256, 110),
  type('iq2_s', 22, 256, 82),
  type('iq4_xs', 23, 256, 136),
  type('i8', 24, 1, 1),
  type('i16', 25, 1, 2),
  type('i32', 26, 1, 4),
  type('i64', 27, 1, 8),
  type('f64', 28, 1, 8),
  type('iq1_m', 29, 256, 56),
  type('bf16', 30, 1, 2),
  type('tq1_0', 34, 256, 54),
  type('tq2_0', 35, 256, 66),
  type('mxfp4', 39, 32, 17),
  type('nvfp4', 40, 64, 36),
  type('q1_0', 41, 128, 18),
];

/** A tensor type that this package makes from a checkpoint's weights. */
export type TensorType = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_0' | 'q4_0';

export const TENSOR_TYPES: readonly TensorType[] = ['f32', 'f16', 'bf16', 'q8_0', 'q5_0', 'q4_0'];

/** The entry of `GGML_TYPES` for a type that this package writes. */
export function ggmlType(name: TensorType): GgmlType {
  return GGML_TYPES.find((entry) => entry.name === name)!;
}

/** A tensor's place in a file. */
export interface GgufTensorInfo {
  readonly name: string;
  readonly type: GgmlType;
  /** Dimensions as ggml counts them, the contiguous one first: a Linear weight [out, in] has ne [in, out]. */
  readonly ne: readonly number[];
  /** Bytes from the start of the data section. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Rounds `value` up to a multiple of `alignment`. */
export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
