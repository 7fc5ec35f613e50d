// The operations a transformer layer is made of, as nodes of a ggml graph. One implementation in stock ggml
// operations (portable_ops) runs on every backend; one in our own CPU kernels (backends/cpu) runs where the
// CPU has them.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "enc/batch.h"
#include "ggml.h"
#include "graph/length_groups.h"
#include "model/weights.h"
#include "support/aligned_buffer.h"
#include "support/team.h"

namespace enc {

/// Memory that the nodes of a graph use while they run, one after the other.
struct Scratch {
  // Both known once the graph is built.
  size_t shared_bytes = 0;  ///< that all members of the team read
  size_t member_bytes = 0;  ///< for each member alone
  AlignedBuffer buffer;     ///< holds the shared ones and behind them each member's when the graph runs

  void need_shared(size_t bytes) { shared_bytes = std::max(shared_bytes, GGML_PAD(bytes, 64)); }
  void need(size_t bytes) { member_bytes = std::max(member_bytes, GGML_PAD(bytes, 64)); }
  size_t bytes(int members) const { return shared_bytes + member_bytes * size_t(members); }

  void* shared() { return buffer.data(); }
  void* of(int member) { return static_cast<char*>(buffer.data()) + bytes(member); }
};

/// What a custom node needs to run; lives as long as the graph.
struct NodeData {
  virtual ~NodeData() = default;
};

/// An input tensor and what to feed it with once the graph has memory.
struct HostInput {
  ggml_tensor* tensor;
  std::vector<char> bytes;
};

/// Where the rows of a padded group lie, the same in every layer.
struct PaddedRows {
  int64_t first_token, num_tokens;
  ggml_tensor* into;    ///< i32 [length * count], the batch's row for each row of the group
  ggml_tensor* out_of;  ///< i32 [num_tokens], the group's row for each of its tokens
};

/// What is added to the scores of a block of queries of a group, the same in every layer that attends alike.
struct ScoreMask {
  struct Key {
    int64_t first_token;
    int64_t first_query, num_queries, first_key, num_keys;
    bool first_key_apart;
    size_t max_distance;
    bool sees_first;
    bool causal;
    bool pooled;
    const RelativeBias* bias;
    bool operator==(const Key&) const = default;
  };
  Key key;
  ggml_tensor* tensor;
};

/// Which row of a group's position terms each query and key takes, the same in every layer.
struct DistanceRows {
  int64_t first_token;
  bool by_query;
  bool pooled;
  ggml_tensor* tensor;
};

/// 1 where query and key of a group are of different segments, else 0; the same in every layer.
struct SegmentMask {
  int64_t first_token;
  bool pooled;
  ggml_tensor* tensor;
};

/// A graph under construction, with what its nodes may point to while it lives.
struct GraphContext {
  ggml_context* ggml;
  ggml_cgraph* graph;
  const PackedBatch* batch;
  std::vector<LengthGroup> groups;               ///< cover the batch in order
  std::vector<AttentionGroup> attention_groups;  ///< so do these
  /// [B], the token that the head reads, counted from its sequence's first.
  std::vector<int32_t> pooled_rows;
  std::vector<int32_t> shifted_ids;     ///< [T], what a decoder reads; empty when the model has none
  std::vector<float> token_scales;      ///< [T], of the tokens' embeddings; empty: all have the table's
  ggml_tensor* inputs;                  ///< i32, of which the next four are parts, and shifted ids the fifth
  ggml_tensor* ids;                     ///< i32 [T]
  ggml_tensor* type_ids;                ///< i32 [T]
  ggml_tensor* positions;               ///< i32 [T]
  ggml_tensor* pooled_tokens;           ///< i32 [B], pooled_rows as indices into the batch
  ggml_tensor* shifted;                 ///< i32 [T], shifted_ids; null when the model has no decoder
  std::vector<HostInput> host_inputs;   ///< inputs that single nodes asked for
  std::vector<PaddedRows> padded_rows;  ///< of the attention groups that are padded, once they are needed
  std::vector<ScoreMask> score_masks;   ///< made for the groups so far
  std::vector<DistanceRows> distance_rows;  ///< likewise
  std::vector<SegmentMask> segment_masks;   ///< likewise
  ggml_tensor* empty_state = nullptr;       ///< zeros, of one head with linear attention, once it is needed
  std::vector<ggml_tensor*> rows_around;    ///< of each token of a short convolution, once they are needed
  ggml_tensor* seen = nullptr;              ///< f32 [1, T], 1 for tokens that others see, else 0; likewise
  bool long_texts = false;                  ///< of more than Hparams::short_length tokens, all of them
  Scratch* scratch;
  bool only_sizes = false;  ///< never to be run: nothing is computed for host inputs
  TeamLease* team;          ///< helpers for large nodes; null when there are none
  int members = 1;          ///< threads of the team
  std::vector<std::unique_ptr<NodeData>> node_data;
};

/// Which tokens of a sequence attention is computed for; all that are visible are attended to.
enum class Queries {
  kAll,       ///< result ne = {heads * D, T}
  kPooled,    ///< the token that the head reads, result ne = {heads * D, B}
  kGathered,  ///< the same, and q holds nothing but their rows: ne = {heads * D, B}
};

/// What a model looks rows up by: the batch's ids, those that its decoder reads, or the positions.
enum class TokenIds { kOwn, kShifted, kPositions };

/// Scores of content against relative positions that a layer adds to its own.
struct DisentangledSpec {
  const RelativePositions* positions;
  const LayerWeights* layer;
  bool content_to_position;
  bool position_to_content;
  /// ne = {heads, T}: what each query adds to its scores with keys of other segments; null: nothing.
  ggml_tensor* segment_scores;
};

/// How one layer attends.
struct AttentionSpec {
  size_t layer = 0;  ///< its place among those of a text's own tokens
  int64_t num_heads;
  int64_t num_kv_heads;
  int64_t head_size;
  float scale;
  float softcap;  ///< > 0: scores become softcap * tanh(score / softcap)
  bool causal;
  size_t max_distance;      ///< query i sees keys with |i - j| <= max_distance,
  bool sees_first = false;  ///< and the first key however far it is
  const RelativeBias* bias = nullptr;
  std::optional<DisentangledSpec> disentangled;
  Queries queries = Queries::kAll;

