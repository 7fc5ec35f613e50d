/** Names of flash-attn's BERT, under which the first code of several families keeps its layers. */
import type { LayerNames } from './encoder-tensors';

export const FLASH_EMBEDDING_NORM = 'emb_ln';

/** `attention`: the part's name there; `up`: the names of the inner layer, from that of the feed-forward part. */
export function flashLayer(block: number, attention: string, up: (mlp: string) => LayerNames['up']): LayerNames {
  const layer = `encoder.layers.${block}`;
  return {
    qkv: [`${layer}.${attention}.Wqkv`],
    attentionOutput: `${layer}.${attention}.out_proj`,
    attentionNorm: `${layer}.norm1`,
    up: up(`${layer}.mlp`),
    down: `${layer}.mlp.fc2`,
    outputNorm: `${layer}.norm2`,
  };
}
