/** Tensors that were read whole from a file that is none of weights. */
import { type SourceTensor, TensorTable } from './tensor-source';

type MemoryTensor = SourceTensor & { readonly values: Float32Array };

export class MemorySource extends TensorTable<MemoryTensor> {
  /** `file`: for messages; each tensor's shape, outermost dimension first, and its elements row by row. */
  constructor(
    file: string,
    tensors: readonly (readonly [name: string, shape: readonly number[], values: Float32Array])[],
  ) {
    super(
      new Map(
        tensors.map(([name, shape, values]) => [
          name,
          { dtype: 'F32', shape, sizeBytes: values.byteLength, file, values },
        ]),
      ),
    );
  }

  protected readPiece(_name: string, { values }: MemoryTensor, offset: number, length: number): Promise<Buffer> {
    return Promise.resolve(Buffer.from(values.buffer, values.byteOffset + offset, length));
  }
}
