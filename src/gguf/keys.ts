/**
 * Every metadata key that the converter writes, with its type and meaning. Keys of `general`, of the architecture and
 * of `tokenizer` are llama.cpp's; what llama.cpp has no word for stands under `ggml_encoder`.
 */

/** Keys under the architecture's name. */
export function architectureKeys(architecture: string) {
  return {
    /** UINT32, transformer layers. */
    blockCount: `${architecture}.block_count`,
    /** UINT32, rows of position_embd. */
    contextLength: `${architecture}.context_length`,
    /** UINT32, layers of the decoder; absent: the model has none. */
    decoderBlockCount: `${architecture}.decoder_block_count`,
    /** UINT32, the token that the decoder reads before the text's first; absent with `decoderWrapPadTokenId`. */
    decoderStartTokenId: `${architecture}.decoder_start_token_id`,
    /** UINT32, hidden size. */
    embeddingLength: `${architecture}.embedding_length`,
    /** UINT32, inner size of the feed-forward part. */
    feedForwardLength: `${architecture}.feed_forward_length`,
    /** UINT32 */
    headCount: `${architecture}.attention.head_count`,
    /** UINT32, heads of keys and values where they are fewer. */
    headCountKv: `${architecture}.attention.head_count_kv`,
    /** UINT32, size of a head where it is not embedding_length / head_count. */
    keyLength: `${architecture}.attention.key_length`,
    valueLength: `${architecture}.attention.value_length`,
    /** FLOAT32, one value for every LayerNorm. */
    layerNormEpsilon: `${architecture}.attention.layer_norm_epsilon`,
    /** FLOAT32, the same for RMS norms. */
    layerNormRmsEpsilon: `${architecture}.attention.layer_norm_rms_epsilon`,
    /** UINT32, w: key j is seen by query i when i - j < w (causal), or when |i - j| <= w / 2. */
    slidingWindow: `${architecture}.attention.sliding_window`,
    /** FLOAT32, factor of the scores; absent means 1 / sqrt(head size). */
    attentionScale: `${architecture}.attention.scale`,
    /** FLOAT32, cap: scores become cap * tanh(score / cap). */
    attentionSoftcap: `${architecture}.attn_logit_softcapping`,
    /** FLOAT32, cap: what cls.output gives becomes cap * tanh(logit / cap). */
    finalLogitSoftcap: `${architecture}.final_logit_softcapping`,
    /** FLOAT32, factor of the token embeddings; absent means 1. */
    embeddingScale: `${architecture}.embedding_scale`,
    /** UINT32, texts of more tokens turn with `ropeInvFreqLong`; absent where all turn alike. */
    ropeOriginalContextLength: `${architecture}.rope.scaling.original_context_length`,
    /** UINT32s, of layers with linear attention: tokens of its convolution, heads of keys, of values, and their size. */
    ssmConvKernel: `${architecture}.ssm.conv_kernel`,
    ssmGroupCount: `${architecture}.ssm.group_count`,
    ssmTimeStepRank: `${architecture}.ssm.time_step_rank`,
    ssmStateSize: `${architecture}.ssm.state_size`,
    /** UINT32, columns of all heads of values. */
    ssmInnerSize: `${architecture}.ssm.inner_size`,
    /** UINT32, tokens that a short convolution reads. */
    shortConvCache: `${architecture}.shortconv.l_cache`,
    /** BOOL, false for encoders. */
    causal: `${architecture}.attention.causal`,
    /** UINT32, 4 = rank: llama.cpp then runs the classification head. */
    poolingType: `${architecture}.pooling_type`,
    /** UINT32, rows of token_embd. */
    vocabSize: `${architecture}.vocab_size`,
    /** STRING 'gelu' | 'gelu_new' | 'gelu_pytorch_tanh' | 'quick_gelu' | 'gelu_10' | 'relu' | 'relu2' | 'relu6' | 'silu' | 'swish' | 'mish' | 'tanh' | 'linear'. */
    hiddenActivation: `${architecture}.hidden_activation`,
    /** ARRAY[STRING], one per row of cls.output.weight. llama.cpp takes the head's size from its length. */
    outputLabels: `${architecture}.classifier.output_labels`,
  } as const;
}

