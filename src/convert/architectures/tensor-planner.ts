/**
 * Collects the file's tensors, with every name and shape checked: what the model needs must be there with the shape that
 * config.json implies, and nothing else may be there but what is known to be of no use.
 */
import { EncoderError } from '../../errors';
import { MAX_LABELS } from '../limits';
import type { EncoderModel, PlannedTensor, RowRange, TensorIndex } from './architecture';

/** [encoder prefix, head prefix] in which checkpoints of one family are found, the usual one first. */
export type Prefixes = readonly (readonly [string, string])[];

/** Prefixes of a model whose encoder is the attribute `name`, bare, and as trainers wrap it. */
export function prefixesOf(name: string): Prefixes {
  return [
    [`${name}.`, ''],
    ['', ''],
    [`model.${name}.`, 'model.'],
    ['model.', ''],
    [`module.${name}.`, 'module.'],
    [`${name}.${name}.`, `${name}.`],
  ];
}

/** A linear layer of the file: its rows come from the checkpoint's layers `sources`, `rows` of each. */
export interface PlannedLinear {
  readonly sources: readonly string[];
  readonly rows: readonly number[];
  /** For each source the rows that are taken from it, in this order. Default: all. */
  readonly rowRanges?: readonly (readonly RowRange[])[] | undefined;
  readonly columns: number;
  /** Whether every source has a bias, or none. */
  readonly bias: boolean;
  /** Default `matrix`. Biases are always exact. */
  readonly storage?: PlannedTensor['storage'];
}

/** Weights of the classes in a loss, which is a module of the model where a trainer made it one. */
const LOSS = /(^|\.)(loss|loss_fct|loss_fn|loss_func|criterion)\.(weight|pos_weight)$|^class_weights?$/;

/** Counts of positions, which are no weights. */
const BUFFER = /(^|\.)position_ids$/;

/**
 * Heads of other tasks, and what only they read: of a model that was trained for several, or from one that was pretrained.
 * No classifier of any family has one of these names for a part of its own, unless it is planned.
 */
const OTHER_HEADS = new RegExp(
  String.raw`^((model|module)\.)?(cls\.(predictions|seq_relationship)|lm_head|lm_loss|predictions|sop_classifier|qa_outputs|` +
    String.raw`vocab_(transform|layer_norm|projector)|discriminator_predictions|generator_(predictions|lm_head)|pruning_head|token_classifier)\.|` +
    String.raw`(^|\.)pooler\.dense\.(weight|bias)$`,
);

export class TensorPlanner {
  readonly tensors: PlannedTensor[] = [];
  private readonly used = new Set<string>();
  private others: readonly string[] = [];

  constructor(private readonly weights: TensorIndex) {}

  /** `rowRanges` puts all rows of the source into another order. */
  matrix(name: string, shape: readonly [number, number], source: string, rowRanges?: readonly RowRange[]): void {
    this.take(source, shape);
    this.tensors.push({
      name,
      shape,
      sources: [source],
      storage: 'matrix',
      ...(rowRanges && { rowRanges: [rowRanges] }),
    });
  }

  /** A matrix that the model has under several names, of which checkpoints hold one or more. */
  tied(name: string, shape: readonly [number, number], names: readonly string[]): void {
    const [source = names[0]!, ...twins] = names.filter((known) => this.weights.find(known) !== undefined);
    for (const known of [source, ...twins]) this.take(known, shape);
    this.tensors.push({ name, shape, sources: [source], storage: 'matrix', twins });
  }

  /** `shape` is the source's; of its rows the file has those in `rowRanges`. */
  exact(name: string, shape: readonly number[], source: string, rowRanges?: readonly RowRange[]): void {
    this.take(source, shape);
    const [rows, ...rest] = shape;
    this.tensors.push({
      name,
      shape: [rowRanges?.reduce((sum, [, count]) => sum + count, 0) ?? rows!, ...rest],
      sources: [source],
      storage: 'exact',
      ...(rowRanges && { rowRanges: [rowRanges] }),
    });
  }

