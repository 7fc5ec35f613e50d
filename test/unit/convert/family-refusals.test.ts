/** What each family's configuration and tensors are refused for, on the shapes of families.json; no file is written. */
import { describe, expect, it } from 'vitest';

import { EncoderError } from '../../../src/errors';
import type { Family } from '../../golden/family-checkpoints';
import { ALL_FAMILIES, type Shapes, describeModel, family } from './describe-family';

function refusal(of: Family, changes: object, tensors: Shapes = of.tensors): EncoderError {
  try {
    describeModel(of, changes, tensors);
  } catch (error) {
    if (error instanceof EncoderError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const UNSUPPORTED = 'architecture_unsupported';
const MALFORMED = 'checkpoint_malformed';
const MISSING = 'tensor_missing';
const MISMATCH = 'tensor_shape_mismatch';

const LAYERS = ['full_attention', 'sliding_attention', 'full_attention'];
/** LongRoPE's for half a head of 12. */
const FACTORS = { short_factor: [1, 1, 1, 1, 1, 1], long_factor: [2, 2, 2, 2, 2, 2] };

/** Family, changes of its configuration, code, and what the message names. */
const CASES: readonly (readonly [string, object, string, string])[] = [
  ['roberta', { pad_token_id: 513 }, MALFORMED, 'pad_token_id'],
  ['roberta', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['xlm-roberta', { position_embedding_type: 'relative_key' }, UNSUPPORTED, 'relative_key'],
  ['camembert', { hidden_act: 'mish' }, UNSUPPORTED, 'mish'],
  ['electra', { add_cross_attention: true }, UNSUPPORTED, 'add_cross_attention'],
  ['electra-projected', { embedding_size: 0 }, MALFORMED, 'embedding_size'],
  ['albert', { num_hidden_groups: 0 }, MALFORMED, 'num_hidden_groups'],
  ['albert', { inner_group_num: 100 }, UNSUPPORTED, 'inner_group_num'],
  ['longformer', { attention_window: 7 }, MALFORMED, 'attention_window'],
  ['longformer', { attention_window: 0 }, MALFORMED, 'attention_window'],
  ['longformer', { attention_window: '16' }, MALFORMED, 'attention_window'],
  ['longformer', { attention_window: [16, 16] }, MALFORMED, '2 entries for 3 layers'],
  ['longformer', { attention_window: [16, 8, 16] }, UNSUPPORTED, 'attention_window'],
  ['longformer', { attention_window: [] }, MALFORMED, '0 entries'],
  ['longformer', { pad_token_id: 513 }, MALFORMED, 'pad_token_id'],
  ['longformer', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['esm', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['esm', { position_embedding_type: 'relative_key' }, UNSUPPORTED, 'relative_key'],
  ['esm', { vocab_size: null }, MALFORMED, 'vocab_size'],
  ['esm', { pad_token_id: null }, MALFORMED, 'pad_token_id'],
  ['esm', { mask_token_id: null }, MALFORMED, 'mask_token_id'],
  ['esm', { mask_token_id: 7100 }, MALFORMED, 'mask_token_id'],
  ['esm', { head_dim: 16 }, UNSUPPORTED, 'head_dim'],
  ['esm', { emb_layer_norm_before: true }, MISSING, 'esm.embeddings.layer_norm.weight'],
  ['esm-absolute', { emb_layer_norm_before: false }, UNSUPPORTED, 'esm.embeddings.layer_norm.bias'],
  ['esm-absolute', { pad_token_id: 513 }, MALFORMED, 'pad_token_id'],
  ['modernbert-decoder', { is_causal: false }, UNSUPPORTED, 'is_causal'],
  ['modernbert-decoder', { local_attention: 1 }, MALFORMED, 'local_attention'],
  ['modernbert-decoder', { sliding_window: 0 }, MALFORMED, 'sliding_window'],
  ['modernbert-decoder', { head_dim: 8 }, UNSUPPORTED, 'head_dim'],
  ['modernbert-decoder', { classifier_activation: 'mish' }, UNSUPPORTED, 'mish'],
  ['modernbert-decoder', { classifier_bias: true }, MISSING, 'head.dense.bias'],
  ['modernbert-decoder-biases', { classifier_bias: false }, UNSUPPORTED, 'classifier.bias'],
  ['big-bird', { attention_type: 'other' }, UNSUPPORTED, 'attention_type'],
  ['big-bird', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['big-bird', { use_bias: false }, UNSUPPORTED, 'attention.self.key.bias'],
  ['big-bird-sparse', { use_bias: true }, MISSING, 'attention.self.query.bias'],
  ['big-bird-sparse', { block_size: 0 }, MALFORMED, 'block_size'],
  ['big-bird-sparse', { num_random_blocks: -1 }, MALFORMED, 'num_random_blocks'],
  ['luke', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['luke', { pad_token_id: 513 }, MALFORMED, 'pad_token_id'],
  ['luke', { position_embedding_type: 'relative_key' }, UNSUPPORTED, 'relative_key'],
  ['xlnet', { attn_type: 'other' }, UNSUPPORTED, 'attn_type'],
  ['xlnet', { bi_data: true }, UNSUPPORTED, 'bi_data'],
  ['xlnet', { clamp_len: 'far' }, MALFORMED, 'clamp_len'],
  ['xlnet', { d_head: 16 }, MALFORMED, 'd_head'],
  ['xlnet', { d_model: 45, n_head: 3 }, MALFORMED, 'an even number'],
  ['xlnet', { ff_activation: 'mish' }, UNSUPPORTED, 'mish'],
  ['xlnet', { n_head: 5 }, MALFORMED, '5 attention heads'],
  ['xlnet', { summary_type: 'attn' }, UNSUPPORTED, 'summary_type'],
  ['xlnet', { summary_activation: 'mish' }, UNSUPPORTED, 'mish'],
  ['xlnet', { summary_proj_to_labels: true }, UNSUPPORTED, 'summary_proj_to_labels'],
  ['xlnet', { summary_use_proj: false }, UNSUPPORTED, 'sequence_summary.summary.bias'],
  ['xlnet-causal', { same_length: true }, UNSUPPORTED, 'same_length'],
  ['xlnet-causal', { summary_type: 'first' }, UNSUPPORTED, 'summary_type'],
  ['xlnet-causal', { summary_use_proj: true }, MISSING, 'sequence_summary.summary.weight'],
  ['mpnet', { max_position_embeddings: 2 }, MALFORMED, 'max_position_embeddings'],
  ['mpnet', { relative_attention_num_buckets: 0 }, MALFORMED, 'relative_attention_num_buckets'],
  ['deberta', { talking_head: true }, UNSUPPORTED, 'talking_head'],
  ['deberta', { embedding_size: 8 }, UNSUPPORTED, 'embedding_size'],
  ['deberta-conv', { conv_kernel_size: 2 }, MALFORMED, 'conv_kernel_size'],
  ['deberta-conv', { conv_kernel_size: 0 }, UNSUPPORTED, 'encoder.conv.conv.weight'],
  ['deberta-conv', { conv_kernel_size: 65 }, MALFORMED, 'conv_kernel_size'],
  ['deberta-conv', { conv_groups: 2 }, UNSUPPORTED, 'conv_groups'],
  ['deberta-conv', { conv_act: 'mish' }, UNSUPPORTED, 'mish'],
  // The logarithm that distances are divided by would be that of 1.
  ['deberta-v3', { max_relative_positions: 9 }, MALFORMED, '9 relative positions'],
  ['deberta-v3', { embedding_size: 8 }, UNSUPPORTED, 'embedding_size'],
  ['deberta-v3', { pooler_hidden_size: 8 }, UNSUPPORTED, 'pooler_hidden_size'],
  ['deberta-v3', { attention_head_size: 7 }, UNSUPPORTED, 'attention_head_size'],
  ['deberta-v3', { pos_att_type: 'p2p' }, UNSUPPORTED, 'p2p'],
  ['deberta-v3', { pos_att_type: 3 }, MALFORMED, 'pos_att_type'],
  // Also where no relative position is computed.
  ['deberta-absolute', { position_buckets: 1.5 }, MALFORMED, 'position_buckets'],
  ['deberta-absolute', { norm_rel_ebd: 3 }, MALFORMED, 'norm_rel_ebd'],
  ['deberta-absolute', { share_att_key: 'yes' }, MALFORMED, 'share_att_key'],
  ['deberta-v3', { position_buckets: 1 }, MALFORMED, 'position_buckets'],
  ['modernbert-mean', { classifier_pooling: 'last' }, UNSUPPORTED, 'classifier_pooling'],
  ['modernbert-mean', { hidden_activation: 'mish' }, UNSUPPORTED, 'mish'],
  ['modernbert-mean', { partial_rotary_factor: 0.5 }, UNSUPPORTED, 'partial_rotary_factor'],
  [
    'modernbert-mean',
    { rope_parameters: { sliding_attention: { partial_rotary_factor: 0.5 } } },
    UNSUPPORTED,
    'partial_rotary_factor',
  ],
  ['modernbert-mean', { rope_scaling: { type: 'linear', factor: 2 } }, UNSUPPORTED, 'rope_type'],
  ['modernbert-mean', { rope_scaling: { rope_type: 'linear' } }, MALFORMED, 'factor'],
  ['modernbert-mean', { sliding_window: 16 }, UNSUPPORTED, 'local_attention'],
  ['llama', { rope_parameters: { rope_type: 'su', rope_theta: 1e4, factor: 2 } }, UNSUPPORTED, 'su'],
  ['qwen2-yarn', { rope_parameters: { rope_type: 'yarn', rope_theta: 1e4 } }, MALFORMED, 'factor'],
  ['qwen2-yarn', { original_max_position_embeddings: 1 }, MALFORMED, 'original_max_position_embeddings'],
  ['llama', { rope_parameters: { rope_type: 'yarn', factor: 2, truncate: 1 } }, MALFORMED, 'truncate'],
  ['llama', { rope_parameters: { rope_type: 'yarn', factor: 2, beta_fast: -1 } }, MALFORMED, 'beta_fast'],
  ['llama', { rope_parameters: { rope_type: 'yarn', factor: 2, attention_factor: -1 } }, MALFORMED, 'attention_factor'],
  ['llama', { rope_parameters: { rope_type: 'longrope', short_factor: [1] } }, MALFORMED, 'short_factor'],
  ['llama', { rope_parameters: { rope_type: 'linear', rope_theta: 1e4 } }, MALFORMED, 'factor'],
  ['llama', { rope_parameters: { rope_type: 'default', rope_theta: 'many' } }, MALFORMED, 'rope_theta'],
  ['llama', { num_key_value_heads: 3 }, MALFORMED, 'key-value heads'],
  ['llama', { num_attention_heads: 5, num_key_value_heads: 5, head_dim: null }, MALFORMED, '5 attention heads'],
  ['llama', { head_dim: 100_000 }, MALFORMED, 'head_dim'],
  ['mistral', { sliding_window: 0 }, MALFORMED, 'sliding_window'],
  ['mistral', { layer_types: LAYERS }, UNSUPPORTED, 'Ministral'],
  ['mistral', { layer_types: LAYERS, sliding_window: null }, UNSUPPORTED, 'Ministral'],
  ['qwen2-window', { layer_types: ['full_attention'] }, MALFORMED, 'layer_types'],
  [
    'qwen2-window',
    { layer_types: ['full_attention', 'chunked_attention', 'full_attention'] },
    UNSUPPORTED,
    'chunked_attention',
  ],
  ['qwen3', { layer_types: ['sliding_attention', 'full_attention', 'full_attention'] }, MALFORMED, 'sliding_window'],
  ['gemma2', { use_bidirectional_attention: true }, UNSUPPORTED, 'use_bidirectional_attention'],
  ['gemma2', { attn_logit_softcapping: -1 }, MALFORMED, 'attn_logit_softcapping'],
  ['gemma', { use_bidirectional_attention: true }, UNSUPPORTED, 'use_bidirectional_attention'],
  ['gemma', { hidden_act: 'mish' }, UNSUPPORTED, 'mish'],
  ['gemma', { hidden_activation: 'gelu' }, UNSUPPORTED, 'hidden_activation'],
  ['gemma', { partial_rotary_factor: 0.5 }, UNSUPPORTED, 'partial_rotary_factor'],
  ['gemma3', { attn_logit_softcapping: 50 }, UNSUPPORTED, 'attn_logit_softcapping'],
  ['gemma3', { sliding_window: null }, MALFORMED, 'sliding_window'],
  ['gemma3', { sliding_window_pattern: 0 }, MALFORMED, 'sliding_window_pattern'],
  ['gemma3', { use_bidirectional_attention: 'yes' }, MALFORMED, 'use_bidirectional_attention'],
  ['gemma3', { rope_parameters: { full_attention: { rope_type: 'yarn', factor: 2 } } }, UNSUPPORTED, 'yarn'],
  ['gemma3', { rope_parameters: { sliding_attention: 3 } }, MALFORMED, 'sliding_attention'],
  ['gemma3', { rope_parameters: null, rope_scaling: { rope_type: 'linear' } }, MALFORMED, 'factor'],
  ['gemma3', { rope_scaling: { type: 'linear', factor: 2 } }, UNSUPPORTED, 'rope_type'],
  ['gte', { position_embedding_type: 'absolute' }, UNSUPPORTED, 'supported: rope'],
  ['gte', { partial_rotary_factor: 0.5 }, UNSUPPORTED, 'partial_rotary_factor'],
  ['gte', { rope_parameters: { rope_type: 'ntk', factor: 8, rope_theta: 1e4 } }, UNSUPPORTED, 'ntk'],
  ['gte', { num_attention_heads: 5 }, MALFORMED, '5 attention heads'],
  ['gte', { type_vocab_size: -1 }, MALFORMED, 'type_vocab_size'],
  ['gte', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['gte-first', { position_embedding_type: 'absolute' }, UNSUPPORTED, 'supported: rope'],
  ['gte-first', { layer_norm_type: 'rms_norm' }, UNSUPPORTED, 'rms_norm'],
  ['gte-first', { logn_attention_scale: true }, UNSUPPORTED, 'logn_attention_scale'],
  ['gte-first', { pack_qkv: false }, UNSUPPORTED, 'pack_qkv'],
  ['gte-first', { rope_scaling: { type: 'linear', factor: 2 } }, UNSUPPORTED, 'linear'],
  ['gte-first', { rope_scaling: { type: 'ntk', factor: 8, mixed_b: 0.6 } }, UNSUPPORTED, 'mixed_b'],
  ['gte-first', { rope_scaling: { type: 'ntk' } }, MALFORMED, 'factor'],
  ['gte-first', { rope_scaling: { type: 'ntk', factor: 0.5 } }, MALFORMED, 'factor'],
  ['nomic-first', { prenorm: true }, UNSUPPORTED, 'prenorm'],
  ['nomic-first', { causal: true }, UNSUPPORTED, 'causal'],
  ['nomic-first', { qkv_proj_bias: null }, UNSUPPORTED, 'qkv_proj_bias'],
  ['nomic-first', { rotary_emb_fraction: 0.5 }, UNSUPPORTED, 'rotary_emb_fraction'],
  ['nomic-first', { rotary_emb_scale_base: 512 }, UNSUPPORTED, 'rotary_emb_scale_base'],
  ['nomic-first', { moe_every_n_layers: 2 }, UNSUPPORTED, 'moe_every_n_layers'],
  ['nomic-first', { activation_function: 'glu' }, UNSUPPORTED, 'glu'],
  ['nomic-first', { activation_function: 'toString' }, UNSUPPORTED, 'toString'],
  ['nomic-first', { n_inner: null }, UNSUPPORTED, 'n_inner'],
  ['nomic-first', { n_head: 0 }, MALFORMED, 'n_head'],
  ['nomic-first', { n_embd: 'wide' }, MALFORMED, 'n_embd'],
  ['nomic', { type_vocab_size: 0 }, MALFORMED, 'type_vocab_size'],
  ['rembert', { input_embedding_size: 0 }, MALFORMED, 'input_embedding_size'],
  ['rembert', { num_attention_heads: 5 }, MALFORMED, '5 attention heads'],
  ['rembert', { add_cross_attention: true }, UNSUPPORTED, 'add_cross_attention'],
  ['mobilebert', { trigram_input: false }, UNSUPPORTED, 'trigram_input'],
  ['mobilebert', { use_bottleneck: false }, UNSUPPORTED, 'use_bottleneck'],
  ['mobilebert', { use_bottleneck_attention: true }, UNSUPPORTED, 'use_bottleneck_attention'],
  ['mobilebert', { key_query_shared_bottleneck: false }, UNSUPPORTED, 'key_query_shared_bottleneck'],
  ['mobilebert', { normalization_type: 'layer_norm' }, UNSUPPORTED, 'layer_norm'],
  ['mobilebert', { num_feedforward_networks: 0 }, MALFORMED, 'num_feedforward_networks'],
  ['mobilebert', { num_attention_heads: 5 }, MALFORMED, '5 attention heads'],
  ['mobilebert', { hidden_act: 'mish' }, UNSUPPORTED, 'mish'],
  ['mobilebert', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['jina-bert', { position_embedding_type: 'absolute' }, UNSUPPORTED, 'supported: alibi'],
  ['jina-bert', { position_embedding_type: null }, UNSUPPORTED, 'position_embedding_type'],
  ['jina-bert', { feed_forward_type: 'original' }, UNSUPPORTED, 'feed_forward_type'],
  ['jina-bert', { feed_forward_type: 'toString' }, UNSUPPORTED, 'feed_forward_type'],
  ['jina-bert', { num_attention_heads: 6 }, UNSUPPORTED, 'num_attention_heads'],
  ['jina-bert', { num_attention_heads: 5 }, MALFORMED, '5 attention heads'],
  ['jina-bert', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['jina-v3', { hidden_act: 'mish' }, UNSUPPORTED, 'mish'],
  ['jina-v3', { head_dim: 1024 }, MALFORMED, 'head_dim'],
  ['eurobert', { classifier_pooling: 'last' }, UNSUPPORTED, 'classifier_pooling'],
  ['eurobert', { classifier_pooling: 'toString' }, UNSUPPORTED, 'classifier_pooling'],
  ['eurobert-bos', { clf_pooling: 'mean' }, UNSUPPORTED, 'clf_pooling'],
  ['eurobert', { num_key_value_heads: 3 }, MALFORMED, 'key-value heads'],
  ['eurobert', { partial_rotary_factor: 0.5 }, UNSUPPORTED, 'partial_rotary_factor'],
  ['xlm-roberta-flash', { position_embedding_type: 'rotary' }, UNSUPPORTED, 'rotary'],
  ['ernie-task', { task_type_vocab_size: 0 }, MALFORMED, 'task_type_vocab_size'],
  ['ernie-task', { use_task_id: false }, UNSUPPORTED, 'task_type_embeddings'],
  ['megatron-bert', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['roberta-prelayernorm', { hidden_act: 'mish' }, UNSUPPORTED, 'mish'],
  ['xlm-roberta-xl', { pad_token_id: 512 }, MALFORMED, 'pad_token_id'],
  ['data2vec', { position_embedding_type: 'relative_key' }, UNSUPPORTED, 'relative_key'],
  ['gemma3-pictures', { text_config: { hidden_size: 0 } }, MALFORMED, 'text_config in config.json: hidden_size'],
  ['gemma3-pictures', { text_config: 3 }, MALFORMED, 'text_config'],
  ['phi3', { rope_parameters: { rope_type: 'longrope', rope_theta: 1e4 } }, MALFORMED, 'short_factor'],
  ['phi3', { rope_parameters: null, rope_scaling: { type: 'linear', factor: 2 } }, UNSUPPORTED, 'linear'],
  [
    'phi3-longrope',
    { partial_rotary_factor: 0.5, rope_parameters: { type: 'su', short_factor: [1, 1, 1, 1, 1, 1] } },
    MALFORMED,
    'short_factor',
  ],
  ['phi3-longrope', { original_max_position_embeddings: 1 }, MALFORMED, 'original_max_position_embeddings'],
  ['phi3', { rope_parameters: { partial_rotary_factor: 0.3 } }, UNSUPPORTED, '3 columns'],
  ['phi3', { sliding_window: 0 }, MALFORMED, 'sliding_window'],
  ['smollm3', { no_rope_layers: [1, 0] }, MALFORMED, 'no_rope_layers'],
  ['smollm3', { no_rope_layers: [1, 0, 2] }, MALFORMED, 'no_rope_layers'],
  ['smollm3', { no_rope_layer_interval: 0, no_rope_layers: null }, MALFORMED, 'no_rope_layer_interval'],
  ['smollm3', { partial_rotary_factor: 0.5 }, UNSUPPORTED, 'partial_rotary_factor'],
  ['smollm3', { rope_parameters: { rope_type: 'yarn', factor: 2 } }, UNSUPPORTED, 'no_rope_layers'],
  [
    'smollm3',
    { rope_parameters: { rope_type: 'longrope', attention_factor: 1, ...FACTORS } },
    UNSUPPORTED,
    'no_rope_layers',
  ],
  ['smollm3-window', { sliding_window: null }, MALFORMED, 'sliding_window'],
  ['smollm3-window', { no_rope_layers: [1, 1, 0], layer_types: LAYERS }, UNSUPPORTED, 'no_rope_layers'],
  ['ministral', { sliding_window: 0 }, MALFORMED, 'sliding_window'],
  ['gpt2', { scale_attn_by_inverse_layer_idx: true }, UNSUPPORTED, 'scale_attn_by_inverse_layer_idx'],
  ['gpt2', { add_cross_attention: true }, UNSUPPORTED, 'add_cross_attention'],
  ['gpt2', { pruned_heads: { 0: [1] } }, UNSUPPORTED, 'pruned_heads'],
  ['gpt2', { activation_function: 'mish' }, UNSUPPORTED, 'mish'],
  ['gpt2', { scale_attn_weights: 'no' }, MALFORMED, 'scale_attn_weights'],
  ['gpt2', { hidden_size: 64 }, MALFORMED, 'n_embd and hidden_size'],
  ['gpt2', { n_head: 5 }, MALFORMED, '5 attention heads'],
  ['gpt2', { n_inner: 0 }, MALFORMED, 'n_inner'],
  ['gpt2', { n_positions: 0 }, MALFORMED, 'n_positions'],
  ['gpt-neox', { num_attention_heads: 5 }, MALFORMED, '5 attention heads'],
  ['gpt-neox', { head_dim: 16 }, UNSUPPORTED, 'head_dim'],
  ['gpt-neox', { use_parallel_residual: 1 }, MALFORMED, 'use_parallel_residual'],
  ['gpt-neox', { rope_parameters: null, rotary_pct: 2 }, MALFORMED, 'rotary_pct'],
  ['gpt-neox', { rope_parameters: null }, UNSUPPORTED, '3 columns'],
  ['gpt-neox', { rope_parameters: { rope_type: 'yarn', partial_rotary_factor: 0.5 } }, MALFORMED, 'factor'],
  ['gpt-neox', { hidden_act: 'mish' }, UNSUPPORTED, 'mish'],
  ['opt', { word_embed_proj_dim: 0 }, MALFORMED, 'word_embed_proj_dim'],
  ['opt', { layer_norm_elementwise_affine: false }, UNSUPPORTED, 'layer_norm_elementwise_affine'],
  ['opt', { _remove_final_layer_norm: true }, UNSUPPORTED, '_remove_final_layer_norm'],
  ['opt', { enable_bias: 'no' }, MALFORMED, 'enable_bias'],
  ['opt', { ffn_dim: 0 }, MALFORMED, 'ffn_dim'],
  ['opt', { num_attention_heads: 5 }, MALFORMED, '5 attention heads'],
  ['opt', { activation_function: 'mish' }, UNSUPPORTED, 'mish'],
  [
    'bloom',
    { apply_residual_connection_post_layernorm: true },
    UNSUPPORTED,
    'apply_residual_connection_post_layernorm',
  ],
  ['gpt-neo', { window_size: 0 }, MALFORMED, 'window_size'],
  ['gpt-neo', { num_heads: 5 }, MALFORMED, '5 attention heads'],
  ['gpt-neo', { attention_layers: ['global', 'local'] }, MALFORMED, '3 layers'],
  ['gpt-neo', { attention_layers: ['global', 'local', 'banded'] }, UNSUPPORTED, 'banded'],
  ['gpt-neo', { attention_layers: null, attention_types: null }, MALFORMED, '3 layers'],
  ['gpt-neo', { attention_layers: null, attention_types: [[['global'], 2 ** 40]] }, MALFORMED, 'attention_types'],
  ['gpt-neo', { attention_layers: null, attention_types: [['global', 3]] }, MALFORMED, 'attention_types'],
  ['phi', { qk_layernorm: true }, UNSUPPORTED, 'qk_layernorm'],
  ['phi', { num_key_value_heads: 3 }, MALFORMED, 'cannot share 3'],
  ['phi', { rope_parameters: { partial_rotary_factor: 0.25 } }, UNSUPPORTED, '3 columns'],
  ['squeezebert', { q_groups: 5 }, MALFORMED, 'q_groups'],
  ['squeezebert', { intermediate_groups: 3 }, MALFORMED, '48 and 80'],
  ['squeezebert', { v_groups: 0 }, MALFORMED, 'v_groups'],
  ['squeezebert', { v_groups: 2 }, MISMATCH, 'attention.value.weight'],
  ['squeezebert', { layer_norm_eps: 1e-5 }, UNSUPPORTED, 'layer_norm_eps'],
  ['squeezebert', { embedding_size: 24 }, UNSUPPORTED, 'embedding_size'],
  ['squeezebert', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['gptj', { rotary_dim: 0 }, UNSUPPORTED, 'rotary_dim'],
  ['gptj', { rotary_dim: 7 }, UNSUPPORTED, 'rotary_dim'],
  ['gptj', { rotary_dim: 14 }, UNSUPPORTED, '12'],
  ['gptj', { rotary_dim: null }, UNSUPPORTED, 'rotary_dim'],
  ['gptj', { n_head: 5 }, MALFORMED, '5 attention heads'],
  ['gptj', { n_inner: 0 }, MALFORMED, 'n_inner'],
  ['gptj', { activation_function: 'mish' }, UNSUPPORTED, 'mish'],
  ['starcoder2', { sliding_window: 0 }, MALFORMED, 'sliding_window'],
  ['starcoder2', { num_key_value_heads: 3 }, MALFORMED, 'cannot share 3'],
  ['starcoder2', { partial_rotary_factor: 0.5 }, UNSUPPORTED, 'partial_rotary_factor'],
  ['falcon', { alibi: true }, UNSUPPORTED, 'alibi'],
  ['falcon', { partial_rotary_factor: 0.5 }, UNSUPPORTED, 'partial_rotary_factor'],
  ['falcon', { num_ln_in_parallel_attn: 2 }, UNSUPPORTED, 'num_ln_in_parallel_attn'],
  ['falcon-new', { parallel_attn: false }, UNSUPPORTED, 'parallel_attn'],
  ['falcon-new', { num_kv_heads: 3 }, MALFORMED, 'cannot share 3'],
  ['falcon-serial', { num_kv_heads: 2 }, MALFORMED, 'cannot share 2'],
  ['bloom', { n_head: 5 }, MALFORMED, '5 attention heads'],
  ['bloom', { seq_length: 0 }, MALFORMED, 'seq_length'],
  ['llama-bidirectional', { pooling: 'weighted_avg' }, UNSUPPORTED, 'weighted_avg'],
  ['llama-bidirectional', { pooling: 'toString' }, UNSUPPORTED, 'toString'],
  ['llama-bidirectional', { is_causal: true }, UNSUPPORTED, 'is_causal'],
  ['llama-bidirectional', { temperature: 0 }, MALFORMED, 'temperature'],
  ['olmo2', { num_key_value_heads: 3 }, MALFORMED, 'key-value heads'],
  ['olmo2', { partial_rotary_factor: 0.5 }, UNSUPPORTED, 'partial_rotary_factor'],
  ['bart', { is_encoder_decoder: false }, UNSUPPORTED, 'is_encoder_decoder'],
  ['bart', { tie_word_embeddings: false }, UNSUPPORTED, 'tie_word_embeddings'],
  ['bart', { eos_token_id: null }, UNSUPPORTED, 'eos_token_id'],
  ['bart', { eos_token_id: [2, 3] }, MALFORMED, 'eos_token_id'],
  ['bart', { decoder_start_token_id: null }, UNSUPPORTED, 'decoder_start_token_id'],
  ['bart', { decoder_start_token_id: 7100 }, MALFORMED, 'decoder_start_token_id'],
  ['bart', { num_hidden_layers: 12 }, MALFORMED, 'num_hidden_layers'],
  ['bart', { decoder_layers: 0 }, MALFORMED, 'decoder_layers'],
  ['bart', { decoder_attention_heads: 5 }, MALFORMED, '5 attention heads'],
  ['bart', { activation_function: 'mish' }, UNSUPPORTED, 'mish'],
  ['mbart', { tie_word_embeddings: false }, UNSUPPORTED, 'tie_word_embeddings'],
  ['mbart', { eos_token_id: null }, UNSUPPORTED, 'eos_token_id'],
  ['mbart', { eos_token_id: [2, 3] }, MALFORMED, 'eos_token_id'],
  ['mbart', { pad_token_id: null }, UNSUPPORTED, 'pad_token_id'],
  ['mbart', { pad_token_id: 7100 }, MALFORMED, 'pad_token_id'],
  ['mbart', { pad_token_id: -1 }, MALFORMED, 'pad_token_id'],
  ['mbart', { decoder_attention_heads: 5 }, MALFORMED, '5 attention heads'],
  ['mbart', { activation_function: 'mish' }, UNSUPPORTED, 'mish'],
  ['mbart', { pruned_heads: { 0: [1] } }, UNSUPPORTED, 'pruned_heads'],
  ['t5', { is_encoder_decoder: false }, UNSUPPORTED, 'is_encoder_decoder'],
  ['t5', { is_decoder: true }, UNSUPPORTED, 'is_decoder'],
  ['t5', { decoder_start_token_id: null }, UNSUPPORTED, 'decoder_start_token_id'],
  ['mt5', { decoder_start_token_id: null }, UNSUPPORTED, 'decoder_start_token_id'],
  ['t5', { decoder_start_token_id: 2560 }, MALFORMED, 'decoder_start_token_id'],
  ['t5', { eos_token_id: [1, 2] }, MALFORMED, 'eos_token_id'],
  ['t5', { eos_token_id: null }, UNSUPPORTED, 'eos_token_id'],
  ['t5', { feed_forward_proj: 'gated-gated-gelu' }, MALFORMED, 'feed_forward_proj'],
  ['t5', { feed_forward_proj: 'gelu-gated' }, MALFORMED, 'feed_forward_proj'],
  ['t5', { feed_forward_proj: 'mish', dense_act_fn: null }, UNSUPPORTED, 'mish'],
  ['t5', { is_gated_act: true }, MISSING, 'DenseReluDense.wi_0.weight'],
  ['t5-gated', { dense_act_fn: 'mish' }, UNSUPPORTED, 'mish'],
  ['t5', { relative_attention_num_buckets: 3 }, MALFORMED, 'relative_attention_num_buckets'],
  ['t5', { relative_attention_max_distance: 16 }, MALFORMED, 'relative_attention_max_distance'],
  ['t5', { d_kv: 0 }, MALFORMED, 'd_kv'],
  ['t5', { head_dim: 16 }, MALFORMED, 'd_kv and head_dim'],
  ['t5', { num_decoder_layers: 0 }, MALFORMED, 'num_decoder_layers'],
  ['t5', { pruned_heads: { 0: [1] } }, UNSUPPORTED, 'pruned_heads'],
  ['umt5', { num_heads: 5 }, MISMATCH, 'SelfAttention.q.weight'],
];

describe('configurations', () => {
  it.each(CASES)('%s with %j', (name, changes, code, word) => {
    const error = refusal(family(name), changes);
    expect(error.code).toBe(code);
    expect(error.message).toContain(word);
  });
});

/** What checkpoints hold and no logit depends on, or what has a value without them; esm.test.ts has the latter. */
const OPTIONAL =
  /\.inv_freq$|\.contact_head\.|^bert\.pooler\.(weight|bias)$|\.entity_embeddings\.|\.(w2e|e2w|e2e)_query\.|\.mask_emb$/;

describe.each(ALL_FAMILIES)('tensors of $name', (of) => {
  const needed = Object.entries(of.tensors).filter(([name]) => !OPTIONAL.test(name));

  it('are enough as they are', () => {
    expect(() => describeModel(of, {}, of.tensors)).not.toThrow();
  });

  // A head without its tensors would be made of random numbers elsewhere; here each tensor is missed by name.
  it('are all needed but those that transformers ignores', () => {
    for (const [name] of needed) {
      const rest = Object.fromEntries(Object.entries(of.tensors).filter(([other]) => other !== name));
      const error = refusal(of, {}, rest);
      expect(error.code, name).toBe('tensor_missing');
    }
  });

  it('must have their shapes', () => {
    for (const [name, shape] of needed) {
      const error = refusal(of, {}, { ...of.tensors, [name]: [...shape.slice(0, -1), shape.at(-1)! + 1] });
      expect(['tensor_shape_mismatch', MALFORMED], name).toContain(error.code);
    }
  });

  it('must all have a place', () => {
    const error = refusal(of, {}, { ...of.tensors, 'model.adapter.weight': [2, 2] });
    expect(error.code).toBe(UNSUPPORTED);
    expect(error.message).toContain('model.adapter.weight');
  });
});
