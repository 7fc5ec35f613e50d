/** Reads one pytorch_model.bin: a zip archive with one pickle that describes tensors and one entry per storage. */
import { EncoderError } from '../../errors';
import { GIT_LFS_ADVICE, isGitLfsPointer } from '../../support/git-lfs';
import type { SourceFile } from '../../support/source-file';
import { crc32 } from './crc32';
import { elementsOf } from './elements';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import { LastTensor } from './last-tensor';
import { type SourceTensor, type TensorSource, tensorForRead } from './tensor-source';
import { type TorchView, readStateDict } from './torch-pickle';
import { type ZipEntry, readZip } from './zip';

/** How files of before PyTorch 1.6 begin: the pickled number 0x1950a86a20f9469cfc6c. */
const LEGACY_MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa85019', 'hex');

interface TorchTensor extends SourceTensor {
  readonly view: TorchView;
  readonly isContiguous: boolean;
}

export class TorchCheckpoint implements TensorSource {
  private readonly reordered: LastTensor;

  private constructor(
    private readonly file: SourceFile,
    private readonly tensors: ReadonlyMap<string, TorchTensor>,
    private readonly storages: ReadonlyMap<string, ZipEntry>,
    private readonly limits: Limits,
  ) {
    this.reordered = new LastTensor(limits);
  }

  /** Reads the directory and the pickle; nothing in them is run. Throws `checkpoint_malformed` or `limit_exceeded`. */
  static async open(file: SourceFile, limits: Limits = DEFAULT_LIMITS): Promise<TorchCheckpoint> {
    await refuseOtherKinds(file);
    const { pickle, storages } = await readArchive(file, limits);
    const views = readStateDict(pickle, file.path, (key) => storages.get(key)?.sizeBytes, limits);
    const tensors = [...views].map(([name, view]) => [name, describe(file, view)] as const);
    return new TorchCheckpoint(file, new Map(tensors), storages, limits);
  }

  names(): Iterable<string> {
    return this.tensors.keys();
  }

  find(name: string): SourceTensor | undefined {
    return this.tensors.get(name);
  }

  async read(name: string, offset: number, length: number): Promise<Buffer> {
    const tensor = tensorForRead(this.tensors, name, offset, length);
    if (tensor.isContiguous) return this.file.read(this.start(tensor.view) + offset, length);
    return this.reordered.slice(name, tensor.sizeBytes, [offset, length], () => this.gather(name, tensor));
  }

  private start({ storage, offset, elementBytes }: TorchView): number {
    return this.storages.get(storage)!.offset + offset * elementBytes;
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

/** Files that are found under the same name and are no zip archive: said what they are and what helps. */
async function refuseOtherKinds(file: SourceFile): Promise<void> {
  const head = await file.read(0, Math.min(file.sizeBytes, 512));
  const old =
    'load it with Python torch and save it again with model.save_pretrained(folder) or torch.save(model.state_dict(), path)';
  if (head.subarray(0, LEGACY_MAGIC.length).equals(LEGACY_MAGIC)) {
    malformed(file, `it was written by PyTorch before 1.6, in a format that this package does not read; ${old}`);
  }
  if (head.toString('latin1', 257, 262) === 'ustar') {
    malformed(file, `it is a tar archive of the first PyTorch releases; ${old}`);
  }
  if (isGitLfsPointer(head)) malformed(file, GIT_LFS_ADVICE);
  if (head.toString('latin1', 0, 2) !== 'PK') malformed(file, `it is no zip archive; ${old}`);
}

async function readArchive(
  file: SourceFile,
  limits: Limits,
): Promise<{ pickle: Buffer; storages: Map<string, ZipEntry> }> {
  const entries = await readZip(file, limits);
  const roots = new Set([...entries.keys()].map((name) => name.slice(0, name.indexOf('/') + 1)));
  const [root] = roots;
  if (root === undefined || roots.size !== 1 || root === '') malformed(file, 'its entries do not share one folder');
  const names = [...entries.keys()].map((name) => name.slice(root.length));
  if (names.some((name) => name === 'constants.pkl' || name.startsWith('code/'))) {
    malformed(
      file,
      'it is a TorchScript program, not weights; save the model with torch.save(model.state_dict(), path) or save_pretrained',
    );
  }
  const packed = [...entries.values()].find(({ isCompressed }) => isCompressed);
  if (packed !== undefined) {
    malformed(
      file,
      `the entry ${packed.name} is compressed; load the model with torch and save it again with torch.save`,
    );
  }
  const order = entries.get(`${root}byteorder`);
  if (
    order !== undefined &&
    (order.sizeBytes > 16 || (await file.read(order.offset, order.sizeBytes)).toString() !== 'little')
  ) {
    malformed(file, 'its numbers are not little-endian; save it again on a little-endian machine');
  }
  const entry = entries.get(`${root}data.pkl`);
  if (entry === undefined) malformed(file, 'it has no data.pkl');
  if (entry.sizeBytes > limits.pickleBytes) {
    throw limitExceeded(limits, 'pickleBytes', `${file.path}: data.pkl has ${entry.sizeBytes} bytes`);
  }
  const pickle = await file.read(entry.offset, entry.sizeBytes);
  if (crc32(pickle) !== entry.crc32) malformed(file, 'data.pkl is damaged: its checksum does not match');
  const storages = new Map<string, ZipEntry>();
  for (const [name, stored] of entries) {
    if (name.startsWith(`${root}data/`)) storages.set(name.slice(root.length + 5), stored);
  }
  return { pickle, storages };
}

function malformed(file: SourceFile, reason: string): never {
  throw new EncoderError('checkpoint_malformed', `${file.path} is not a readable PyTorch checkpoint: ${reason}`);
}
