/** Reads one pytorch_model.bin: a pickle that describes tensors as views of storages, and the storages. */
import { GIT_LFS_ADVICE, isGitLfsPointer } from '../../support/git-lfs';
import type { SourceFile } from '../../support/source-file';
import { elementsOf } from './elements';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import { LastTensor } from './last-tensor';
import { type SourceTensor, TensorTable } from './tensor-source';
import { readArchive } from './torch-archive';
import { type TorchContents, type TorchView, malformed } from './torch-contents';
import { isLegacy, readLegacy } from './torch-legacy';

interface TorchTensor extends SourceTensor {
  readonly view: TorchView;
  readonly isContiguous: boolean;
}

export class TorchCheckpoint extends TensorTable<TorchTensor> {
  private readonly reordered: LastTensor;

  private constructor(
    private readonly file: SourceFile,
    tensors: ReadonlyMap<string, TorchTensor>,
    private readonly starts: TorchContents['starts'],
    private readonly limits: Limits,
  ) {
    super(tensors);
    this.reordered = new LastTensor(limits);
  }

  /** Reads what stands around the storages; nothing in it is run. Throws `checkpoint_malformed` or `limit_exceeded`. */
  static async open(file: SourceFile, limits: Limits = DEFAULT_LIMITS): Promise<TorchCheckpoint> {
    const { views, starts } = await readContents(file, limits);
    const tensors = [...views].map(([name, view]) => [name, describe(file, view)] as const);
    return new TorchCheckpoint(file, new Map(tensors), starts, limits);
  }

  protected async readPiece(name: string, tensor: TorchTensor, offset: number, length: number): Promise<Buffer> {
    if (tensor.isContiguous) return this.file.read(this.start(tensor.view) + offset, length);
    return this.reordered.slice(name, tensor.sizeBytes, [offset, length], () => this.gather(name, tensor));
  }

  private start({ storage, offset, elementBytes }: TorchView): number {
    return this.starts.get(storage)! + offset * elementBytes;
  }

  /** The tensor in row-major order, from the part of its storage between its first and its last element. */
  private async gather(name: string, { view, sizeBytes }: TorchTensor): Promise<Buffer> {
    const { shape, strides, elementBytes } = view;
    const span = shape.reduce((sum, count, axis) => sum + (count - 1) * strides[axis]!, 1) * elementBytes;
    if (span > this.limits.rearrangedBytes) {
      throw limitExceeded(
        this.limits,
        'rearrangedBytes',
        `${name} in ${this.file.path} is scattered over ${span} bytes`,
      );
    }
    const source = elementsOf(await this.file.read(this.start(view), span), elementBytes);
    const result = Buffer.allocUnsafeSlow(sizeBytes);
    const gathered = elementsOf(result, elementBytes);
    const index = shape.map(() => 0);
    for (let out = 0, from = 0; out < gathered.length; out++) {
      gathered[out] = source[from]!;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        from += strides[axis]!;
        if (++index[axis]! < shape[axis]!) break;
        from -= shape[axis]! * strides[axis]!;
        index[axis] = 0;
      }
    }
    return result;
  }
}

function describe(file: SourceFile, view: TorchView): TorchTensor {
  const { dtype, elementBytes, shape, strides } = view;
  const sizeBytes = shape.reduce((product, count) => product * count, elementBytes);
  let expected = 1;
  let isContiguous = true;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) isContiguous = false;
    expected *= shape[axis]!;
  }
  return { dtype, shape, sizeBytes, file: file.path, view, isContiguous: isContiguous || sizeBytes === 0 };
}

async function readContents(file: SourceFile, limits: Limits): Promise<TorchContents> {
  const head = await file.read(0, Math.min(file.sizeBytes, 512));
  if (head.toString('latin1', 0, 2) === 'PK') return readArchive(file, limits);
  if (isLegacy(head)) return readLegacy(file, limits);
  if (isGitLfsPointer(head)) malformed(file.path, GIT_LFS_ADVICE);
  const isTar = head.toString('latin1', 257, 262) === 'ustar';
  const kind = isTar ? 'a tar archive of the first PyTorch releases' : 'no file of torch.save';
  const advice = 'model.save_pretrained(folder) or torch.save(model.state_dict(), path)';
  malformed(file.path, `it is ${kind}; load it with Python torch and save it again with ${advice}`);
}
