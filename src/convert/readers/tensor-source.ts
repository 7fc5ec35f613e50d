/** Where tensors come from, whatever the file format: names, shapes and raw bytes on demand. */

import { EncoderError } from '../../errors';

/** Element types of weights that can be converted; other types may stand in a file but not in a used tensor. */
export const ELEMENT_BYTES: Readonly<Record<string, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2 };

export interface SourceTensor {
  /** As written in the file: F32, F16, BF16, I64, ... */
  readonly dtype: string;
  /** Outermost dimension first; empty for a scalar. */
  readonly shape: readonly number[];
  readonly sizeBytes: number;
  /** The file that holds it, for messages. */
  readonly file: string;
}

export interface TensorSource {
  names(): Iterable<string>;
  /** Undefined when there is no such tensor. */
  find(name: string): SourceTensor | undefined;
  /** `length` bytes of the tensor from byte `offset`, little-endian, row-major. */
  read(name: string, offset: number, length: number): Promise<Buffer>;
}

/** The tensor that a read of `length` bytes from `offset` asks for; a read outside it is a mistake of the converter. */
export function tensorForRead<Tensor extends SourceTensor>(
  tensors: ReadonlyMap<string, Tensor>,
  name: string,
  offset: number,
  length: number,
): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new EncoderError('internal', `a read of ${name}, which the checkpoint does not hold`);
  if (offset < 0 || length < 0 || offset + length > tensor.sizeBytes) {
    throw new EncoderError('internal', `a read outside the tensor ${name} of ${tensor.file}`);
  }
  return tensor;
}
