/** The metadata of a converted file, in a fixed order, from what the checkpoint says about model and tokenizer. */
import { flag, float, floats, ints, optional, text, texts, uint, uints } from '../gguf/entries';
import { ENCODER_KEYS, GENERAL_KEYS, TOKENIZER_KEYS, architectureKeys } from '../gguf/keys';
import type { GgufEntry, TensorType } from '../gguf/types';
import type {
  DocumentList,
  EncoderHyperparameters,
  EncoderModel,
  LabelHead,
  LinearAttention,
  TokenInteraction,
} from './architectures/architecture';
import type { PairTemplate, TemplatePieces } from './chat-template/split-template';
import type { CheckpointChat } from './chat-template/template-source';
import type { CheckpointPrompts } from './sentence-transformers/prompts';
import type { PreparedTokenizer } from './tokenizer/prepare-tokenizer';
import { hasSubwords, tokenizerEntries } from './tokenizer/tokenizer-metadata';

/** Version of the `ggml_encoder` keys. */
const FORMAT_VERSION = 1;

/** llama.cpp's pooling type for files with a classification head. */
const POOLING_RANK = 4;

/** llama.cpp's numbers for `general.file_type`. */
const FILE_TYPES: Readonly<Record<string, number>> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q4_1: 3,
  q8_0: 7,
  q5_0: 8,
  q5_1: 9,
  q2_k: 10,
  q3_k: 12,
  q4_k: 15,
  q5_k: 17,
  q6_k: 18,
  bf16: 32,
};

/** The facts of one checkpoint. */
export interface ModelFacts {
  readonly name: string;
  readonly sourceClass: string;
  readonly model: EncoderModel;
  readonly tokenizer: PreparedTokenizer;
  readonly labels: readonly string[];
  readonly problemType: string;
  readonly activationFn: string;
  readonly prompts: CheckpointPrompts;
  /** Default: pairs are put together by the tokenizer's post-processor. */
  readonly template?: PairTemplate | undefined;
  /** What makes texts of chats; most models read none. */
  readonly chat?: CheckpointChat | undefined;
  readonly maxLength: number;
  readonly numParameters: number;
  /** What was asked for, where rows that are no whole blocks of it had to become f16. */
  readonly requestedType: TensorType | undefined;
}

/**
 * `matrixType` is the type of most weights in matrices. Adds to `warnings` what could not be said in llama.cpp's terms.
 */
export function fileMetadata(facts: ModelFacts, matrixType: string, warnings: string[]): GgufEntry[] {
  const { hyperparameters, tensors, head } = facts.model;
  const { vocabSize, numTokenTypes, positionKind = 'absolute', positionOffset = 0 } = hyperparameters;
  const { segmentsKept, padsLeft } = facts.tokenizer;
  // The head reads padding, a decoder attends to it, or positions count it; RoBERTa's and OPT's, which have an offset, do not.
  const seesPadding =
    head.pooling === 'cls' || head.pooling === 'eos' || (positionKind === 'absolute' && positionOffset === 0);
  if (padsLeft !== undefined && seesPadding) warnings.push(padsLeft);
  // Or its attention tells them apart, with no table of them.
  const tellsSegments = numTokenTypes >= 2 || tensors.some(({ name }) => name.endsWith('.attn_segment.weight'));
  if (segmentsKept !== undefined && tellsSegments) warnings.push(segmentsKept);
  return [
    ...generalEntries(facts, matrixType),
    ...modelEntries(facts),
    ...encoderEntries(facts),
    ...tokenizerEntries(facts.tokenizer, vocabSize, numTokenTypes, warnings),
  ];
}

/** What the conversion warned about goes with the file, for those who load it without having converted it. */
export function warningEntry(warnings: readonly string[]): GgufEntry {
  return texts(ENCODER_KEYS.conversionWarnings, warnings);
}

function generalEntries(facts: ModelFacts, type: string): GgufEntry[] {
  return [
    text(GENERAL_KEYS.architecture, facts.model.architecture),
    text(GENERAL_KEYS.type, 'model'),
    text(GENERAL_KEYS.name, facts.name),
    text(GENERAL_KEYS.sizeLabel, sizeLabel(facts.numParameters)),
    uint(GENERAL_KEYS.fileType, FILE_TYPES[type] ?? FILE_TYPES['f32']!),
    uint(GENERAL_KEYS.quantizationVersion, 2),
  ];
}

