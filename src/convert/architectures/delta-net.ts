/** The tensors of a layer with linear attention by the gated delta rule, under llama.cpp's names for their kind. */
import type { LinearAttention } from './architecture';
import type { TensorPlanner } from './tensor-planner';

/** `block` is the layer's prefix in the file, `source` the module's in the checkpoint. */
export function planDeltaNet(
  planner: TensorPlanner,
  block: string,
  source: string,
  { numKeyHeads, numValueHeads, headSize, convolutionWidth }: LinearAttention,
  hiddenSize: number,
): void {
  const values = numValueHeads * headSize;
  const mixed = 2 * numKeyHeads * headSize + values;
  const heads = [numValueHeads];
  const linear = (name: string, parts: string[], rows: number[], columns: number, storage?: 'exact') => {
    const sources = parts.map((part) => `${source}${part}`);
    planner.linear(`${block}${name}`, { sources, rows, columns, bias: false, ...(storage && { storage }) });
  };
  linear('ssm_in', ['in_proj_qkv', 'in_proj_z'], [mixed, values], hiddenSize);
  // Rounding adds up in a state that a gate holds for thousands of tokens, and they are small.
  linear('ssm_ba', ['in_proj_b', 'in_proj_a'], [numValueHeads, numValueHeads], hiddenSize, 'exact');
  const convolution = [[`${source}conv1d.weight`, [mixed, 1, convolutionWidth]]] as const;
  planner.computed(`${block}ssm_conv1d.weight`, [mixed, convolutionWidth], convolution, ([weight]) => [weight!]);
  planner.computed(`${block}ssm_a`, heads, [[`${source}A_log`, heads]], ([logarithms]) => [
    logarithms!.map((value) => -Math.exp(value)),
  ]);
  planner.exact(`${block}ssm_dt.bias`, heads, `${source}dt_bias`);
  planner.norm(`${block}ssm_norm`, headSize, `${source}norm`, false);
  linear('ssm_out', ['out_proj'], [hiddenSize], values);
}
