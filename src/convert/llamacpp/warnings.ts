/** What a file of llama.cpp's converter leaves open, and what was assumed. The codes go into the converted file. */
export const LLAMA_CPP_WARNINGS = {
  pooler_missing:
    'the file holds no pooler, so scores differ from those of the original checkpoint; convert the checkpoint again',
  head_activation_assumed:
    'the file does not say which activation its head has; ReLU was assumed, as in DistilBERT. Convert the checkpoint again to be sure',
  pooling_assumed:
    'the file does not say which tokens its head reads; their mean was assumed, as llama.cpp computes it, and GELU in the head. Convert the checkpoint again to be sure',
  casing_assumed:
    'the file does not say whether its tokenizer lower-cases; it was taken from the vocabulary. Convert the checkpoint again to be sure',
  prompt_template_unused:
    'the file has a template for pairs of query and document, which is not applied; put its words into the texts',
} as const;

export type LlamaCppWarning = keyof typeof LLAMA_CPP_WARNINGS;
