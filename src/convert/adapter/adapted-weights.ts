/**
 * The weights of a base with an adapter merged in, computed as they are read. What the adapter holds whole, such as the
 * head, stands in the place of the base's.
 */
import { EncoderError } from '../../errors';
import { type Limits, limitExceeded } from '../../support/limits';
import {
  ELEMENT_BYTES,
  type SourceTensor,
  type TensorSource,
  TensorTable,
  requireFloats,
} from '../readers/tensor-source';
import type { AdapterConfig } from './adapter-config';
import { type ModuleParts, checkDuplicates, misfit, sortTensors } from './adapter-tensors';
import {
  type Apply,
  type Stored,
  type WeightChange,
  describe,
  lowRankChange,
  readElements,
  scalingChange,
} from './weight-changes';

const [EMBEDDINGS, VOCABULARY] = ['embed_tokens.weight', 'lm_head.weight'];

/** A tensor as it is found under its name here. */
type Entry = SourceTensor & { readonly stored: Stored; readonly change?: WeightChange };

export interface JoinOptions {
  /** Whether the base's matrices of embeddings and of the vocabulary are one. */
  readonly isTied: boolean;
  /** Modules of the base whose weights lie as [inputs, outputs]. */
  readonly transposedModules: RegExp | undefined;
  /** Whether all that the base has counts, and not its encoder alone. */
  readonly isWhole: boolean;
  readonly limits: Limits;
}

export class AdaptedWeights extends TensorTable<Entry> {
  private applied: { readonly name: string; readonly apply: Apply } | undefined;

  private constructor(
    tensors: ReadonlyMap<string, Entry>,
    private readonly listed: ReadonlySet<string>,
    /** Whether matrices that are one in the base are two here, since the adapter changes one of them. */
    readonly unties: boolean,
  ) {
    super(tensors);
  }

  /**
   * Throws `checkpoint_malformed` and `tensor_shape_mismatch` for an adapter that does not fit the base,
   * `dtype_unsupported`, `architecture_unsupported` for tensors that such an adapter does not have, `limit_exceeded`.
   */
  static async join(
    base: TensorSource,
    adapter: TensorSource,
    config: AdapterConfig,
    { isTied, transposedModules, isWhole, limits }: JoinOptions,
  ): Promise<AdaptedWeights> {
    const { modules, whole, copies, duplicates } = sortTensors(adapter, config);
    await checkDuplicates(adapter, duplicates);
    const encoder = encoderOf(modules.keys());
    const tensors = new Map<string, Entry>();
    const entry = (source: TensorSource, name: string) => ({ ...source.find(name)!, stored: { source, name } });
    for (const name of base.names()) tensors.set(name, entry(base, name));
    const isBare = ![...tensors.keys()].some((name) => name.startsWith(encoder));
    const listed = new Set([...tensors.keys()].filter((name) => isWhole || isBare || name.startsWith(encoder)));
    const inBase = (name: string) => (isBare && name.startsWith(encoder) ? name.slice(encoder.length) : name);
    const touched = [...whole.keys(), ...[...modules.keys()].map((module) => `${module}.weight`)].map(inBase);
    const ofTied = [...copies].find((name) => isOneOfTied(inBase(name)));
    const copy = ofTied === undefined ? undefined : entry(adapter, whole.get(ofTied)!);
    const unties = isTied && isWhole && untie(tensors, listed, touched, copy, config);
    for (const [name, stored] of whole) {
      tensors.set(inBase(name), entry(adapter, stored));
      listed.add(inBase(name));
    }
    for (const [module, parts] of modules) {
      for (const part of Object.values(parts) as string[]) checkSize(part, adapter.find(part)!, limits);
      const isTransposed = transposedModules?.test(inBase(module)) === true;
      for (const [name, change] of changesOf(inBase(module), module, parts, tensors, adapter, config, isTransposed)) {
        const { sizeBytes, dtype, ...found } = tensors.get(name)!;
        const count = sizeBytes / ELEMENT_BYTES[dtype]!;
        tensors.set(name, { ...found, dtype: 'F32', sizeBytes: count * ELEMENT_BYTES['F32']!, change });
      }
    }
    return new AdaptedWeights(tensors, listed, unties);
  }

  /**
   * Without what a base for other uses has beside its encoder, such as the head of its training: where the classifier has
   * a tensor of that name, it is found all the same, as transformers finds it.
   */
  override names(): Iterable<string> {
    return this.listed;
  }

  protected async readPiece(name: string, { stored, change }: Entry, offset: number, length: number): Promise<Buffer> {
    if (change === undefined) return stored.source.read(stored.name, offset, length);
    const first = offset / 4;
    const values = await readElements(change.on, first, length / 4);
    // Those of one tensor at a time: it is read in one go, and tensors one after the other.
    if (this.applied?.name !== name) this.applied = { name, apply: await change.load() };
    this.applied.apply(values, first);
    return Buffer.from(new Float32Array(values).buffer);
  }
}

