/** The metadata of a converted file, in a fixed order, from what the checkpoint says about model and tokenizer. */
import { flag, float, text, uint } from '../gguf/entries';
import { ENCODER_KEYS, GENERAL_KEYS, TOKENIZER_KEYS, architectureKeys } from '../gguf/keys';
import type { GgufEntry, TensorType } from '../gguf/types';
import type {
  DocumentList,
  EncoderHyperparameters,
  EncoderModel,
  LabelHead,
  TokenInteraction,
} from './architectures/architecture';
import type { PairTemplate, TemplatePieces } from './chat-template/split-template';
import type { CheckpointChat } from './chat-template/template-source';
import type { CheckpointPrompts } from './prompts';
import type { PreparedTokenizer } from './tokenizer';
import { tokenizerEntries } from './tokenizer-metadata';

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
  const { vocabSize, numTokenTypes } = facts.model.hyperparameters;
  return [
    ...generalEntries(facts, matrixType),
    ...modelEntries(facts),
    ...encoderEntries(facts),
    ...tokenizerEntries(facts.tokenizer, vocabSize, numTokenTypes, warnings),
  ];
}

/** What the conversion warned about goes with the file, for those who load it without having converted it. */
export function warningEntry(warnings: readonly string[]): GgufEntry {
  return { key: ENCODER_KEYS.conversionWarnings, type: 'string[]', value: [...warnings] };
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
  const optional = (key: string, value: number | undefined, entry: typeof uint) =>
    value === undefined ? [] : [entry(key, value)];
  return [
    uint(keys.blockCount, h.numLayers),
    ...optional(keys.decoderBlockCount, h.decoder?.numLayers, uint),
    ...optional(keys.decoderStartTokenId, h.decoder?.startTokenId, uint),
    uint(keys.contextLength, h.numPositions),
    uint(keys.embeddingLength, h.hiddenSize),
    uint(keys.feedForwardLength, h.intermediateSize),
    uint(keys.headCount, h.numHeads),
    ...optional(keys.headCountKv, h.numKeyValueHeads, uint),
    ...optional(keys.keyLength, h.headSize, uint),
    ...optional(keys.valueLength, h.headSize, uint),
    float(h.normKind === 'rms' ? keys.layerNormRmsEpsilon : keys.layerNormEpsilon, h.normEps),
    flag(keys.causal, h.isCausal ?? false),
    ...optional(keys.slidingWindow, h.slidingWindow?.size, uint),
    ...optional(keys.attentionScale, h.attentionScale, float),
    ...optional(keys.attentionSoftcap, h.attentionSoftcap, float),
    ...optional(keys.finalLogitSoftcap, model.head.logitSoftcap, float),
    ...optional(keys.embeddingScale, h.embeddingScale, float),
    ...optional(keys.ropeOriginalContextLength, h.rope?.long?.beyond, uint),
    uint(keys.poolingType, POOLING_RANK),
    uint(keys.vocabSize, h.vocabSize),
    text(keys.hiddenActivation, h.hiddenActivation),
    { key: keys.outputLabels, type: 'string[]', value: labels },
    ...(model.llamacppEntries ?? []).map((entry) => ({ ...entry, key: `${model.architecture}.${entry.key}` })),
  ];
}

