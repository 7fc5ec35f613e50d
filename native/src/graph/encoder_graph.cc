#include "graph/encoder_graph.h"

namespace enc {
namespace {

/// The end of a layer's half: f(x) joins the residual stream x, by the placement of the norms.
ggml_tensor* join(GraphContext& g, const Ops& ops, NormPlacement placement, const Norm& norm, ggml_tensor* x,
                  ggml_tensor* fx) {
  switch (placement) {
    case NormPlacement::kPost:
      return ops.add_norm(g, fx, x, norm);
    case NormPlacement::kPre:
      return ops.add(g, x, fx);
    case NormPlacement::kSandwich:
      return ops.add(g, x, ops.add_norm(g, fx, nullptr, norm));
  }
  return x;
}

class GraphBuilder {
 public:
  GraphBuilder(GraphContext& g, const Hparams& hparams, const Weights& weights, const Ops& ops)
      : g_(g), h_(hparams), weights_(weights), ops_(ops) {}

  ggml_tensor* build() {
    ggml_tensor* x = ops_.embed(g_, h_, weights_);
    if (weights_.embd_proj.out > 0) x = ops_.linear(g_, weights_.embd_proj, x, Activation::kNone);
    for (uint32_t i = 0; i < h_.num_layers; i++) x = layer(i, x);
    x = normalized(weights_.output_norm, x);
    if (h_.pooling == Pooling::kMean) x = ops_.mean_rows(g_, x);
    if (h_.has_pooler) x = ops_.linear(g_, weights_.pooler, x, h_.pooler_activation);
    x = normalized(weights_.pooler_norm, x);
    return ops_.linear(g_, weights_.classifier, x, Activation::kNone);
  }

 private:
  ggml_tensor* normalized(const Norm& norm, ggml_tensor* x) {
    return norm.gamma == nullptr ? x : ops_.add_norm(g_, x, nullptr, norm);
  }

  ggml_tensor* layer(uint32_t index, ggml_tensor* x) {
    const LayerWeights& w = weights_.blocks[h_.layer_weights[index]];
    // A head that reads one token needs no other row after the last attention: from there on they are not
    // computed.
    const bool only_pooled = index + 1 == h_.num_layers && h_.pooling != Pooling::kMean;
    ggml_tensor* y = attend(index, w, normalized(w.attn_norm, x), only_pooled);
    if (only_pooled) x = ops_.pooled_rows(g_, x);
    y = ops_.linear(g_, w.attn_output, y, Activation::kNone);
    x = join(g_, ops_, h_.norm_placement, w.attn_post_norm, x, y);

    y = normalized(w.ffn_norm, x);
    if (h_.gated_ffn) {
      y = ops_.linear(g_, w.ffn_up, y, Activation::kNone);
      y = ops_.gate(g_, y, h_.hidden_activation);
    } else {
      y = ops_.linear(g_, w.ffn_up, y, h_.hidden_activation);
    }
    y = ops_.linear(g_, w.ffn_down, y, Activation::kNone);
    return join(g_, ops_, h_.norm_placement, w.ffn_post_norm, x, y);
  }

  ggml_tensor* attend(uint32_t index, const LayerWeights& w, ggml_tensor* x, bool only_pooled) {
    const LayerAttention& own = h_.attention[index];
    ggml_tensor* qkv = ops_.linear(g_, w.attn_qkv, x, Activation::kNone);
    const auto columns = [&](int64_t first, int64_t count) {
      return ggml_view_2d(g_.ggml, qkv, count, qkv->ne[1], qkv->nb[1], sizeof(float) * size_t(first));
    };
    const int64_t queries = h_.query_size(), keys = h_.kv_size();
    ggml_tensor* q = columns(0, queries);
    ggml_tensor* k = columns(queries, keys);
    ggml_tensor* v = columns(queries + keys, keys);
    if (h_.position_kind == PositionKind::kRope) {
      const Rope& rope = own.local && weights_.rope_local.rotated > 0 ? weights_.rope_local : weights_.rope;
      q = ops_.rotate(g_, q, h_.num_heads, w.attn_q_norm, rope);
      k = ops_.rotate(g_, k, h_.num_kv_heads, w.attn_k_norm, rope);
    }
    AttentionSpec spec{};
    spec.num_heads = h_.num_heads;
    spec.num_kv_heads = h_.num_kv_heads;
    spec.head_size = h_.head_size;
    spec.scale = h_.attention_scale;
    spec.softcap = h_.softcap;
    spec.causal = h_.causal;
    spec.max_distance = own.max_distance;
    if (h_.position_kind == PositionKind::kRelativeBias) spec.bias = &weights_.relative_bias;
    if (h_.position_kind == PositionKind::kDisentangled) {
      spec.disentangled = {&weights_.relative_positions, &w, h_.content_to_position, h_.position_to_content};
    }
    spec.queries = only_pooled ? Queries::kPooled : Queries::kAll;
    return ops_.attention(g_, q, k, v, spec);
  }

  GraphContext& g_;
  const Hparams& h_;
  const Weights& weights_;
  const Ops& ops_;
};

}  // namespace

size_t max_graph_nodes(const Hparams& hparams, const Ops& ops, const GraphContext& g) {
  // Counted from portable_ops.cc, with views: 64 nodes for the rest of a layer with the longest activation,
  // 96 and 8 a group around the layers.
  return hparams.num_layers * (64 + ops.max_attention_nodes(g.attention_groups.size())) + 96 +
         8 * g.groups.size();
}

ggml_tensor* build_encoder_graph(GraphContext& g, const Hparams& hparams, const Weights& weights,
                                 const Ops& ops) {
  ggml_tensor* logits = GraphBuilder(g, hparams, weights, ops).build();
  ggml_set_output(logits);
  ggml_build_forward_expand(g.graph, logits);
  return logits;
}

}  // namespace enc
