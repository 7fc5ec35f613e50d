/** Ranges of a model's own numbers, the same as the loader's. What takes time or memory to read is in support/limits. */

export const MAX_TENSOR_NAME_BYTES = 512;
export const MAX_TENSOR_RANK = 8;
export const MAX_DIMENSION = 2 ** 31 - 1;

export const MAX_LAYERS = 256;
export const MAX_HEADS = 256;
/** Tokens that a convolution reads for each of them. */
export const MAX_CONVOLUTION_WIDTH = 63;
/** Likewise, of one that reads those before it alone. */
export const MAX_CAUSAL_CONVOLUTION_WIDTH = 16;
/** Feed-forward parts of one layer. */
export const MAX_FEED_FORWARDS = 16;
export const MAX_HEAD_SIZE = 512;
export const MAX_HIDDEN_SIZE = 16_384;
export const MAX_INTERMEDIATE_SIZE = 131_072;
export const MAX_VOCAB_SIZE = 2_097_152;
/** Of BPE; published tokenizers have half a million at most. */
export const MAX_MERGES = 2_097_152;
/** [CLS], one token, [SEP]. */
export const MIN_LENGTH = 3;
export const MAX_POSITIONS = 1_048_576;
export const MAX_TOKEN_TYPES = 1024;
export const MAX_LABELS = 65_536;
/** ggml strings in files may be longer; a label name of this size is no name. */
export const MAX_LABEL_BYTES = 4096;

/** Multiplications that may go into joining layers, half a minute of them; published models take a thousandth. */
export const MAX_JOINING_WORK = 2 ** 35;

/** Tensor bytes handled between two looks at the abort signal and the event loop. */
export const CHUNK_ELEMENTS = 2 ** 19;

/** Prompts of a checkpoint and the bytes of each, name included; published ones are a sentence or two. */
export const MAX_PROMPTS = 256;
export const MAX_PROMPT_BYTES = 2 ** 16;
/** What stands before every query or document of late interaction. */
export const MAX_PREFIX_BYTES = 4096;
