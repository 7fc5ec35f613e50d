/** The process's streams as the commands see them, so that tests can hand in others. */
import type { Readable, Writable } from 'node:stream';

/** An output that may be a terminal. */
export interface Terminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Where a command reads and writes, and when it must stop. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & Terminal;
  readonly stderr: Writable & Terminal;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}