function encoderEntries(facts: ModelFacts): GgufEntry[] {
  const { hyperparameters: h, head, warnings: codes = [] } = facts.model;
  return [
    uint(ENCODER_KEYS.formatVersion, FORMAT_VERSION),
    text(ENCODER_KEYS.sourceClass, facts.sourceClass),
    ...(facts.requestedType === undefined ? [] : [text(ENCODER_KEYS.requestedType, facts.requestedType)]),
    text(ENCODER_KEYS.headPooling, head.pooling),
    text(ENCODER_KEYS.headActivation, head.activation),
    ...(head.normEps === undefined ? [] : [float(ENCODER_KEYS.headNormEpsilon, head.normEps)]),
    ...(head.normKind === undefined ? [] : [text(ENCODER_KEYS.headNormKind, head.normKind)]),
    ...(head.padTokenId === undefined ? [] : [uint(ENCODER_KEYS.headPadTokenId, head.padTokenId)]),
    ...(head.eosTokenId === undefined ? [] : [uint(ENCODER_KEYS.headEosTokenId, head.eosTokenId)]),
    ...(head.isDifference === true ? [text(ENCODER_KEYS.headScore, 'difference')] : []),
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
    text(ENCODER_KEYS.llamacppCompat, facts.model.llamacppCompat),
    ...(codes.length === 0 ? [] : [{ key: ENCODER_KEYS.assumptions, type: 'string[]', value: codes } as const]),
  ];
}

function labelEntries(head: LabelHead | undefined): GgufEntry[] {
  if (head === undefined) return [];
  return [
    text(ENCODER_KEYS.labelScore, head.score),
    flag(ENCODER_KEYS.labelsFirst, head.isFirst),
    text(ENCODER_KEYS.labelTokens, head.tokens),
    flag(ENCODER_KEYS.labelsHaveSegments, head.hasSegments),
    text(ENCODER_KEYS.labelActivation, head.activation),
    text(ENCODER_KEYS.labelMark, head.mark),
    uint(ENCODER_KEYS.labelMarkTokenId, head.markId),
    text(ENCODER_KEYS.labelSeparator, head.separator),
    uint(ENCODER_KEYS.labelSeparatorTokenId, head.separatorId),
  ];
}

function listEntries(list: DocumentList | undefined): GgufEntry[] {
  if (list === undefined) return [];
  const texts = (key: string, value: readonly string[]): GgufEntry => ({ key, type: 'string[]', value });
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
  const skipped: GgufEntry = {
    key: ENCODER_KEYS.interactionSkipTokenIds,
    type: 'int32[]',
    value: Int32Array.from(skipTokenIds),
  };
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
    ...(skipTokenIds.length === 0 ? [] : [skipped]),
    flag(ENCODER_KEYS.interactionSkipsQueryTokens, interaction.skipsQueryTokens),
    flag(ENCODER_KEYS.interactionNormalize, interaction.normalizes),
    text(ENCODER_KEYS.interactionSimilarity, interaction.similarity),
  ];
}