function modelEntries({ model, labels }: ModelFacts): GgufEntry[] {
  const h = model.hyperparameters;
  const keys = architectureKeys(model.architecture);
  return [
    uint(keys.blockCount, h.numLayers),
    ...optional(uint, keys.decoderBlockCount, h.decoder?.numLayers),
    ...optional(uint, keys.decoderStartTokenId, h.decoder?.startTokenId),
    uint(keys.contextLength, h.numPositions + (h.uncountedTokenId === undefined ? 0 : 1)),
    uint(keys.embeddingLength, h.hiddenSize),
    uint(keys.feedForwardLength, h.intermediateSize),
    uint(keys.headCount, h.numHeads),
    ...optional(uint, keys.headCountKv, h.numKeyValueHeads),
    ...optional(uint, keys.keyLength, h.headSize),
    ...optional(uint, keys.valueLength, h.headSize),
    float(h.normKind === 'rms' ? keys.layerNormRmsEpsilon : keys.layerNormEpsilon, h.normEps),
    flag(keys.causal, h.isCausal ?? false),
    ...optional(uint, keys.slidingWindow, h.slidingWindow?.size),
    ...optional(float, keys.attentionScale, h.attentionScale),
    ...optional(float, keys.attentionSoftcap, h.attentionSoftcap),
    ...optional(float, keys.finalLogitSoftcap, model.head.logitSoftcap),
    ...optional(float, keys.embeddingScale, h.embeddingScale),
    ...optional(uint, keys.ropeOriginalContextLength, h.rope?.long?.beyond),
    ...linearAttentionEntries(keys, h.linearAttention),
    ...optional(uint, keys.shortConvCache, h.shortConvolution?.width),
    uint(keys.poolingType, POOLING_RANK),
    uint(keys.vocabSize, h.vocabSize),
    text(keys.hiddenActivation, h.hiddenActivation),
    texts(keys.outputLabels, labels),
    ...(model.llamacppEntries ?? []).map((entry) => ({ ...entry, key: `${model.architecture}.${entry.key}` })),
  ];
}

function linearAttentionEntries(
  keys: ReturnType<typeof architectureKeys>,
  linear: LinearAttention | undefined,
): GgufEntry[] {
  if (linear === undefined) return [];
  return [
    uint(keys.ssmConvKernel, linear.convolutionWidth),
    uint(keys.ssmGroupCount, linear.numKeyHeads),
    uint(keys.ssmTimeStepRank, linear.numValueHeads),
    uint(keys.ssmStateSize, linear.headSize),
    uint(keys.ssmInnerSize, linear.numValueHeads * linear.headSize),
  ];
}

function encoderEntries(facts: ModelFacts): GgufEntry[] {
  const { hyperparameters: h, head, warnings: codes = [] } = facts.model;
  return [
    uint(ENCODER_KEYS.formatVersion, FORMAT_VERSION),
    text(ENCODER_KEYS.sourceClass, facts.sourceClass),
    ...optional(text, ENCODER_KEYS.requestedType, facts.requestedType),
    text(ENCODER_KEYS.headPooling, head.pooling),
    text(ENCODER_KEYS.headActivation, head.activation),
    ...optional(float, ENCODER_KEYS.headNormEpsilon, head.normEps),
    ...optional(text, ENCODER_KEYS.headNormKind, head.normKind),
    ...optional(uint, ENCODER_KEYS.headPadTokenId, head.padTokenId),
    ...optional(uint, ENCODER_KEYS.headEosTokenId, head.eosTokenId),
    ...optional(text, ENCODER_KEYS.headScore, head.score),
    ...labelEntries(facts.model.labelHead),
    ...listEntries(facts.model.list),
    ...interactionEntries(facts.model.interaction),
    uint(ENCODER_KEYS.numLabels, facts.model.numLabels),
    text(ENCODER_KEYS.problemType, facts.problemType),
    text(ENCODER_KEYS.activationFn, facts.activationFn),
    ...promptEntries(facts.prompts),
    ...templateEntries(facts.template),
    ...chatEntries(facts.chat),
    uint(ENCODER_KEYS.maxLength, facts.maxLength),
    ...(facts.tokenizer.truncationSide === 'left' ? [text(ENCODER_KEYS.truncationSide, 'left')] : []),
    text(ENCODER_KEYS.positionKind, h.positionKind ?? 'absolute'),
    text(ENCODER_KEYS.normPlacement, h.normPlacement ?? 'post'),
    text(ENCODER_KEYS.normKind, h.normKind ?? 'layer'),
    text(ENCODER_KEYS.feedForwardKind, h.feedForwardKind ?? 'mlp'),
    uint(ENCODER_KEYS.positionOffset, h.positionOffset ?? 0),
    ...mechanismEntries(h),
    text(ENCODER_KEYS.llamacppCompat, hasSubwords(facts.tokenizer) ? 'unsupported' : facts.model.llamacppCompat),
    ...(codes.length === 0 ? [] : [texts(ENCODER_KEYS.assumptions, codes)]),
  ];
}

