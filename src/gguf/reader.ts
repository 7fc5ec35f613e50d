/**
 * Reads the head of any GGUF file: metadata and tensor infos, never tensor data. The file may be hostile: each count,
 * length and offset is checked against the file's real size and a limit before memory is taken for it.
 */
import { GIT_LFS_ADVICE, POINTER_BYTES, isGitLfsPointer } from '../support/git-lfs';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../support/limits';
import { SourceFile } from '../support/source-file';
import { HeaderCursor } from './header-cursor';
import { GENERAL_KEYS } from './keys';
import {
  GGUF_MAGIC,
  GGML_TYPES,
  GGUF_VALUE_TYPES,
  type GgmlType,
  type GgufArray,
  type GgufScalar,
  type GgufScalarType,
  type GgufTensorInfo,
  type GgufValue,
  alignUp,
} from './types';
import { GGUF_ALIGNMENT, tensorBytes } from './writer';

/** The head of a GGUF file. */
export interface GgufHead {
  readonly version: number;
  readonly alignment: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensorInfo[];
  /** Where tensor data begins, bytes from the start of the file. */
  readonly dataOffset: number;
  readonly sizeBytes: number;
}

const MAX_KEY_BYTES = 255;
const MAX_NAME_BYTES = 63;
const MAX_DIMENSION = 2 ** 31 - 1;
/** Smallest possible entry (key of no bytes, one-byte value) and tensor info: bounds counts by the file's size. */
const MIN_ENTRY_BYTES = 13;
const MIN_TENSOR_BYTES = 24;

const TYPE_BY_ID: ReadonlyMap<number, GgmlType> = new Map(GGML_TYPES.map((type) => [type.id, type]));
const SCALAR_BY_ID: ReadonlyMap<number, GgufScalarType> = new Map(
  Object.entries(GGUF_VALUE_TYPES)
    .filter(([name]) => name !== 'array')
    .map(([name, id]) => [id, name as GgufScalarType]),
);

/**
 * Opens `path` and reads its head. Throws `EncoderError`: `model_not_found`, `io_failed`, or `gguf_malformed` naming
 * the key or tensor at fault.
 */
export async function readGgufHead(path: string, limits: Limits = DEFAULT_LIMITS): Promise<GgufHead> {
  const file = await SourceFile.open(path, 'model_not_found');
  try {
    return await readGgufHeadOf(file, limits);
  } finally {
    await file.close();
  }
}

/** The same for a file that is open and stays so. */
export function readGgufHeadOf(file: SourceFile, limits: Limits): Promise<GgufHead> {
  return parseHead(new HeaderCursor(file, limits));
}

/** Whether the file at `path` has the key; values behind it are not looked at. Throws what `readGgufHead` throws. */
export async function hasGgufKey(path: string, key: string, limits: Limits = DEFAULT_LIMITS): Promise<boolean> {
  const file = await SourceFile.open(path, 'model_not_found');
  try {
    const cursor = new HeaderCursor(file, limits);
    const { numEntries } = await readCounts(cursor);
    const budget = { left: 2 * limits.ggufArrayElements };
    for (let i = 0; i < numEntries; i++) {
      if ((await readKey(cursor, i)) === key) return true;
      await readValue(cursor, key, budget);
    }
    return false;
  } finally {
    await file.close();
  }
}

async function parseHead(cursor: HeaderCursor): Promise<GgufHead> {
  const { version, numTensors, numEntries } = await readCounts(cursor);
  const metadata = await readMetadata(cursor, numEntries);
  const alignment = readAlignment(cursor, metadata.get(GENERAL_KEYS.alignment));
  const tensors = await readTensorInfos(cursor, numTensors, alignment);
  const dataOffset = alignUp(cursor.position, alignment);
  checkExtent(cursor, tensors, dataOffset, alignment);
  return { version, alignment, metadata, tensors, dataOffset, sizeBytes: cursor.sizeBytes };
}

