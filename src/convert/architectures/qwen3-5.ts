/**
 * Qwen 3.5: a Qwen 3 in which three of four layers attend linearly, by the gated delta rule, and the fourth has a gate of
 * what it gives, norms stored as weight - 1, and heads of which a quarter turns.
 */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { MAX_CAUSAL_CONVOLUTION_WIDTH, MAX_HEADS, MAX_HEAD_SIZE } from '../limits';
import type { LinearAttention } from './architecture';
import { type DecoderFamily, attentionBiases, sizes } from './decoder-family';
import { layersOf } from './layer-types';
import { readActivation } from './mechanisms';
import { readPartialRotary } from './rotary';

/** Layers with linear attention: those that `layer_types` names, else all but each fourth. */
function linearLayers(config: ConfigReader, numLayers: number): number[] {
  return layersOf('linear_attention', config, numLayers, (layer) => {
    return (layer + 1) % config.integer('full_attention_interval', 4, 1, 2 ** 31) !== 0;
  });
}

function linearAttention(config: ConfigReader, numLayers: number): LinearAttention | undefined {
  const layers = linearLayers(config, numLayers);
  const numKeyHeads = config.integer('linear_num_key_heads', 16, 1, MAX_HEADS);
  const numValueHeads = config.integer('linear_num_value_heads', 32, 1, MAX_HEADS);
  const headSize = config.integer('linear_key_head_dim', 128, 1, MAX_HEAD_SIZE);
  const valueSize = config.integer('linear_value_head_dim', 128, 1, MAX_HEAD_SIZE);
  const convolutionWidth = config.integer('linear_conv_kernel_dim', 4, 1, MAX_CAUSAL_CONVOLUTION_WIDTH);
  if (layers.length === 0) return undefined;
  if (numValueHeads % numKeyHeads !== 0) {
    config.malformed(`${numValueHeads} value heads of linear attention cannot share ${numKeyHeads} key heads`);
  }
  if (valueSize !== headSize) {
    config.unsupported(
      `linear_value_head_dim is ${valueSize} and linear_key_head_dim ${headSize}; supported are heads of one size`,
    );
  }
  return { layers, numKeyHeads, numValueHeads, headSize, convolutionWidth };
}

/** The convolution has it too. */
function activation(config: ConfigReader): string {
  const name = readActivation(config, 'hidden_act', 'silu');
  if (name !== 'silu' && name !== 'swish') {
    config.unsupported(`hidden_act is ${shown(name)}; of this class only models with silu are supported`);
  }
  return name;
}

export const qwen35Families: readonly DecoderFamily[] = [
  {
    className: 'Qwen3_5Text',
    causalClassName: 'Qwen3_5',
    modelType: 'qwen3_5_text',
    multimodal: { className: 'Qwen3_5', modelType: 'qwen3_5', writes: true },
    unread: /^mtp\.|(^|\.)model\.visual\./,
    architecture: 'qwen35',
    defaults: { ...sizes(32, 4096, 16, 12_288, 32_768, 248_320), numKeyValueHeads: 4, headSize: 256 },
    biases: attentionBiases,
    // Of a text all three positions of a token are the same.
    rotary: (config, headSize) => readPartialRotary(config, headSize, 0.25),
    activation,
    normalizesQueries: 'heads',
    normsAddOne: true,
    gatesAttention: true,
    linearAttention,
  },
];