function mechanismEntries(hyperparameters: EncoderHyperparameters): GgufEntry[] {
  const { slidingWindow, layerWeights, rope, biasSlopes, disentangled, convolution, decoder } = hyperparameters;
  const { embeddingWidth, narrow } = hyperparameters;
  const entries: GgufEntry[] = [];
  if (decoder !== undefined) {
    entries.push(uint(ENCODER_KEYS.decoderHeadCount, decoder.numHeads));
    entries.push(uint(ENCODER_KEYS.decoderFeedForwardLength, decoder.intermediateSize));
    if (decoder.wrapPadTokenId !== undefined) {
      entries.push(uint(ENCODER_KEYS.decoderWrapPadTokenId, decoder.wrapPadTokenId));
    }
  }
  if (slidingWindow !== undefined) {
    entries.push({ key: ENCODER_KEYS.localLayers, type: 'uint32[]', value: slidingWindow.layers });
  }
  if (hyperparameters.isFirstGlobal === true) entries.push(flag(ENCODER_KEYS.firstIsGlobal, true));
  if (layerWeights !== undefined)
    entries.push({ key: ENCODER_KEYS.layerWeights, type: 'uint32[]', value: layerWeights });
  if (rope !== undefined) {
    entries.push({ key: ENCODER_KEYS.ropeInvFreq, type: 'float32[]', value: rope.inverseFrequencies });
    if (rope.localInverseFrequencies !== undefined) {
      entries.push({ key: ENCODER_KEYS.ropeInvFreqLocal, type: 'float32[]', value: rope.localInverseFrequencies });
    }
    if (rope.long !== undefined) {
      entries.push({ key: ENCODER_KEYS.ropeInvFreqLong, type: 'float32[]', value: rope.long.inverseFrequencies });
    }
    entries.push(float(ENCODER_KEYS.ropeAttentionFactor, rope.attentionFactor));
  }
  if (biasSlopes !== undefined) {
    entries.push({ key: ENCODER_KEYS.biasSlopes, type: 'float32[]', value: Float32Array.from(biasSlopes) });
  }
  if (disentangled !== undefined) {
    entries.push(uint(ENCODER_KEYS.positionBuckets, disentangled.buckets));
    entries.push(uint(ENCODER_KEYS.maxRelativePositions, disentangled.maxRelativePositions));
    entries.push({ key: ENCODER_KEYS.positionTerms, type: 'string[]', value: disentangled.types });
    if (disentangled.frequencies !== undefined) {
      entries.push({ key: ENCODER_KEYS.positionFrequencies, type: 'float32[]', value: disentangled.frequencies });
    }
  }
  if (hyperparameters.droppedTokenId !== undefined)
    entries.push(uint(ENCODER_KEYS.droppedTokenId, hyperparameters.droppedTokenId));
  if (embeddingWidth !== undefined) entries.push(uint(ENCODER_KEYS.embeddingWidth, embeddingWidth));
  if (narrow !== undefined) {
    entries.push(uint(ENCODER_KEYS.narrowSize, narrow.size));
    entries.push(uint(ENCODER_KEYS.feedForwardCount, narrow.numFeedForwards));
  }
  if (convolution !== undefined) {
    entries.push(uint(ENCODER_KEYS.convolutionWidth, convolution.width));
    entries.push(text(ENCODER_KEYS.convolutionActivation, convolution.activation));
  }
  return entries;
}

/** Nothing for the many checkpoints without prompts. */
function promptEntries({ texts, defaultName }: CheckpointPrompts): GgufEntry[] {
  if (texts.size === 0) return [];
  return [
    { key: ENCODER_KEYS.promptNames, type: 'string[]', value: [...texts.keys()] },
    { key: ENCODER_KEYS.promptTexts, type: 'string[]', value: [...texts.values()] },
    text(ENCODER_KEYS.defaultPrompt, defaultName),
  ];
}

function chatEntries(chat: CheckpointChat | undefined): GgufEntry[] {
  if (chat === undefined) return [];
  const variables = Object.entries(chat.variables);
  return [
    text(TOKENIZER_KEYS.chatTemplate, chat.source),
    { key: ENCODER_KEYS.chatVariables, type: 'string[]', value: variables.map(([name]) => name) },
    { key: ENCODER_KEYS.chatValues, type: 'string[]', value: variables.map(([, value]) => value) },
  ];
}

function templateEntries(template: PairTemplate | undefined): GgufEntry[] {
  if (template === undefined) return [];
  const { templatePieces, templateSlots, promptedPieces, promptedSlots } = ENCODER_KEYS;
  const entries = (keys: readonly [string, string], { pieces, slots }: TemplatePieces): GgufEntry[] => [
    { key: keys[0], type: 'string[]', value: pieces },
    { key: keys[1], type: 'string[]', value: slots },
  ];
  return [
    ...entries([templatePieces, templateSlots], template.plain),
    ...(template.prompted === undefined ? [] : entries([promptedPieces, promptedSlots], template.prompted)),
    flag(ENCODER_KEYS.templateRestoresEnd, template.restoresEnd),
    ...(template.addsSpecialTokens === true ? [flag(ENCODER_KEYS.templateAddsSpecialTokens, true)] : []),
  ];
}

/** gguf-py's short form: two digits at least, '1.3M', '67M', '110M'. */
export function sizeLabel(parameters: number): string {
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
