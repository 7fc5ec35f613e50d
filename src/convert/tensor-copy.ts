/** One tensor from the checkpoint to the file: read, checked, converted and handed on in pieces. */
import { EncoderError } from '../errors';
import type { GgufTensorInfo } from '../gguf/types';
import type { PlannedTensor } from './architectures/architecture';
import { type ElementType, decodeElements, encodeElements, findNonFinite, findTooLarge } from './dtypes/dtypes';
import { CHUNK_ELEMENTS, MAX_HEAD_SIZE } from './limits';
import { type TensorSource, requireFloats, storedBlock } from './readers/tensor-source';

/** Elements of a transposed matrix that are held at once, 64 MiB of them. */
const STRIP_ELEMENTS = 2 ** 24;

/** Of what one tensor is computed from; published models have some megabytes. */
const MAX_COMPUTED_BYTES = 2 ** 30;

/**
 * Calls `emit` with the stored bytes of `info`, in order. Throws `weights_not_finite` and `dtype_unsupported` naming
 * the tensor, the index and the value.
 */
export async function copyTensor(
  weights: TensorSource,
  tensor: PlannedTensor,
  info: GgufTensorInfo,
  emit: (data: Uint8Array) => Promise<void>,
): Promise<void> {
  if (tensor.compute !== undefined) return computeTensor(weights, tensor, tensor.compute, emit);
  if (tensor.isTransposed) {
    for (const name of tensor.sources) await copyTransposed(weights, name, info, emit);
    return;
  }
  if (tensor.groups !== undefined) {
    for (const [index, name] of tensor.sources.entries()) {
      await copyGrouped(weights, name, tensor.groups[index]!, info, emit);
    }
    return;
  }
  for (const [index, name] of tensor.sources.entries()) {
    const source = weights.find(name)!;
    const { elements, bytes: blockBytes } = storedBlock(source.dtype)!;
    const bytesOf = (length: number) => (length / elements) * blockBytes;
    const count = (source.sizeBytes / blockBytes) * elements;
    const isKept = source.dtype === info.type.name.toUpperCase();
    // Pieces are whole blocks: CHUNK_ELEMENTS and every row of a type with blocks are multiples of them.
    const rows = source.shape[0] ?? 1;
    const columns = count / rows;
    for (const [first, taken] of tensor.rowRanges?.[index] ?? [[0, rows] as const]) {
      const end = (first + taken) * columns;
      for (let start = first * columns; start < end; start += CHUNK_ELEMENTS) {
        const length = Math.min(CHUNK_ELEMENTS, end - start);
        const bytes = await weights.read(name, bytesOf(start), bytesOf(length));
        const values = decodeElements(source.dtype, bytes);
        const type = isKept ? undefined : (info.type.name as ElementType);
        checkValues(values, type, name, source.file, start);
        for (const twin of tensor.twins ?? []) await checkTwin(weights, twin, name, start, values);
        await emit(type === undefined ? bytes : encodeElements(type, values));
      }
    }
  }
}

/** A matrix that lies in the checkpoint as [columns, rows], rows being one axis or more: one pass over it for every strip of rows that is held at once. */
async function copyTransposed(
  weights: TensorSource,
  name: string,
  info: GgufTensorInfo,
  emit: (data: Uint8Array) => Promise<void>,
): Promise<void> {
  const { dtype, shape, file } = weights.find(name)!;
  const [columns = 1, ...axes] = shape;
  const rows = axes.reduce((product, size) => product * size, 1);
  const { bytes: elementBytes } = storedBlock(dtype)!;
  const type = info.type.name as ElementType;
  const columnsAtOnce = Math.max(1, Math.floor(CHUNK_ELEMENTS / rows));
  const rowsAtOnce = Math.max(1, Math.floor(STRIP_ELEMENTS / columns));
  for (let firstRow = 0; firstRow < rows; firstRow += rowsAtOnce) {
    const numRows = Math.min(rowsAtOnce, rows - firstRow);
    const strip = new Float32Array(numRows * columns);
    for (let first = 0; first < columns; first += columnsAtOnce) {
      const count = Math.min(columnsAtOnce, columns - first);
      const bytes = await weights.read(name, first * rows * elementBytes, count * rows * elementBytes);
      const values = decodeElements(dtype, bytes);
      checkValues(values, dtype === type.toUpperCase() ? undefined : type, name, file, first * rows);
      for (let column = 0; column < count; column++) {
        const from = column * rows + firstRow;
        for (let row = 0, to = first + column; row < numRows; row++, to += columns) strip[to] = values[from + row]!;
      }
    }
    for (let start = 0; start < strip.length; start += CHUNK_ELEMENTS) {
      await emit(encodeElements(type, strip.subarray(start, start + CHUNK_ELEMENTS)));
    }
  }
}

