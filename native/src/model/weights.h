// The weights of one model. Linear layers are either ggml tensors (portable graph) or packed for our kernels;
// the packed copy takes the place of the file's bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ggml-backend.h"
#include "kernels/kernel_table.h"
#include "model/hparams.h"
#include "support/aligned_buffer.h"

namespace enc {

struct GgufTensor;

/// y[m, out] = x[m, in] . weight[out, in]^T + bias[out]. Either `weight` or `packed` holds the matrix.
struct Linear {
  std::string name;                             ///< of its tensors, without .weight
  int64_t in = 0, out = 0;                      ///< 0: the model has no such layer
  ggml_tensor* weight = nullptr;                ///< ne = {in, out}
  const kernels::GemmKernel* kernel = nullptr;  ///< reads `packed`
  AlignedBuffer packed;
  ggml_tensor* bias = nullptr;  ///< ne = {out}, null when it has none
};

struct Norm {
  ggml_tensor* gamma = nullptr;  ///< ne = {H}; null: the model has no such norm
  ggml_tensor* beta = nullptr;   ///< ne = {H}, null when it has none
  NormKind kind = NormKind::kLayer;
  float eps = 0;
};

/// The tables whose rows are added up, and normalized, to the first states of tokens.
struct Embeddings {
  ggml_tensor* tokens = nullptr;     ///< ne = {E, V}
  ggml_tensor* positions = nullptr;  ///< ne = {E, P}, null when there are none
  ggml_tensor* types = nullptr;      ///< ne = {E, types}, null when there are none
  Norm norm;
  float scale = 1;  ///< multiplied onto the tokens' rows
};

/// The rotation of one kind of layer.
struct Rope {
  int64_t rotated = 0;    ///< leading columns of a head that rotate
  int64_t positions = 0;  ///< at which it is needed
  /// ne = {rotated / 2}, reciprocals of the frequencies: what ggml divides by. Null for our kernels.
  ggml_tensor* freq_factors = nullptr;
  float attention_factor = 1;
  std::vector<float> cos, sin;  ///< [positions, rotated / 2], for our kernels
};

/// A bias by distance that is added to scores.
struct RelativeBias {
  std::string name;          ///< of its tensor; empty where it is computed
  int64_t heads = 0;         ///< 0: there is none
  int64_t reach = 0;         ///< largest distance
  std::vector<float> table;  ///< [heads, 2 * reach + 1], column key - query + reach

  bool exists() const { return heads > 0; }
  size_t num_elements() const { return size_t(heads) * size_t(2 * reach + 1); }
  const float* at_zero(int64_t head) const { return table.data() + head * (2 * reach + 1) + reach; }
};

/// Embeddings of relative positions, for scores of content against position.
struct RelativePositions {
  ggml_tensor* embd = nullptr;  ///< ne = {H, rows}; null: the model has none
  int64_t rows = 0;
  int64_t reach = 0;            ///< largest distance between two tokens
  std::vector<int32_t> row_of;  ///< [2 * reach + 1], the row of query - key + reach; ascending
  int64_t linear = 0;           ///< distances up to it, either way, have a row each, one after the other
  const kernels::GemmKernel* kernel = nullptr;  ///< for products with them; null for the portable graph

