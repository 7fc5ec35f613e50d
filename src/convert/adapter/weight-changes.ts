/** What an adapter makes of a tensor of its base: a product added, rows or columns rescaled, or each by a factor. */
import { EncoderError } from '../../errors';
import { decodeElements } from '../dtypes/dtypes';
import { CHUNK_ELEMENTS } from '../limits';
import { ELEMENT_BYTES, type SourceTensor, type TensorSource } from '../readers/tensor-source';
import { LowRank } from './low-rank';

/** A tensor of floats and where it lies. */
export interface Stored {
  readonly source: TensorSource;
  readonly name: string;
}

/** Changes elements [first, first + length) of a tensor in place. */
export type Apply = (values: Float64Array, first: number) => void;

export interface WeightChange {
  /** What is changed. */
  readonly on: Stored;
  /** Reads what the change is made of. */
  load(): Promise<Apply>;
}

export interface LowRankParts {
  /** A: [rank, inputs]; of an embedding [rank, rows]. */
  readonly a: Stored;
  /** B: [outputs, rank]. */
  readonly b: Stored;
  /** Of DoRA, a length for each output; undefined for a plain LoRA. */
  readonly magnitude: Stored | undefined;
  readonly scale: number;
  /** Whether the changed matrix lies as [inputs, outputs]. */
  readonly isTransposed: boolean;
}

/** W + scale . B . A and, with magnitudes, every output's weights made as long as they say. */
export function lowRankChange(on: Stored, parts: LowRankParts): WeightChange {
  const { a, b, magnitude, scale, isTransposed } = parts;
  const [, columns] = describe(on).shape as [number, number];
  return {
    on,
    load: async () => {
      const [narrowA, narrowB] = [await readAll(a), await readAll(b)];
      const rank = describe(a).shape[0]!;
      const product = isTransposed
        ? new LowRank(transposed(narrowA, rank), transposed(narrowB, narrowB.length / rank), columns, scale)
        : new LowRank(narrowB, narrowA, columns, scale);
      const add: Apply = (values, first) => product.addTo(values, first);
      if (magnitude === undefined) return add;
      const lengths = await outputLengths(on, add, isTransposed);
      const factors = Float64Array.from(await readAll(magnitude), (value, output) => value / lengths[output]!);
      const rescale = scaleBy(factors, columns, isTransposed ? 'columns' : 'rows');
      return (values, first) => {
        add(values, first);
        rescale(values, first);
      };
    },
  };
}

/** IA3: every row, or every column, or every element of a bias by its factor. */
export function scalingChange(on: Stored, factors: Stored, along: 'rows' | 'columns'): WeightChange {
  const columns = describe(on).shape[1] ?? 1;
  return { on, load: async () => scaleBy(Float64Array.from(await readAll(factors)), columns, along) };
}

function scaleBy(factors: Float64Array, columns: number, along: 'rows' | 'columns'): Apply {
  return (values, first) => {
    for (let done = 0; done < values.length;) {
      const row = Math.floor((first + done) / columns);
      const begin = first + done - row * columns;
      const end = Math.min(columns, begin + values.length - done);
      for (let column = begin; column < end; column++, done++)
        values[done]! *= factors[along === 'rows' ? row : column]!;
    }
  };
}

/** Of every output's weights after `add`, in one pass over the matrix. */
async function outputLengths(on: Stored, add: Apply, isTransposed: boolean): Promise<Float64Array> {
  const [rows, columns] = describe(on).shape as [number, number];
  const squares = new Float64Array(isTransposed ? columns : rows);
  const rowsAtOnce = Math.max(1, Math.floor(CHUNK_ELEMENTS / columns));
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const values = await readElements(on, row * columns, Math.min(rowsAtOnce, rows - row) * columns);
    add(values, row * columns);
    for (let index = 0; index < values.length; index++) {
      const output = isTransposed ? index % columns : row + Math.floor(index / columns);
      squares[output]! += values[index]! ** 2;
    }
  }
  return squares.map(Math.sqrt);
}

/** Elements [first, first + count) as F64. */
export async function readElements({ source, name }: Stored, first: number, count: number): Promise<Float64Array> {
  const { dtype } = describe({ source, name });
  const bytes = ELEMENT_BYTES[dtype]!;
  const values = decodeElements(dtype, await source.read(name, first * bytes, count * bytes));
  const result = new Float64Array(count);
  // Several times as fast as Float64Array.from.
  for (let index = 0; index < count; index++) result[index] = values[index]!;
  return result;
}

export function describe({ source, name }: Stored): SourceTensor {
  const tensor = source.find(name);
  if (tensor === undefined) throw new EncoderError('internal', `${name} is changed, which nothing holds`);
  return tensor;
}

async function readAll(stored: Stored): Promise<Float32Array> {
  const { dtype, sizeBytes } = describe(stored);
  return decodeElements(dtype, await stored.source.read(stored.name, 0, sizeBytes));
}

/** `matrix` has `rows` rows. */
function transposed(matrix: Float32Array, rows: number): Float32Array {
  const columns = matrix.length / rows;
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column]!;
  }
  return result;
}
