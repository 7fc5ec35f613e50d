/**
 * Which tensors of an exported graph are the PyTorch model's parameters. PyTorch's exporters keep the names of all but
 * the matrices of linear layers that they transpose: those go by the module whose product they are in.
 */
import type { OnnxGraph, OnnxTensor } from './onnx-graph';

export interface OnnxParameter {
  readonly tensor: OnnxTensor;
  /** True where the stored matrix is (in, out), and PyTorch's (out, in). */
  readonly isTransposed: boolean;
}

/** Dotted names; what exporters make up has none (`val_12`), or other marks (`onnx::MatMul_12`, `/bert/Constant`). */
const PARAMETER = /^\w+(?:\.\w+)+$/;
/** What PyTorch's newer exporter calls constants of a module where it does not fold them. */
const LIFTED_CONSTANT = /\.lifted_tensor_\d+$/;
/** The first GPTs' layers that hold (in, out) in PyTorch too. */
const CONV_1D = /\.(?:c_attn|c_fc|c_proj)\.weight$/;

export interface OnnxParameters {
  /** By names in PyTorch. Several where a name is claimed by more than one tensor: exporters repeat what is used twice. */
  readonly named: ReadonlyMap<string, readonly OnnxParameter[]>;
  /** The names in the graph of matrices in products that nothing else names. */
  readonly nameless: readonly string[];
}

export function onnxParameters({ nodes, tensors }: OnnxGraph): OnnxParameters {
  const stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const biases = new Map<string, string>();
  for (const { type, inputs, output } of nodes) {
    // Equal tensors are kept once; the others' names are those of copies.
    const original = type === 'Identity' ? stored.get(inputs[0] ?? '') : undefined;
    if (original !== undefined) stored.set(output, original);
    if (type !== 'Add') continue;
    const bias = inputs.find((input) => input.endsWith('.bias'));
    const product = inputs.find((input) => input !== bias);
    if (bias !== undefined && product !== undefined) biases.set(product, bias);
  }
  const named = new Map<string, Map<OnnxTensor, OnnxParameter>>();
  const nameless: string[] = [];
  const add = (name: string, parameter: OnnxParameter) => {
    const known = named.get(name) ?? new Map<OnnxTensor, OnnxParameter>();
    if (!known.has(parameter.tensor)) named.set(name, known.set(parameter.tensor, parameter));
  };
  const multiplied = new Set<string>();
  for (const { type, inputs, output, isTransposed, module, scope } of nodes) {
    const weight = inputs[1] ?? '';
    const tensor = type === 'MatMul' || type === 'Gemm' ? stored.get(weight) : undefined;
    if (tensor?.shape.length !== 2) continue;
    if (PARAMETER.test(weight)) {
      if (!isTransposed) multiplied.add(weight);
      continue;
    }
    const bias = biases.get(output) ?? inputs.find((input) => input.endsWith('.bias'));
    const name = module ?? bias?.replace(/\.bias$/, '') ?? scope;
    if (name === undefined) nameless.push(weight);
    else add(`${name}.weight`, { tensor, isTransposed: !isTransposed });
  }
  for (const [name, tensor] of stored) {
    if (!PARAMETER.test(name) || LIFTED_CONSTANT.test(name)) continue;
    add(name, { tensor, isTransposed: multiplied.has(name) && !CONV_1D.test(name) });
  }
  return { named: new Map([...named].map(([name, known]) => [name, [...known.values()]])), nameless };
}