/** The changes of one module by the names of its tensors; `name` is the module's here. */
function changesOf(
  name: string,
  module: string,
  parts: ModuleParts,
  tensors: ReadonlyMap<string, Entry>,
  adapter: TensorSource,
  config: AdapterConfig,
  isTransposedModule: boolean,
): (readonly [string, WeightChange])[] {
  const { a, b, embeddingA, embeddingB, magnitude, factors } = parts;
  const of = (stored: string): Stored => ({ source: adapter, name: stored });
  const any = adapter.find(Object.values(parts)[0] as string)!;
  const matrix = tensors.get(`${name}.weight`);
  if (matrix === undefined) {
    throw misfit(any, `changes ${module}.weight, which the base does not hold; is it another base?`);
  }
  requireFloats(`${name}.weight`, matrix);
  if (factors !== undefined) {
    const along = checkFactors(module, matrix, adapter.find(factors)!, isTransposedModule);
    const bias = along === 'outputs' ? tensors.get(`${name}.bias`) : undefined;
    const isRows = (along === 'outputs') !== isTransposedModule;
    const change = scalingChange(matrix.stored, of(factors), isRows ? 'rows' : 'columns');
    if (bias === undefined) return [[`${name}.weight`, change]];
    requireFloats(`${name}.bias`, bias);
    return [
      [`${name}.weight`, change],
      [`${name}.bias`, scalingChange(bias.stored, of(factors), 'rows')],
    ];
  }
  const [left, right, isTransposed] =
    embeddingA === undefined && embeddingB === undefined ? [a, b, isTransposedModule] : [embeddingA, embeddingB, true];
  if (left === undefined || right === undefined) {
    throw misfit(any, `holds but one of lora_A and lora_B of ${module}`);
  }
  if (config.isDora && magnitude === undefined) throw misfit(any, `holds no lora_magnitude_vector of ${module}`);
  const rank = checkShapes(module, matrix, adapter.find(left)!, adapter.find(right)!, isTransposed);
  const outputs = matrix.shape[isTransposed ? 1 : 0];
  if (magnitude !== undefined && describe(of(magnitude)).shape.join() !== `${outputs}`) {
    throw mismatch(`lora_magnitude_vector of ${module}`, adapter.find(magnitude)!, matrix);
  }
  const change = lowRankChange(matrix.stored, {
    a: of(left),
    b: of(right),
    magnitude: magnitude === undefined ? undefined : of(magnitude),
    scale: config.scale(module, rank),
    isTransposed,
  });
  return [[`${name}.weight`, change]];
}

function isOneOfTied(name: string): boolean {
  return [EMBEDDINGS, VOCABULARY].some((end) => name === end || name.endsWith(`.${end}`));
}

/**
 * PEFT changes one of two tied matrices and leaves the other, which is then a matrix of its own: the base's, or the
 * adapter's `copy` of it, which is read into the one matrix that both still are then. False where neither is touched.
 */
function untie(
  tensors: Map<string, Entry>,
  listed: Set<string>,
  touched: readonly string[],
  copy: Entry | undefined,
  { tiesChanges }: AdapterConfig,
): boolean {
  const embeddings = [...tensors.keys()].find((name) => name === EMBEDDINGS || name.endsWith(`.${EMBEDDINGS}`));
  if (embeddings === undefined || !touched.some(isOneOfTied)) return false;
  const found = copy ?? tensors.get(embeddings)!;
  if (tiesChanges) {
    throw new EncoderError(
      'architecture_unsupported',
      'ensure_weight_tying is set, and the adapter changes embeddings that the vocabulary is tied to; merge it in ' +
        "Python (PEFT's merge_and_unload) and convert the model that this gives",
    );
  }
  for (const name of [embeddings, VOCABULARY]) tensors.set(name, found);
  listed.add(VOCABULARY);
  return true;
}

/** How the names of the encoder's tensors begin in the class with a head: `bert.`, `model.`; most changes are in there. */
function encoderOf(modules: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const module of modules) {
    const [first] = module.split('.') as [string];
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  const [most] = [...counts].sort((x, y) => y[1] - x[1]);
  return `${most![0]}.`;
}

/** What makes a change is in memory at once. */
function checkSize(name: string, { file, shape }: SourceTensor, limits: Limits): void {
  const sizeBytes = shape.reduce((product, size) => product * size, ELEMENT_BYTES['F32']!);
  if (sizeBytes <= limits.rearrangedBytes) return;
  throw limitExceeded(limits, 'rearrangedBytes', `${file}: ${name} has ${sizeBytes} bytes, which are read in one go`);
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

/** A feed-forward layer's inputs are rescaled, [1, inputs]; any other's outputs, [outputs, 1]. */
function checkFactors(
  module: string,
  base: SourceTensor,
  factors: SourceTensor,
  isTransposed: boolean,
): 'inputs' | 'outputs' {
  const [outputs, inputs] = isTransposed ? [...base.shape].reverse() : base.shape;
  const shape = factors.shape.join();
  if (base.shape.length === 2 && shape === `${outputs},1`) return 'outputs';
  if (base.shape.length === 2 && shape === `1,${inputs}`) return 'inputs';
  throw mismatch(`ia3_l of ${module}`, factors, base);
}

function mismatch(what: string, part: SourceTensor, base: SourceTensor): EncoderError {
  const [own, other] = [part, base].map(({ shape }) => `[${shape.join(', ')}]`);
  return new EncoderError('tensor_shape_mismatch', `${part.file}: ${what} ${own} does not fit the base's ${other}`);
}
