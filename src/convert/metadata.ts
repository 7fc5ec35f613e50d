/** The metadata of a converted file, in a fixed order, from what the checkpoint says about model and tokenizer. */
import { EncoderError } from '../errors';
import { BERT_KEYS, ENCODER_KEYS, GENERAL_KEYS, TOKENIZER_KEYS } from '../gguf/keys';
import type { GgufEntry, TensorType } from '../gguf/types';
import { DEFAULT_LIMITS } from '../support/limits';
import type { EncoderModel } from './architectures/architecture';
import { ggmlVocabulary } from './ggml-vocabulary';
import type { PreparedTokenizer } from './tokenizer';

/** Version of the `ggml_encoder` keys. */
const FORMAT_VERSION = 1;

/** llama.cpp's pooling type for files with a classification head. */
const POOLING_RANK = 4;

/** llama.cpp's numbers for `general.file_type`. */
const FILE_TYPES: Readonly<Record<TensorType, number>> = { f32: 0, f16: 1, q8_0: 7, bf16: 32 };

/** The facts of one checkpoint. */
export interface ModelFacts {
  readonly name: string;
  readonly sourceClass: string;
  readonly model: EncoderModel;
  readonly tokenizer: PreparedTokenizer;
  readonly labels: readonly string[];
  readonly problemType: string;
  readonly activationFn: string;
  readonly maxLength: number;
  readonly numParameters: number;
}

/**
 * `matrixType` is the type of most matrices in the file. Adds to `warnings` what could not be said in llama.cpp's terms.
 */
export function fileMetadata(facts: ModelFacts, matrixType: TensorType, warnings: string[]): GgufEntry[] {
  return [
    ...generalEntries(facts, matrixType),
    ...modelEntries(facts),
    ...encoderEntries(facts),
    ...tokenizerEntries(facts, warnings),
  ];
}

function generalEntries(facts: ModelFacts, type: TensorType): GgufEntry[] {
  return [
    text(GENERAL_KEYS.architecture, 'bert'),
    text(GENERAL_KEYS.type, 'model'),
    text(GENERAL_KEYS.name, facts.name),
    text(GENERAL_KEYS.sizeLabel, sizeLabel(facts.numParameters)),
    uint(GENERAL_KEYS.fileType, FILE_TYPES[type]),
    uint(GENERAL_KEYS.quantizationVersion, 2),
  ];
}

function modelEntries({ model, labels }: ModelFacts): GgufEntry[] {
  const h = model.hyperparameters;
  return [
    uint(BERT_KEYS.blockCount, h.numLayers),
    uint(BERT_KEYS.contextLength, h.numPositions),
    uint(BERT_KEYS.embeddingLength, h.hiddenSize),
    uint(BERT_KEYS.feedForwardLength, h.intermediateSize),
    uint(BERT_KEYS.headCount, h.numHeads),
    { key: BERT_KEYS.layerNormEpsilon, type: 'float32', value: h.layerNormEps },
    flag(BERT_KEYS.causal, false),
    uint(BERT_KEYS.poolingType, POOLING_RANK),
    uint(BERT_KEYS.vocabSize, h.vocabSize),
    text(BERT_KEYS.hiddenActivation, h.hiddenActivation),
    { key: BERT_KEYS.outputLabels, type: 'string[]', value: labels },
  ];
}

function encoderEntries(facts: ModelFacts): GgufEntry[] {
  return [
    uint(ENCODER_KEYS.formatVersion, FORMAT_VERSION),
    text(ENCODER_KEYS.sourceClass, facts.sourceClass),
    text(ENCODER_KEYS.headPooling, 'cls'),
    text(ENCODER_KEYS.headActivation, facts.model.headActivation),
    uint(ENCODER_KEYS.numLabels, facts.model.numLabels),
    text(ENCODER_KEYS.problemType, facts.problemType),
    text(ENCODER_KEYS.activationFn, facts.activationFn),
    uint(ENCODER_KEYS.maxLength, facts.maxLength),
    text(ENCODER_KEYS.positionKind, 'absolute'),
    text(ENCODER_KEYS.normPlacement, 'post'),
    uint(ENCODER_KEYS.positionOffset, 0),
    text(ENCODER_KEYS.llamacppCompat, facts.model.llamacppCompat),
  ];
}

function tokenizerEntries({ model, tokenizer }: ModelFacts, warnings: string[]): GgufEntry[] {
  const { vocabSize, numTokenTypes } = model.hyperparameters;
  const vocabulary = ggmlVocabulary(tokenizer, vocabSize, warnings);
  const { cls, sep, unk, pad, mask } = tokenizer.ids;
  const id = (key: string, value: number | undefined) => (value === undefined ? [] : [uint(key, value)]);
  return [
    text(TOKENIZER_KEYS.model, 'bert'),
    text(TOKENIZER_KEYS.pre, 'default'),
    { key: TOKENIZER_KEYS.tokens, type: 'string[]', value: vocabulary.tokens },
    { key: TOKENIZER_KEYS.tokenTypes, type: 'int32[]', value: vocabulary.types },
    uint(TOKENIZER_KEYS.tokenTypeCount, Math.max(numTokenTypes, 1)),
    ...id(TOKENIZER_KEYS.bosId, cls),
    ...id(TOKENIZER_KEYS.eosId, sep),
    ...id(TOKENIZER_KEYS.unknownId, unk),
    ...id(TOKENIZER_KEYS.separatorId, sep),
    ...id(TOKENIZER_KEYS.paddingId, pad),
    ...id(TOKENIZER_KEYS.maskId, mask),
    flag(TOKENIZER_KEYS.addBos, true),
    flag(TOKENIZER_KEYS.addEos, true),
    flag(TOKENIZER_KEYS.addSeparator, false),
    flag(TOKENIZER_KEYS.lowercase, tokenizer.lowercase),
    ...(tokenizer.stripAccents === null ? [] : [flag(TOKENIZER_KEYS.stripAccents, tokenizer.stripAccents)]),
    text(TOKENIZER_KEYS.huggingFaceJson, minified(tokenizer)),
  ];
}

function minified({ json }: PreparedTokenizer): string {
  const text = JSON.stringify(json);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes <= DEFAULT_LIMITS.ggufStringBytes) return text;
  throw new EncoderError(
    'limit_exceeded',
    `the tokenizer takes ${sizeBytes} bytes; readers take ${DEFAULT_LIMITS.ggufStringBytes}`,
  );
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

function uint(key: string, value: number): GgufEntry {
  return { key, type: 'uint32', value };
}

function text(key: string, value: string): GgufEntry {
  return { key, type: 'string', value };
}

function flag(key: string, value: boolean): GgufEntry {
  return { key, type: 'bool', value };
}
