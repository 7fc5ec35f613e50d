/**
 * Qwen 3.5: a Qwen 3 in which three of four layers attend linearly, by the gated delta rule, and the fourth has a gate of
 * what it gives, norms stored as weight - 1, and heads of which a quarter turns.
 */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { MAX_CAUSAL_CONVOLUTION_WIDTH, MAX_HEADS, MAX_HEAD_SIZE } from '../limits';
import type { LinearAttention, RotaryEmbedding } from './architecture';
import { type DecoderFamily, attentionBiases, sizes } from './decoder-family';
import { readActivation } from './mechanisms';
import { rotaryParameters, rotation } from './rotary';

/** Layers with linear attention: those that `layer_types` names, else all but each fourth. */
function linearLayers(config: ConfigReader, numLayers: number): number[] {
  const all = Array.from({ length: numLayers }, (_, layer) => layer);
  const types = config.get('layer_types');
  if (types === undefined) {
    const interval = config.integer('full_attention_interval', 4, 1, 2 ** 31);
    return all.filter((layer) => (layer + 1) % interval !== 0);
  }
  if (!Array.isArray(types) || types.length !== numLayers) {
    config.malformed(`layer_types is no list of ${numLayers} names`);
  }
  const unknown = types.find((type) => type !== 'full_attention' && type !== 'linear_attention');
  if (unknown !== undefined) {
    config.unsupported(`layer_types names ${shown(unknown)}; supported are full_attention and linear_attention`);
  }
  return all.filter((layer) => types[layer] === 'linear_attention');
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
    config.unsupported(`hidden_act is ${JSON.stringify(name)}; of this class only models with silu are supported`);
  }
  return name;
}

/** Of a text all three positions of a token are the same. */
function rotary(config: ConfigReader, headSize: number): RotaryEmbedding {
  const share = config.number('partial_rotary_factor', 0.25, 0.01, 1);
  const parameters = { partial_rotary_factor: share, ...rotaryParameters(config) };
  return rotation(config, parameters, headSize, config.number('rope_theta', 10_000, 1, 1e9));
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
    rotary,
    activation,
    normalizesQueries: 'heads',
    normsAddOne: true,
    gatesAttention: true,
    linearAttention,
  },
];