  bool sees(int64_t query, int64_t key) const {
    if (causal && key > query) return false;
    return size_t(key > query ? key - query : query - key) <= max_distance || (sees_first && key == 0);
  }
};

/// What one row is made of several by.
enum class Reduction {
  kMean,
  kMeanSqrtLength,  ///< the sum over the root of the number of rows
  kWeightedMean,    ///< row i, counted from 1, counts i times
  kMax,
};

class Ops {
 public:
  virtual ~Ops() = default;

  /// Upper bound of the nodes and tensors that attention() and rotate(), gated_delta_net() or short_conv()
  /// of one layer add.
  virtual size_t max_attention_nodes(const GraphContext& g, const Hparams& hparams) const = 0;

  /// norm(scale * tokens[ids] + positions[positions] + types[type_ids]), ne = {E, T}; terms and norm as far
  /// as the tables have them. The batch's own ids are scaled by token_scales where there are any.
  virtual ggml_tensor* embed(GraphContext& g, const Embeddings& tables, TokenIds ids) const = 0;
  /// activation(x . w^T + b), ne = {out, T}.
  virtual ggml_tensor* linear(GraphContext& g, const Linear& linear, ggml_tensor* x,
                              Activation activation) const = 0;
  /// activation(first half of a row) * second half, ne = {F, T} from {2F, T}.
  virtual ggml_tensor* gate(GraphContext& g, ggml_tensor* x, Activation activation) const = 0;
  /// activation(x) * y, ne = {F, T} each.
  virtual ggml_tensor* gate_by(GraphContext& g, ggml_tensor* x, ggml_tensor* y,
                               Activation activation) const = 0;
  /// norm(x + residual), ne = {H, T}; `residual` may be null.
  virtual ggml_tensor* add_norm(GraphContext& g, ggml_tensor* x, ggml_tensor* residual,
                                const Norm& norm) const = 0;
  /// x + y.
  virtual ggml_tensor* add(GraphContext& g, ggml_tensor* x, ggml_tensor* y) const = 0;
  /// Rotary position embedding of every head of x, ne = {heads * D, T}, after its norm when `norm` has one:
  /// gamma and beta, ne = {D}, are of all heads, or ne = {heads * D} of each.
  virtual ggml_tensor* rotate(GraphContext& g, ggml_tensor* x, int64_t num_heads, const Norm& norm,
                              const Rope& rope) const = 0;
  /// softmax(scores) . v for every sequence and head; q ne = {heads * D, T}, k and v ne = {kv heads * D, T},
  /// of the same tokens as q or of as many others.
  virtual ggml_tensor* attention(GraphContext& g, ggml_tensor* q, ggml_tensor* k, ggml_tensor* v,
                                 const AttentionSpec& spec) const = 0;
  /// The gated delta rule over every sequence, as kernels/gated_delta_net has it, ne = {value heads * D, T}:
  /// x is Q, K and V before their convolution, `gates` what the layer's ssm_ba gives.
  virtual ggml_tensor* gated_delta_net(GraphContext& g, ggml_tensor* x, ggml_tensor* gates,
                                       const LayerWeights& layer,
                                       const LinearAttentionHparams& hparams) const = 0;
  /// Each token's c * conv(b * x) from its b, c and x, ne = {H, T} from {3H, T}: conv is the layer's, over
  /// the tokens around it in its sequence, with zeros beyond the ends of that.
  virtual ggml_tensor* short_conv(GraphContext& g, ggml_tensor* x, const LayerWeights& layer,
                                  const ShortConvHparams& hparams) const = 0;
  /// x with zeros in the rows of tokens that no other sees.
  virtual ggml_tensor* seen_rows(GraphContext& g, ggml_tensor* x) const = 0;
  /// For each token the rows of the `width` tokens around it, an odd number, in its sequence, and zeros
  /// beyond the ends of that: ne = {width * H, T}, element c * width + i from column c of token t + i - width
  /// / 2.
  virtual ggml_tensor* neighbours(GraphContext& g, ggml_tensor* x, int64_t width) const = 0;
  /// The rows of the tokens that the head reads, ne = {H, B}.
  virtual ggml_tensor* pooled_rows(GraphContext& g, ggml_tensor* x) const = 0;
  /// x with `rows`, ne = {H, B}, in the place of those.
  virtual ggml_tensor* with_pooled_rows(GraphContext& g, ggml_tensor* x, ggml_tensor* rows) const = 0;
  /// For each span of tokens their mean row, zeros without one, ne = {H, spans}. The spans are the batch's.
  virtual ggml_tensor* span_rows(GraphContext& g, ggml_tensor* x, const std::vector<int32_t>& begins,
                                 const std::vector<int32_t>& ends) const = 0;
  /// For each label its sequence's row of x, ne = {H, M} from {H, B}.
  virtual ggml_tensor* owner_rows(GraphContext& g, ggml_tensor* x) const = 0;
  /// Rows of x with those of y behind them, as many, ne = {Hx + Hy, M}.
  virtual ggml_tensor* beside(GraphContext& g, ggml_tensor* x, ggml_tensor* y) const = 0;
  /// Each sequence's rows as one, ne = {H, B}.
  virtual ggml_tensor* reduce_rows(GraphContext& g, ggml_tensor* x, Reduction reduction) const = 0;
};

}  // namespace enc
