/**
 * From a family's own tensor names to the file's, with every name and shape checked: what the model needs must be
 * there with the shape that config.json implies, and nothing else may be there but what is known to be of no use.
 */
import { EncoderError } from '../../errors';
import { MAX_LABELS } from '../limits';
import type { EncoderHyperparameters, PlannedTensor, TensorIndex } from './architecture';

/** Where one family keeps its parts, relative to the prefix of the encoder or (head) of the whole model. */
export interface EncoderNames {
  /** [encoder prefix, head prefix] in which checkpoints of this family are found, the usual one first. */
  readonly prefixes: readonly (readonly [string, string])[];
  readonly tokenEmbedding: string;
  readonly positionEmbedding: string;
  readonly typeEmbedding?: string;
  readonly embeddingNorm: string;
  readonly layer: (index: number) => {
    readonly query: string;
    readonly key: string;
    readonly value: string;
    readonly attentionOutput: string;
    readonly attentionNorm: string;
    readonly up: string;
    readonly down: string;
    readonly outputNorm: string;
  };
  /** The dense layer before the classifier, with its full prefix given by `pooledIn`. */
  readonly pooled: string;
  readonly pooledIn: 'encoder' | 'head';
  readonly classifier: string;
  /** Tensors that sequence classification does not use: buffers and heads of the pretraining. */
  readonly ignored: RegExp;
}

/** Tensors in file order and the number of rows of the classifier. */
export function planTensors(
  hyperparameters: EncoderHyperparameters,
  names: EncoderNames,
  weights: TensorIndex,
): { tensors: PlannedTensor[]; numLabels: number } {
  const [encoder, head] = findPrefix(names, weights);
  const classifier = `${head}${names.classifier}`;
  const numLabels = readNumLabels(weights, `${classifier}.weight`);
  const planner = new Planner(weights);
  const { hiddenSize: h, intermediateSize: f } = hyperparameters;

  planner.matrix('token_embd.weight', [hyperparameters.vocabSize, h], [`${encoder}${names.tokenEmbedding}.weight`]);
  planner.exact(
    'position_embd.weight',
    [hyperparameters.numPositions, h],
    `${encoder}${names.positionEmbedding}.weight`,
  );
  if (names.typeEmbedding !== undefined) {
    planner.exact('token_types.weight', [hyperparameters.numTokenTypes, h], `${encoder}${names.typeEmbedding}.weight`);
  }
  planner.norm('token_embd_norm', h, `${encoder}${names.embeddingNorm}`);
  for (let i = 0; i < hyperparameters.numLayers; i++) {
    const layer = names.layer(i);
    const from = (name: string) => `${encoder}${name}`;
    planner.linear(`blk.${i}.attn_qkv`, [h, h], [layer.query, layer.key, layer.value].map(from));
    planner.linear(`blk.${i}.attn_output`, [h, h], [from(layer.attentionOutput)]);
    planner.norm(`blk.${i}.attn_output_norm`, h, from(layer.attentionNorm));
    planner.linear(`blk.${i}.ffn_up`, [f, h], [from(layer.up)]);
    planner.linear(`blk.${i}.ffn_down`, [h, f], [from(layer.down)]);
    planner.norm(`blk.${i}.layer_output_norm`, h, from(layer.outputNorm));
  }
  const pooled = `${names.pooledIn === 'encoder' ? encoder : head}${names.pooled}`;
  planner.exact('cls.weight', [h, h], `${pooled}.weight`);
  planner.exact('cls.bias', [h], `${pooled}.bias`);
  planner.exact('cls.output.weight', [numLabels, h], `${classifier}.weight`);
  planner.exact('cls.output.bias', [numLabels], `${classifier}.bias`);
  planner.refuseUnused(names.ignored);
  return { tensors: planner.tensors, numLabels };
}

function findPrefix(names: EncoderNames, weights: TensorIndex): readonly [string, string] {
  const probe = `${names.tokenEmbedding}.weight`;
  const found = names.prefixes.find(([encoder]) => weights.find(`${encoder}${probe}`) !== undefined);
  if (found !== undefined) return found;
  const tried = names.prefixes.map(([encoder]) => `${encoder}${probe}`).join(', ');
  throw new EncoderError('tensor_missing', `the checkpoint has none of ${tried}; its weights are of another model`);
}

function readNumLabels(weights: TensorIndex, name: string): number {
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

class Planner {
  readonly tensors: PlannedTensor[] = [];
  private readonly used = new Set<string>();

  constructor(private readonly weights: TensorIndex) {}

  matrix(name: string, shape: readonly [number, number], sources: readonly string[]): void {
    this.add(name, shape, sources, 'matrix');
  }

  exact(name: string, shape: readonly number[], source: string): void {
    this.add(name, shape, [source], 'exact');
  }

  linear(name: string, shape: readonly [number, number], sources: readonly string[]): void {
    this.matrix(
      `${name}.weight`,
      shape,
      sources.map((source) => `${source}.weight`),
    );
    this.add(
      `${name}.bias`,
      [shape[0]],
      sources.map((source) => `${source}.bias`),
      'exact',
    );
  }

  /** Checkpoints converted from the first TensorFlow releases call a norm's weight gamma and its bias beta. */
  norm(name: string, size: number, source: string): void {
    const spelled = (modern: string, old: string) =>
      this.weights.find(`${source}.${modern}`) === undefined && this.weights.find(`${source}.${old}`) !== undefined
        ? `${source}.${old}`
        : `${source}.${modern}`;
    this.exact(`${name}.weight`, [size], spelled('weight', 'gamma'));
    this.exact(`${name}.bias`, [size], spelled('bias', 'beta'));
  }

  refuseUnused(ignored: RegExp): void {
    const unused = [...this.weights.names()].filter((name) => !this.used.has(name) && !ignored.test(name)).sort();
    if (unused.length === 0) return;
    const shown = unused.slice(0, 5).join(', ') + (unused.length > 5 ? `, and ${unused.length - 5} more` : '');
    throw new EncoderError(
      'architecture_unsupported',
      `the checkpoint holds tensors that this architecture has no place for, so its result would differ: ${shown}`,
    );
  }

  private add(name: string, shape: readonly number[], sources: readonly string[], storage: 'matrix' | 'exact'): void {
    for (const source of sources) {
      const tensor = this.weights.find(source);
      if (tensor === undefined) throw new EncoderError('tensor_missing', `the checkpoint has no tensor ${source}`);
      if (tensor.shape.join() !== shape.join()) throw shapeMismatch(source, `[${shape.join(', ')}]`, tensor);
      this.used.add(source);
    }
    const [rows, ...rest] = shape;
    this.tensors.push({ name, shape: [rows! * sources.length, ...rest], sources, storage });
  }
}

function shapeMismatch(
  name: string,
  expected: string,
  found: { readonly shape: readonly number[]; readonly file: string },
): EncoderError {
  return new EncoderError(
    'tensor_shape_mismatch',
    `${name} in ${found.file} has the shape [${found.shape.join(', ')}], but config.json implies ${expected}`,
  );
}
