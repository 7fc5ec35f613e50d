/**
 * The most that a file or a call may ask for, in one place. Each default is far above real models, and what exceeds one
 * is an attack or a mistake; each can be changed by name, up to a ceiling beyond which this version was not tested.
 */
import { EncoderError } from '../errors';
import { checkInteger, checkOptions } from './arguments';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Limits of reading, converting and running; `limits` of `convert`, `load` and `estimateMemory` overrides any of them. */
export interface Limits {
  /** Bytes of config.json and of the other small settings files. */
  readonly configBytes: number;
  /** Bytes of tokenizer.json, vocab.txt and the other files of a tokenizer, each. */
  readonly tokenizerBytes: number;
  /** Bytes of the index of a sharded checkpoint. */
  readonly indexBytes: number;
  /** Weight files of one checkpoint. */
  readonly shards: number;
  /** Tensors of one weight file. */
  readonly tensorsPerFile: number;
  /** Tensors of one checkpoint. */
  readonly tensors: number;
  /** Bytes of a safetensors header. */
  readonly safetensorsHeaderBytes: number;
  /** Bytes of the pickle in a pytorch_model.bin. */
  readonly pickleBytes: number;
  /** Instructions of that pickle. */
  readonly pickleOpcodes: number;
  /** Entries of the zip archive that a pytorch_model.bin is. */
  readonly zipEntries: number;
  /** Groups and datasets of an HDF5 file. */
  readonly hdf5Objects: number;
  /** Bytes of one unpacked chunk of an HDF5 dataset. */
  readonly hdf5ChunkBytes: number;
  /** Bytes of an ONNX file beside its tensors; a field counts 32 at least. */
  readonly onnxGraphBytes: number;
  /** Bytes of a tensor that is not stored in order and so must be rearranged in memory, or of a LoRA change's matrix. */
  readonly rearrangedBytes: number;
  /** Bytes of all files that one call may download from the Hub. */
  readonly downloadBytes: number;
  /** Metadata entries of a GGUF file. */
  readonly ggufEntries: number;
  /** Tensors of a GGUF file. */
  readonly ggufTensors: number;
  /** Bytes of one string in the metadata of a GGUF file. */
  readonly ggufStringBytes: number;
  /** Elements of one array in the metadata of a GGUF file; all arrays together may hold twice as many. */
  readonly ggufArrayElements: number;
  /** Bytes of a GGUF file in front of its tensor data. */
  readonly ggufHeaderBytes: number;
  /** UTF-8 bytes of one text, or of one text of a pair. */
  readonly textBytes: number;
  /** Texts or pairs of one call. */
  readonly textsPerCall: number;
  /** Bytes of memory that loading a model and running it may take; 0 means what the machine and its container have left. */
  readonly memoryBytes: number;
}

/** Limits to change, by name. */
export type LimitOptions = { readonly [Name in keyof Limits]?: number | undefined };

interface Range {
  readonly fallback: number;
  readonly ceiling: number;
}

const RANGES: Readonly<Record<keyof Limits, Range>> = {
  configBytes: { fallback: 4 * MIB, ceiling: 64 * MIB },
  tokenizerBytes: { fallback: 128 * MIB, ceiling: 128 * MIB },
  indexBytes: { fallback: 25_000_000, ceiling: 100_000_000 },
  shards: { fallback: 1024, ceiling: 16 * KIB },
  tensorsPerFile: { fallback: 64 * KIB, ceiling: MIB },
  tensors: { fallback: 256 * KIB, ceiling: MIB },
  // The reference reader stops at 100 MB; 25 MB hold 200,000 tensors.
  safetensorsHeaderBytes: { fallback: 25_000_000, ceiling: 100_000_000 },
  pickleBytes: { fallback: 64 * MIB, ceiling: 256 * MIB },
  pickleOpcodes: { fallback: 10_000_000, ceiling: 100_000_000 },
  zipEntries: { fallback: 64 * KIB, ceiling: MIB },
  // A model of 24 layers has about a thousand.
  hdf5Objects: { fallback: 16 * KIB, ceiling: MIB },
  hdf5ChunkBytes: { fallback: 256 * MIB, ceiling: GIB },
  // A model of 24 layers has one or two million, with the traces of PyTorch's newer exporter ten.
  onnxGraphBytes: { fallback: 64 * MIB, ceiling: GIB },
  rearrangedBytes: { fallback: GIB, ceiling: 4 * GIB - 1 },
  // A model of 24 layers in f32 has one or two.
  downloadBytes: { fallback: 64 * GIB, ceiling: Number.MAX_SAFE_INTEGER },
  ggufEntries: { fallback: 4 * KIB, ceiling: 64 * KIB },
  ggufTensors: { fallback: 64 * KIB, ceiling: MIB },
  ggufStringBytes: { fallback: 128 * MIB, ceiling: 512 * MIB },
  ggufArrayElements: { fallback: 16 * MIB, ceiling: 128 * MIB },
  ggufHeaderBytes: { fallback: 512 * MIB, ceiling: 2 * GIB },
  textBytes: { fallback: 16 * MIB, ceiling: 128 * MIB },
  textsPerCall: { fallback: MIB, ceiling: 16 * MIB },
  memoryBytes: { fallback: 0, ceiling: Number.MAX_SAFE_INTEGER },
};

const NAMES = Object.keys(RANGES) as (keyof Limits)[];

/** The limits that hold when none is passed. */
export const DEFAULT_LIMITS: Limits = Object.freeze(
  Object.fromEntries(NAMES.map((name) => [name, RANGES[name].fallback])) as Record<keyof Limits, number>,
);

/**
 * All limits, those in `overrides` replaced. Throws TypeError for an unknown name or a value that is no number, and
 * RangeError for one that is no integer between 1 (`memoryBytes`: 0) and its ceiling.
 */
export function resolveLimits(overrides: LimitOptions | undefined): Limits {
  if (overrides === undefined) return DEFAULT_LIMITS;
  checkOptions(overrides, NAMES, 'options.limits');
  for (const name of NAMES) {
    const value = overrides[name];
    const least = name === 'memoryBytes' ? 0 : 1;
    if (value !== undefined) checkInteger(`options.limits.${name}`, value, least, RANGES[name].ceiling);
  }
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return Object.freeze({ ...DEFAULT_LIMITS, ...Object.fromEntries(given) });
}

/** `what` says who has how much; the limit and its name follow, so that a caller who means it can raise it. */
export function limitExceeded(limits: Limits, name: keyof Limits, what: string): EncoderError {
  return new EncoderError('limit_exceeded', `${what}; the limit ${name} is ${limits[name]}`);
}