export const GENERAL_KEYS = {
  /** STRING, names the tensor layout and the prefix of the hyperparameters. */
  architecture: 'general.architecture',
  /** STRING, 'model'. */
  type: 'general.type',
  /** STRING, for people. */
  name: 'general.name',
  /** STRING, rounded parameter count such as '67M'. */
  sizeLabel: 'general.size_label',
  /** UINT32, llama.cpp's number for the type of most tensors: 0 F32, 1 F16, 7 Q8_0, 32 BF16. */
  fileType: 'general.file_type',
  /** UINT32, 2. */
  quantizationVersion: 'general.quantization_version',
  /** UINT32, absent means 32. */
  alignment: 'general.alignment',
} as const;

export const TOKENIZER_KEYS = {
  /** STRING, 'bert' for WordPiece, 'gpt2' for byte-level BPE, 'llama' for other BPE, 't5' for Unigram. */
  model: 'tokenizer.ggml.model',
  /** STRING, llama.cpp's name of the words' pattern; 'default' where it has none or needs none. */
  pre: 'tokenizer.ggml.pre',
  /** ARRAY[STRING], one per row of token_embd. WordPiece: word starts carry U+2581, continuations lose their '##'. */
  tokens: 'tokenizer.ggml.tokens',
  /** ARRAY[INT32]: 1 normal, 3 control, 4 user defined, 5 unused. */
  tokenTypes: 'tokenizer.ggml.token_type',
  /** ARRAY[FLOAT32], Unigram's scores; for BPE of characters the negated rank of the merge that makes the token. */
  scores: 'tokenizer.ggml.scores',
  /** ARRAY[UINT8], the normalization table of Unigram, in SentencePiece's format. */
  charsmap: 'tokenizer.ggml.precompiled_charsmap',
  /** ARRAY[STRING], 'a b', for byte-level BPE. */
  merges: 'tokenizer.ggml.merges',
  /** BOOLs for 'llama' and 't5': a space before the text, and runs of spaces count as one. */
  addSpacePrefix: 'tokenizer.ggml.add_space_prefix',
  removeExtraWhitespaces: 'tokenizer.ggml.remove_extra_whitespaces',
  /** UINT32, rows of token_types, 1 when the model has none. */
  tokenTypeCount: 'tokenizer.ggml.token_type_count',
  /** UINT32 ids; [CLS] is `bos` and [SEP] is `eos` in llama.cpp's terms. */
  bosId: 'tokenizer.ggml.bos_token_id',
  eosId: 'tokenizer.ggml.eos_token_id',
  unknownId: 'tokenizer.ggml.unknown_token_id',
  /** The misspelling is llama.cpp's. */
  separatorId: 'tokenizer.ggml.seperator_token_id',
  paddingId: 'tokenizer.ggml.padding_token_id',
  maskId: 'tokenizer.ggml.mask_token_id',
  /** BOOLs: the template [CLS] A [SEP] B [SEP] in llama.cpp's terms is bos, eos and no further separator. */
  addBos: 'tokenizer.ggml.add_bos_token',
  addEos: 'tokenizer.ggml.add_eos_token',
  addSeparator: 'tokenizer.ggml.add_sep_token',
  /** BOOLs of BertNormalizer. strip_accents is absent when the tokenizer leaves it to `lowercase`. */
  lowercase: 'tokenizer.ggml.normalizer.lowercase',
  stripAccents: 'tokenizer.ggml.normalizer.strip_accents',
  /** STRING, the effective tokenizer.json, minified. This is what ggml-encoder tokenizes with. */
  huggingFaceJson: 'tokenizer.huggingface.json',
  /** STRING, Jinja: makes a text of a chat. Of classifiers alone; a pair in a chat template is `templatePieces`. */
  chatTemplate: 'tokenizer.chat_template',
} as const;

