/** What parent and child of an isolated model say to each other, by structured clone over the IPC channel. */
import type {
  NativeLoadOptions,
  NativeModelInfo,
  NativeRunOptions,
  NativeRunResult,
  NativeTokenizeResult,
  PairColumn,
} from '../bindings';

/** `id` tells calls apart; `cancel` names the call to end. */
export type Request =
  | { readonly kind: 'load'; readonly id: number; readonly path: string; readonly options: NativeLoadOptions }
  | {
      readonly kind: 'run' | 'tokenize';
      readonly id: number;
      readonly texts: readonly string[];
      readonly pairs: PairColumn;
      readonly options: NativeRunOptions;
    }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'dispose'; readonly id: number };

export type Answer = NativeModelInfo | NativeRunResult | NativeTokenizeResult | undefined;

export type Response =
  | { readonly id: number; readonly result: Answer }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } };
