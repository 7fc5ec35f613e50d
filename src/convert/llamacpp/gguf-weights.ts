/** The tensors of a GGUF file as a source of weights. Types are in capitals, as everywhere in checkpoints: Q4_K. */
import { EncoderError } from '../../errors';
import type { GgufHead } from '../../gguf/reader';
import type { SourceFile } from '../../support/source-file';
import { type SourceTensor, TensorTable, storedBlock } from '../readers/tensor-source';

/** Matrices that may have a single row: one segment, one label. */
const ONE_ROW = /^(token_types|cls\.output)\.weight$/;

interface StoredTensor extends SourceTensor {
  readonly start: number;
}

export class GgufWeights extends TensorTable<StoredTensor> {
  /** Throws `dtype_unsupported` for a tensor that cannot be read. */
  constructor(
    private readonly file: SourceFile,
    { tensors, dataOffset }: GgufHead,
  ) {
    super(
      new Map(
        tensors.map(({ name, type, ne, offset, sizeBytes }) => {
          const dtype = type.name.toUpperCase();
          if (storedBlock(dtype) === undefined) {
            throw new EncoderError(
              'dtype_unsupported',
              `${name} in ${file.path} has the type ${dtype}; read are F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K`,
            );
          }
          // llama.cpp's quantizer writes a matrix of one row with one dimension.
          const shape = ne.length === 1 && ONE_ROW.test(name) ? [1, ne[0]!] : [...ne].reverse();
          return [name, { dtype, shape, sizeBytes, file: file.path, start: dataOffset + offset }];
        }),
      ),
    );
  }

  protected async readPiece(_name: string, tensor: StoredTensor, offset: number, length: number): Promise<Buffer> {
    return this.file.read(tensor.start + offset, length);
  }
}
