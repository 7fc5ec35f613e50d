/**
 * From a token's last state to the vector that it scores by: the Dense modules behind a transformer. Layers with nothing
 * between them are one matrix, multiplied in F64; one activation may stand among them.
 */
import { EncoderError } from '../../errors';
import type { EncoderBody } from '../architectures/architecture';
import { TensorPlanner } from '../architectures/tensor-planner';
import type { CheckpointFiles } from '../checkpoint';
import type { ConfigReader } from '../config';
import { MAX_HIDDEN_SIZE, MAX_JOINING_WORK } from '../limits';
import { type Dense, readDense } from './module-head';
import { JoinedSource } from '../readers/joined';
import { MemorySource } from '../readers/memory-source';
import type { TensorSource } from '../readers/tensor-source';

export interface TokenProjection {
  readonly planner: TensorPlanner;
  /** All names of the planner's sources, the body's included. */
  readonly weights: TensorSource;
  /** Of the layer before the last; `none` where there is no such layer. */
  readonly activation: string;
}

interface Layer extends Dense {
  readonly inputs: number;
  /** What the names of its tensors begin with. */
  readonly prefix: string;
  readonly residual: 'none' | 'input' | 'matrix';
}

/** `folders`: of the modules, in their order; without any, a state is its own vector. `features`: as for `readDense`. */
export async function planProjection(
  checkpoint: CheckpointFiles,
  folders: readonly string[],
  features: readonly [string, ...string[]],
  { hyperparameters }: EncoderBody,
  weights: TensorSource,
): Promise<TokenProjection> {
  const layers: Layer[] = [];
  const sources: (readonly [string, TensorSource])[] = [];
  let inputs = hyperparameters.hiddenSize;
  for (const folder of folders) {
    const config = await checkpoint.moduleConfig(folder);
    layers.push(readLayer(config, `${folder}/`, inputs, features));
    inputs = layers.at(-1)!.outputs;
    sources.push([`${folder}/`, await checkpoint.moduleWeights(folder)]);
    requireOneActivation(layers, config);
  }
  const planner = new TensorPlanner(new JoinedSource(sources.length > 0 ? sources : [['', new MemorySource('', [])]]));
  const middle = layers.findIndex(({ activation }) => activation !== 'identity');
  if (middle >= 0) joinLayers(planner, 'cls', layers.slice(0, middle + 1), hyperparameters.hiddenSize);
  const width = middle < 0 ? hyperparameters.hiddenSize : layers[middle]!.outputs;
  joinLayers(planner, 'cls.output', layers.slice(middle + 1), width);
  planner.refuseUnused(/(?!)/);
  return {
    planner,
    weights: new JoinedSource([...sources, ['', weights]]),
    activation: middle < 0 ? 'none' : layers[middle]!.activation,
  };
}

/** The layer that Stanford's class has beside its encoder, of whatever size. */
export function planStanfordProjection(weights: TensorSource, hiddenSize: number, name: string): TokenProjection {
  const planner = new TensorPlanner(weights);
  const rows = Math.min(Math.max(1, weights.find(`${name}.weight`)?.shape[0] ?? 1), MAX_HIDDEN_SIZE);
  planner.headDense('cls.output', rows, hiddenSize, name, false);
  return { planner, weights, activation: 'none' };
}

function readLayer(
  config: ConfigReader,
  prefix: string,
  inputs: number,
  features: readonly [string, ...string[]],
): Layer {
  const dense = readDense(config, inputs, MAX_HIDDEN_SIZE, features);
  if (!features.includes(dense.outputName)) {
    config.unsupported(`module_output_name is ${dense.outputName.slice(0, 40)}; what follows reads ${features[0]}`);
  }
  const hasResidual = config.boolean('use_residual', false);
  if (hasResidual && dense.activation !== 'identity') {
    config.unsupported(
      `use_residual is true beside the activation ${dense.activation}; only Identity is supported there`,
    );
  }
  const residual = !hasResidual ? 'none' : inputs === dense.outputs ? 'input' : 'matrix';
  return { ...dense, inputs, prefix, residual };
}