async function readCounts(
  cursor: HeaderCursor,
): Promise<{ readonly version: number; readonly numTensors: number; readonly numEntries: number }> {
  const version = await readVersion(cursor);
  const numTensors = await cursor.count('the number of tensors', cursor.limits.ggufTensors, 'ggufTensors');
  const numEntries = await cursor.count('the number of metadata entries', cursor.limits.ggufEntries, 'ggufEntries');
  if (MIN_ENTRY_BYTES * numEntries + MIN_TENSOR_BYTES * numTensors > cursor.sizeBytes) {
    cursor.malformed(`it claims ${numEntries} metadata entries and ${numTensors} tensors, more than fit its size`);
  }
  return { version, numTensors, numEntries };
}

async function readKey(cursor: HeaderCursor, index: number): Promise<string> {
  const key = await cursor.string(`metadata key ${index}`, MAX_KEY_BYTES);
  if (key === '' || key.includes('\0')) cursor.malformed(`metadata key ${index} is empty or contains NUL`);
  return key;
}

async function readVersion(cursor: HeaderCursor): Promise<number> {
  await checkMagic(cursor);
  const version = await cursor.uint32('the version');
  if ((version & 0xffff) === 0) cursor.malformed('it is big-endian, which is not supported');
  if (version !== 2 && version !== 3) cursor.malformed(`its version is ${version}; versions 2 and 3 are supported`);
  return version;
}

async function checkMagic(cursor: HeaderCursor): Promise<void> {
  const magic = (await cursor.bytes(GGUF_MAGIC.length, 'the magic')).toString('latin1');
  if (magic === GGUF_MAGIC) return;
  const left = Math.min(cursor.sizeBytes, POINTER_BYTES) - GGUF_MAGIC.length;
  const head = magic + (await cursor.bytes(left, 'the head')).toString('latin1');
  if (isGitLfsPointer(head)) cursor.malformed(GIT_LFS_ADVICE);
  cursor.malformed(`it does not begin with ${GGUF_MAGIC}; this is another kind of file`);
}

async function readMetadata(cursor: HeaderCursor, count: number): Promise<Map<string, GgufValue>> {
  const metadata = new Map<string, GgufValue>();
  const budget = { left: 2 * cursor.limits.ggufArrayElements };
  for (let i = 0; i < count; i++) {
    const key = await readKey(cursor, i);
    if (metadata.has(key)) cursor.malformed(`the key ${key} occurs twice`);
    metadata.set(key, await readValue(cursor, key, budget));
  }
  return metadata;
}

async function readValue(cursor: HeaderCursor, key: string, budget: { left: number }): Promise<GgufValue> {
  const id = await cursor.uint32(key);
  if (id !== GGUF_VALUE_TYPES.array) {
    const type = scalarType(cursor, key, id);
    return { type, isArray: false, value: await readScalar(cursor, key, type) };
  }
  const type = scalarType(cursor, key, await cursor.uint32(key));
  const length = await cursor.count(`the length of ${key}`, cursor.limits.ggufArrayElements, 'ggufArrayElements');
  budget.left -= length;
  if (budget.left < 0) {
    throw limitExceeded(cursor.limits, 'ggufArrayElements', `${cursor.path}: its arrays hold more than twice as many`);
  }
  return { type, isArray: true, value: await readArray(cursor, key, type, length) };
}

function scalarType(cursor: HeaderCursor, key: string, id: number): GgufScalarType {
  return SCALAR_BY_ID.get(id) ?? cursor.malformed(`${key} has the unknown or nested value type ${id}`);
}

async function readScalar(cursor: HeaderCursor, key: string, type: GgufScalarType): Promise<GgufScalar> {
  if (type === 'string') return cursor.string(key, cursor.limits.ggufStringBytes, 'ggufStringBytes');
  const values = await readArray(cursor, key, type, 1);
  return values[0] as GgufScalar;
}