  /** The weights of an RMS norm that divides `size` values by their length: it is the root of their mean square and of `size`. */
  lengthNorm(name: string, size: number): void {
    this.computed(name, [size], [], () => [new Float32Array(size).fill(size ** -0.5)]);
  }

  /** A tensor of `shape` that is computed from small tensors of the checkpoint, or from the rows `rowRanges` of them. */
  computed(
    name: string,
    shape: readonly number[],
    sources: readonly (readonly [string, readonly number[]])[],
    compute: NonNullable<PlannedTensor['compute']>,
    rowRanges?: readonly RowRange[],
  ): void {
    for (const [source, sourceShape] of sources) this.take(source, sourceShape);
    this.tensors.push({
      name,
      shape,
      sources: sources.map(([source]) => source),
      storage: 'exact',
      compute,
      ...(rowRanges && { rowRanges: sources.map(() => rowRanges) }),
    });
  }

  linear(name: string, { sources, rows, rowRanges, columns, bias, storage = 'matrix' }: PlannedLinear): void {
    const taken = rowRanges?.flat() ?? rows.map((count) => [0, count] as const);
    const total = taken.reduce((sum, [, count]) => sum + count, 0);
    const add = (part: string, rest: readonly number[], kind: PlannedTensor['storage']) => {
      const names = sources.map((source) => `${source}.${part}`);
      names.forEach((source, index) => this.take(source, [rows[index]!, ...rest]));
      const shape = [total, ...rest];
      this.tensors.push({
        name: `${name}.${part}`,
        shape,
        sources: names,
        storage: kind,
        ...(rowRanges && { rowRanges }),
      });
    };
    add('weight', [columns], storage);
    if (bias) add('bias', [], 'exact');
  }

  /** A linear layer of one source. */
  dense(name: string, rows: number, columns: number, source: string, bias = true): void {
    this.linear(name, { sources: [source], rows: [rows], columns, bias });
  }

  /**
   * Convolutions over one token, stacked: each reads its columns in as many groups as `groups` says of it, and gives as many
   * groups of rows.
   */
  grouped(
    name: string,
    sources: readonly string[],
    rows: readonly number[],
    columns: number,
    groups: readonly number[],
  ): void {
    const weights = sources.map((source) => `${source}.weight`);
    weights.forEach((source, index) => this.take(source, [rows[index]!, columns / groups[index]!, 1]));
    const total = rows.reduce((sum, count) => sum + count, 0);
    this.tensors.push({ name: `${name}.weight`, shape: [total, columns], sources: weights, storage: 'matrix', groups });
    const biases = sources.map((source) => `${source}.bias`);
    this.stacked(`${name}.bias`, biases, rows);
  }

  /** Likewise, of the head. */
  headDense(name: string, rows: number, columns: number, source: string, bias = true): void {
    this.linear(name, { sources: [source], rows: [rows], columns, bias, storage: 'exact' });
  }

  /**
   * Queries, keys and values that stand together in the source, put behind each other: for each head of keys and values the
   * queries that share it, its keys, its values.
   */
  joinedHeads(
    name: string,
    hiddenSize: number,
    numHeads: number,
    source: string,
    bias = true,
    numKeyValueHeads = numHeads,
  ): void {
    const [size, shared] = [hiddenSize / numHeads, numHeads / numKeyValueHeads];
    const groups = Array.from({ length: numKeyValueHeads }, (_, index) => index * (shared + 2) * size);
    const heads = [
      ...groups.map((start) => [start, shared * size] as const),
      ...groups.map((start) => [start + shared * size, size] as const),
      ...groups.map((start) => [start + (shared + 1) * size, size] as const),
    ];
    const rows = (numHeads + 2 * numKeyValueHeads) * size;
    this.matrix(`${name}.weight`, [rows, hiddenSize], `${source}.weight`, heads);
    if (bias) this.exact(`${name}.bias`, [rows], `${source}.bias`, heads);
  }

  /** A linear layer with a bias whose weight the checkpoint has as [columns, rows]. */
  transposed(name: string, rows: number, columns: number, source: string): void {
    this.turned(`${name}.weight`, columns, [rows], [`${source}.weight`]);
    this.exact(`${name}.bias`, [rows], `${source}.bias`);
  }

