/** The package's public surface, every name written out. */
export { Classifier } from './api/classifier';
export { CrossEncoder } from './api/cross-encoder';
export { convert } from './api/conversion';
export { devices } from './api/devices';
export { estimateMemory } from './api/estimate-memory';
export { ZeroShotClassifier } from './api/zero-shot-classifier';
export { ERROR_CODES, EncoderError, isEncoderError } from './errors';
export { DEFAULT_LIMITS } from './support/limits';
export { defaultModelPath, version } from './support/package-root';

export type { Activation, PairActivation } from './api/activations';
export type { Device } from './api/devices';
export type { MemoryEstimate } from './api/estimate-memory';
export type { ChatMessage, ChatPart } from './api/chat';
export type { ChatInput } from './api/chats';
export type { ClassifierInput } from './api/classifier';
export type { PairInput, TextInput } from './api/inputs';
export type { LoadOptions } from './api/load-options';
export type { CrossEncoderLoadOptions } from './api/cross-encoder';
export type { ModelInfo } from './api/model-info';
export type {
  ClassifierTokenizeOptions,
  ClassifyOptions,
  PairTokenizeOptions,
  PredictOptions,
  RankOptions,
  TokenizeOptions,
  ZeroShotOptions,
} from './api/options';
export type { PromptLoadOptions, PromptOptions, Prompts } from './api/prompts';
export type {
  Classification,
  LabelScore,
  PairPrediction,
  RankedDocument,
  Tokenization,
  ZeroShotClassification,
} from './api/results';
export type { ChatOptions, TemplateValue } from './api/template-variables';
export type {
  PairWindowOptions,
  RunOptions,
  RunProgress,
  SpecialTokens,
  TextBudgets,
  TextOptions,
  TruncationSide,
  TruncationStrategy,
  WindowAggregation,
  WindowOptions,
} from './api/text-options';
export type { ModelWarning } from './api/warnings';
export type { RankedWindow, TextSpan, TextWindow } from './api/windows';
export type { ZeroShotLoadOptions } from './api/zero-shot-classifier';
export type { HubOptions } from './hub/settings';
export type { ConvertOptions, ConvertProgress, ConvertResult, TensorType } from './convert/convert';
export type { ErrorCode } from './errors';
export type { LimitOptions, Limits } from './support/limits';
