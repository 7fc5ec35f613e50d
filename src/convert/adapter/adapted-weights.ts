/**
 * The weights of a base with a LoRA adapter merged in: a changed matrix is base + scale . B . A, computed as it is read.
 * What the adapter holds whole, such as the head, stands in the place of the base's.
 */
import { EncoderError } from '../../errors';
import { type Limits, limitExceeded } from '../../support/limits';
import { decodeElements } from '../dtypes';
import {
  ELEMENT_BYTES,
  type SourceTensor,
  type TensorSource,
  requireFloats,
  tensorForRead,
} from '../readers/tensor-source';
import type { AdapterConfig } from './adapter-config';

const PREFIX = 'base_model.model.';
const FACTOR = /^(.+)\.lora_([AB])\.weight$/;
/** What else PEFT's tensors are called; a tensor whose name ends otherwise is one of the model's own. */
const OTHER_PARTS = /\.(lora_\w+|ia3_\w+|\w*_magnitude_vector|oft_\w+|vera_\w+)(\.\w+)?$/;

/** A matrix of the base and the two that change it. */
interface Change {
  readonly base: string;
  /** Names in the adapter: A is [rank, inputs], B is [outputs, rank]. */
  readonly a: string;
  readonly b: string;
  readonly rank: number;
  readonly scale: number;
}

/** delta[row, column] = sum over r of left[row, r] . right[r, column]. */
interface Factors {
  readonly name: string;
  readonly left: Float32Array;
  readonly right: Float32Array;
}

/** A tensor as it is found under its name here. */
type Entry = SourceTensor &
  ({ readonly from: 'base' | 'adapter'; readonly stored: string } | { readonly from: 'both'; readonly change: Change });

export class AdaptedWeights implements TensorSource {
  private factors: Factors | undefined;

  private constructor(
    private readonly base: TensorSource,
    private readonly adapter: TensorSource,
    private readonly isTransposed: boolean,
    private readonly tensors: ReadonlyMap<string, Entry>,
    private readonly listed: ReadonlySet<string>,
  ) {}

  /**
   * Throws `checkpoint_malformed` and `tensor_shape_mismatch` for an adapter that does not fit the base,
   * `dtype_unsupported`, `architecture_unsupported` for tensors that no LoRA has, and `limit_exceeded`.
   */
  static join(base: TensorSource, adapter: TensorSource, config: AdapterConfig, limits: Limits): AdaptedWeights {
    const { pairs, whole } = sortTensors(adapter);
    const encoder = encoderOf(pairs.keys());
    const tensors = new Map<string, Entry>();
    for (const name of base.names()) tensors.set(name, { ...base.find(name)!, from: 'base', stored: name });
    const isBare = ![...tensors.keys()].some((name) => name.startsWith(encoder));
    const listed = new Set([...tensors.keys()].filter((name) => isBare || name.startsWith(encoder)));
    const inBase = (name: string) => (isBare && name.startsWith(encoder) ? name.slice(encoder.length) : name);
    for (const [name, stored] of whole) {
      tensors.set(inBase(name), { ...adapter.find(stored)!, from: 'adapter', stored });
      listed.add(inBase(name));
    }
    for (const [module, { a, b }] of pairs) {
      const name = inBase(`${module}.weight`);
      const found = base.find(name);
      if (found === undefined) {
        throw misfit(adapter.find(a)!, `changes ${module}.weight, which the base does not hold; is it another base?`);
      }
      requireFloats(name, found);
      for (const factor of [a, b]) checkSize(factor, adapter.find(factor)!, limits);
      const rank = checkShapes(module, found, adapter.find(a)!, adapter.find(b)!, config.isTransposed);
      const change = { base: name, a, b, rank, scale: config.scale(module, rank) };
      const sizeBytes = (found.sizeBytes / ELEMENT_BYTES[found.dtype]!) * ELEMENT_BYTES['F32']!;
      tensors.set(name, { ...found, dtype: 'F32', sizeBytes, from: 'both', change });
    }
    return new AdaptedWeights(base, adapter, config.isTransposed, tensors, listed);
  }

  /**
   * Without what a base for other uses has beside its encoder, such as the head of its training: where the classifier has
   * a tensor of that name, it is found all the same, as transformers finds it.
   */
  names(): Iterable<string> {
    return this.listed;
  }

  find(name: string): SourceTensor | undefined {
    return this.tensors.get(name);
  }

  async read(name: string, offset: number, length: number): Promise<Buffer> {
    const entry = tensorForRead(this.tensors, name, offset, length);
    if (entry.from === 'both') return this.readMerged(entry, offset / 4, length / 4);
    return (entry.from === 'base' ? this.base : this.adapter).read(entry.stored, offset, length);
  }

  private async readMerged({ change, shape }: Entry & { from: 'both' }, first: number, count: number): Promise<Buffer> {
    const { dtype } = this.base.find(change.base)!;
    const elementBytes = ELEMENT_BYTES[dtype]!;
    const bytes = await this.base.read(change.base, first * elementBytes, count * elementBytes);
    const { left, right } = await this.factorsOf(change, shape);
    const values = Float32Array.from(decodeElements(dtype, bytes));
    addProduct(values, first, shape[1]!, left, right, change);
    return Buffer.from(values.buffer);
  }

