/** The weight files that a checkpoint folder may hold, in the order in which transformers looks for them. */
import type { Limits } from '../support/limits';
import type { SourceFile } from '../support/source-file';
import { KerasWeights } from './readers/keras-weights';
import { SafetensorsFile } from './readers/safetensors';
import type { TensorSource } from './readers/tensor-source';
import { TorchCheckpoint } from './readers/torch-checkpoint';

export interface WeightFormat {
  /** The name of a file that holds all weights. */
  readonly single: string;
  /** The name of the file that says which shard holds what. */
  readonly index: string;
  /** What the names of shards end in. */
  readonly extension: string;
  readonly open: (file: SourceFile, limits: Limits) => Promise<TensorSource>;
}

export const WEIGHT_FORMATS: readonly WeightFormat[] = [
  {
    single: 'model.safetensors',
    index: 'model.safetensors.index.json',
    extension: '.safetensors',
    open: (file, limits) => SafetensorsFile.open(file, limits),
  },
  {
    single: 'pytorch_model.bin',
    index: 'pytorch_model.bin.index.json',
    extension: '.bin',
    open: (file, limits) => TorchCheckpoint.open(file, limits),
  },
  {
    single: 'tf_model.h5',
    index: 'tf_model.h5.index.json',
    extension: '.h5',
    open: (file, limits) => KerasWeights.open(file, limits),
  },
];

/** The files that PEFT keeps an adapter in, in the order in which it looks for them. */
export const ADAPTER_FORMATS = [
  { single: 'adapter_model.safetensors', open: WEIGHT_FORMATS[0]!.open },
  { single: 'adapter_model.bin', open: WEIGHT_FORMATS[1]!.open },
] as const;

/** Exported models, read where there are no other weights: transformers.js and Optimum keep them at these places. */
export const ONNX_FILES = ['onnx/model.onnx', 'model.onnx', 'onnx/model_fp16.onnx', 'model_fp16.onnx'];

/** Quantized exports, by the names that Optimum and transformers.js give them. */
const OTHER_EXPORTS = ['quantized', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4'].map((type) => `model_${type}.onnx`);

/** Weights that are not read, named in the error when they are all there is. */
export const OTHER_WEIGHTS = [
  'flax_model.msgpack',
  'model.ckpt.index',
  ...[...OTHER_EXPORTS, 'encoder_model.onnx'].flatMap((name) => [name, `onnx/${name}`]),
];

/** What was looked for, for messages. */
export const WEIGHT_NAMES = [...WEIGHT_FORMATS.map(({ single }) => single), ONNX_FILES[0]].join(', ');

/** What to do about a checkpoint that has but the file `name` for its weights, or none. */
export function weightsAdvice(name = ''): string {
  return name.endsWith('.onnx')
    ? 'use the f32 export beside it, or the checkpoint that it was exported from, which the model card names'
    : 'save the model as safetensors first';
}
