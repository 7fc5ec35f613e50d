/** Weights that lie in several folders as one source: each folder's tensors have its name in front of theirs. */
import type { SourceTensor, TensorSource } from './tensor-source';

export class JoinedSource implements TensorSource {
  /** Of prefixes that fit a name the first counts, so one that others begin with, such as '', comes last. */
  constructor(private readonly parts: readonly (readonly [prefix: string, source: TensorSource])[]) {}

  *names(): Iterable<string> {
    for (const [prefix, source] of this.parts) {
      for (const name of source.names()) yield prefix + name;
    }
  }

  find(name: string): SourceTensor | undefined {
    const [source, own] = this.locate(name);
    return source.find(own);
  }

  async read(name: string, offset: number, length: number): Promise<Buffer> {
    const [source, own] = this.locate(name);
    return source.read(own, offset, length);
  }

  private locate(name: string): readonly [TensorSource, string] {
    const [prefix, source] = this.parts.find(([known]) => name.startsWith(known)) ?? this.parts.at(-1)!;
    return [source, name.slice(prefix.length)];
  }
}