function labelEntries(head: LabelHead | undefined): GgufEntry[] {
  if (head === undefined) return [];
  return [
    text(ENCODER_KEYS.labelScore, head.score),
    flag(ENCODER_KEYS.labelsFirst, head.isFirst),
    text(ENCODER_KEYS.labelTokens, head.tokens),
    flag(ENCODER_KEYS.labelsHaveSegments, head.hasSegments),
    ...optional(text, ENCODER_KEYS.labelActivation, head.activation),
    text(ENCODER_KEYS.labelMark, head.mark),
    ...optional(uint, ENCODER_KEYS.labelMarkTokenId, head.markId),
    text(ENCODER_KEYS.labelSeparator, head.separator),
    ...optional(uint, ENCODER_KEYS.labelSeparatorTokenId, head.separatorId),
    ...optional(text, ENCODER_KEYS.labelOpening, head.around?.opening),
    ...optional(text, ENCODER_KEYS.labelEnd, head.around?.labelEnd),
  ];
}

function listEntries(list: DocumentList | undefined): GgufEntry[] {
  if (list === undefined) return [];
  return [
    texts(ENCODER_KEYS.listPieces, list.plain.pieces),
    texts(ENCODER_KEYS.listSlots, list.plain.slots),
    texts(ENCODER_KEYS.listPromptedPieces, list.prompted.pieces),
    texts(ENCODER_KEYS.listPromptedSlots, list.prompted.slots),
    texts(ENCODER_KEYS.listItem, list.item),
    text(ENCODER_KEYS.listSeparator, list.separator),
    text(ENCODER_KEYS.listDocumentMark, list.documentMark),
    text(ENCODER_KEYS.listQueryMark, list.queryMark),
    uint(ENCODER_KEYS.listMaxDocuments, list.maxDocuments),
    uint(ENCODER_KEYS.listMaxQueryTokens, list.maxQueryTokens),
    uint(ENCODER_KEYS.listMaxDocumentTokens, list.maxDocumentTokens),
  ];
}

function interactionEntries(interaction: TokenInteraction | undefined): GgufEntry[] {
  if (interaction === undefined) return [];
  const { expansion, skipTokenIds } = interaction;
  return [
    text(ENCODER_KEYS.interactionQueryPrefix, interaction.queryPrefix),
    text(ENCODER_KEYS.interactionDocumentPrefix, interaction.documentPrefix),
    uint(ENCODER_KEYS.interactionQueryLength, interaction.queryLength),
    uint(ENCODER_KEYS.interactionDocumentLength, interaction.documentLength),
    ...(expansion === undefined
      ? []
      : [
          uint(ENCODER_KEYS.interactionExpansionTokenId, expansion.tokenId),
          uint(ENCODER_KEYS.interactionExpansionLength, expansion.length),
          flag(ENCODER_KEYS.interactionExpansionAttended, expansion.isAttended),
        ]),
    ...(skipTokenIds.length === 0 ? [] : [ints(ENCODER_KEYS.interactionSkipTokenIds, Int32Array.from(skipTokenIds))]),
    flag(ENCODER_KEYS.interactionSkipsQueryTokens, interaction.skipsQueryTokens),
    flag(ENCODER_KEYS.interactionNormalize, interaction.normalizes),
    text(ENCODER_KEYS.interactionSimilarity, interaction.similarity),
  ];
}

