/** The tensors of a source whose names begin alike, without that beginning. */
import type { SourceTensor, TensorSource } from './tensor-source';

export class NestedSource implements TensorSource {
  constructor(
    private readonly source: TensorSource,
    private readonly prefix: string,
  ) {}

  *names(): Iterable<string> {
    for (const name of this.source.names()) {
      if (name.startsWith(this.prefix)) yield name.slice(this.prefix.length);
    }
  }

  find(name: string): SourceTensor | undefined {
    return this.source.find(this.prefix + name);
  }

  async read(name: string, offset: number, length: number): Promise<Buffer> {
    return this.source.read(this.prefix + name, offset, length);
  }
}
