/** How a task reads the right answer of an example. Each kind of answer is a file beside this one. */
import type { ColumnTitles, Header } from './columns';

export interface TargetFormat<Target> {
  /** What a JSON line looks like, for messages. */
  readonly example: string;

  /**
   * Reads a CSV file's header once.
   *
   * @returns what reads a row; it throws Error for one that says no right answer.
   * @throws Error for a header without what is needed.
   */
  fromHeader(header: Header, titles: ColumnTitles): (row: readonly string[]) => Target;

  /** @throws Error for an object that says no right answer. */
  fromObject(object: Readonly<Record<string, unknown>>, titles: ColumnTitles): Target;
}
