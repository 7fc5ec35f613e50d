/** The same surface for `import`: one module state serves both worlds, since this only passes on the CommonJS core. */
export {
  Classifier,
  CrossEncoder,
  ZeroShotClassifier,
  devices,
  estimateMemory,
  defaultModelPath,
  convert,
  DEFAULT_LIMITS,
  ERROR_CODES,
  EncoderError,
  isEncoderError,
  version,
} from './index.js';

export type * from './index.js';
