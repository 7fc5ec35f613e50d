// Ops in stock ggml operations: the graph that GPUs run, and the CPU where our kernels do not reach.
#pragma once

#include "graph/ops.h"

namespace enc {

class PortableOps final : public Ops {
 public:
  ggml_tensor* embed(GraphContext& g, const Weights& weights, float eps) const override;
  ggml_tensor* linear(GraphContext& g, const Linear& linear, ggml_tensor* x,
                      Activation activation) const override;
  ggml_tensor* add_norm(GraphContext& g, ggml_tensor* x, ggml_tensor* residual, const Norm& norm,
                        float eps) const override;
  ggml_tensor* attention(GraphContext& g, ggml_tensor* qkv, int64_t num_heads,
                         Queries queries) const override;
  ggml_tensor* first_rows(GraphContext& g, ggml_tensor* x) const override;
};

}  // namespace enc
