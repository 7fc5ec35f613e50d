/** How a task reads one record of a file: a row of CSV, a JSON object. */
import type { ClassifierInput } from '../../../api/classifier';
import type { ColumnTitles, Header } from './columns';

/** A text or pair, and what is right about it. */
export interface Example<Target> {
  readonly input: ClassifierInput;
  readonly target: Target;
}

export interface RecordFormat<Target> {
  /** What a JSON record looks like, for messages. */
  readonly example: string;

  /**
   * Reads a CSV file's header once.
   *
   * @returns what reads a row; it throws Error for one without what is needed.
   * @throws Error for a header without what is needed.
   */
  fromHeader(header: Header, titles: ColumnTitles): (row: readonly string[]) => readonly Example<Target>[];

  /** @throws Error for an object without what is needed. */
  fromObject(object: Readonly<Record<string, unknown>>, titles: ColumnTitles): readonly Example<Target>[];
}
