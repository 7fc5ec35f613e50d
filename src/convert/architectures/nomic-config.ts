/**
 * Configurations of the code that Nomic BERT was first published with: GPT-2's names for the sizes, and switches of which
 * transformers' class has one setting.
 */
import { type JsonValue, shown } from '../../support/json';
import { ConfigReader } from '../config';
import {
  MAX_HEADS,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_POSITIONS,
  MAX_VOCAB_SIZE,
} from '../limits';

/** The inner size is rounded up to a multiple of this. */
const INNER_MULTIPLE = 256;

/** Switches with that code's default and the one setting that is supported. */
const SWITCHES: readonly (readonly [key: string, fallback: JsonValue, supported: JsonValue])[] = [
  ['prenorm', false, false],
  ['causal', false, false],
  ['parallel_block', false, false],
  ['use_rms_norm', false, false],
  ['qkv_proj_bias', true, false],
  ['mlp_fc1_bias', true, false],
  ['mlp_fc2_bias', true, false],
  ['rotary_emb_fraction', 0, 1],
  ['rotary_emb_interleaved', false, false],
  ['moe_every_n_layers', 0, 0],
];
/** Switches that must not be set. */
const UNSET = ['rotary_emb_scale_base', 'num_heads_kv'];

const ACTIVATIONS = { swiglu: 'silu', geglu: 'gelu' } as const;

/** The same under transformers' keys; a configuration that has these already is given back. */
export function translateNomicConfig(config: ConfigReader): ConfigReader {
  if (config.get('n_embd') === undefined) return config;
  for (const [key, fallback, supported] of SWITCHES) {
    const value = config.get(key) ?? fallback;
    if (value !== supported) {
      config.unsupported(`${key} is ${shown(value)}; only ${String(supported)} is supported`);
    }
  }
  const set = UNSET.find((key) => config.get(key) !== undefined);
  if (set !== undefined) config.unsupported(`${set} is set; only null is supported`);
  if (config.get('n_inner') === undefined) config.unsupported('n_inner is not set');
  const inner = config.integer('n_inner', INNER_MULTIPLE, 1, MAX_INTERMEDIATE_SIZE);
  const activation = ACTIVATIONS[config.oneOf('activation_function', 'gelu_new', ['swiglu', 'geglu'])];
  const json = {
    num_hidden_layers: config.integer('n_layer', 12, 1, MAX_LAYERS),
    hidden_size: config.integer('n_embd', 768, 1, MAX_HIDDEN_SIZE),
    num_attention_heads: config.integer('n_head', 12, 1, MAX_HEADS),
    intermediate_size: roundUp(inner, INNER_MULTIPLE),
    max_position_embeddings: readPositions(config),
    vocab_size: roundUp(
      config.integer('vocab_size', 50_257, 1, MAX_VOCAB_SIZE),
      config.integer('pad_vocab_size_multiple', 1, 1, 1024),
    ),
    hidden_act: activation,
    layer_norm_eps: config.number('layer_norm_epsilon', 1e-5, 0, 1),
    rope_parameters: { rope_type: 'default', rope_theta: config.number('rotary_emb_base', 10_000, 1, 1e9) },
  };
  return new ConfigReader({ ...config.json, ...json }, config.path);
}

/** With a scaling factor longer texts turn at another pace, each length at its own; shorter ones as trained. */
function readPositions(config: ConfigReader): number {
  const positions = config.integer('n_positions', 1024, 1, MAX_POSITIONS);
  if (config.number('rotary_scaling_factor', 0, 0, 1e6) === 0) return positions;
  return Math.min(positions, config.integer('max_trained_positions', 2048, 1, MAX_POSITIONS));
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
