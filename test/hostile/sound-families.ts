/** The smallest sound checkpoints of what BERT has not: as files by path, with what to convert them with. */
import type { ConvertOptions } from 'ggml-encoder';

import { type SoundTensor, TOKENIZER, TOKENIZER_CONFIG, layOut, safetensors, tensorsByPart } from './sound';
import { END, ENDING_TOKENIZER, soundDecoderFiles } from './sound-decoder';

const H = 4;
const F = 8;
const ROWS = 10;
/** Heads of T5 and Qwen 3 are not the hidden size by their number. */
const HEADS = 2;
const HEAD = 3;

type Files = Readonly<Record<string, Uint8Array | string>>;

export interface SoundCheckpoint {
  readonly name: string;
  readonly files: Files;
  readonly options?: Pick<ConvertOptions, 'scoreTokens' | 'answerTokens' | 'answerPrefix'>;
}

export function soundFamilies(): SoundCheckpoint[] {
  return [
    { name: 'decoder', files: soundDecoderFiles() },
    { name: 't5', files: t5('T5ForSequenceClassification') },
    { name: 't5 reranker', files: t5('T5ForConditionalGeneration'), options: { scoreTokens: ['a', 'b'] } },
    { name: 't5 classifier', files: t5('T5ForConditionalGeneration'), options: { answerTokens: ['a', 'b', '##c'] } },
    { name: 'language model', files: languageModel('Qwen3ForCausalLM') },
    {
      name: 'answers to chats',
      files: languageModel('Qwen3ForCausalLM'),
      options: { answerTokens: ['yes', 'no'], answerPrefix: 'a ' },
    },
    { name: 'chats', files: languageModel('Qwen3ForSequenceClassification') },
    { name: 'linear attention', files: linearAttention() },
    { name: 'short convolutions', files: shortConvolutions() },
    { name: 'relative positions', files: relativePositions() },
    { name: 'sizes of the tensors', files: sizesOfTensors() },
    { name: 'sines and segments', files: sinesAndSegments() },
    { name: 'tokens that do not count', files: uncountedTokens() },
    { name: 'head of modules', files: headOfModules() },
    { name: 'labels in the text', files: labelsInText() },
    { name: 'labels by bytes', files: labelsByBytes() },
    { name: 'lists', files: lists() },
    { name: 'late interaction', files: lateInteraction() },
  ];
}

/** With the words that a language model scores with. */
const ANSWERING = {
  ...TOKENIZER,
  model: { ...TOKENIZER.model, vocab: { ...TOKENIZER.model.vocab, yes: 8, no: 9 } },
};

type Table = Readonly<Record<string, SoundTensor>>;

function weights(tensors: Table): Buffer {
  const { header, data } = layOut(tensors);
  return safetensors(header, data);
}

function checkpoint(className: string, config: object, tensors: Table, tokenizer: object, more: Files = {}): Files {
  const labels = { id2label: { 0: 'no', 1: 'yes' } };
  return {
    'config.json': JSON.stringify({ architectures: [className], vocab_size: ROWS, ...labels, ...config }),
    'tokenizer.json': JSON.stringify(tokenizer),
    'tokenizer_config.json': JSON.stringify(TOKENIZER_CONFIG),
    'model.safetensors': weights(tensors),
    ...more,
  };
}

function t5(className: 'T5ForSequenceClassification' | 'T5ForConditionalGeneration'): Files {
  const { tensors, add, linear } = tensorsByPart(H);
  const buckets = 8;
  const isClassifier = className === 'T5ForSequenceClassification';
  const model = isClassifier ? 'transformer.' : '';
  const attention = (part: string) => {
    for (const name of ['q', 'k', 'v']) add(`${part}.${name}.weight`, HEADS * HEAD, H);
    add(`${part}.o.weight`, H, HEADS * HEAD);
  };
  const stack = (name: string, layers: number, attentions: readonly string[]) => {
    for (let layer = 0; layer < layers; layer++) {
      const parts = [...attentions, 'DenseReluDense'].map((_, part) => `${model}${name}.block.${layer}.layer.${part}`);
      for (const part of parts) add(`${part}.layer_norm.weight`, H);
      attentions.forEach((kind, part) => attention(`${parts[part]!}.${kind}`));
      const dense = `${parts.at(-1)!}.DenseReluDense`;
      for (const half of ['wi_0', 'wi_1']) add(`${dense}.${half}.weight`, F, H);
      add(`${dense}.wo.weight`, H, F);
    }
    add(`${model}${name}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`, buckets, HEADS);
    add(`${model}${name}.final_layer_norm.weight`, H);
  };
  add(`${model}shared.weight`, ROWS, H);
  stack('encoder', 1, ['SelfAttention']);
  stack('decoder', 2, ['SelfAttention', 'EncDecAttention']);
  if (isClassifier) {
    linear('classification_head.dense', H, H);
    linear('classification_head.out_proj', 2, H);
  }
  const config = {
    ...{ d_model: H, d_kv: HEAD, d_ff: F, num_heads: HEADS, num_layers: 1, num_decoder_layers: 2 },
    ...{ relative_attention_num_buckets: buckets, relative_attention_max_distance: 9 },
    ...{ feed_forward_proj: 'gated-gelu', decoder_start_token_id: 0, eos_token_id: END },
  };
  return checkpoint(className, config, tensors, ENDING_TOKENIZER);
}

