// The gated delta rule in stock ggml operations, for groups of sequences at a time.
#pragma once

#include "graph/ops.h"

namespace enc {

/// As Ops::gated_delta_net() and, for such layers, Ops::max_attention_nodes().
ggml_tensor* portable_gated_delta_net(GraphContext& g, ggml_tensor* x, ggml_tensor* gates,
                                      const LayerWeights& layer, const LinearAttentionHparams& hparams);
size_t max_portable_delta_net_nodes(const GraphContext& g, const Hparams& hparams);

}  // namespace enc
