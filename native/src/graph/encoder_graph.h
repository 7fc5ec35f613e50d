// The one graph: embeddings, N layers of an encoder, those of a decoder where there is one, pooling, head.
// Driven by hyperparameters alone; it knows no architecture by name.
#pragma once

#include "graph/ops.h"
#include "model/hparams.h"

namespace enc {

/// Upper bound of graph nodes and context tensors for the groups in `g`.
size_t max_graph_nodes(const Hparams& hparams, const Ops& ops, const GraphContext& g);

/// Adds the nodes from the inputs in `g` to what the classifier gives, ne = {its rows, B}, and returns that.
ggml_tensor* build_encoder_graph(GraphContext& g, const Hparams& hparams, const Weights& weights,
                                 const Ops& ops);

}  // namespace enc