async function readArray(cursor: HeaderCursor, key: string, type: GgufScalarType, length: number): Promise<GgufArray> {
  if (type === 'string') {
    // Each string takes at least its length field.
    cursor.requireLeft(8 * length, key);
    const strings: string[] = [];
    for (let i = 0; i < length; i++)
      strings.push(await cursor.string(key, cursor.limits.ggufStringBytes, 'ggufStringBytes'));
    return strings;
  }
  const bytes = await cursor.copy(length * ELEMENT_BYTES[type], key);
  if (type !== 'bool') return new ELEMENT_ARRAYS[type](bytes);
  return [...new Uint8Array(bytes)].map((byte) => {
    if (byte > 1) cursor.malformed(`${key} holds the boolean ${byte}`);
    return byte === 1;
  });
}

const ELEMENT_BYTES: Readonly<Record<Exclude<GgufScalarType, 'string'>, number>> = {
  uint8: 1,
  int8: 1,
  bool: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  uint64: 8,
  int64: 8,
  float64: 8,
};

const ELEMENT_ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float64: Float64Array,
} as const;

function readAlignment(cursor: HeaderCursor, entry: GgufValue | undefined): number {
  if (entry === undefined) return GGUF_ALIGNMENT;
  const { type, isArray, value } = entry;
  const valid = type === 'uint32' && !isArray && typeof value === 'number' && value >= 8 && value <= 4096;
  if (!valid || (value & (value - 1)) !== 0) {
    return cursor.malformed(`${GENERAL_KEYS.alignment} must be a UINT32 power of two between 8 and 4096`);
  }
  return value;
}

async function readTensorInfos(cursor: HeaderCursor, count: number, alignment: number): Promise<GgufTensorInfo[]> {
  const tensors: GgufTensorInfo[] = [];
  const seen = new Set<string>();
  let expected = 0;
  for (let i = 0; i < count; i++) {
    const name = await cursor.string(`the name of tensor ${i}`, MAX_NAME_BYTES);
    if (name === '' || name.includes('\0')) cursor.malformed(`the name of tensor ${i} is empty or contains NUL`);
    if (seen.has(name)) cursor.malformed(`the tensor ${name} occurs twice`);
    seen.add(name);
    const info = await readTensorInfo(cursor, name);
    if (info.offset !== expected) cursor.malformed(`the tensor ${name} begins at ${info.offset}, not at ${expected}`);
    expected = alignUp(info.offset + info.sizeBytes, alignment);
    if (expected > cursor.sizeBytes + alignment) cursor.malformed(`the tensor ${name} ends beyond the end of the file`);
    tensors.push(info);
  }
  return tensors;
}

async function readTensorInfo(cursor: HeaderCursor, name: string): Promise<GgufTensorInfo> {
  const rank = await cursor.uint32(name);
  if (rank < 1 || rank > 4) cursor.malformed(`the tensor ${name} has ${rank} dimensions; 1 to 4 are possible`);
  const ne: number[] = [];
  for (let i = 0; i < rank; i++) {
    const dimension = await cursor.count(`a dimension of ${name}`, MAX_DIMENSION);
    if (dimension === 0) cursor.malformed(`the tensor ${name} has a dimension of 0`);
    ne.push(dimension);
  }
  const typeId = await cursor.uint32(name);
  const type = TYPE_BY_ID.get(typeId) ?? cursor.malformed(`the tensor ${name} has the unknown type ${typeId}`);
  const sizeBytes = tensorBytes(type, ne);
  if (sizeBytes === undefined) {
    cursor.malformed(`the tensor ${name} of type ${type.name} cannot have the dimensions [${ne.join()}]`);
  }
  const offset = await cursor.count(`the offset of ${name}`, cursor.sizeBytes);
  return { name, type, ne, offset, sizeBytes };
}

function checkExtent(
  cursor: HeaderCursor,
  tensors: readonly GgufTensorInfo[],
  dataOffset: number,
  alignment: number,
): void {
  const last = tensors.at(-1);
  if (last === undefined) return;
  const end = dataOffset + last.offset + last.sizeBytes;
  if (end > cursor.sizeBytes) {
    cursor.malformed(
      `the tensor ${last.name} ends at ${end}, beyond the file's ${cursor.sizeBytes} bytes; fetch it again`,
    );
  }
  if (cursor.sizeBytes - end >= alignment) {
    cursor.malformed(`${cursor.sizeBytes - end} bytes follow the last tensor; padding is less than ${alignment}`);
  }
}
