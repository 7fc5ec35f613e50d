/** Tensors that must be read whole before a piece of them can be given: the last one is kept, no more. */
import { type Limits, limitExceeded } from '../../support/limits';

const EMPTY = Buffer.alloc(0);

export class LastTensor {
  private name: string | undefined;
  private bytes: Buffer = EMPTY;

  constructor(private readonly limits: Limits) {}

  /** The bytes `offset` to `offset + length` of the tensor that `load` makes, `sizeBytes` large. */
  async slice(
    name: string,
    sizeBytes: number,
    range: readonly [offset: number, length: number],
    load: () => Promise<Buffer>,
  ): Promise<Buffer> {
    if (sizeBytes > this.limits.rearrangedBytes) {
      throw limitExceeded(
        this.limits,
        'rearrangedBytes',
        `${name} has ${sizeBytes} bytes that are not stored in order`,
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
