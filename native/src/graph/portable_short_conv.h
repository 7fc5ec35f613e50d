// A gated convolution of each token with the few before it, in stock ggml operations.
#pragma once

#include "graph/ops.h"

namespace enc {

/// As Ops::short_conv() and, for such layers, Ops::max_attention_nodes().
ggml_tensor* portable_short_conv(GraphContext& g, ggml_tensor* x, const LayerWeights& layer,
                                 const ShortConvHparams& hparams);
size_t max_portable_short_conv_nodes(const Hparams& hparams);

}  // namespace enc
