#include "graph/encoder_graph.h"

namespace enc {

size_t max_graph_nodes(const Hparams& hparams, size_t num_groups) {
  // Counted from portable_ops.cc, with views: 16 nodes an attention group, 32 for the rest of a layer with
  // the longest activation, 48 around the layers.
  return hparams.num_layers * (32 + 16 * num_groups) + 48;
}

ggml_tensor* build_encoder_graph(GraphContext& g, const Hparams& h, const Weights& weights, const Ops& ops) {
  const float eps = h.layer_norm_eps;
  ggml_tensor* x = ops.embed(g, weights, eps);
  for (const LayerWeights& layer : weights.layers) {
    // The head reads the first token alone, and after the last attention no row looks at another: from there
    // on the other rows are not computed.
    const bool is_last = &layer == &weights.layers.back();
    ggml_tensor* y = ops.linear(g, layer.attn_qkv, x, Activation::kNone);
    y = ops.attention(g, y, h.num_heads, is_last ? Queries::kFirst : Queries::kAll);
    if (is_last) x = ops.first_rows(g, x);
    y = ops.linear(g, layer.attn_output, y, Activation::kNone);
    x = ops.add_norm(g, y, x, layer.attn_output_norm, eps);
    y = ops.linear(g, layer.ffn_up, x, h.hidden_activation);
    y = ops.linear(g, layer.ffn_down, y, Activation::kNone);
    x = ops.add_norm(g, y, x, layer.layer_output_norm, eps);
  }
  ggml_tensor* pooled = x;
  if (h.has_pooler) pooled = ops.linear(g, weights.pooler, pooled, h.pooler_activation);
  ggml_tensor* logits = ops.linear(g, weights.classifier, pooled, Activation::kNone);
  ggml_set_output(logits);
  ggml_build_forward_expand(g.graph, logits);
  return logits;
}

}  // namespace enc