/** Qwen 3 under a chat template: rotary positions, shared key heads, norms of heads; pairs by two words, or chats by rows of their own. */
function languageModel(className: 'Qwen3ForCausalLM' | 'Qwen3ForSequenceClassification'): Files {
  const { tensors, add } = tensorsByPart(H);
  const config = { ...qwen3(add), pad_token_id: 0 };
  if (className === 'Qwen3ForSequenceClassification') add('score.weight', 2, H);
  const template = '{% for message in messages %}{{ message.role }} {{ message.content }} {% endfor %}';
  return checkpoint(className, config, tensors, ANSWERING, { 'chat_template.jinja': template });
}

/** The same with vectors for a query and its documents. */
function lists(): Files {
  const { tensors, add } = tensorsByPart(H);
  const config = { ...qwen3(add), max_position_embeddings: 512 };
  add('projector.0.weight', F, H);
  add('projector.2.weight', H, F);
  const marks = ['<|embed_token|>', '<|rerank_token|>'].map((content, index) => {
    return { ...TOKENIZER.added_tokens[0]!, id: ROWS - 2 + index, content };
  });
  const added = [...TOKENIZER.added_tokens, ...marks];
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  const tokenizer = { ...TOKENIZER, added_tokens: added, post_processor: bytes, decoder: bytes };
  // A class that puts no tokens around a text.
  const settings = JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', model_max_length: 512 });
  return checkpoint('JinaForRanking', config, tensors, tokenizer, { 'tokenizer_config.json': settings });
}

function qwen3(add: ReturnType<typeof tensorsByPart>['add']): object {
  const size = 4;
  add('model.embed_tokens.weight', ROWS, H);
  for (const layer of [0, 1].map((index) => `model.layers.${index}`)) {
    add(`${layer}.self_attn.q_proj.weight`, HEADS * size, H);
    for (const part of ['k_proj', 'v_proj']) add(`${layer}.self_attn.${part}.weight`, size, H);
    add(`${layer}.self_attn.o_proj.weight`, H, HEADS * size);
    for (const part of ['q_norm', 'k_norm']) add(`${layer}.self_attn.${part}.weight`, size);
    for (const part of ['gate_proj', 'up_proj']) add(`${layer}.mlp.${part}.weight`, F, H);
    add(`${layer}.mlp.down_proj.weight`, H, F);
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) add(`${layer}.${norm}.weight`, H);
  }
  add('model.norm.weight', H);
  return {
    ...{ hidden_size: H, intermediate_size: F, num_hidden_layers: 2, head_dim: size, max_position_embeddings: 32 },
    ...{ num_attention_heads: HEADS, num_key_value_heads: 1, tie_word_embeddings: true },
  };
}

