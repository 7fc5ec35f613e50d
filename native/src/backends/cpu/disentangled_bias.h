// Disentangled attention: what is added to the scores of one sequence and head: content queries against the
// keys of relative positions, and content keys against their queries.
#pragma once

#include "graph/ops.h"
#include "kernels/kernel_table.h"

namespace enc {

/// Scratch of one call for sequences up to `length`, a multiple of 64; the bias itself lies in it.
size_t disentangled_scratch_bytes(const AttentionSpec& spec, size_t length);

/// What one head scores of one sequence. Pointers are to the head's columns of the sequence's first token.
struct DisentangledArgs {
  size_t head = 0;
  size_t length = 0;
  const float* q = nullptr;
  size_t q_stride = 0;
  const float* k = nullptr;
  size_t k_stride = 0;
  /// A query's score with keys of other segments; null: nothing is added for them.
  const float* segment_scores = nullptr;
  size_t segment_stride = 0;
  const int32_t* segments = nullptr;  ///< [length]
  int64_t only_query = -1;            ///< the query that is asked; negative: all of them
  void* scratch = nullptr;
};

/// Returns bias f32 [length, length] with bias[i * length + j] = scale * ((q_i + u) . pos_k(i - j) + k_j .
/// pos_q(i - j) + s_i, where i and j are of different segments) for the queries asked.
const float* disentangled_bias(const kernels::PositionScoresKernel& kernel, const AttentionSpec& spec,
                               const DisentangledArgs& args);

}  // namespace enc