export const ENCODER_KEYS = {
  /** UINT32, version of the keys in this block, 1. */
  formatVersion: 'ggml_encoder.format_version',
  /** STRING, the Hugging Face class that the checkpoint was saved from. */
  sourceClass: 'ggml_encoder.source_class',
  /**
   * STRING: the head reads the hidden state of the first token ('cls'), the last ('last') or an end ('eos'); of all tokens
   * the mean ('mean'), the sum over the root of their number ('mean_sqrt_len'), a mean that weighs later ones more
   * ('weighted_mean') or the maximum ('max'); the mean of what its dense layer makes of every token ('late'); or the
   * leftmost token that parts labels and text ('separator') or the mean of the text's own ('text'); or every mark of a list
   * ('marks') or every token of a text ('tokens'), of which it makes vectors.
   */
  headPooling: 'ggml_encoder.head.pooling',
  /** UINT32, for 'last': the rightmost token with another id is read. */
  headPadTokenId: 'ggml_encoder.head.pad_token_id',
  /** UINT32, for 'eos': the rightmost token with this id is read. */
  headEosTokenId: 'ggml_encoder.head.eos_token_id',
  /**
   * STRING 'rows' | 'difference' | 'expectation': the only logit is what the first row of cls.output gives less what the
   * second does, or the mean of the rows' numbers, counted from 1, weighed by the softmax of what they give.
   */
  headScore: 'ggml_encoder.head.score',
  /** UINT32 each, of the decoder where there is one. */
  decoderHeadCount: 'ggml_encoder.decoder.head_count',
  decoderFeedForwardLength: 'ggml_encoder.decoder.feed_forward_length',
  /** UINT32: before the text's first token the decoder reads its last; this one is padding, as if at the text's end. */
  decoderWrapPadTokenId: 'ggml_encoder.decoder.wrap_pad_token_id',
  /** STRING 'product' | 'layers' | 'halves', for models that read labels; absent for others. */
  labelScore: 'ggml_encoder.labels.score',
  /** BOOL: the labels stand before the text. */
  labelsFirst: 'ggml_encoder.labels.first',
  /** STRING 'mark' | 'next' | 'span' | 'rest' | 'held', what stands for a label: one token or the mean of several. */
  labelTokens: 'ggml_encoder.labels.tokens',
  /** BOOL: the separator begins segment 1. */
  labelsHaveSegments: 'ggml_encoder.labels.segments',
  /** STRING, within the projections of the states of text and labels, where these have two layers. */
  labelActivation: 'ggml_encoder.labels.activation',
  /** STRING and UINT32, the added token before each label; of 'held' the text before it alone. */
  labelMark: 'ggml_encoder.labels.mark',
  labelMarkTokenId: 'ggml_encoder.labels.mark_token_id',
  /** STRING and UINT32, the added token behind the last label; of 'held' the text there alone. */
  labelSeparator: 'ggml_encoder.labels.separator',
  labelSeparatorTokenId: 'ggml_encoder.labels.separator_token_id',
  /** STRINGs, of 'held': the text before the first label's mark, and that behind each label. */
  labelOpening: 'ggml_encoder.labels.opening',
  labelEnd: 'ggml_encoder.labels.label_end',
  /** ARRAY[STRING]s, for models that rank lists: the constant texts around 'count' | 'query' | 'documents'; absent for others. */
  listPieces: 'ggml_encoder.list.pieces',
  listSlots: 'ggml_encoder.list.slots',
  /** The same for a call with a prompt, with 'prompt' among the slots; absent when the list takes none. */
  listPromptedPieces: 'ggml_encoder.list.prompted_pieces',
  listPromptedSlots: 'ggml_encoder.list.prompted_slots',
  /** ARRAY[STRING], three: before a document's number, between number and document, behind the document. */
  listItem: 'ggml_encoder.list.item',
  /** STRING, between two documents. */
  listSeparator: 'ggml_encoder.list.separator',
  /** STRINGs, the added tokens whose states are read, behind each document and behind the query. */
  listDocumentMark: 'ggml_encoder.list.document_mark',
  listQueryMark: 'ggml_encoder.list.query_mark',
  /** UINT32s: documents of one list, and most tokens of each text in it. */
  listMaxDocuments: 'ggml_encoder.list.max_documents',
  listMaxQueryTokens: 'ggml_encoder.list.max_query_tokens',
  listMaxDocumentTokens: 'ggml_encoder.list.max_document_tokens',
  /** STRINGs, for models of late interaction: what stands before a query and before a document; absent for others. */
  interactionQueryPrefix: 'ggml_encoder.interaction.query_prefix',
  interactionDocumentPrefix: 'ggml_encoder.interaction.document_prefix',
  /** UINT32s, most tokens of a query and of a document, special ones included. */
  interactionQueryLength: 'ggml_encoder.interaction.query_length',
  interactionDocumentLength: 'ggml_encoder.interaction.document_length',
  /** UINT32s, the token that shorter queries are filled up with, and to how many; absent: they are not. */
  interactionExpansionTokenId: 'ggml_encoder.interaction.expansion_token_id',
  interactionExpansionLength: 'ggml_encoder.interaction.expansion_length',
  /** BOOL, beside them: other tokens see these too. */
  interactionExpansionAttended: 'ggml_encoder.interaction.expansion_attended',
  /** ARRAY[INT32], tokens of documents that do not score; absent: there are none. */
  interactionSkipTokenIds: 'ggml_encoder.interaction.skip_token_ids',
  /** BOOL: nor do they score in queries. */
  interactionSkipsQueryTokens: 'ggml_encoder.interaction.skips_query_tokens',
  /** BOOL: vectors are divided by their length. */
  interactionNormalize: 'ggml_encoder.interaction.normalize',
  /** STRING 'maxsim' | 'meanmaxsim': the query's tokens are summed up, or their mean is taken. */
  interactionSimilarity: 'ggml_encoder.interaction.similarity',
  /** STRING, after cls: 'identity' or one of those of `hiddenActivation`; 'none' without a cls. */
  headActivation: 'ggml_encoder.head.activation',
  /** FLOAT32, of cls.norm; absent means that of the encoder's norms. */
  headNormEpsilon: 'ggml_encoder.head.layer_norm_epsilon',
  /** STRING 'layer' | 'rms', of cls.norm; absent means 'layer'. */
  headNormKind: 'ggml_encoder.head.norm_kind',
  /** STRING 'q8_0' | 'q5_0' | 'q4_0', asked for in a conversion that had to make some matrices f16; absent if none. */
  requestedType: 'ggml_encoder.requested_type',
  /** UINT32, rows of cls.output.weight, 1 for a difference. */
  numLabels: 'ggml_encoder.head.num_labels',
  /** STRING, '' when the checkpoint's configuration has none. */
  problemType: 'ggml_encoder.problem_type',
  /** STRING '' | 'identity' | 'sigmoid' | 'softmax' | 'tanh', what sentence-transformers would apply to the logits. */
  activationFn: 'ggml_encoder.activation_fn',
  /** ARRAY[STRING], sentence-transformers' prompts by name; absent when there are none. */
  promptNames: 'ggml_encoder.prompt_names',
  /** ARRAY[STRING], one for each of the names. */
  promptTexts: 'ggml_encoder.prompt_texts',
  /** STRING, the name of the prompt that is used by default, '' for none. */
  defaultPrompt: 'ggml_encoder.default_prompt',
  /** ARRAY[STRING], the constant texts of a chat template around its slots; absent when there is none. */
  templatePieces: 'ggml_encoder.chat_template.pieces',
  /** ARRAY[STRING] of 'query' | 'document' | 'break', one fewer than the pieces. */
  templateSlots: 'ggml_encoder.chat_template.slots',
  /** The same for a call with a prompt, with 'prompt' among the slots; absent when the template takes none. */
  promptedPieces: 'ggml_encoder.chat_template.prompted_pieces',
  promptedSlots: 'ggml_encoder.chat_template.prompted_slots',
  /** BOOL: the template's own last tokens overwrite the end of an input that is as long as may be. */
  templateRestoresEnd: 'ggml_encoder.chat_template.restores_end',
  /** BOOL: the tokenizer's own control tokens stand around the rendered text too; absent means false. */
  templateAddsSpecialTokens: 'ggml_encoder.chat_template.adds_special_tokens',
  /** ARRAY[STRING] each, names and values of what the template of a chat is given beside the messages. */
  chatVariables: 'ggml_encoder.chat.variables',
  chatValues: 'ggml_encoder.chat.values',
  /**
   * STRING, what the answer to a chat begins with, before the token that the labels are; absent: chats get no answer. With
   * it a text is a chat of one message.
   */
  chatAnswer: 'ggml_encoder.chat.answer',
  /** BOOL: the template of a chat is told to begin an answer; absent means false. */
  chatGenerationPrompt: 'ggml_encoder.chat.generation_prompt',
  /** ARRAY[STRING], what the conversion warned about; absent when there was nothing. */
  conversionWarnings: 'ggml_encoder.conversion_warnings',
  /** UINT32, most tokens per input, special tokens included. */
  maxLength: 'ggml_encoder.max_length',
  /** STRING 'left': inputs that are too long lose their beginning; absent: their end. */
  truncationSide: 'ggml_encoder.truncation_side',
  /** STRING 'absolute' | 'rope' | 'relative-bias' | 'relative-bias-only' | 'linear-bias' | 'disentangled' | 'none'. */
  positionKind: 'ggml_encoder.position_kind',
  /** STRING 'post' | 'pre' | 'branch' | 'sandwich' | 'parallel'. */
  normPlacement: 'ggml_encoder.norm_placement',
  /** STRING 'layer' | 'rms' | 'none': a norm's weight and bias are applied all the same. */
  normKind: 'ggml_encoder.norm_kind',
  /** STRING 'mlp' | 'glu': ffn_up has twice the rows, the first half of which is activated. */
  feedForwardKind: 'ggml_encoder.ffn_kind',
  /** ARRAY[UINT32], layers with the sliding window; absent means all. */
  localLayers: 'ggml_encoder.attention.local_layers',
  /** ARRAY[UINT32], layers with linear attention, by the gated delta rule; absent: none. */
  linearAttentionLayers: 'ggml_encoder.linear_attention.layers',
  /** ARRAY[UINT32], layers with a short convolution in the place of attention; absent: none. */
  shortConvLayers: 'ggml_encoder.short_conv.layers',
  /** BOOL, such a layer reads tokens that attention does not see as it reads all others; absent means false. */
  shortConvReadsUnseen: 'ggml_encoder.short_conv.reads_unseen',
  /** BOOL, what attention gives is multiplied by the sigmoid of what attn_gate does; absent means false. */
  outputGate: 'ggml_encoder.attention.output_gate',
  /** BOOL, the first token sees and is seen by all, by attn_global_q and attn_global_kv; absent means false. */
  firstIsGlobal: 'ggml_encoder.attention.first_is_global',
  /** ARRAY[UINT32], for each layer the block whose weights it uses; absent means its own. */
  layerWeights: 'ggml_encoder.layer_weights',
  /** ARRAY[FLOAT32], inverse frequencies of the rotary embedding, all scaling applied. */
  ropeInvFreq: 'ggml_encoder.rope.inv_freq',
  /** The same for layers with the sliding window, where they differ. */
  ropeInvFreqLocal: 'ggml_encoder.rope.inv_freq_local',
  /** The same for long texts, where they differ. */
  ropeInvFreqLong: 'ggml_encoder.rope.inv_freq_long',
  /** FLOAT32, factor of cosine and sine; absent means 1. */
  ropeAttentionFactor: 'ggml_encoder.rope.attention_factor',
  /** BOOL, queries and keys turn before their norms; absent means false. */
  ropeBeforeNorms: 'ggml_encoder.rope.before_norms',
  /** ARRAY[FLOAT32], for each head what a linear bias takes from a score for each token of distance. */
  biasSlopes: 'ggml_encoder.attention.bias_slopes',
  /** UINT32s, logarithmic buckets of the relative positions (0 for none) and their largest distance. */
  positionBuckets: 'ggml_encoder.position_buckets',
  maxRelativePositions: 'ggml_encoder.max_relative_positions',
  /** ARRAY[STRING] of 'c2p' and 'p2c', the terms that disentangled attention adds. */
  positionTerms: 'ggml_encoder.pos_att_type',
  /** ARRAY[FLOAT32], the embedding of a distance is the sines of these times it, then the cosines; absent: a table. */
  positionFrequencies: 'ggml_encoder.position_frequencies',
  /** UINT32, columns that layers work in where they are fewer than the hidden size; absent: the hidden size. */
  narrowSize: 'ggml_encoder.narrow_size',
  /** UINT32, feed-forward parts of such a layer. */
  feedForwardCount: 'ggml_encoder.ffn_count',
  /** UINT32, this token's embedding counts as zeros; others of a text of which it is a share s are divided by 1 - s. */
  droppedTokenId: 'ggml_encoder.dropped_token_id',
  /** UINT32, tokens whose embeddings are projected together, before positions and segments are added; absent: one. */
  embeddingWidth: 'ggml_encoder.embedding_width',
  /** UINT32, tokens that the convolution after the first layer reads for each of them; absent: there is none. */
  convolutionWidth: 'ggml_encoder.convolution.width',
  /** STRING, after it, one of those of `hiddenActivation`. */
  convolutionActivation: 'ggml_encoder.convolution.activation',
  /** UINT32, positions do not count this token, whose own is the last row of the position table; absent: all count. */
  uncountedTokenId: 'ggml_encoder.uncounted_token_id',
  /** UINT32, rows dropped from the front of the position table; for information. */
  positionOffset: 'ggml_encoder.position_offset',
  /** ARRAY[STRING], codes of what had to be assumed when the file was made from one of llama.cpp's; absent if nothing. */
  assumptions: 'ggml_encoder.assumptions',
  /** STRING 'exact' | 'single-sequence' | 'approximate-head' | 'unsupported': what llama.cpp makes of the file. */
  llamacppCompat: 'ggml_encoder.llamacpp.compat',
} as const;