/** Qwen 3.5: a layer that keeps a state, and one that attends and has a gate of it. */
function linearAttention(): Files {
  const { tensors, add } = tensorsByPart(H);
  const [size, linearSize, width] = [4, 2, 4];
  const mixed = (2 * 1 + HEADS) * linearSize;
  add('model.embed_tokens.weight', ROWS, H);
  const [first, second] = ['model.layers.0', 'model.layers.1'] as const;
  add(`${first}.linear_attn.in_proj_qkv.weight`, mixed, H);
  add(`${first}.linear_attn.in_proj_z.weight`, HEADS * linearSize, H);
  for (const part of ['in_proj_b', 'in_proj_a']) add(`${first}.linear_attn.${part}.weight`, HEADS, H);
  add(`${first}.linear_attn.conv1d.weight`, mixed, 1, width);
  for (const part of ['A_log', 'dt_bias']) add(`${first}.linear_attn.${part}`, HEADS);
  add(`${first}.linear_attn.norm.weight`, linearSize);
  add(`${first}.linear_attn.out_proj.weight`, H, HEADS * linearSize);
  add(`${second}.self_attn.q_proj.weight`, 2 * HEADS * size, H);
  for (const part of ['k_proj', 'v_proj']) add(`${second}.self_attn.${part}.weight`, size, H);
  add(`${second}.self_attn.o_proj.weight`, H, HEADS * size);
  for (const part of ['q_norm', 'k_norm']) add(`${second}.self_attn.${part}.weight`, size);
  for (const layer of [first, second]) {
    for (const part of ['gate_proj', 'up_proj']) add(`${layer}.mlp.${part}.weight`, F, H);
    add(`${layer}.mlp.down_proj.weight`, H, F);
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) add(`${layer}.${norm}.weight`, H);
  }
  add('model.norm.weight', H);
  add('score.weight', 2, H);
  const config = {
    ...{ hidden_size: H, intermediate_size: F, num_hidden_layers: 2, head_dim: size, max_position_embeddings: 32 },
    ...{ num_attention_heads: HEADS, num_key_value_heads: 1, partial_rotary_factor: 0.5, pad_token_id: 0 },
    ...{ layer_types: ['linear_attention', 'full_attention'], linear_conv_kernel_dim: width },
    ...{ linear_num_key_heads: 1, linear_num_value_heads: HEADS },
    ...{ linear_key_head_dim: linearSize, linear_value_head_dim: linearSize },
  };
  return checkpoint('Qwen3_5TextForSequenceClassification', config, tensors, TOKENIZER);
}

/** LFM2: a layer that convolves over a few tokens, with biases, and one that attends. */
function shortConvolutions(): Files {
  const { tensors, add, linear } = tensorsByPart(H);
  return checkpoint('Lfm2ForCausalLM', lfm2({ add, linear }, 'model.', ROWS), tensors, ANSWERING);
}

function lfm2(
  { add, linear }: Pick<ReturnType<typeof tensorsByPart>, 'add' | 'linear'>,
  prefix: string,
  rows: number,
): object {
  const [size, width] = [4, 3];
  add(`${prefix}embed_tokens.weight`, rows, H);
  const [first, second] = [`${prefix}layers.0`, `${prefix}layers.1`] as const;
  linear(`${first}.conv.in_proj`, 3 * H, H);
  add(`${first}.conv.conv.weight`, H, 1, width);
  add(`${first}.conv.conv.bias`, H);
  linear(`${first}.conv.out_proj`, H, H);
  add(`${second}.self_attn.q_proj.weight`, HEADS * size, H);
  for (const part of ['k_proj', 'v_proj']) add(`${second}.self_attn.${part}.weight`, size, H);
  add(`${second}.self_attn.out_proj.weight`, H, HEADS * size);
  for (const part of ['q_layernorm', 'k_layernorm']) add(`${second}.self_attn.${part}.weight`, size);
  for (const layer of [first, second]) {
    for (const part of ['w1', 'w3']) add(`${layer}.feed_forward.${part}.weight`, F, H);
    add(`${layer}.feed_forward.w2.weight`, H, F);
    for (const norm of ['operator_norm', 'ffn_norm']) add(`${layer}.${norm}.weight`, H);
  }
  add(`${prefix}embedding_norm.weight`, H);
  return {
    ...{ hidden_size: H, intermediate_size: F, num_hidden_layers: 2, head_dim: size, max_position_embeddings: 64 },
    ...{ num_attention_heads: HEADS, num_key_value_heads: 1, layer_types: ['conv', 'full_attention'] },
    ...{ conv_L_cache: width, conv_bias: true, block_auto_adjust_ff_dim: false },
  };
}