  /** A matrix of `columns` columns whose parts the checkpoint has as [columns, ...rows], stacked along its rows. */
  turned(name: string, columns: number, rows: readonly number[], sources: readonly string[]): void {
    for (const source of sources) this.take(source, [columns, ...rows]);
    const total = sources.length * rows.reduce((product, size) => product * size, 1);
    this.tensors.push({ name, shape: [total, columns], sources, storage: 'matrix', isTransposed: true });
  }

  /** A matrix that the checkpoint has in another shape. */
  reshaped(name: string, shape: readonly [number, number], source: string, sourceShape: readonly number[]): void {
    this.take(source, sourceShape);
    this.tensors.push({ name, shape, sources: [source], storage: 'matrix' });
  }

  /** The rows of the identity: a layer that changes nothing, before an activation. */
  identity(name: string, size: number): void {
    this.computed(name, [size, size], [], () => identityRows(size));
  }

  /** A convolution over tokens with a bias: a matrix over the columns of `width` tokens, those of one column together. */
  convolution(name: string, channels: number, width: number, source: string): void {
    const shape = [channels, channels * width] as const;
    this.reshaped(`${name}.weight`, shape, `${source}.weight`, [channels, channels, width]);
    this.exact(`${name}.bias`, [channels], `${source}.bias`);
  }

  /** Exact vectors of the lengths `sizes`, one behind the other. */
  stacked(name: string, sources: readonly string[], sizes: readonly number[]): void {
    sources.forEach((source, index) => this.take(source, [sizes[index]!]));
    this.tensors.push({ name, shape: [sizes.reduce((sum, size) => sum + size, 0)], sources, storage: 'exact' });
  }

  /** A linear layer with a bias that the class has, and whose result no logit depends on: it is left out of the file. */
  unread(rows: number, columns: number, source: string): void {
    this.take(`${source}.weight`, [rows, columns]);
    this.take(`${source}.bias`, [rows]);
  }

  /** Marks a tensor of the checkpoint as known and of no use. */
  ignore(source: string): void {
    this.used.add(source);
  }

  /** Checkpoints converted from the first TensorFlow releases call a norm's weight gamma and its bias beta. */
  norm(name: string, size: number, source: string, bias = true): void {
    this.exact(`${name}.weight`, [size], this.spelled(source, 'weight', 'gamma'));
    if (bias) this.exact(`${name}.bias`, [size], this.spelled(source, 'bias', 'beta'));
  }

  /** The name under which the checkpoint has a part of a norm. */
  spelled(source: string, modern: string, old: string): string {
    const isOld =
      this.weights.find(`${source}.${modern}`) === undefined && this.weights.find(`${source}.${old}`) !== undefined;
    return `${source}.${isOld ? old : modern}`;
  }

  /** What refuseUnused() passed over, in a sentence; undefined where there was nothing. */
  get passedOver(): string | undefined {
    if (this.others.length === 0) return undefined;
    return `tensors of other heads are passed over, as in transformers: ${listed(this.others)}`;
  }

  /**
   * Refuses what was neither used nor is `ignored`: buffers and heads of the pretraining. Losses never count, and heads of
   * other tasks are passed over.
   */
  refuseUnused(ignored: RegExp): void {
    const isUnused = (name: string) =>
      !this.used.has(name) && ![ignored, LOSS, BUFFER].some((known) => known.test(name));
    const unused = [...this.weights.names()].filter(isUnused).sort();
    this.others = unused.filter((name) => OTHER_HEADS.test(name));
    const unknown = unused.filter((name) => !OTHER_HEADS.test(name));
    if (unknown.length === 0) return;
    throw new EncoderError(
      'architecture_unsupported',
      `the checkpoint holds tensors that this architecture has no place for, so its result may differ: ${listed(unknown)}; ` +
        'if they are of no use, save the model again without them',
    );
  }

