/** Names and shapes of Keras weights as transformers' TensorFlow models save them, in terms of the PyTorch models. */

export interface KerasWeight {
  /** The name of the same weight in the PyTorch model. */
  readonly name: string;
  /** Of the PyTorch weight, outermost dimension first. */
  readonly shape: readonly number[];
  /** True when the axes of the stored weight are those of `shape` in reverse: (in, out), or (width, in, out) of a convolution. */
  readonly isTransposed: boolean;
}

const LEAVES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  gamma: 'weight',
  beta: 'bias',
  embeddings: 'weight',
  weight: 'weight',
  bias: 'bias',
};

/**
 * `layer` is the top-level layer ('distilbert'), `weight` the variable's name in it
 * ('tf_distil_bert_for_sequence_classification/distilbert/transformer/layer_._0/attention/q_lin/kernel:0'). The model's
 * own name in front is dropped whatever it is: Keras numbers it when a process makes several models.
 */
export function torchWeight(layer: string, weight: string, shape: readonly number[]): KerasWeight {
  const parts = weight.replace(/:\d+$/, '').split('/');
  const from = parts.indexOf(layer);
  const path = parts.slice(from >= 0 ? from : Math.min(1, parts.length - 1));
  const leaf = path.pop() ?? '';
  // TensorFlow scopes spell the index of a module list `layer_._0`.
  const modules = path.map((part) => part.replace('_._', '.'));
  const matrix = leaf === 'kernel' ? flattenKernel(modules, shape) : flattenBias(leaf, shape);
  const isTransposed = leaf === 'kernel' && matrix.length > 1;
  return {
    name: [...modules, LEAVES[leaf] ?? leaf].join('.'),
    shape: isTransposed ? [...matrix].reverse() : matrix,
    isTransposed,
  };
}

/**
 * A few releases of transformers kept the heads apart: (hidden, heads, size) for query, key and value, and (heads, size,
 * hidden) for the output. In memory both are the plain matrix.
 */
function flattenKernel(modules: readonly string[], shape: readonly number[]): readonly number[] {
  const [a, b, c] = shape;
  const isWhole = shape.length !== 3 || modules.at(-1) === 'conv';
  if (isWhole || a === undefined || b === undefined || c === undefined) return shape;
  return modules.includes('self') ? [a, b * c] : [a * b, c];
}

function flattenBias(leaf: string, shape: readonly number[]): readonly number[] {
  return leaf === 'bias' && shape.length === 2 ? [shape[0]! * shape[1]!] : shape;
}
