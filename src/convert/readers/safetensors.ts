/**
 * Reads one .safetensors file: an 8-byte length, a JSON header, then the tensors' bytes without holes. Stricter than the
 * reference reader where two readers could disagree: no duplicate names, no control characters, bounded ranks.
 */
import { EncoderError } from '../../errors';
import { type JsonObject, type JsonValue, decodeUtf8, isJsonObject, parseJson, shown } from '../../support/json';
import { GIT_LFS_ADVICE, POINTER_BYTES, isGitLfsPointer } from '../../support/git-lfs';
import type { SourceFile } from '../../support/source-file';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import { MAX_DIMENSION, MAX_TENSOR_NAME_BYTES, MAX_TENSOR_RANK } from '../limits';
import { type SourceTensor, TensorTable } from './tensor-source';

/** Bits per element of every type that the format knows. */
const DTYPE_BITS: ReadonlyMap<string, number> = new Map([
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['BOOL', 8],
  ['U8', 8],
  ['I8', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['I64', 64],
  ['U64', 64],
  ['F64', 64],
  ['C64', 64],
]);

const LENGTH_BYTES = 8;

interface PlacedTensor extends SourceTensor {
  /** Bytes from the start of the data section. */
  readonly begin: number;
}

export class SafetensorsFile extends TensorTable<PlacedTensor> {
  private constructor(
    private readonly file: SourceFile,
    tensors: ReadonlyMap<string, PlacedTensor>,
    private readonly dataOffset: number,
  ) {
    super(tensors);
  }

  /** Reads and checks the header. Throws `checkpoint_malformed` or `limit_exceeded`, naming file and tensor. */
  static async open(file: SourceFile, limits: Limits = DEFAULT_LIMITS): Promise<SafetensorsFile> {
    const headerBytes = await readHeaderLength(file, limits);
    const header = await file.read(LENGTH_BYTES, headerBytes);
    const json = parseJson(decodeUtf8(header, `the header of ${file.path}`), {
      what: `the header of ${file.path}`,
      integersOnly: true,
    });
    const dataOffset = LENGTH_BYTES + headerBytes;
    return new SafetensorsFile(file, readTensors(file, json, file.sizeBytes - dataOffset, limits), dataOffset);
  }

  protected async readPiece(_name: string, tensor: PlacedTensor, offset: number, length: number): Promise<Buffer> {
    return this.file.read(this.dataOffset + tensor.begin + offset, length);
  }
}

async function readHeaderLength(file: SourceFile, limits: Limits): Promise<number> {
  if (file.sizeBytes < LENGTH_BYTES) malformed(file, `it has ${file.sizeBytes} bytes, too few for a header`);
  const head = await file.read(0, Math.min(file.sizeBytes, POINTER_BYTES));
  if (isGitLfsPointer(head)) malformed(file, GIT_LFS_ADVICE);
  const length = head.readBigUInt64LE();
  if (length > BigInt(file.sizeBytes - LENGTH_BYTES)) {
    malformed(
      file,
      `its header claims ${length} bytes but the file has ${file.sizeBytes}; the download may be incomplete`,
    );
  }
  if (length > BigInt(limits.safetensorsHeaderBytes)) {
    throw limitExceeded(limits, 'safetensorsHeaderBytes', `${file.path}: the header has ${length} bytes`);
  }
  return Number(length);
}

function readTensors(
  file: SourceFile,
  header: JsonValue,
  dataBytes: number,
  limits: Limits,
): Map<string, PlacedTensor> {
  if (!isJsonObject(header)) malformed(file, 'its header is not an object');
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  if (names.length > limits.tensorsPerFile) {
    throw limitExceeded(limits, 'tensorsPerFile', `${file.path} has ${names.length} tensors`);
  }
  checkMetadata(file, header['__metadata__']);
  const tensors = names.map((name) => [name, readTensor(file, name, header[name])] as const);
  checkContiguous(file, tensors, dataBytes);
  return new Map(tensors);
}

function checkMetadata(file: SourceFile, metadata: JsonValue | undefined): void {
  if (metadata === undefined || metadata === null) return;
  if (!isJsonObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    malformed(file, 'its __metadata__ is not a table of strings');
  }
}

function readTensor(file: SourceFile, name: string, entry: JsonValue | undefined): PlacedTensor {
  // A name with control characters or half a surrogate pair cannot be told from another one in a message or a file.
  if (/[\p{Cc}\p{Cs}]/u.test(name) || name === '' || Buffer.byteLength(name) > MAX_TENSOR_NAME_BYTES) {
    malformed(file, `the tensor name ${shown(name, 80)} is empty, too long or holds control characters`);
  }
  if (!isJsonObject(entry)) malformed(file, `the entry of ${name} is not an object`);
  const { dtype, shape, sizeBytes } = readType(file, name, entry);
  const offsets = entry['data_offsets'];
  if (!isIntegers(offsets) || offsets.length !== 2) malformed(file, `${name} has no valid data_offsets`);
  const [begin, end] = offsets as [number, number];
  if (end < begin || end - begin !== sizeBytes) {
    malformed(
      file,
      `${name} (${dtype} [${shape.join()}]) takes ${sizeBytes} bytes but its offsets are ${begin} and ${end}`,
    );
  }
  return { dtype, shape, sizeBytes, begin, file: file.path };
}

function readType(file: SourceFile, name: string, entry: JsonObject): Omit<SourceTensor, 'file'> {
  const { dtype, shape } = entry;
  const bits = typeof dtype === 'string' ? DTYPE_BITS.get(dtype) : undefined;
  if (typeof dtype !== 'string' || bits === undefined) {
    malformed(file, `${name} has the unknown dtype ${shown(dtype, 40)}`);
  }
  if (!isIntegers(shape) || shape.length > MAX_TENSOR_RANK || shape.some((size) => size > MAX_DIMENSION)) {
    malformed(file, `${name} has no valid shape; up to ${MAX_TENSOR_RANK} dimensions below 2^31 are possible`);
  }
  // A zero decides the product, but not before every partial product was seen to fit.
  const elements = shape.reduce((product, size) => product * Math.max(size, 1), 1);
  if (elements * bits > Number.MAX_SAFE_INTEGER || (elements * bits) % 8 !== 0) {
    malformed(file, `${name} (${dtype} [${shape.join()}]) has an impossible size`);
  }
  return { dtype, shape, sizeBytes: shape.includes(0) ? 0 : (elements * bits) / 8 };
}

/** Tensors must cover the data section exactly: a hole or an overlap could hide a second meaning of the file. */
function checkContiguous(
  file: SourceFile,
  tensors: readonly (readonly [string, PlacedTensor])[],
  dataBytes: number,
): void {
  const placed = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.sizeBytes - b.sizeBytes);
  let end = 0;
  for (const [name, tensor] of placed) {
    if (tensor.begin !== end) {
      malformed(file, `${name} begins at byte ${tensor.begin} of the data; the tensor before it ends at ${end}`);
    }
    end = tensor.begin + tensor.sizeBytes;
  }
  if (end !== dataBytes) {
    malformed(file, `its tensors take ${end} bytes but ${dataBytes} follow the header; the download may be incomplete`);
  }
}

function isIntegers(value: JsonValue | undefined): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function malformed(file: SourceFile, reason: string): never {
  throw new EncoderError('checkpoint_malformed', `${file.path} is not a valid safetensors file: ${reason}`);
}
