// Disentangled attention: what is added to the scores of one sequence and head: content queries against the
// keys of relative positions, and content keys against their queries.
#pragma once

#include "graph/ops.h"
#include "kernels/kernel_table.h"

namespace enc {

/// Scratch of one call for sequences up to `length`, a multiple of 64; the bias itself lies in it.
size_t disentangled_scratch_bytes(const AttentionSpec& spec, size_t length);

/// Returns bias f32 [length, length] with bias[i * length + j] = scale * (q_i . pos_k(i - j) + k_j . pos_q(i
/// - j)) for the queries asked: row `only_query`, or all of them when it is negative. `q` and `k` point to
/// the head's columns of the sequence's first token.
const float* disentangled_bias(const kernels::PositionScoresKernel& kernel, const AttentionSpec& spec,
                               size_t head, size_t length, const float* q, size_t q_stride, const float* k,
                               size_t k_stride, int64_t only_query, void* scratch);

}  // namespace enc