/** An encoder of LFM2.5 under the head that finds its labels by the bytes of tokens, with a token for each byte. */
function labelsByBytes(): Files {
  const { tensors, add, linear } = tensorsByPart(H);
  const [rows, projected] = [257, 3];
  const encoder = lfm2({ add, linear }, 'lfm2.', rows);
  for (const projection of ['tok_proj', 'rule_proj']) linear(projection, projected, H);
  for (const scalar of ['logit_scale', 'score_bias']) add(scalar);
  // Characters of bytes: those that are printable, and the others from U+0100 on.
  const printable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let others = 0x100;
  const characters = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : others++));
  const tokenizer = {
    ...{ version: '1.0', truncation: null, padding: null, normalizer: null, decoder: null, post_processor: null },
    added_tokens: [{ ...TOKENIZER.added_tokens[0]!, id: 256, content: '<p>' }],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true },
    model: {
      ...{ type: 'BPE', unk_token: null, merges: [] },
      vocab: Object.fromEntries([...characters, '<p>'].map((token, id) => [token, id])),
    },
  };
  const config = {
    ...encoder,
    ...{ vocab_size: rows, model_type: 'lfm2', rule_proj_dim: projected },
  };
  return checkpoint('Lfm2BidirForSequenceRouting', config, tensors, tokenizer, {
    'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast' }),
  });
}

/** DeBERTa v2 with buckets and projections of their own. */
function relativePositions(): Files {
  const { tensors, add, linear, norm } = tensorsByPart(H);
  const buckets = 4;
  add('deberta.embeddings.word_embeddings.weight', ROWS, H);
  norm('deberta.embeddings.LayerNorm');
  for (const layer of [0, 1].map((index) => `deberta.encoder.layer.${index}`)) {
    for (const part of ['query_proj', 'key_proj', 'value_proj', 'pos_key_proj', 'pos_query_proj']) {
      linear(`${layer}.attention.self.${part}`, H, H);
    }
    linear(`${layer}.attention.output.dense`, H, H);
    norm(`${layer}.attention.output.LayerNorm`);
    linear(`${layer}.intermediate.dense`, F, H);
    linear(`${layer}.output.dense`, H, F);
    norm(`${layer}.output.LayerNorm`);
  }
  add('deberta.encoder.rel_embeddings.weight', 2 * buckets, H);
  norm('deberta.encoder.LayerNorm');
  linear('pooler.dense', H, H);
  linear('classifier', 2, H);
  const config = {
    ...{ hidden_size: H, intermediate_size: F, num_hidden_layers: 2, num_attention_heads: HEADS },
    ...{ max_position_embeddings: 32, type_vocab_size: 0, relative_attention: true, position_biased_input: false },
    ...{ pos_att_type: ['p2c', 'c2p'], position_buckets: buckets, share_att_key: false, norm_rel_ebd: 'layer_norm' },
  };
  return checkpoint('DebertaV2ForSequenceClassification', config, tensors, TOKENIZER);
}

/** A classifier of NeMo Curator, whose configuration has no sizes. */
function sizesOfTensors(): Files {
  const { tensors, add, linear, norm } = tensorsByPart(H);
  add('model.embeddings.word_embeddings.weight', ROWS, H);
  norm('model.embeddings.LayerNorm');
  for (const layer of [0, 1].map((index) => `model.encoder.layer.${index}`)) {
    for (const part of ['query_proj', 'key_proj', 'value_proj']) linear(`${layer}.attention.self.${part}`, H, H);
    linear(`${layer}.attention.output.dense`, H, H);
    norm(`${layer}.attention.output.LayerNorm`);
    linear(`${layer}.intermediate.dense`, F, H);
    linear(`${layer}.output.dense`, H, F);
    norm(`${layer}.output.LayerNorm`);
  }
  add('model.encoder.rel_embeddings.weight', 2 * 256, H);
  norm('model.encoder.LayerNorm');
  linear('fc', 2, H);
  const config = { architectures: [], base_model: 'microsoft/deberta-v3-base', fc_dropout: 0.2 };
  return checkpoint('', config, tensors, TOKENIZER);
}

/** XLNet: scores of positions by sines and of segments, with biases of their own for queries. */
function sinesAndSegments(): Files {
  const { tensors, add, linear, norm } = tensorsByPart(H);
  const heads = [HEADS, H / HEADS];
  add('transformer.word_embedding.weight', ROWS, H);
  for (const layer of [0, 1].map((index) => `transformer.layer.${index}`)) {
    for (const part of ['q', 'k', 'v', 'r', 'o']) add(`${layer}.rel_attn.${part}`, H, ...heads);
    for (const bias of ['r_w_bias', 'r_r_bias', 'r_s_bias']) add(`${layer}.rel_attn.${bias}`, ...heads);
    add(`${layer}.rel_attn.seg_embed`, 2, ...heads);
    norm(`${layer}.rel_attn.layer_norm`);
    linear(`${layer}.ff.layer_1`, F, H);
    linear(`${layer}.ff.layer_2`, H, F);
    norm(`${layer}.ff.layer_norm`);
  }
  linear('sequence_summary.summary', H, H);
  linear('logits_proj', 2, H);
  const config = { d_model: H, n_layer: 2, n_head: HEADS, d_inner: F, clamp_len: 5 };
  return checkpoint('XLNetForSequenceClassification', config, tensors, TOKENIZER);
}

