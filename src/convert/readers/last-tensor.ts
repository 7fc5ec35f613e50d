/** Tensors that must be read whole before a piece of them can be given: the last one is kept, no more. */
import { EncoderError } from '../../errors';

/** Far above any matrix of a classifier; what is larger must lie in the file in the order in which it is needed. */
export const MAX_REORDERED_BYTES = 2 ** 30;

const EMPTY = Buffer.alloc(0);

export class LastTensor {
  private name: string | undefined;
  private bytes: Buffer = EMPTY;

  /** The bytes `offset` to `offset + length` of the tensor that `load` makes, `sizeBytes` large. */
  async slice(
    name: string,
    sizeBytes: number,
    range: readonly [offset: number, length: number],
    load: () => Promise<Buffer>,
  ): Promise<Buffer> {
    if (sizeBytes > MAX_REORDERED_BYTES) {
      throw new EncoderError(
        'limit_exceeded',
        `${name} has ${sizeBytes} bytes that are not stored in order; at most ${MAX_REORDERED_BYTES} are rearranged`,
      );
    }
    if (this.name !== name) {
      this.name = undefined;
      this.bytes = EMPTY;
      this.bytes = await load();
      this.name = name;
    }
    const [offset, length] = range;
    const piece = this.bytes.subarray(offset, offset + length);
    // Tensors are read front to back: behind the last piece nobody asks again.
    if (offset + length === sizeBytes) {
      this.name = undefined;
      this.bytes = EMPTY;
    }
    return piece;
  }
}