  /** Those of one matrix at a time: they are read in one go, and matrices one after the other. */
  private async factorsOf(change: Change, shape: readonly number[]): Promise<Factors> {
    if (this.factors?.name === change.base) return this.factors;
    const [a, b] = [await this.readWhole(change.a), await this.readWhole(change.b)];
    const [rows, columns] = shape as [number, number];
    const { base: name, rank } = change;
    this.factors = this.isTransposed
      ? { name, left: transposed(a, rank, rows), right: transposed(b, columns, rank) }
      : { name, left: b, right: a };
    return this.factors;
  }

  private async readWhole(name: string): Promise<Float32Array> {
    const { dtype, sizeBytes } = this.adapter.find(name)!;
    return decodeElements(dtype, await this.adapter.read(name, 0, sizeBytes));
  }
}

/** `values` are elements [first, first + length) of a matrix, row-major; sums in double. */
function addProduct(
  values: Float32Array,
  first: number,
  columns: number,
  left: Float32Array,
  right: Float32Array,
  { rank, scale }: Change,
): void {
  const sums = new Float64Array(columns);
  for (let done = 0; done < values.length;) {
    const row = Math.floor((first + done) / columns);
    const begin = first + done - row * columns;
    const end = Math.min(columns, begin + values.length - done);
    sums.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = left[row * rank + r]!;
      const line = right.subarray(r * columns, (r + 1) * columns);
      for (let column = begin; column < end; column++) sums[column]! += factor * line[column]!;
    }
    for (let column = begin; column < end; column++, done++) values[done]! += scale * sums[column]!;
  }
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column]!;
  }
  return result;
}

/** The adapter's tensors by what they belong to: modules with their A and B, and whole tensors of the model. */
function sortTensors(adapter: TensorSource) {
  const factors = new Map<string, Partial<Record<'A' | 'B', string>>>();
  const whole = new Map<string, string>();
  for (const stored of adapter.names()) {
    const tensor = adapter.find(stored)!;
    if (!stored.startsWith(PREFIX)) throw misfit(tensor, `holds ${stored}; names begin with ${PREFIX} in PEFT's files`);
    const name = stored.slice(PREFIX.length);
    requireFloats(stored, tensor);
    const [, module, letter] = FACTOR.exec(name) ?? [];
    if (module !== undefined) {
      factors.set(module, { ...factors.get(module), [letter!]: stored });
    } else if (OTHER_PARTS.test(name)) {
      throw new EncoderError(
        'architecture_unsupported',
        `${tensor.file} holds ${stored}, which is no part of a plain LoRA`,
      );
    } else {
      // A module that is trained whole has PEFT's wrapper in its name in old files, a bias beside a change its layer.
      whole.set(name.replace(/\.(modules_to_save|base_layer)(?=\.\w+$)/, ''), stored);
    }
  }
  const pairs = new Map<string, { readonly a: string; readonly b: string }>();
  for (const [module, { A: a, B: b }] of factors) {
    if (a === undefined || b === undefined) {
      throw misfit(adapter.find((a ?? b)!)!, `holds but one of lora_A and lora_B of ${module}`);
    }
    pairs.set(module, { a, b });
  }
  return { pairs, whole };
}

/** How the names of the encoder's tensors begin in the class with a head: `bert.`, `model.`; most changes are in there. */
function encoderOf(modules: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const module of modules) {
    const [first] = module.split('.') as [string];
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  const [most] = [...counts].sort((x, y) => y[1] - x[1]);
  if (most === undefined) {
    throw new EncoderError('checkpoint_malformed', 'the adapter holds no lora_A and lora_B, so it changes nothing');
  }
  return `${most[0]}.`;
}

/** The rank. */
function checkShapes(
  module: string,
  base: SourceTensor,
  a: SourceTensor,
  b: SourceTensor,
  isTransposed: boolean,
): number {
  const [outputs, inputs] = isTransposed ? [...base.shape].reverse() : base.shape;
  const rank = a.shape[0];
  const fits =
    base.shape.length === 2 &&
    a.shape.length === 2 &&
    b.shape.length === 2 &&
    a.shape[1] === inputs &&
    b.shape[0] === outputs &&
    b.shape[1] === rank;
  if (fits && rank !== undefined && rank > 0) return rank;
  const shapes = [a, b, base].map(({ shape }) => `[${shape.join(', ')}]`);
  throw new EncoderError(
    'tensor_shape_mismatch',
    `${a.file}: lora_A ${shapes[0]} and lora_B ${shapes[1]} of ${module} do not fit the base's ${shapes[2]}`,
  );
}

/** Both matrices of a change are in memory at once, as floats. */
function checkSize(name: string, { file, shape }: SourceTensor, limits: Limits): void {
  const sizeBytes = shape.reduce((product, size) => product * size, ELEMENT_BYTES['F32']!);
  if (sizeBytes <= limits.rearrangedBytes) return;
  throw limitExceeded(limits, 'rearrangedBytes', `${file}: ${name} has ${sizeBytes} bytes, which are read in one go`);
}

function misfit({ file }: SourceTensor, reason: string): EncoderError {
  return new EncoderError('checkpoint_malformed', `${file} ${reason}`);
}
