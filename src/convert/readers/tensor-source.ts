/** Where tensors come from, whatever the file format: names, shapes and raw bytes on demand. */

import { EncoderError } from '../../errors';
import { blockShape } from '../dtypes/block-decoders';

/** Element types of a checkpoint's weights; other types may stand in a file but not in a used tensor. */
export const ELEMENT_BYTES: Readonly<Record<string, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2 };

/** Throws `dtype_unsupported` for types that no used tensor may have. */
export function requireFloats(name: string, { dtype, file }: Pick<SourceTensor, 'dtype' | 'file'>): void {
  if (Object.hasOwn(ELEMENT_BYTES, dtype)) return;
  const supported = Object.keys(ELEMENT_BYTES).join(', ');
  throw new EncoderError('dtype_unsupported', `${name} in ${file} has the type ${dtype}; supported are ${supported}`);
}

/** How many elements stand in how many bytes; undefined for types that cannot be converted. */
export function storedBlock(dtype: string): { readonly elements: number; readonly bytes: number } | undefined {
  return Object.hasOwn(ELEMENT_BYTES, dtype) ? { elements: 1, bytes: ELEMENT_BYTES[dtype]! } : blockShape(dtype);
}

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
  /** What to do where a tensor is missing, for messages. */
  readonly advice?: string;
  /** `length` bytes of the tensor from byte `offset`, little-endian, row-major. */
  read(name: string, offset: number, length: number): Promise<Buffer>;
}

/** Tensors by their names, of whatever file; how a piece of one is read is the subclass's. */
export abstract class TensorTable<Tensor extends SourceTensor> implements TensorSource {
  protected constructor(protected readonly tensors: ReadonlyMap<string, Tensor>) {}

  names(): Iterable<string> {
    return this.tensors.keys();
  }

  find(name: string): SourceTensor | undefined {
    return this.tensors.get(name);
  }

  /** A read outside a tensor is a mistake of the converter. */
  async read(name: string, offset: number, length: number): Promise<Buffer> {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) {
      throw new EncoderError('internal', `a read of ${name}, which the checkpoint does not hold`);
    }
    if (offset < 0 || length < 0 || offset + length > tensor.sizeBytes) {
      throw new EncoderError('internal', `a read outside the tensor ${name} of ${tensor.file}`);
    }
    return this.readPiece(name, tensor, offset, length);
  }

  protected abstract readPiece(name: string, tensor: Tensor, offset: number, length: number): Promise<Buffer>;
}