/** ESM-1b: masks scale the embeddings of the others, and positions pass over padding. */
function uncountedTokens(): Files {
  const { tensors, add, linear, norm } = tensorsByPart(H);
  const positions = 34;
  add('esm.embeddings.word_embeddings.weight', ROWS, H);
  add('esm.embeddings.position_embeddings.weight', positions, H);
  for (const layer of [0, 1].map((index) => `esm.encoder.layer.${index}`)) {
    norm(`${layer}.attention.LayerNorm`);
    for (const part of ['self.query', 'self.key', 'self.value', 'output.dense'])
      linear(`${layer}.attention.${part}`, H, H);
    norm(`${layer}.LayerNorm`);
    linear(`${layer}.intermediate.dense`, F, H);
    linear(`${layer}.output.dense`, H, F);
  }
  norm('esm.encoder.emb_layer_norm_after');
  linear('classifier.dense', H, H);
  linear('classifier.out_proj', 2, H);
  const config = {
    ...{ hidden_size: H, intermediate_size: F, num_hidden_layers: 2, num_attention_heads: HEADS },
    ...{ max_position_embeddings: positions, position_embedding_type: 'absolute', pad_token_id: 0 },
    ...{ token_dropout: true, mask_token_id: 4 },
  };
  return checkpoint('EsmForSequenceClassification', config, tensors, TOKENIZER);
}

/** ModernBERT, with a window in one layer, under modules of sentence-transformers. */
function headOfModules(): Files {
  const { tensors, add } = tensorsByPart(H);
  const config = modernBert(add, '');
  return checkpoint('ModernBertModel', config, tensors, TOKENIZER, modules());
}

/** The same with a vector of each token: beginnings, queries that are filled up with tokens that only see, words that do not score. */
function lateInteraction(): Files {
  const { tensors, add } = tensorsByPart(H);
  // As wide that the last token that fills a query up sees one of the query's own.
  const config = { ...modernBert(add, ''), local_attention: 16 };
  const layers: Record<string, Uint8Array | string> = {};
  for (const [folder, inner, outer, activation] of [
    ['1_Dense', H, F, 'activation.GELU'],
    ['2_Dense', F, H, 'linear.Identity'],
  ] as const) {
    const parts = tensorsByPart(H);
    parts.linear('linear', outer, inner);
    const names = { activation_function: `torch.nn.modules.${activation}` };
    layers[`${folder}/config.json`] = JSON.stringify({ in_features: inner, out_features: outer, bias: true, ...names });
    layers[`${folder}/model.safetensors`] = weights(parts.tensors);
  }
  const settings = {
    ...{ model_type: 'ColBERT', similarity_fn_name: 'MaxSim', query_prefix: 'a ', document_prefix: 'b ' },
    ...{ query_length: 8, document_length: 12, do_query_expansion: true, attend_to_expansion_tokens: false },
    skiplist_words: ['b'],
  };
  const modules = [
    'sentence_transformers.models.Transformer',
    'pylate.models.Dense.Dense',
    'pylate.models.Dense.Dense',
  ];
  const paths = ['', ...Object.keys(layers).filter((name) => name.endsWith('/config.json'))];
  return checkpoint('ModernBertModel', config, tensors, TOKENIZER, {
    ...layers,
    'modules.json': JSON.stringify(
      modules.map((type, idx) => ({ idx, name: String(idx), path: paths[idx]!.replace('/config.json', ''), type })),
    ),
    'sentence_bert_config.json': JSON.stringify({ max_seq_length: 16 }),
    'config_sentence_transformers.json': JSON.stringify(settings),
    // It has the mask token.
    'tokenizer_config.json': JSON.stringify({ ...TOKENIZER_CONFIG, mask_token: '[MASK]', sep_token: '[SEP]' }),
  });
}

