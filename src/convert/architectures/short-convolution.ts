/** The tensors of a layer with a gated convolution, under llama.cpp's names for them. */
import type { ShortConvolution } from './architecture';
import type { TensorPlanner } from './tensor-planner';

/** `block` is the layer's prefix in the file, `source` the module's in the checkpoint. */
export function planShortConvolution(
  planner: TensorPlanner,
  block: string,
  source: string,
  { width, hasBiases }: ShortConvolution,
  hiddenSize: number,
): void {
  const name = `${block}shortconv.`;
  planner.dense(`${name}in_proj`, 3 * hiddenSize, hiddenSize, `${source}in_proj`, hasBiases);
  const weight = [[`${source}conv.weight`, [hiddenSize, 1, width]]] as const;
  planner.computed(`${name}conv.weight`, [hiddenSize, width], weight, ([values]) => [values!]);
  if (hasBiases) planner.exact(`${name}conv.bias`, [hiddenSize], `${source}conv.bias`);
  planner.dense(`${name}out_proj`, hiddenSize, hiddenSize, `${source}out_proj`, hasBiases);
}
