/** What both containers of torch.save come down to, and how either is refused. */
import { EncoderError } from '../../errors';
import type { SourceFile } from '../../support/source-file';
import type { StateDict } from './torch-pickle';

export interface TorchContents {
  readonly views: StateDict['views'];
  /** Byte of the file at which each storage begins; every storage that a view needs is there, whole. */
  readonly starts: ReadonlyMap<string, number>;
}

export function malformed(file: SourceFile, reason: string): never {
  throw new EncoderError('checkpoint_malformed', `${file.path} is not a readable PyTorch checkpoint: ${reason}`);
}
