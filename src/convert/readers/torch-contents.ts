/** What either container of torch.save comes down to, and how it is refused. */
import { EncoderError } from '../../errors';

/** A tensor as a view: element (i, j, ...) lies at element offset + i * strides[0] + j * strides[1] + ... */
export interface TorchView {
  readonly dtype: string;
  readonly elementBytes: number;
  readonly shape: readonly number[];
  /** In elements. */
  readonly strides: readonly number[];
  /** Of the first element, in elements from the start of the storage. */
  readonly offset: number;
  /** The storage's key, a number in decimal. */
  readonly storage: string;
}

/** What the pickle says; whether its storages are in the file, and as large, is its reader's to check. */
export interface StateDict {
  readonly views: ReadonlyMap<string, TorchView>;
  readonly storages: ReadonlyMap<string, TorchStorage>;
}

export interface TorchStorage {
  readonly dtype: string;
  readonly elementBytes: number;
  readonly numElements: number;
}

export interface TorchContents {
  readonly views: StateDict['views'];
  /** Byte of the file at which each storage begins; every storage that a view needs is there, whole. */
  readonly starts: ReadonlyMap<string, number>;
}

export function malformed(path: string, reason: string): never {
  throw new EncoderError('checkpoint_malformed', `${path} is not a readable PyTorch checkpoint: ${reason}`);
}