/** The same under the head of a model that reads its labels, with the most tensors. */
function labelsInText(): Files {
  const { tensors, add, linear } = tensorsByPart(H);
  const encoder = modernBert(add, 'model.encoder_model.');
  for (const projector of ['text_projector', 'classes_projector']) {
    for (const layer of ['linear_1', 'linear_2']) linear(`model.${projector}.${layer}`, H, H);
  }
  for (const projection of ['proj_text', 'proj_label']) linear(`model.scorer.${projection}`, 2 * H, H);
  linear('model.scorer.out_mlp.0', 4 * H, 3 * H);
  linear('model.scorer.out_mlp.3', 1, 4 * H);
  add('model.logit_scale');
  const [mark, separator] = ['<<LABEL>>', '<<SEP>>'].map((content, index) => {
    return { ...TOKENIZER.added_tokens[0]!, id: ROWS - 2 + index, content };
  });
  const { model } = TOKENIZER;
  const tokenizer = { ...TOKENIZER, model, added_tokens: [...TOKENIZER.added_tokens, mark, separator] };
  const config = {
    ...{ model_type: 'GLiClass', encoder_config: encoder, hidden_size: H, prompt_first: true },
    ...{ class_token_index: ROWS - 2, text_token_index: ROWS - 1, scorer_type: 'weighted-dot' },
    ...{ normalize_features: true, extract_text_features: true },
  };
  return checkpoint('GLiClassModel', config, tensors, tokenizer);
}

function modernBert(add: ReturnType<typeof tensorsByPart>['add'], prefix: string): object {
  add(`${prefix}embeddings.tok_embeddings.weight`, ROWS, H);
  add(`${prefix}embeddings.norm.weight`, H);
  for (const index of [0, 1]) {
    const layer = `${prefix}layers.${index}`;
    if (index > 0) add(`${layer}.attn_norm.weight`, H);
    add(`${layer}.attn.Wqkv.weight`, 3 * H, H);
    add(`${layer}.attn.Wo.weight`, H, H);
    add(`${layer}.mlp_norm.weight`, H);
    add(`${layer}.mlp.Wi.weight`, 2 * F, H);
    add(`${layer}.mlp.Wo.weight`, H, F);
  }
  add(`${prefix}final_norm.weight`, H);
  return {
    ...{ hidden_size: H, intermediate_size: F, num_hidden_layers: 2, num_attention_heads: HEADS },
    model_type: 'modernbert',
    ...{ max_position_embeddings: 32, local_attention: 4, layer_types: ['full_attention', 'sliding_attention'] },
    rope_parameters: Object.fromEntries(
      ['full_attention', 'sliding_attention'].map((kind) => [kind, { rope_type: 'default', rope_theta: 10_000 }]),
    ),
  };
}

function modules(): Files {
  const files: Record<string, Uint8Array | string> = {};
  const add = (folder: string, config: object, fill?: (parts: ReturnType<typeof tensorsByPart>) => void) => {
    files[`${folder}/config.json`] = JSON.stringify(config);
    const parts = tensorsByPart(F);
    fill?.(parts);
    if (fill !== undefined) files[`${folder}/model.safetensors`] = weights(parts.tensors);
  };
  const dense = (inner: number, outer: number, activation: string, output: string) => ({
    ...{ in_features: inner, out_features: outer, bias: true, activation_function: `torch.nn.modules.${activation}` },
    ...{ module_input_name: 'sentence_embedding', module_output_name: output },
  });
  add('1_Pooling', { embedding_dimension: H, pooling_mode: 'mean', include_prompt: true });
  add('2_Dense', dense(H, F, 'activation.SiLU', 'sentence_embedding'), ({ linear }) => linear('linear', F, H));
  add('3_LayerNorm', { dimension: F }, ({ norm }) => norm('norm'));
  add('4_Dense', dense(F, 1, 'linear.Identity', 'scores'), ({ linear }) => linear('linear', 1, F));
  const types = {
    '': 'base.modules.transformer.Transformer',
    '1_Pooling': 'sentence_transformer.modules.pooling.Pooling',
    '2_Dense': 'base.modules.dense.Dense',
    '3_LayerNorm': 'sentence_transformer.modules.layer_norm.LayerNorm',
    '4_Dense': 'base.modules.dense.Dense',
  };
  const list = Object.entries(types).map(([path, type], idx) => {
    return { idx, name: String(idx), path, type: `sentence_transformers.${type}` };
  });
  return {
    ...files,
    'modules.json': JSON.stringify(list),
    'sentence_bert_config.json': JSON.stringify({ transformer_task: 'feature-extraction' }),
    'config_sentence_transformers.json': JSON.stringify({ model_type: 'CrossEncoder' }),
  };
}
