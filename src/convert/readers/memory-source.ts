/** Tensors that were read whole from a file that is none of weights. */
import { type SourceTensor, type TensorSource, tensorForRead } from './tensor-source';

export class MemorySource implements TensorSource {
  private readonly tensors: ReadonlyMap<string, SourceTensor & { readonly values: Float32Array }>;

  /** `file`: for messages; each tensor's shape, outermost dimension first, and its elements row by row. */
  constructor(
    file: string,
    tensors: readonly (readonly [name: string, shape: readonly number[], values: Float32Array])[],
  ) {
    this.tensors = new Map(
      tensors.map(([name, shape, values]) => [
        name,
        { dtype: 'F32', shape, sizeBytes: values.byteLength, file, values },
      ]),
    );
  }

  names(): Iterable<string> {
    return this.tensors.keys();
  }

  find(name: string): SourceTensor | undefined {
    return this.tensors.get(name);
  }

  read(name: string, offset: number, length: number): Promise<Buffer> {
    const { values } = tensorForRead(this.tensors, name, offset, length);
    return Promise.resolve(Buffer.from(values.buffer, values.byteOffset + offset, length));
  }
}
