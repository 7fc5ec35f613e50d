/** Shapes and element types of HDF5 (specification sections IV.A.2.b and IV.A.2.d): numbers and strings only. */
import { MAX_DIMENSION, MAX_TENSOR_RANK } from '../limits';
import type { ByteCursor } from './byte-cursor';

/** Element type: a number by its name in SourceTensor, text, or something that is only named. */
export type Hdf5Type =
  | { readonly kind: 'number'; readonly dtype: string; readonly sizeBytes: number }
  | { readonly kind: 'text'; readonly sizeBytes: number; readonly isVariable: boolean; readonly isSpacePadded: boolean }
  | { readonly kind: 'other'; readonly name: string; readonly sizeBytes: number };

const CLASSES = ['integer', 'float', 'time', 'string', 'bit field', 'opaque', 'compound'].concat([
  'reference',
  'enumeration',
  'variable-length',
  'array',
  'complex',
]);

/** precision, exponent position, exponent size, mantissa position, mantissa size, bias, sign position. */
const FLOATS: ReadonlyMap<string, string> = new Map([
  ['16,10,5,0,10,15,15', 'F16'],
  ['16,7,8,0,7,127,15', 'BF16'],
  ['32,23,8,0,23,127,31', 'F32'],
  ['64,52,11,0,52,1023,63', 'F64'],
]);

const VARIABLE_BYTES = 16;

/** Dimensions, outermost first; [] for a scalar, undefined for "no values at all". */
export function readDataspace(cursor: ByteCursor): number[] | undefined {
  const version = cursor.u8();
  const rank = cursor.u8();
  cursor.skip(1);
  if (version === 1) cursor.skip(5);
  else if (version !== 2) cursor.fail(`the dataspace version ${version} is unknown`);
  else if (cursor.u8() === 2) return undefined;
  if (rank > MAX_TENSOR_RANK) cursor.fail(`${rank} dimensions; up to ${MAX_TENSOR_RANK} are supported`);
  const shape = Array.from({ length: rank }, () => cursor.u64());
  if (shape.some((size) => size > MAX_DIMENSION)) cursor.fail(`the impossible shape [${shape.join()}]`);
  return shape;
}

export function readDatatype(cursor: ByteCursor): Hdf5Type {
  const head = cursor.u8();
  const bits = cursor.u8() | (cursor.u8() << 8) | (cursor.u8() << 16);
  const sizeBytes = cursor.u32();
  const [version, kind] = [head >> 4, head & 15];
  if (version < 1 || version > 5) cursor.fail(`the datatype version ${version} is unknown`);
  if (kind === 0) return readInteger(cursor, bits, sizeBytes);
  if (kind === 1) return readFloat(cursor, bits, sizeBytes);
  if (kind === 3) return { kind: 'text', sizeBytes, isVariable: false, isSpacePadded: (bits & 15) === 2 };
  if (kind === 9 && (bits & 15) === 1 && sizeBytes === VARIABLE_BYTES) {
    return { kind: 'text', sizeBytes, isVariable: true, isSpacePadded: false };
  }
  return { kind: 'other', name: CLASSES[kind] ?? `class ${kind}`, sizeBytes };
}

function readInteger(cursor: ByteCursor, bits: number, sizeBytes: number): Hdf5Type {
  const [offset, precision] = [cursor.u16(), cursor.u16()];
  const plain = [1, 2, 4, 8].includes(sizeBytes) && offset === 0 && precision === sizeBytes * 8;
  if (!plain || ((bits & 1) !== 0 && sizeBytes > 1))
    return { kind: 'other', name: 'big-endian or packed integer', sizeBytes };
  return { kind: 'number', dtype: `${bits & 8 ? 'I' : 'U'}${precision}`, sizeBytes };
}

function readFloat(cursor: ByteCursor, bits: number, sizeBytes: number): Hdf5Type {
  const [offset, precision] = [cursor.u16(), cursor.u16()];
  const fields = [precision, cursor.u8(), cursor.u8(), cursor.u8(), cursor.u8(), cursor.u32(), (bits >> 8) & 255];
  const dtype = FLOATS.get(fields.join());
  // Byte order bits 0 and 6 clear: little-endian; normalization 2: the leading 1 is implied.
  const plain = offset === 0 && precision === sizeBytes * 8 && (bits & 0x41) === 0 && ((bits >> 4) & 3) === 2;
  if (dtype === undefined || !plain) return { kind: 'other', name: 'big-endian or unusual float', sizeBytes };
  return { kind: 'number', dtype, sizeBytes };
}