function mechanismEntries(h: EncoderHyperparameters): GgufEntry[] {
  const { rope, disentangled, decoder } = h;
  return [
    ...optional(uint, ENCODER_KEYS.decoderHeadCount, decoder?.numHeads),
    ...optional(uint, ENCODER_KEYS.decoderFeedForwardLength, decoder?.intermediateSize),
    ...optional(uint, ENCODER_KEYS.decoderWrapPadTokenId, decoder?.wrapPadTokenId),
    ...optional(uints, ENCODER_KEYS.localLayers, h.slidingWindow?.layers),
    ...optional(uints, ENCODER_KEYS.linearAttentionLayers, h.linearAttention?.layers),
    ...optional(uints, ENCODER_KEYS.shortConvLayers, h.shortConvolution?.layers),
    ...(h.shortConvolution?.readsUnseen === true ? [flag(ENCODER_KEYS.shortConvReadsUnseen, true)] : []),
    ...(h.gatesAttention === true ? [flag(ENCODER_KEYS.outputGate, true)] : []),
    ...(h.isFirstGlobal === true ? [flag(ENCODER_KEYS.firstIsGlobal, true)] : []),
    ...optional(uints, ENCODER_KEYS.layerWeights, h.layerWeights),
    ...optional(floats, ENCODER_KEYS.ropeInvFreq, rope?.inverseFrequencies),
    ...optional(floats, ENCODER_KEYS.ropeInvFreqLocal, rope?.localInverseFrequencies),
    ...optional(floats, ENCODER_KEYS.ropeInvFreqLong, rope?.long?.inverseFrequencies),
    ...optional(float, ENCODER_KEYS.ropeAttentionFactor, rope?.attentionFactor),
    ...(h.turnsBeforeNorms === true ? [flag(ENCODER_KEYS.ropeBeforeNorms, true)] : []),
    ...optional(floats, ENCODER_KEYS.biasSlopes, h.biasSlopes && Float32Array.from(h.biasSlopes)),
    ...optional(uint, ENCODER_KEYS.positionBuckets, disentangled?.buckets),
    ...optional(uint, ENCODER_KEYS.maxRelativePositions, disentangled?.maxRelativePositions),
    ...optional(texts, ENCODER_KEYS.positionTerms, disentangled?.types),
    ...optional(floats, ENCODER_KEYS.positionFrequencies, disentangled?.frequencies),
    ...optional(uint, ENCODER_KEYS.uncountedTokenId, h.uncountedTokenId),
    ...optional(uint, ENCODER_KEYS.droppedTokenId, h.droppedTokenId),
    ...optional(uint, ENCODER_KEYS.embeddingWidth, h.embeddingWidth),
    ...optional(uint, ENCODER_KEYS.narrowSize, h.narrow?.size),
    ...optional(uint, ENCODER_KEYS.feedForwardCount, h.narrow?.numFeedForwards),
    ...optional(uint, ENCODER_KEYS.convolutionWidth, h.convolution?.width),
    ...optional(text, ENCODER_KEYS.convolutionActivation, h.convolution?.activation),
  ];
}

/** Nothing for the many checkpoints without prompts. */
function promptEntries({ texts: prompts, defaultName }: CheckpointPrompts): GgufEntry[] {
  if (prompts.size === 0) return [];
  return [
    texts(ENCODER_KEYS.promptNames, [...prompts.keys()]),
    texts(ENCODER_KEYS.promptTexts, [...prompts.values()]),
    text(ENCODER_KEYS.defaultPrompt, defaultName),
  ];
}

function chatEntries(chat: CheckpointChat | undefined): GgufEntry[] {
  if (chat === undefined) return [];
  return [
    text(TOKENIZER_KEYS.chatTemplate, chat.source),
    texts(ENCODER_KEYS.chatVariables, Object.keys(chat.variables)),
    texts(ENCODER_KEYS.chatValues, Object.values(chat.variables)),
    ...optional(text, ENCODER_KEYS.chatAnswer, chat.answer?.prefix),
    ...(chat.answer?.isPrompted === true ? [flag(ENCODER_KEYS.chatGenerationPrompt, true)] : []),
  ];
}

function templateEntries(template: PairTemplate | undefined): GgufEntry[] {
  if (template === undefined) return [];
  const { templatePieces, templateSlots, promptedPieces, promptedSlots } = ENCODER_KEYS;
  const entries = (keys: readonly [string, string], { pieces, slots }: TemplatePieces): GgufEntry[] => [
    texts(keys[0], pieces),
    texts(keys[1], slots),
  ];
  return [
    ...entries([templatePieces, templateSlots], template.plain),
    ...(template.prompted === undefined ? [] : entries([promptedPieces, promptedSlots], template.prompted)),
    flag(ENCODER_KEYS.templateRestoresEnd, template.restoresEnd),
    ...(template.addsSpecialTokens === true ? [flag(ENCODER_KEYS.templateAddsSpecialTokens, true)] : []),
  ];
}

/** gguf-py's short form: two digits at least, '1.3M', '67M', '110M'. */
function sizeLabel(parameters: number): string {
  const units = ['K', 'M', 'B', 'T'];
  let scaled = parameters / 1e3;
  let unit = 0;
  while (scaled >= 1e3 && unit < units.length - 1) {
    scaled /= 1e3;
    unit++;
  }
  const digits = Math.round(scaled) === 0 ? 0 : String(Math.round(scaled)).length;
  return `${scaled.toFixed(Math.max(2 - digits, 0))}${units[unit]}`;
}
