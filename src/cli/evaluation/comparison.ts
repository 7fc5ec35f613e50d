/** A second model on the same examples: its numbers, and how far its logits are from the first model's. */

export interface Comparison<Result> {
  /** Path of the other model. */
  readonly model: string;
  /** What the other model is worth. */
  readonly result: Result;
  /** Share of examples for which both choose the same label, or labels; absent where they choose none. */
  readonly agreement?: number;
  /** Largest difference of two logits of the same label and example. */
  readonly maxLogitDifference: number;
}

/** Numbers by the names that people see, in the terminal and in the report; null and undefined are not defined. */
export type NamedNumbers = readonly (readonly [name: string, value: number | null | undefined])[];