  int32_t row(int64_t distance) const { return row_of[size_t(distance + reach)]; }
};

/// A layer's projections of the relative positions, packed per head for their kernel. They depend on weights
/// alone, so they are computed once.
struct PositionTerms {
  std::vector<AlignedBuffer> keys;     ///< [heads], each rows x D, last first: what content queries look for
  std::vector<float> key_biases;       ///< [heads, rows], last first, of attn_pos_query; empty without it
  std::vector<AlignedBuffer> queries;  ///< [heads], each rows x D: what content keys answer to
};

struct FeedForward {
  Linear up;
  Linear down;
  Norm post_norm;
};

/// Parts that a model does not have are empty.
struct LayerWeights {
  Norm attn_norm;
  Linear attn_qkv;  ///< rows Q, then K, then V
  Norm attn_q_norm;
  Norm attn_k_norm;
  Linear attn_global_q;   ///< of the first token, where that sees all
  Linear attn_global_kv;  ///< of what it sees, rows K, then V
  Linear attn_pos_k;      ///< empty: the keys' rows of attn_qkv project the positions
  Linear attn_pos_q;      ///< empty: the queries' rows do
  ggml_tensor* attn_pos_query =
      nullptr;          ///< ne = {heads * D}, added to queries that look for positions; or null
  Linear attn_segment;  ///< to a score for each head, of keys of other segments
  PositionTerms position_terms;
  RelativeBias relative_bias;  ///< none: the layers of its stack share one
  Linear attn_gate;            ///< of what attention gives; empty: nothing is
  Linear attn_output;
  Linear ssm_in;  ///< of a layer with linear attention, rows Q, K, V, then its output's gate
  Linear ssm_ba;  ///< a head's gates of what is learned and of what is forgotten
  ggml_tensor* ssm_conv1d = nullptr;  ///< ne = {conv_width, columns of Q, K and V}
  ggml_tensor* ssm_a = nullptr;       ///< ne = {value heads}, how fast each forgets
  ggml_tensor* ssm_dt = nullptr;      ///< ne = {value heads}, added to the gate of that
  Norm ssm_norm;                      ///< of each head
  Linear ssm_out;
  Linear shortconv_in;                    ///< of a layer that convolves, rows b, c, then x
  ggml_tensor* shortconv = nullptr;       ///< ne = {width, H}
  ggml_tensor* shortconv_bias = nullptr;  ///< ne = {H}, null when it has none
  Linear shortconv_out;
  Norm attn_post_norm;
  Norm cross_norm;
  Linear cross_q;   ///< of a decoder's layer, which attends to the encoder's states as well
  Linear cross_kv;  ///< rows K, then V
  Linear cross_output;
  Norm cross_post_norm;
  Norm ffn_norm;
  Linear ffn_up;
  Linear ffn_down;
  Norm ffn_post_norm;
  Linear narrow;  ///< of a narrow layer, from the states to its columns
  Norm narrow_norm;
  Linear narrow_qk;  ///< the same, for what queries and keys are made of
  Norm narrow_qk_norm;
  Linear attn_qk;  ///< rows Q, then K, in the place of attn_qkv
  Linear attn_v;   ///< from the states; in a decoder that reads its start alone all that attention takes
  std::vector<FeedForward> ffns;
  Linear widen;  ///< back to the states' columns, before ffn_post_norm
};

/// Of a model that reads its labels; parts that its score does not need are empty.
struct LabelWeights {
  std::vector<Linear> text;  ///< one, or two with the head's activation between them
  std::vector<Linear> label;
  Norm text_norm;
  Norm label_norm;
  Linear text_halves;
  Linear label_halves;
  std::vector<Linear> hidden;  ///< before the classifier, ReLU behind each
};

struct Weights {
  Embeddings embeddings;
  /// Positions and segments that are added after embd_proj; `tokens` are positions.
  Embeddings place_embeddings;
  Norm place_norm;  ///< after them
  Linear embd_proj;
  std::vector<LayerWeights> blocks;
  Linear conv;  ///< in = width * H, the columns of neighbouring tokens as Ops::neighbours() has them
  Norm conv_norm;
  Norm output_norm;
  Embeddings decoder_embeddings;  ///< the tokens' table is that of `embeddings`
  std::vector<LayerWeights> decoder_blocks;
  Norm decoder_norm;
  Linear pooler;
  Norm pooler_norm;
  Linear classifier;
  LabelWeights labels;
  Rope rope;
  Rope rope_local;  ///< of local layers; rotates nothing where they turn as the others
  Rope rope_long;   ///< of texts longer than the model's short ones; likewise
  RelativeBias relative_bias;
  RelativeBias decoder_relative_bias;
  RelativePositions relative_positions;
  uint64_t size_bytes = 0;  ///< in memory, with the tables that are made of them
  uint64_t num_parameters = 0;
  std::string linear_type;   ///< file type of the layers' matrices, where they differ that of most weights
  std::string compute_type;  ///< what products with it are computed in

  std::unique_ptr<ggml_context, decltype(&ggml_free)> context{nullptr, ggml_free};
  std::unique_ptr<ggml_backend_buffer, decltype(&ggml_backend_buffer_free)> buffer{nullptr,
                                                                                   ggml_backend_buffer_free};
};

/// Calls `visit` with the weights of every layer, the encoder's first.
template <typename Visit>
void for_each_block(Weights& weights, const Visit& visit) {
  for (LayerWeights& block : weights.blocks) visit(block);
  for (LayerWeights& block : weights.decoder_blocks) visit(block);
}

/// Calls `visit` with every linear layer that the model has.
template <typename Visit>
void for_each_linear(Weights& weights, const Visit& visit) {
  const auto visit_present = [&](Linear& linear) {
    if (linear.out > 0) visit(linear);
  };
  visit_present(weights.embd_proj);
  visit_present(weights.conv);
  for_each_block(weights, [&](LayerWeights& block) {
    for (Linear* linear :
         {&block.shortconv_in,   &block.shortconv_out, &block.attn_qkv,   &block.attn_global_q,
          &block.attn_global_kv, &block.attn_pos_k,    &block.attn_pos_q, &block.attn_segment,
          &block.attn_gate,      &block.attn_output,   &block.ssm_in,     &block.ssm_ba,
          &block.ssm_out,        &block.cross_q,       &block.cross_kv,   &block.cross_output,
          &block.ffn_up,         &block.ffn_down,      &block.narrow,     &block.narrow_qk,
          &block.attn_qk,        &block.attn_v,        &block.widen}) {
      visit_present(*linear);
    }
    for (FeedForward& ffn : block.ffns) {
      visit_present(ffn.up);
      visit_present(ffn.down);
    }
  });
  visit_present(weights.pooler);
  visit_present(weights.classifier);
  for (std::vector<Linear>* layers : {&weights.labels.text, &weights.labels.label, &weights.labels.hidden}) {
    for (Linear& linear : *layers) visit_present(linear);
  }
  visit_present(weights.labels.text_halves);
  visit_present(weights.labels.label_halves);
}

/// Weights that are known to fit the model and take no memory yet.
struct DeclaredWeights {
  Weights weights;
  std::vector<std::pair<const GgufTensor*, ggml_tensor*>> sources;  ///< where each tensor is read from
};

/// Checks every tensor of the file against the contract that the hyperparameters imply. With `table`, linear
/// layers will be packed for its kernels. Throws Error(tensor_missing, tensor_shape_mismatch,
/// dtype_unsupported, gguf_malformed, out_of_memory).
DeclaredWeights declare_weights(const GgufFile& file, const Hparams& hparams,
                                ggml_backend_buffer_type_t buffer_type, const kernels::KernelTable* table);

/// Reads what was declared, with the same arguments. Throws Error(out_of_memory, io_failed), and
/// Error(aborted) when `should_stop` says so.
Weights load_weights(DeclaredWeights declared, const GgufFile& file, const Hparams& hparams,
                     ggml_backend_buffer_type_t buffer_type, const kernels::KernelTable* table,
                     const std::function<bool()>& should_stop);

}  // namespace enc
