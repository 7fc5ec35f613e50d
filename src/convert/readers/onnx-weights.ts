/** A model that PyTorch exported to ONNX as a source of PyTorch tensors: names found again, matrices transposed back. */
import { EncoderError } from '../../errors';
import type { Limits } from '../../support/limits';
import type { SourceFile } from '../../support/source-file';
import { reverseAxes } from './elements';
import { LastTensor } from './last-tensor';
import { type OnnxTensor, cut, malformed, readOnnxGraph } from './onnx-graph';
import { type OnnxParameter, onnxParameters } from './onnx-parameters';
import { ELEMENT_BYTES, type SourceTensor, TensorTable } from './tensor-source';

/** Opens a file beside the ONNX file; undefined when there is none. */
export type OpenBeside = (name: string) => Promise<SourceFile | undefined>;

interface PlacedTensor extends SourceTensor {
  /** Undefined for what is neither converted nor read, which only has its name here. */
  readonly source: SourceFile | undefined;
  readonly offset: number;
  readonly elementBytes: number;
  readonly isTransposed: boolean;
}

const COMPARED_BYTES = 2 ** 20;
const ADVICE = 'use the checkpoint that it was exported from';

export class OnnxWeights extends TensorTable<PlacedTensor> {
  readonly advice = `exporting to ONNX may have merged or renamed it: ${ADVICE}`;
  private readonly reordered: LastTensor;

  private constructor(tensors: ReadonlyMap<string, PlacedTensor>, limits: Limits) {
    super(tensors);
    this.reordered = new LastTensor(limits);
  }

  /** Throws `checkpoint_malformed`, `checkpoint_not_found`, `tensor_missing`, `limit_exceeded` or `dtype_unsupported`. */
  static async open(file: SourceFile, limits: Limits, openBeside: OpenBeside): Promise<OnnxWeights> {
    const tensors = new Map<string, PlacedTensor>();
    const { named, nameless } = onnxParameters(await readOnnxGraph(file, limits));
    if (nameless.length > 0) {
      throw new EncoderError(
        'tensor_missing',
        `${file.path} does not say what ${nameless.length} of its matrices are called in PyTorch ` +
          `(${cut(nameless[0]!)}); ${ADVICE}`,
      );
    }
    const repeats = new Repeats(file);
    for (const [name, [first, ...others]] of named) {
      const tensor = await place(file, first!, openBeside);
      for (const other of others) {
        if (await repeats.areEqual(tensor, await place(file, other, openBeside))) continue;
        const either = `${cut(first!.tensor.name)} or ${cut(other.tensor.name)}`;
        throw new EncoderError(
          'tensor_missing',
          `${file.path} does not say whether ${either} is ${cut(name)} in PyTorch; ${ADVICE}`,
        );
      }
      tensors.set(name, tensor);
    }
    return new OnnxWeights(tensors, limits);
  }

  protected async readPiece(name: string, tensor: PlacedTensor, offset: number, length: number): Promise<Buffer> {
    if (!tensor.isTransposed) return readPlaced(tensor, offset, length);
    return this.reordered.slice(name, tensor.sizeBytes, [offset, length], async () => {
      return reverseAxes(await readPlaced(tensor, 0, tensor.sizeBytes), tensor.shape, tensor.elementBytes);
    });
  }
}

/** The names of the files that the tensors of an ONNX file lie in, beside it. */
export async function onnxDataFiles(file: SourceFile, limits: Limits): Promise<string[]> {
  const { tensors } = await readOnnxGraph(file, limits);
  return [...new Set(tensors.flatMap(({ place }) => place?.file ?? []))];
}

async function place(
  file: SourceFile,
  { tensor, isTransposed }: OnnxParameter,
  openBeside: OpenBeside,
): Promise<PlacedTensor> {
  const shape = isTransposed ? [...tensor.shape].reverse() : tensor.shape;
  const elementBytes = ELEMENT_BYTES[tensor.dtype] ?? 0;
  const found = { dtype: tensor.dtype, shape, file: file.path, elementBytes, isTransposed };
  if (elementBytes === 0) return { ...found, sizeBytes: 0, source: undefined, offset: 0 };
  const sizeBytes = tensor.shape.reduce((product, size) => product * size, elementBytes);
  const { source, offset, length } = await locate(file, tensor, openBeside);
  if (length !== sizeBytes) {
    malformed(file, `${cut(tensor.name)} (${tensor.dtype} [${tensor.shape.join()}]) has ${length} bytes`);
  }
  if (offset + length > source.sizeBytes) {
    const end = `ends at byte ${offset + length} of ${source.path}, which has ${source.sizeBytes}`;
    malformed(file, `${cut(tensor.name)} ${end}; the download may be incomplete`);
  }
  return { ...found, sizeBytes, source, offset };
}

async function locate(file: SourceFile, { name, place }: OnnxTensor, openBeside: OpenBeside) {
  if (place === undefined) malformed(file, `${cut(name)} is stored number by number, without raw_data`);
  const { file: beside, offset, length } = place;
  const source = beside === undefined ? file : await openBeside(beside);
  if (source === undefined) {
    throw new EncoderError(
      'checkpoint_not_found',
      `${file.path} has its weights in ${beside}, which is not beside it; download it too`,
    );
  }
  return { source, offset, length: length ?? source.sizeBytes - offset };
}

/** Compares tensors of one name. No two lie in one place, so that all of them are no longer than the files they are in. */
class Repeats {
  private readonly paths = new Set<string>();
  private unreadBytes = 0;

  constructor(private readonly file: SourceFile) {}

  async areEqual(one: PlacedTensor, other: PlacedTensor): Promise<boolean> {
    const isAlike =
      one.dtype === other.dtype && one.isTransposed === other.isTransposed && one.shape.join() === other.shape.join();
    if (!isAlike) return false;
    if (one.source?.path === other.source?.path && one.offset === other.offset) return true;
    this.count(other);
    for (let at = 0; at < one.sizeBytes; at += COMPARED_BYTES) {
      const length = Math.min(COMPARED_BYTES, one.sizeBytes - at);
      if (!(await readPlaced(one, at, length)).equals(await readPlaced(other, at, length))) return false;
    }
    return true;
  }

  private count({ source, sizeBytes }: PlacedTensor): void {
    if (source !== undefined && !this.paths.has(source.path)) {
      this.paths.add(source.path);
      this.unreadBytes += source.sizeBytes;
    }
    this.unreadBytes -= sizeBytes;
    if (this.unreadBytes < 0) malformed(this.file, 'its tensors lie on top of each other');
  }
}

async function readPlaced({ source, offset }: PlacedTensor, from: number, length: number): Promise<Buffer> {
  return source === undefined ? Buffer.alloc(0) : source.read(offset + from, length);
}