  private take(source: string, shape: readonly number[]): void {
    const tensor = this.weights.find(source);
    if (tensor === undefined) throw missing(this.weights, `the checkpoint has no tensor ${source}`);
    if (tensor.shape.join() !== shape.join()) throw shapeMismatch(source, `[${shape.join(', ')}]`, tensor);
    this.used.add(source);
  }
}

/** Where the tensors of a checkpoint are found. */
export interface Place {
  readonly prefixes: Prefixes;
  /** A weight of the encoder that every checkpoint of the family has. */
  readonly probe: string;
  /** What it holds and the model does not use: buffers and heads of the pretraining. */
  readonly ignored: RegExp;
}

/** What `plan` plans, in the order of the file, of tensors with the prefixes that are given to it. Nothing else may be there. */
export function planTensors(
  weights: TensorIndex,
  { prefixes, probe, ignored }: Place,
  plan: (planner: TensorPlanner, encoder: string, head: string) => void,
): readonly PlannedTensor[] {
  return planPlace(weights, { prefixes, probe, ignored }, plan).tensors;
}

function planPlace(
  weights: TensorIndex,
  { prefixes, probe, ignored }: Place,
  plan: (planner: TensorPlanner, encoder: string, head: string) => void,
): TensorPlanner {
  const [encoder, head] = findPrefix(prefixes, `${probe}.weight`, weights);
  const planner = new TensorPlanner(weights);
  plan(planner, encoder, head);
  planner.refuseUnused(ignored);
  return planner;
}

/** Likewise for a model with a head, which has as many labels as `classifier`, its last layer, has rows. */
export function planClassifier(
  weights: TensorIndex,
  { classifier, ...place }: Place & { readonly classifier: string },
  plan: (planner: TensorPlanner, encoder: string, head: string, numLabels: number) => void,
): Pick<EncoderModel, 'tensors' | 'numLabels' | 'passedOver'> {
  let numLabels = 0;
  const { tensors, passedOver } = planPlace(weights, place, (planner, encoder, head) => {
    numLabels = readNumLabels(weights, `${head}${classifier}.weight`);
    plan(planner, encoder, head, numLabels);
  });
  return { tensors, numLabels, ...(passedOver !== undefined && { passedOver }) };
}

function listed(names: readonly string[]): string {
  return names.slice(0, 5).join(', ') + (names.length > 5 ? `, and ${names.length - 5} more` : '');
}

function* identityRows(size: number): Iterable<Float32Array> {
  for (let row = 0; row < size; row++) {
    const values = new Float32Array(size);
    values[row] = 1;
    yield values;
  }
}

/** The first of `prefixes` under which the checkpoint has the encoder's tensor `probe`. */
export function findPrefix(prefixes: Prefixes, probe: string, weights: TensorIndex): readonly [string, string] {
  const found = prefixes.find(([encoder]) => weights.find(`${encoder}${probe}`) !== undefined);
  if (found !== undefined) return found;
  const tried = prefixes.map(([encoder]) => `${encoder}${probe}`).join(', ');
  throw missing(weights, `the checkpoint has none of ${tried}; its weights are of another model`);
}

function missing({ advice }: TensorIndex, reason: string): EncoderError {
  return new EncoderError('tensor_missing', advice === undefined ? reason : `${reason}; ${advice}`);
}

/** Rows of the classifier's weight `name`. */
export function readNumLabels(weights: TensorIndex, name: string): number {
  const classifier = weights.find(name);
  if (classifier === undefined) {
    throw new EncoderError(
      'tensor_missing',
      `the checkpoint has no ${name}, so it has no classification head; fine-tune it for sequence classification first`,
    );
  }
  const rows = classifier.shape[0];
  if (classifier.shape.length !== 2 || rows === undefined || rows < 1 || rows > MAX_LABELS) {
    throw shapeMismatch(name, `[labels up to ${MAX_LABELS}, hidden size]`, classifier);
  }
  return rows;
}

function shapeMismatch(
  name: string,
  expected: string,
  found: { readonly shape: readonly number[]; readonly file: string },
): EncoderError {
  return new EncoderError(
    'tensor_shape_mismatch',
    `${name} in ${found.file} has the shape [${found.shape.join(', ')}], but the configuration implies ${expected}`,
  );
}
