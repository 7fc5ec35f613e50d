// Ops in stock ggml operations: the graph that GPUs run, and the CPU where our kernels do not reach.
#pragma once

#include "graph/ops.h"

namespace enc {

class PortableOps : public Ops {
 public:
  size_t max_attention_nodes(const GraphContext& g, const Hparams& hparams) const override;
  ggml_tensor* embed(GraphContext& g, const Embeddings& tables, TokenIds ids) const override;
  ggml_tensor* linear(GraphContext& g, const Linear& linear, ggml_tensor* x,
                      Activation activation) const override;
  ggml_tensor* gate(GraphContext& g, ggml_tensor* x, Activation activation) const override;
  ggml_tensor* gate_by(GraphContext& g, ggml_tensor* x, ggml_tensor* y, Activation activation) const override;
  ggml_tensor* add_norm(GraphContext& g, ggml_tensor* x, ggml_tensor* residual,
                        const Norm& norm) const override;
  ggml_tensor* add(GraphContext& g, ggml_tensor* x, ggml_tensor* y) const override;
  ggml_tensor* rotate(GraphContext& g, ggml_tensor* x, int64_t num_heads, const Norm& norm,
                      const Rope& rope) const override;
  ggml_tensor* attention(GraphContext& g, ggml_tensor* q, ggml_tensor* k, ggml_tensor* v,
                         const AttentionSpec& spec) const override;
  ggml_tensor* gated_delta_net(GraphContext& g, ggml_tensor* x, ggml_tensor* gates, const LayerWeights& layer,
                               const LinearAttentionHparams& hparams) const override;
  ggml_tensor* short_conv(GraphContext& g, ggml_tensor* x, const LayerWeights& layer,
                          const ShortConvHparams& hparams) const override;
  ggml_tensor* seen_rows(GraphContext& g, ggml_tensor* x) const override;
  ggml_tensor* neighbours(GraphContext& g, ggml_tensor* x, int64_t width) const override;
  ggml_tensor* pooled_rows(GraphContext& g, ggml_tensor* x) const override;
  ggml_tensor* with_pooled_rows(GraphContext& g, ggml_tensor* x, ggml_tensor* rows) const override;
  ggml_tensor* span_rows(GraphContext& g, ggml_tensor* x, const std::vector<int32_t>& begins,
                         const std::vector<int32_t>& ends) const override;
  ggml_tensor* owner_rows(GraphContext& g, ggml_tensor* x) const override;
  ggml_tensor* beside(GraphContext& g, ggml_tensor* x, ggml_tensor* y) const override;
  ggml_tensor* reduce_rows(GraphContext& g, ggml_tensor* x, Reduction reduction) const override;
};

}  // namespace enc
