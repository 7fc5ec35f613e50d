// Ops as custom nodes of ggml's CPU backend that run our own kernels.
#pragma once

#include "graph/ops.h"
#include "kernels/kernel_table.h"

namespace enc {

class KernelOps final : public Ops {
 public:
  /// `table` must outlive the object and be the one the weights were packed for.
  /// With `bf16`, attention computes in bf16 with f32 accumulation, as the linear layers of a BF16 file do.
  KernelOps(const kernels::KernelTable& table, bool bf16)
      : table_(table), attention_(bf16 ? *table.attention_varlen_bf16 : *table.attention_varlen) {}

  ggml_tensor* embed(GraphContext& g, const Weights& weights, float eps) const override;
  ggml_tensor* linear(GraphContext& g, const Linear& linear, ggml_tensor* x,
                      Activation activation) const override;
  ggml_tensor* add_norm(GraphContext& g, ggml_tensor* x, ggml_tensor* residual, const Norm& norm,
                        float eps) const override;
  ggml_tensor* attention(GraphContext& g, ggml_tensor* qkv, int64_t num_heads,
                         Queries queries) const override;
  ggml_tensor* first_rows(GraphContext& g, ggml_tensor* x) const override;

 private:
  const kernels::KernelTable& table_;
  const kernels::AttentionVarlenKernel& attention_;
};

}  // namespace enc
