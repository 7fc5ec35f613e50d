/** A file read ahead: what lies close together, as the headers of many small entries do, comes in one piece. */
import type { SourceFile } from '../../support/source-file';

export class ReadWindow {
  private bytes: Buffer = Buffer.alloc(0);
  private start = 0;

  constructor(
    private readonly file: SourceFile,
    /** Read at once, at least. */
    private readonly windowBytes: number,
  ) {}

  /** Valid until the next read; the range must lie inside the file. */
  async read(offset: number, length: number): Promise<Buffer> {
    if (offset < this.start || offset + length > this.start + this.bytes.length) {
      const wanted = Math.max(length, this.windowBytes);
      this.bytes = await this.file.read(offset, Math.min(wanted, this.file.sizeBytes - offset));
      this.start = offset;
    }
    return this.bytes.subarray(offset - this.start, offset - this.start + length);
  }
}
