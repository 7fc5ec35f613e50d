/** Lines to a stream, no faster than it takes them. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

import { OutputClosed, ioError } from './errors';

/** Where a command's results go. */
export class Output {
  readonly #stream: Writable;
  readonly #name: string;
  readonly #isFile: boolean;
  #failure: Error | undefined;

  private constructor(stream: Writable, name: string, isFile: boolean) {
    this.#stream = stream;
    this.#name = name;
    this.#isFile = isFile;
    // Without a listener a broken pipe would end the process with a stack trace.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error.code === 'EPIPE' ? new OutputClosed() : ioError(`cannot write ${this.#name}`, error);
    });
  }

  /** stdout, or a new file that replaces one of the same name. */
  static open(path: string | undefined, stdout: Writable): Output {
    if (path === undefined || path === '-') return new Output(stdout, 'the standard output', false);
    return new Output(createWriteStream(path), path, true);
  }

  /** Writes the lines and waits while the reader is behind. */
  async lines(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    this.#assertOpen();
    if (this.#stream.write(`${lines.join('\n')}\n`)) return;
    try {
      await once(this.#stream, 'drain');
    } catch {
      this.#assertOpen();
    }
    this.#assertOpen();
  }

  /** Closes a file and waits until it is written; stdout stays open. */
  async close(): Promise<void> {
    this.#assertOpen();
    if (!this.#isFile) return;
    try {
      await finished(this.#stream.end());
    } catch (error) {
      this.#assertOpen();
      throw ioError(`cannot write ${this.#name}`, error);
    }
  }

  #assertOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#stream.destroyed) throw new OutputClosed();
  }
}
