/** What the classes that read their labels in the text have in common: a file of such a class gives one of these. */
import type { EncoderModel } from './architectures/architecture';
import type { ConfigReader } from './config';
import type { TensorSource } from './readers/tensor-source';
import type { PreparedTokenizer } from './tokenizer/prepare-tokenizer';

export interface LabelModel {
  readonly model: EncoderModel;
  readonly weights: TensorSource;
  readonly maxLength: number;
}

export interface LabelReader {
  readonly sourceClass: string;
  /** The configuration of its encoder. */
  readonly encoder: ConfigReader;
  /** `folder`: that of the tokenizer. Throws what `Architecture.describe` throws, and `tokenizer_unsupported`. */
  describe(weights: TensorSource, tokenizer: PreparedTokenizer, folder: string): LabelModel;
}
