// The operations an encoder layer is made of, as nodes of a ggml graph. One implementation in stock ggml
// operations (portable_ops) runs on every backend; one in our own CPU kernels (backends/cpu) runs where the
// CPU has them.
#pragma once

#include <memory>
#include <vector>

#include "enc/batch.h"
#include "ggml.h"
#include "model/weights.h"
#include "support/aligned_buffer.h"
#include "support/team.h"

namespace enc {

/// Sequences of one length that lie next to each other in a batch.
struct LengthGroup {
  int64_t first_token;
  int64_t length;
  int64_t count;
};

/// Memory that the nodes of a graph use while they run, one after the other.
struct Scratch {
  size_t bytes_needed = 0;  ///< by one member of the team; known once the graph is built
  AlignedBuffer buffer;     ///< holds bytes_needed for each member when the graph runs
};

/// What a custom node needs to run; lives as long as the graph.
struct NodeData {
  virtual ~NodeData() = default;
};

/// A graph under construction, with what its nodes may point to while it lives.
struct GraphContext {
  ggml_context* ggml;
  ggml_cgraph* graph;
  const PackedBatch* batch;
  std::vector<LengthGroup> groups;  ///< cover the batch in order
  ggml_tensor* ids;                 ///< i32 [T]
  ggml_tensor* type_ids;            ///< i32 [T]
  ggml_tensor* positions;           ///< i32 [T]
  ggml_tensor* first_tokens;        ///< i32 [B], the index of each sequence's first token
  Scratch* scratch;
  TeamLease* team;  ///< helpers for large nodes; null when there are none
  std::vector<std::unique_ptr<NodeData>> node_data;
};

/// Which tokens of a sequence attention is computed for; all of them are attended to.
enum class Queries {
  kAll,    ///< result ne = {H, T}
  kFirst,  ///< the first token of each sequence, result ne = {H, B}
};

class Ops {
 public:
  virtual ~Ops() = default;

  /// layer_norm(token_embd[ids] + position_embd[positions] + token_types[type_ids]), ne = {H, T}.
  virtual ggml_tensor* embed(GraphContext& g, const Weights& weights, float eps) const = 0;
  /// activation(x . w^T + b), ne = {out, T}.
  virtual ggml_tensor* linear(GraphContext& g, const Linear& linear, ggml_tensor* x,
                              Activation activation) const = 0;
  /// layer_norm(x + residual), ne = {H, T}.
  virtual ggml_tensor* add_norm(GraphContext& g, ggml_tensor* x, ggml_tensor* residual, const Norm& norm,
                                float eps) const = 0;
  /// softmax(q . k^T / sqrt(D)) . v for every sequence and head of qkv, ne = {3H, T}.
  virtual ggml_tensor* attention(GraphContext& g, ggml_tensor* qkv, int64_t num_heads,
                                 Queries queries) const = 0;
  /// The rows of each sequence's first token, ne = {H, B}.
  virtual ggml_tensor* first_rows(GraphContext& g, ggml_tensor* x) const = 0;
};

}  // namespace enc
