#include "model/weights.h"

#include <algorithm>
#include <map>

#include "enc/error.h"
#include "model/gguf_file.h"
#include "model/relative_bias.h"
#include "model/relative_positions.h"
#include "model/rope.h"
#include "model/stored_types.h"
#include "model/tensor_contract.h"

namespace enc {
namespace {

/// Bytes of the file held while it is copied or packed.
constexpr size_t kChunkBytes = size_t(4) << 20;

/// Hidden layers of a head that reads its labels.
constexpr size_t kMaxLabelLayers = 4;

/// Copies one tensor through a bounded buffer, widening F16 where the target is F32.
void read_into(const GgufFile& file, const GgufTensor& source, ggml_tensor* target,
               const std::function<bool()>& should_stop) {
  std::vector<char> chunk(size_t(std::min<uint64_t>(kChunkBytes, source.size_bytes)));
  std::vector<float> widened;
  for (uint64_t done = 0; done < source.size_bytes;) {
    if (should_stop()) throw Error(ErrorCode::aborted, "loading '" + file.path() + "' was aborted");
    const size_t count = size_t(std::min<uint64_t>(chunk.size(), source.size_bytes - done));
    file.read_tensor(source, done, chunk.data(), count);
    if (source.type == target->type) {
      ggml_backend_tensor_set(target, chunk.data(), done, count);
    } else {
      widened.resize(count / sizeof(ggml_fp16_t));
      ggml_fp16_to_fp32_row(reinterpret_cast<const ggml_fp16_t*>(chunk.data()), widened.data(),
                            int64_t(widened.size()));
      ggml_backend_tensor_set(target, widened.data(), done * 2, count * 2);
    }
    done += count;
  }
}

/// Reads a matrix a few rows at a time and packs them, so that the file's bytes are never held beside the
/// packed copy.
void pack_into(const GgufFile& file, Linear& linear, const std::function<bool()>& should_stop) {
  const GgufTensor& source = *file.find_tensor(linear.name + ".weight");
  const size_t n = size_t(linear.out), k = size_t(linear.in);
  const kernels::WeightType type = linear.kernel->type;
  const bool is_converted = kernel_type(source.type) != type;
  const size_t row_bytes = ggml_row_size(source.type, int64_t(k));
  const size_t rows_at_once = std::clamp<size_t>(kChunkBytes / row_bytes, 1, n);
  linear.packed = AlignedBuffer(linear.kernel->packed_bytes(n, k));
  const AlignedBuffer rows(rows_at_once * row_bytes);
  const AlignedBuffer converted(is_converted ? rows_at_once * kernels::weight_row_bytes(type, k) : 0);
  for (size_t row = 0; row < n; row += rows_at_once) {
    if (should_stop()) throw Error(ErrorCode::aborted, "loading '" + file.path() + "' was aborted");
    const size_t count = std::min(rows_at_once, n - row);
    file.read_tensor(source, row * row_bytes, rows.data(), count * row_bytes);
    if (is_converted && !convert_rows(source.type, type, rows.data(), count, k, converted.data())) {
      throw Error(ErrorCode::dtype_unsupported, "'" + file.path() + "': tensor '" + source.name +
                                                    "' holds a value too large for the f16 that " +
                                                    type_name(source.type) +
                                                    " is kept in; convert the file to f32");
    }
    linear.kernel->pack(is_converted ? converted.data() : rows.data(), row, count, n, k,
                        linear.packed.data());
  }
}

/// What `type_of` says of most elements of the layers' matrices.
template <typename TypeOf>
auto usual_type(Weights& weights, const TypeOf& type_of) {
  std::map<decltype(type_of(Linear{})), uint64_t> elements;
  for_each_block(weights, [&](LayerWeights& block) {
    for (const Linear* linear :
         {&block.attn_qkv, &block.attn_global_kv, &block.attn_gate, &block.attn_output, &block.ssm_in,
          &block.ssm_out, &block.shortconv_in, &block.shortconv_out, &block.cross_q, &block.cross_kv,
          &block.cross_output, &block.ffn_up, &block.ffn_down, &block.attn_qk, &block.attn_v}) {
      if (linear->out > 0) elements[type_of(*linear)] += uint64_t(linear->in) * uint64_t(linear->out);
    }
  });
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  return std::max_element(elements.begin(), elements.end(), fewer)->first;
}

std::string compute_type(kernels::WeightType type) {
  switch (type) {
    case kernels::WeightType::kBf16:
      return "bf16";
    case kernels::WeightType::kQ8_0:
      return "q8_0";
    case kernels::WeightType::kF32:
    case kernels::WeightType::kF16:
      break;
  }
  return "f32";
}

void declare_linear_attention(TensorContract& contract, const Hparams& h, const std::string& prefix,
                              LayerWeights& block) {
  const LinearAttentionHparams& linear = h.linear_attention;
  const int64_t hidden = h.hidden_size, values = linear.value_size(), mixed = linear.mixed_size();
  block.ssm_in = contract.linear(prefix + "ssm_in", hidden, mixed + values);
  block.ssm_ba = contract.linear(prefix + "ssm_ba", hidden, 2 * int64_t(linear.num_value_heads));
  block.ssm_conv1d = contract.f32_matrix(prefix + "ssm_conv1d.weight", linear.conv_width, mixed);
  block.ssm_a = contract.vector(prefix + "ssm_a", linear.num_value_heads);
  block.ssm_dt = contract.vector(prefix + "ssm_dt.bias", linear.num_value_heads);
  block.ssm_norm = contract.head_norm(prefix + "ssm_norm", linear.head_size, h.norm_eps);
  block.ssm_out = contract.linear(prefix + "ssm_out", values, hidden);
}

void declare_short_conv(TensorContract& contract, const Hparams& h, const std::string& prefix,
                        LayerWeights& block) {
  const int64_t hidden = h.hidden_size;
  const std::string name = prefix + "shortconv.";
  block.shortconv_in = contract.linear(name + "in_proj", hidden, 3 * hidden);
  block.shortconv = contract.f32_matrix(name + "conv.weight", h.short_conv.width, hidden);
  if (block.shortconv_in.bias != nullptr) block.shortconv_bias = contract.vector(name + "conv.bias", hidden);
  block.shortconv_out = contract.linear(name + "out_proj", hidden, hidden);
}

void declare_attention(TensorContract& contract, const Hparams& h, uint32_t index, LayerWeights& block) {
  const std::string prefix = "blk." + std::to_string(index) + ".";
  const int64_t hidden = h.hidden_size;
  // Of the last layer nothing but the first token is read.
  if (!h.first_is_global || index + 1 < h.num_blocks)
    block.attn_qkv = contract.linear(prefix + "attn_qkv", hidden, h.query_size() + 2 * int64_t(h.kv_size()));
  if (h.first_is_global) {
    block.attn_global_q = contract.linear(prefix + "attn_global_q", hidden, h.query_size());
    block.attn_global_kv = contract.linear(prefix + "attn_global_kv", hidden, 2 * int64_t(h.kv_size()));
  }
  if (h.output_gate) block.attn_gate = contract.linear(prefix + "attn_gate", hidden, h.query_size());
  block.attn_output = contract.linear(prefix + "attn_output", h.query_size(), hidden);
  // What checkpoints may leave out, they leave out of every layer.
  const auto has = [&](const char* name) {
    return contract.has("blk." + std::to_string(h.first_attending_layer()) + "." + name + ".weight");
  };
  if (h.position_kind == PositionKind::kRope && (has("attn_q_norm") || has("attn_k_norm"))) {
    // Layer norms are of each head, and have weights for all heads or for each; RMS norms are of each head,
    // or of all of a token at once.
    const auto query_norm = [&](const std::string& name, int64_t whole) {
      const int64_t size = contract.has_size(name + ".weight", whole) ? whole : h.head_size;
      return h.norm_kind == NormKind::kLayer ? contract.norm(name, size, h.norm_kind, h.norm_eps)
                                             : contract.head_norm(name, size, h.norm_eps);
    };
    block.attn_q_norm = query_norm(prefix + "attn_q_norm", h.query_size());
    block.attn_k_norm = query_norm(prefix + "attn_k_norm", h.kv_size());
  }
  if (h.position_kind == PositionKind::kDisentangled) {
    if (has("attn_pos_k")) block.attn_pos_k = contract.linear(prefix + "attn_pos_k", hidden, h.query_size());
    if (has("attn_pos_q")) block.attn_pos_q = contract.linear(prefix + "attn_pos_q", hidden, h.query_size());
    if (h.content_to_position && contract.has("blk.0.attn_pos_query.bias"))
      block.attn_pos_query = contract.vector(prefix + "attn_pos_query.bias", h.query_size());
    if (h.scores_segments) block.attn_segment = contract.linear(prefix + "attn_segment", hidden, h.num_heads);
  }
}

LayerWeights declare_block(TensorContract& contract, const Hparams& h, uint32_t index) {
  const std::string prefix = "blk." + std::to_string(index) + ".";
  const int64_t hidden = h.hidden_size, inner = h.intermediate_size;
  const auto norm = [&](const char* name) {
    return contract.norm(prefix + name, hidden, h.norm_kind, h.norm_eps);
  };
  LayerWeights block;
  if (h.num_blocks == h.num_layers && h.attention[index].linear)
    declare_linear_attention(contract, h, prefix, block);
  else if (h.num_blocks == h.num_layers && h.attention[index].convolves)
    declare_short_conv(contract, h, prefix, block);
  else
    declare_attention(contract, h, index, block);
  block.ffn_up = contract.linear(prefix + "ffn_up", hidden, h.gated_ffn ? 2 * inner : inner);
  block.ffn_down = contract.linear(prefix + "ffn_down", inner, hidden);
  switch (h.norm_placement) {
    case NormPlacement::kPost:
      block.attn_post_norm = norm("attn_output_norm");
      block.ffn_post_norm = norm("layer_output_norm");
      break;
    case NormPlacement::kPre:
      // The first layer may have none, where the embeddings are normalized already.
      block.attn_norm = index == 0
                            ? contract.optional_norm(prefix + "attn_norm", hidden, h.norm_kind, h.norm_eps)
                            : norm("attn_norm");
      block.ffn_norm = norm("ffn_norm");
      break;
    case NormPlacement::kParallel:
      block.attn_norm = norm("attn_norm");
      block.ffn_norm = norm("ffn_norm");
      break;
    case NormPlacement::kBranch:
      block.attn_post_norm = norm("attn_post_norm");
      block.ffn_post_norm = norm("ffn_post_norm");
      break;
    case NormPlacement::kSandwich:
      block.attn_norm = norm("attn_norm");
      block.attn_post_norm = norm("attn_post_norm");
      block.ffn_norm = norm("ffn_norm");
      block.ffn_post_norm = norm("ffn_post_norm");
      break;
  }
  return block;
}

LayerWeights declare_narrow_block(TensorContract& contract, const Hparams& h, uint32_t index) {
  const std::string prefix = "blk." + std::to_string(index) + ".";
  const int64_t hidden = h.hidden_size, narrow = h.narrow_size, inner = h.intermediate_size;
  const auto linear = [&](const std::string& name, int64_t in, int64_t out) {
    return contract.linear(prefix + name, in, out);
  };
  const auto norm = [&](const std::string& name, int64_t size) {
    return contract.norm(prefix + name, size, h.norm_kind, h.norm_eps);
  };
  LayerWeights block;
  block.narrow = linear("narrow", hidden, narrow);
  block.narrow_norm = norm("narrow_norm", narrow);
  block.narrow_qk = linear("narrow_qk", hidden, narrow);
  block.narrow_qk_norm = norm("narrow_qk_norm", narrow);
  block.attn_qk = linear("attn_qk", narrow, 2 * int64_t(h.query_size()));
  block.attn_v = linear("attn_v", hidden, h.query_size());
  block.attn_output = linear("attn_output", h.query_size(), narrow);
  block.attn_post_norm = norm("attn_output_norm", narrow);
  for (uint32_t i = 0; i < h.num_ffns; i++) {
    const std::string part = "ffn." + std::to_string(i) + ".";
    FeedForward ffn;
    ffn.up = linear(part + "up", narrow, inner);
    ffn.down = linear(part + "down", inner, narrow);
    ffn.post_norm = norm(part + "norm", narrow);
    block.ffns.push_back(std::move(ffn));
  }
  block.widen = linear("widen", narrow, hidden);
  block.ffn_post_norm = norm("layer_output_norm", hidden);
  return block;
}

LayerWeights declare_decoder_block(TensorContract& contract, const Hparams& h, const std::string& prefix) {
  const int64_t hidden = h.hidden_size, inner = h.decoder.intermediate_size;
  const int64_t width = int64_t(h.decoder.num_heads) * h.decoder.head_size;
  const auto linear = [&](const char* name, int64_t in, int64_t out) {
    return contract.linear(prefix + name, in, out);
  };
  const auto norm = [&](const char* name) {
    return contract.norm(prefix + name, hidden, h.norm_kind, h.norm_eps);
  };
  LayerWeights block;
  if (h.decodes_start_only())
    block.attn_v = linear("attn_v", hidden, width);
  else
    block.attn_qkv = linear("attn_qkv", hidden, 3 * width);
  block.attn_output = linear("attn_output", width, hidden);
  block.cross_q = linear("cross_attn_q", hidden, width);
  block.cross_kv = linear("cross_attn_kv", hidden, 2 * width);
  block.cross_output = linear("cross_attn_output", width, hidden);
  block.ffn_up = linear("ffn_up", hidden, h.gated_ffn ? 2 * inner : inner);
  block.ffn_down = linear("ffn_down", inner, hidden);
  if (h.norm_placement == NormPlacement::kPre) {
    block.attn_norm = norm("attn_norm");
    block.cross_norm = norm("cross_attn_norm");
    block.ffn_norm = norm("ffn_norm");
  } else {
    block.attn_post_norm = norm("attn_output_norm");
    block.cross_post_norm = norm("cross_attn_output_norm");
    block.ffn_post_norm = norm("layer_output_norm");
  }
  return block;
}

void declare_decoder(TensorContract& contract, const Hparams& h, Weights& weights) {
  Embeddings& embeddings = weights.decoder_embeddings;
  embeddings.tokens = weights.embeddings.tokens;
  if (h.position_kind == PositionKind::kAbsolute)
    embeddings.positions = contract.f32_matrix("dec.position_embd.weight", h.hidden_size, h.max_positions);
  embeddings.norm = contract.optional_norm("dec.token_embd_norm", h.hidden_size, h.norm_kind, h.norm_eps);
  embeddings.scale = h.embedding_scale;
  for (uint32_t i = 0; i < h.decoder.num_layers; i++) {
    weights.decoder_blocks.push_back(
        declare_decoder_block(contract, h, "dec.blk." + std::to_string(i) + "."));
  }
  if (h.norm_placement == NormPlacement::kPre)
    weights.decoder_norm = contract.norm("dec.output_norm", h.hidden_size, h.norm_kind, h.norm_eps);
}

void declare_embeddings(TensorContract& contract, const Hparams& h, Weights& weights) {
  const int64_t columns = h.embedding_size;
  Embeddings& embeddings = weights.embeddings;
  embeddings.tokens = contract.matrix("token_embd.weight", columns, h.vocab_size, false);
  embeddings.scale = h.embedding_scale;
  const bool has_table =
      h.position_kind == PositionKind::kAbsolute || h.position_kind == PositionKind::kRelativeBias ||
      (h.position_kind == PositionKind::kDisentangled && contract.has("position_embd.weight"));
  // Behind the projection where their table is as wide as its result; segments and norm are there, too.
  const GgufTensor* table = has_table ? contract.find("position_embd.weight") : nullptr;
  const bool are_behind = h.embedding_width > 1 || (columns != h.hidden_size && table != nullptr &&
                                                    table->shape.front() == h.hidden_size);
  const int64_t added = are_behind ? int64_t(h.hidden_size) : columns;
  ggml_tensor* const positions =
      has_table ? contract.f32_matrix("position_embd.weight", added, h.position_rows()) : nullptr;
  ggml_tensor* const types =
      h.num_token_types > 0 ? contract.f32_matrix("token_types.weight", added, h.num_token_types) : nullptr;
  const Norm norm = h.embedding_width > 1
                        ? contract.norm("token_embd_norm", added, h.norm_kind, h.norm_eps)
                        : contract.optional_norm("token_embd_norm", added, h.norm_kind, h.norm_eps);
  if (contract.has("token_embd_proj.weight"))
    weights.embd_proj =
        contract.linear("token_embd_proj", columns * int64_t(h.embedding_width), h.hidden_size);
  if (are_behind) {
    weights.place_embeddings.tokens = positions;
    weights.place_embeddings.types = types;
    weights.place_norm = norm;
  } else {
    embeddings.positions = positions;
    embeddings.types = types;
    embeddings.norm = norm;
  }
}

/// Columns that a head that reads its labels projects states to: those of its only layer, or the states' own.
int64_t label_width(const TensorContract& contract, const Hparams& h) {
  const GgufTensor* only = contract.find("labels.text.0.weight");
  if (contract.has("labels.text.1.weight") || only == nullptr || only->shape.size() != 2)
    return h.hidden_size;
  return only->shape[1];
}

/// Columns that the classifier reads.
int64_t declare_label_head(TensorContract& contract, const Hparams& h, LabelWeights& labels) {
  const int64_t width = label_width(contract, h);
  const bool has_second = contract.has("labels.text.1.weight");
  for (const auto& [name, layers] :
       {std::pair("labels.text.", &labels.text), {"labels.label.", &labels.label}}) {
    layers->push_back(contract.linear(name + std::string("0"), h.hidden_size, width));
    if (has_second) layers->push_back(contract.linear(name + std::string("1"), width, width));
  }
  const auto norm = [&](const char* name) {
    return contract.optional_norm(name, width, h.pooler_norm_kind, h.pooler_norm_eps);
  };
  labels.text_norm = norm("labels.text_norm");
  labels.label_norm = norm("labels.label_norm");
  if (h.label_head.score == LabelScore::kProduct) return width;
  const bool has_halves = h.label_head.score == LabelScore::kHalves;
  if (has_halves) {
    labels.text_halves = contract.linear("labels.text_halves", width, 2 * width);
    labels.label_halves = contract.linear("labels.label_halves", width, 2 * width);
  }
  int64_t columns = (has_halves ? 3 : 2) * width;
  for (size_t i = 0; i < kMaxLabelLayers; i++) {
    const std::string name = "labels.hidden." + std::to_string(i);
    const GgufTensor* weight = contract.find(name + ".weight");
    if (weight == nullptr || weight->shape.size() != 2) break;
    labels.hidden.push_back(contract.linear(name, columns, weight->shape[1]));
    columns = weight->shape[1];
  }
  return columns;
}

/// What load_weights() will hold of weights that are declared.
uint64_t bytes_when_loaded(Weights& weights, const Hparams& h, ggml_backend_buffer_type_t buffer_type,
                           const kernels::KernelTable* table) {
  uint64_t bytes = ggml_backend_alloc_ctx_tensors_from_buft_size(weights.context.get(), buffer_type);
  bytes += relative_bias_bytes(weights);
  if (table == nullptr) return bytes;
  for_each_linear(weights, [&](const Linear& linear) {
    bytes += linear.kernel->packed_bytes(size_t(linear.out), size_t(linear.in));
  });
  // The cosines and sines of every position.
  for (const Rope* rope : {&weights.rope, &weights.rope_local, &weights.rope_long})
    bytes += sizeof(float) * uint64_t(rope->rotated) * uint64_t(rope->positions);
  if (weights.relative_positions.embd != nullptr) {
    const uint64_t terms = (h.content_to_position ? 1 : 0) + (h.position_to_content ? 1 : 0);
    bytes +=
        terms * h.num_blocks * h.num_heads *
        weights.relative_positions.kernel->packed_bytes(size_t(weights.relative_positions.rows), h.head_size);
    if (weights.blocks.front().attn_pos_query != nullptr)
      bytes += sizeof(float) * h.num_blocks * h.num_heads * uint64_t(weights.relative_positions.rows);
  }
  return bytes;
}

uint64_t bytes_held(Weights& weights) {
  uint64_t bytes = ggml_backend_buffer_get_size(weights.buffer.get());
  for_each_linear(weights, [&](const Linear& linear) { bytes += linear.packed.size(); });
  for (const LayerWeights& block : weights.blocks) {
    for (const auto* terms : {&block.position_terms.keys, &block.position_terms.queries}) {
      for (const AlignedBuffer& head : *terms) bytes += head.size();
    }
    bytes += block.position_terms.key_biases.size() * sizeof(float);
  }
  size_t elements = 0;
  for (const Rope* rope : {&weights.rope, &weights.rope_local, &weights.rope_long})
    elements += rope->cos.size() + rope->sin.size();
  return bytes + elements * sizeof(float) + relative_bias_bytes(weights);
}

}  // namespace

DeclaredWeights declare_weights(const GgufFile& file, const Hparams& h,
                                ggml_backend_buffer_type_t buffer_type, const kernels::KernelTable* table) {
  Weights weights;
  const size_t max_tensors =
      64 + (size_t(h.num_blocks) + h.decoder.num_layers) * (24 + 6 * size_t(h.num_ffns));
  weights.context.reset(ggml_init({ggml_tensor_overhead() * max_tensors, nullptr, /*no_alloc=*/true}));
  if (!weights.context)
    throw Error(ErrorCode::out_of_memory, "no memory for the tensor table of '" + file.path() + "'");
  TensorContract contract(file, weights.context.get(), table, h.f16_stands_for_blocks);

  declare_embeddings(contract, h, weights);
  const auto declare = h.narrow_size > 0 ? declare_narrow_block : declare_block;
  for (uint32_t i = 0; i < h.num_blocks; i++) weights.blocks.push_back(declare(contract, h, i));
  if (h.convolution.width > 0) {
    weights.conv = contract.linear("conv", int64_t(h.convolution.width) * h.hidden_size, h.hidden_size);
    weights.conv_norm = contract.norm("conv_norm", h.hidden_size, h.norm_kind, h.norm_eps);
  }
  if (h.norm_placement != NormPlacement::kPost)
    weights.output_norm = contract.norm("output_norm", h.hidden_size, h.norm_kind, h.norm_eps);
  if (h.position_kind == PositionKind::kRope) declare_ropes(contract, h, table != nullptr, weights);
  if (h.position_kind == PositionKind::kDisentangled)
    weights.relative_positions = declare_relative_positions(contract, h);
  if (h.has_decoder()) declare_decoder(contract, h, weights);
  declare_relative_biases(contract, h, weights);
  if (h.has_pooler) weights.pooler = contract.linear("cls", h.hidden_size, h.pooled_size);
  weights.pooler_norm =
      contract.optional_norm("cls.norm", h.pooled_size, h.pooler_norm_kind, h.pooler_norm_eps);
  const int64_t columns =
      h.label_head.exists() ? declare_label_head(contract, h, weights.labels) : int64_t(h.pooled_size);
  weights.classifier = contract.linear("cls.output", columns, h.classifier_rows());
  contract.refuse_leftovers();
  const auto stored_type = [&](const Linear& linear) {
    return file.find_tensor(linear.name + ".weight")->type;
  };
  const ggml_type type = usual_type(weights, stored_type);
  weights.linear_type = type_name(type);
  weights.compute_type =
      table == nullptr
          ? portable_compute_type(type)
          : compute_type(usual_type(weights, [](const Linear& linear) { return linear.kernel->type; }));
  // As attention has the products of queries and keys.
  if (table != nullptr) {
    const bool bf16 = weights.compute_type != "f32" && table->has_bf16_attention();
    weights.relative_positions.kernel = bf16 ? table->gemm_bf16 : table->gemm_f32;
  }
  for (const GgufTensor& tensor : file.tensors()) weights.num_parameters += tensor.num_elements;
  weights.size_bytes = bytes_when_loaded(weights, h, buffer_type, table);
  return {std::move(weights), contract.declared()};
}

Weights load_weights(DeclaredWeights declared, const GgufFile& file, const Hparams& h,
                     ggml_backend_buffer_type_t buffer_type, const kernels::KernelTable* table,
                     const std::function<bool()>& should_stop) {
  Weights weights = std::move(declared.weights);
  weights.buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(weights.context.get(), buffer_type));
  if (!weights.buffer) {
    throw Error(ErrorCode::out_of_memory, "no memory for the weights of '" + file.path() + "'");
  }
  for (const auto& [source, target] : declared.sources) read_into(file, *source, target, should_stop);
  fill_ropes(h, weights);
  if (!h.position_frequencies.empty()) fill_relative_positions(h, weights.relative_positions);
  fill_relative_biases(file, h, weights);
  if (table != nullptr) {
    for_each_linear(weights, [&](Linear& linear) { pack_into(file, linear, should_stop); });
    if (weights.relative_positions.embd != nullptr) project_positions(weights, h);
  }
  weights.size_bytes = bytes_held(weights);
  file.check_unchanged();
  return weights;
}

}  // namespace enc