function requireOneActivation(layers: readonly Layer[], config: ConfigReader): void {
  const activations = layers.filter(({ activation }) => activation !== 'identity');
  if (activations.length < 2) return;
  const names = activations.map(({ activation }) => activation).join(' and ');
  config.unsupported(`the layers have the activations ${names}; one of them may have one`);
}

/** One layer of the file out of all of `layers`; without any, its rows are those of the identity. */
function joinLayers(planner: TensorPlanner, name: string, layers: readonly Layer[], width: number): void {
  const [only] = layers;
  if (only === undefined) {
    planner.identity(`${name}.weight`, width);
    return;
  }
  if (layers.length === 1 && only.residual === 'none') {
    planner.headDense(name, only.outputs, only.inputs, `${only.prefix}linear`, only.bias);
    return;
  }
  const last = layers.at(-1)!;
  const inner = layers.slice(0, -1).reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  if (last.outputs * inner > MAX_JOINING_WORK) {
    throw new EncoderError(
      'architecture_unsupported',
      `the layers of ${last.prefix} and before it take ${last.outputs * inner} multiplications to become one; up to ` +
        `${MAX_JOINING_WORK} are supported`,
    );
  }
  const matrices = layers.flatMap((layer) => [
    sourceOf(layer, 'linear'),
    ...(layer.residual === 'matrix' ? [sourceOf(layer, 'residual')] : []),
  ]);
  planner.computed(`${name}.weight`, [last.outputs, width], matrices, function* (values) {
    const maps = readMaps(layers, values);
    for (let row = 0; row < last.outputs; row++) yield Float32Array.from(throughAll(maps, row).at(-1)!);
  });
  const biased = layers.filter(({ bias }) => bias);
  if (biased.length === 0) return;
  const biases = biased.map(({ prefix, outputs }) => [`${prefix}linear.bias`, [outputs]] as const);
  planner.computed(`${name}.bias`, [last.outputs], [...matrices, ...biases], (values) => {
    const maps = readMaps(layers, values);
    const own = values.slice(matrices.length);
    const ofLayer = layers.map(({ bias }) => (bias ? own.shift()! : undefined));
    return [Float32Array.from({ length: last.outputs }, (_, row) => biasOf(maps, ofLayer, row))];
  });
}

type SourceShape = readonly [name: string, shape: readonly number[]];

function sourceOf({ prefix, inputs, outputs }: Layer, part: string): SourceShape {
  return [`${prefix}${part}.weight`, [outputs, inputs]];
}

/** What a layer multiplies by, its residual included. */
interface LayerMap {
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: Float64Array;
}

/** `values`: of each layer's matrix and, where it has one, its residual's. */
function readMaps(layers: readonly Layer[], values: readonly Float32Array[]): readonly LayerMap[] {
  let next = 0;
  return layers.map(({ inputs, outputs, residual }) => {
    const rows = Float64Array.from(values[next++]!);
    if (residual === 'matrix') values[next++]!.forEach((value, index) => (rows[index]! += value));
    if (residual === 'input') for (let i = 0; i < inputs; i++) rows[i * inputs + i]! += 1;
    return { inputs, outputs, rows };
  });
}

/** Row `row` of the last map, of the last two multiplied, and so on to that of all. */
function throughAll(maps: readonly LayerMap[], row: number): readonly Float64Array[] {
  const last = maps.at(-1)!;
  const products = [last.rows.subarray(row * last.inputs, (row + 1) * last.inputs)];
  for (const { inputs, outputs, rows } of maps.slice(0, -1).reverse()) {
    const product = new Float64Array(inputs);
    const factors = products.at(-1)!;
    for (let i = 0; i < outputs; i++) {
      const factor = factors[i]!;
      for (let j = 0, at = i * inputs; j < inputs; j++, at++) product[j]! += factor * rows[at]!;
    }
    products.push(product);
  }
  return products;
}

/** The last layer's own and, through what follows them, those of the layers before it. */
function biasOf(maps: readonly LayerMap[], biases: readonly (Float32Array | undefined)[], row: number): number {
  let sum = biases.at(-1)?.[row] ?? 0;
  const before = biases.slice(0, -1).reverse();
  throughAll(maps, row).forEach((factors, index) => {
    before[index]?.forEach((value, i) => (sum += factors[i]! * value));
  });
  return sum;
}