/** Rows of `numGroups` groups, each with the values of its group's columns alone: a matrix with blocks on its diagonal. */
async function copyGrouped(
  weights: TensorSource,
  name: string,
  numGroups: number,
  info: GgufTensorInfo,
  emit: (data: Uint8Array) => Promise<void>,
): Promise<void> {
  const { dtype, shape, file } = weights.find(name)!;
  const { bytes: elementBytes } = storedBlock(dtype)!;
  const type = info.type.name as ElementType;
  const [rows = 1, width = 1] = shape;
  const columns = width * numGroups;
  const rowsAtOnce = Math.max(1, Math.floor(CHUNK_ELEMENTS / columns));
  for (let first = 0; first < rows; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - first);
    const bytes = await weights.read(name, first * width * elementBytes, count * width * elementBytes);
    const values = decodeElements(dtype, bytes);
    checkValues(values, dtype === type.toUpperCase() ? undefined : type, name, file, first * width);
    const blocks = new Float32Array(count * columns);
    for (let row = 0; row < count; row++) {
      const group = Math.floor((first + row) / (rows / numGroups));
      blocks.set(values.subarray(row * width, (row + 1) * width), row * columns + group * width);
    }
    await emit(encodeElements(type, blocks));
  }
}

/** Values of vectors with at most MAX_HEAD_SIZE of them, by name. */
export async function readVectors(
  weights: TensorSource,
  names: readonly string[],
): Promise<ReadonlyMap<string, Float32Array>> {
  const vectors = new Map<string, Float32Array>();
  for (const name of names) {
    const { dtype, shape, file, sizeBytes } = weights.find(name)!;
    requireFloats(name, { dtype, file });
    if (shape.length !== 1 || shape[0]! > MAX_HEAD_SIZE) {
      throw new EncoderError('tensor_shape_mismatch', `${name} in ${file} has the shape [${shape.join(', ')}]`);
    }
    const values = decodeElements(dtype, await weights.read(name, 0, sizeBytes));
    checkValues(values, undefined, name, file, 0);
    vectors.set(name, values);
  }
  return vectors;
}

/** Where the values differ, transformers does not tie the tensors, and the model is another one. */
async function checkTwin(
  weights: TensorSource,
  twin: string,
  name: string,
  start: number,
  values: Float32Array,
): Promise<void> {
  const { dtype, file } = weights.find(twin)!;
  const { elements, bytes } = storedBlock(dtype)!;
  const bytesOf = (length: number) => (length / elements) * bytes;
  const others = decodeElements(dtype, await weights.read(twin, bytesOf(start), bytesOf(values.length)));
  if (others.every((value, index) => value === values[index])) return;
  throw new EncoderError(
    'architecture_unsupported',
    `${twin} in ${file} differs from ${name}; only checkpoints in which both are one matrix are supported`,
  );
}

/** Small tensors or a few rows, read at once; what they give is f32. */
async function computeTensor(
  weights: TensorSource,
  tensor: PlannedTensor,
  compute: NonNullable<PlannedTensor['compute']>,
  emit: (data: Uint8Array) => Promise<void>,
): Promise<void> {
  const sources: Float32Array[] = [];
  let left = MAX_COMPUTED_BYTES;
  for (const [index, name] of tensor.sources.entries()) {
    const source = weights.find(name)!;
    const numRows = source.shape[0] ?? 1;
    const rowBytes = source.sizeBytes / numRows;
    const parts: Float32Array[] = [];
    for (const [first, count] of tensor.rowRanges?.[index] ?? [[0, numRows] as const]) {
      left -= count * rowBytes;
      if (left < 0) {
        const reason = `${name} and what it is joined with have more than ${MAX_COMPUTED_BYTES} bytes`;
        throw new EncoderError('limit_exceeded', `${source.file}: ${reason}`);
      }
      const bytes = await weights.read(name, first * rowBytes, count * rowBytes);
      const values = decodeElements(source.dtype, bytes);
      checkValues(values, 'f32', name, source.file, first * (values.length / count));
      parts.push(values);
    }
    sources.push(parts.length === 1 ? parts[0]! : concatenate(parts));
  }
  for (const values of compute(sources)) await emit(encodeElements('f32', values));
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** `type`: what the values are stored as; undefined when that is what they are now. */
function checkValues(
  values: Float32Array,
  type: ElementType | undefined,
  name: string,
  file: string,
  start: number,
): void {
  const broken = findNonFinite(values);
  if (broken >= 0) {
    throw new EncoderError(
      'weights_not_finite',
      `${name} in ${file} holds ${values[broken]} at index ${start + broken}; the checkpoint is damaged or was not trained to the end`,
    );
  }
  const large = type === undefined ? -1 : findTooLarge(values, type);
  if (large >= 0) {
    throw new EncoderError(
      'dtype_unsupported',
      `${name} in ${file} holds ${values[large]} at index ${start + large}, too large for ${type}; convert to f32 or bf16`,
    );
  }
}
