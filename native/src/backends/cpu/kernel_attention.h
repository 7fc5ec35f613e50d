// Attention on our own kernels: which sequences, heads and rows each call of them computes.
#pragma once

#include "graph/ops.h"
#include "kernels/kernel_table.h"

namespace enc {

struct AttentionKernels {
  const kernels::AttentionVarlenKernel* varlen;
  const kernels::PositionScoresKernel* position_scores;
};

/// As Ops::attention(), but of pooled queries every row of q has a place in the result, and only theirs are
/// written. `by` must outlive the graph.
ggml_tensor* kernel_attention(GraphContext& g, const AttentionKernels& by, ggml_tensor* q, ggml_tensor* k,
                              ggml_tensor* v, const AttentionSpec& spec);

}  // namespace enc
