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
    case NormPlacement::kParallel:
      return ops.add(g, x, fx);
    case NormPlacement::kBranch:
    case NormPlacement::kSandwich:
      return ops.add(g, x, ops.add_norm(g, fx, nullptr, norm));
  }
  return x;
}

/// Nodes refer to it while they run.
const Norm kNoNorm;

class GraphBuilder {
 public:
  GraphBuilder(GraphContext& g, const Hparams& hparams, const Weights& weights, const Ops& ops)
      : g_(g), h_(hparams), weights_(weights), ops_(ops) {}

  ggml_tensor* build() {
    ggml_tensor* x = embed();
    for (uint32_t i = 0; i < h_.num_layers; i++) {
      const bool is_last = !h_.has_decoder() && i + 1 == h_.num_layers;
      ggml_tensor* states = x;
      x = encoder_layer(i, x, is_last);
      if (i == 0 && h_.convolution.width > 0) x = convolve(states, x, keeps_pooled_only(is_last));
    }
    x = normalized(weights_.output_norm, x);
    if (h_.label_head.exists()) return label_logits(x);
    if (h_.has_decoder()) x = decode(x);
    x = reduced(x);
    if (h_.has_pooler) x = ops_.linear(g_, weights_.pooler, x, h_.pooler_activation);
    x = normalized(weights_.pooler_norm, x);
    if (h_.pooling == Pooling::kLate) x = ops_.reduce_rows(g_, x, Reduction::kMean);
    return ops_.linear(g_, weights_.classifier, x, Activation::kNone);
  }

 private:
  ggml_tensor* embed() {
    ggml_tensor* x = ops_.embed(g_, weights_.embeddings, TokenIds::kOwn);
    if (h_.embedding_width > 1) x = ops_.neighbours(g_, x, h_.embedding_width);
    if (weights_.embd_proj.out > 0) x = ops_.linear(g_, weights_.embd_proj, x, Activation::kNone);
    if (weights_.place_embeddings.tokens == nullptr) return x;
    ggml_tensor* places = ops_.embed(g_, weights_.place_embeddings, TokenIds::kPositions);
    if (weights_.place_norm.gamma == nullptr) return ops_.add(g_, x, places);
    return ops_.add_norm(g_, x, places, weights_.place_norm);
  }

  ggml_tensor* normalized(const Norm& norm, ggml_tensor* x) {
    return norm.gamma == nullptr ? x : ops_.add_norm(g_, x, nullptr, norm);
  }

  /// One row of each sequence, or of each mark, where the head reads all of them before anything else.
  ggml_tensor* reduced(ggml_tensor* x) {
    switch (h_.pooling) {
      case Pooling::kMean:
        return ops_.reduce_rows(g_, x, Reduction::kMean);
      case Pooling::kMeanSqrtLength:
        return ops_.reduce_rows(g_, x, Reduction::kMeanSqrtLength);
      case Pooling::kWeightedMean:
        return ops_.reduce_rows(g_, x, Reduction::kWeightedMean);
      case Pooling::kMax:
        return ops_.reduce_rows(g_, x, Reduction::kMax);
      case Pooling::kMarks:
      case Pooling::kTokens:
        return ops_.span_rows(g_, x, g_.batch->marks, g_.batch->mark_ends);
      case Pooling::kFirst:
      case Pooling::kLast:
      case Pooling::kEos:
      case Pooling::kSeparator:
      case Pooling::kText:
      case Pooling::kLate:
        return x;
    }
    return x;
  }

  /// A logit for each token that stands for a label, from its state and that of its text, ne = {1, M}.
  ggml_tensor* label_logits(ggml_tensor* x) {
    const LabelWeights& w = weights_.labels;
    const PackedBatch& batch = *g_.batch;
    ggml_tensor* text = h_.pooling == Pooling::kText ? ops_.span_rows(g_, x, batch.texts, batch.text_ends)
                                                     : ops_.pooled_rows(g_, x);
    text = projected(w.text, w.text_norm, text);
    ggml_tensor* label =
        projected(w.label, w.label_norm, ops_.span_rows(g_, x, batch.marks, batch.mark_ends));
    ggml_tensor* y = paired(text, label);
    for (const Linear& layer : w.hidden) y = ops_.linear(g_, layer, y, Activation::kRelu);
    return ops_.linear(g_, weights_.classifier, y, Activation::kNone);
  }

  ggml_tensor* projected(const std::vector<Linear>& layers, const Norm& norm, ggml_tensor* x) {
    for (const Linear& layer : layers)
      x = ops_.linear(g_, layer, x, &layer == &layers.back() ? Activation::kNone : h_.label_head.activation);
    return normalized(norm, x);
  }

  /// What the label's logit is computed from.
  ggml_tensor* paired(ggml_tensor* text, ggml_tensor* label) {
    const auto pair = [&](ggml_tensor* a, ggml_tensor* b) {
      return ops_.beside(g_, ops_.owner_rows(g_, a), b);
    };
    const auto product = [&](ggml_tensor* both) { return ops_.gate(g_, both, Activation::kNone); };
    if (h_.label_head.score == LabelScore::kProduct) return product(pair(text, label));
    if (h_.label_head.score == LabelScore::kLayers) return pair(text, label);
    text = ops_.linear(g_, weights_.labels.text_halves, text, Activation::kNone);
    label = ops_.linear(g_, weights_.labels.label_halves, label, Activation::kNone);
    const int64_t half = text->ne[0] / 2;
    const auto halves = [&](int64_t first) {
      return pair(columns(text, first, half), columns(label, first, half));
    };
    return ops_.beside(g_, halves(0), product(halves(half)));
  }

  /// A head that reads one token needs no other row after the last attention of a sequence's tokens to each
  /// other: from there on they are not computed.
  bool keeps_pooled_only(bool is_last) const { return is_last && !h_.pools_all_tokens(); }

  ggml_tensor* encoder_layer(uint32_t index, ggml_tensor* x, bool is_last) {
    const LayerWeights& w = weights_.blocks[h_.layer_weights[index]];
    const bool only_pooled = keeps_pooled_only(is_last);
    if (h_.narrow_size > 0) return narrow_layer(w, x, encoder_attention(index, w), only_pooled);
    if (h_.first_is_global) {
      ggml_tensor* attended = attend_with_first(w, x, encoder_attention(index, w), only_pooled);
      return feed_forward(w, attended, attended);
    }
    ggml_tensor* attended = mix(index, w, x, only_pooled);
    if (h_.norm_placement != NormPlacement::kParallel) return feed_forward(w, attended, attended);
    return feed_forward(w, only_pooled ? ops_.pooled_rows(g_, x) : x, attended);
  }

  /// The half of a layer in which tokens learn of others.
  ggml_tensor* mix(uint32_t index, const LayerWeights& w, ggml_tensor* x, bool only_pooled) {
    if (h_.attention[index].linear) return attend_linearly(w, x, only_pooled);
    if (h_.attention[index].convolves) return convolve_shortly(w, x, only_pooled);
    return attend(w, x, encoder_attention(index, w), rotation(index), only_pooled);
  }

  /// A layer that works in fewer columns than the states have: attention and feed-forward parts join those
  /// columns, and what becomes of them the states.
  ggml_tensor* narrow_layer(const LayerWeights& w, ggml_tensor* x, AttentionSpec spec, bool only_pooled) {
    const int64_t queries = spec.num_heads * spec.head_size;
    const auto project = [&](const Linear& linear, ggml_tensor* input) {
      return ops_.linear(g_, linear, input, Activation::kNone);
    };
    ggml_tensor* narrow = normalized(w.narrow_norm, project(w.narrow, x));
    ggml_tensor* qk = project(w.attn_qk, normalized(w.narrow_qk_norm, project(w.narrow_qk, x)));
    ggml_tensor* v = project(w.attn_v, x);
    spec.queries = only_pooled ? Queries::kPooled : Queries::kAll;
    ggml_tensor* y = ops_.attention(g_, columns(qk, 0, queries), columns(qk, queries, queries), v, spec);
    if (only_pooled) {
      x = ops_.pooled_rows(g_, x);
      narrow = ops_.pooled_rows(g_, narrow);
    }
    narrow = ops_.add_norm(g_, project(w.attn_output, y), narrow, w.attn_post_norm);
    for (const FeedForward& ffn : w.ffns) {
      y = project(ffn.down, ops_.linear(g_, ffn.up, narrow, h_.hidden_activation));
      narrow = ops_.add_norm(g_, y, narrow, ffn.post_norm);
    }
    return ops_.add_norm(g_, project(w.widen, narrow), x, w.ffn_post_norm);
  }

  /// The first layer's result x with the convolution of the states that the layer read.
  ggml_tensor* convolve(ggml_tensor* states, ggml_tensor* x, bool only_pooled) {
    ggml_tensor* y = ops_.neighbours(g_, states, h_.convolution.width);
    if (only_pooled) y = ops_.pooled_rows(g_, y);
    return ops_.add_norm(g_, ops_.linear(g_, weights_.conv, y, h_.convolution.activation), x,
                         weights_.conv_norm);
  }

  /// Null where the layers do not rotate.
  const Rope* rotation(uint32_t index) const {
    if (h_.position_kind != PositionKind::kRope) return nullptr;
    if (h_.attention[index].local && weights_.rope_local.rotated > 0) return &weights_.rope_local;
    return g_.long_texts && weights_.rope_long.rotated > 0 ? &weights_.rope_long : &weights_.rope;
  }

  /// `encoded`: the encoder's last states, which every layer attends to.
  ggml_tensor* decode(ggml_tensor* encoded) {
    ggml_tensor* x = ops_.embed(g_, weights_.decoder_embeddings, TokenIds::kShifted);
    const bool start_only = h_.decodes_start_only();
    if (start_only) x = ops_.pooled_rows(g_, x);
    for (uint32_t i = 0; i < h_.decoder.num_layers; i++) {
      const LayerWeights& w = weights_.decoder_blocks[i];
      const bool only_pooled = start_only || keeps_pooled_only(i + 1 == h_.decoder.num_layers);
      x = start_only ? attend_to_itself(w, x) : attend(w, x, decoder_self_attention(w), nullptr, only_pooled);
      x = attend_across(w, x, encoded, only_pooled);
      x = feed_forward(w, x, x);
    }
    return normalized(weights_.decoder_norm, x);
  }

  AttentionSpec encoder_attention(uint32_t index, const LayerWeights& w) const {
    AttentionSpec spec{};
    spec.layer = index;
    spec.num_heads = h_.num_heads;
    spec.num_kv_heads = h_.num_kv_heads;
    spec.head_size = h_.head_size;
    spec.scale = h_.attention_scale;
    spec.softcap = h_.softcap;
    spec.causal = h_.causal;
    spec.max_distance = h_.attention[index].max_distance;
    spec.sees_first = h_.first_is_global;
    spec.bias = own_or_shared(w.relative_bias, weights_.relative_bias);
    if (h_.position_kind == PositionKind::kDisentangled) {
      spec.disentangled = {&weights_.relative_positions, &w, h_.content_to_position, h_.position_to_content,
                           nullptr};
    }
    return spec;
  }

  AttentionSpec decoder_attention() const {
    AttentionSpec spec{};
    spec.num_heads = spec.num_kv_heads = h_.decoder.num_heads;
    spec.head_size = h_.decoder.head_size;
    spec.scale = h_.decoder.attention_scale;
    spec.max_distance = LayerAttention::kUnlimited;
    return spec;
  }

  AttentionSpec decoder_self_attention(const LayerWeights& w) const {
    AttentionSpec spec = decoder_attention();
    spec.causal = true;
    spec.bias = own_or_shared(w.relative_bias, weights_.decoder_relative_bias);
    return spec;
  }

  static const RelativeBias* own_or_shared(const RelativeBias& own, const RelativeBias& shared) {
    return own.exists() ? &own : shared.exists() ? &shared : nullptr;
  }

  ggml_tensor* columns(ggml_tensor* x, int64_t first, int64_t count) {
    return ggml_view_2d(g_.ggml, x, count, x->ne[1], x->nb[1], sizeof(float) * size_t(first));
  }

  /// The heads of x turned. An RMS norm as wide as x is one of all heads at once, before they turn.
  ggml_tensor* rotated(ggml_tensor* x, int64_t num_heads, const Norm& norm, const Rope& rope) {
    if (h_.turns_before_norms && norm.gamma != nullptr) {
      ggml_tensor* y = ops_.rotate(g_, x, num_heads, kNoNorm, rope);
      const int64_t width = norm.gamma->ne[0];
      ggml_tensor* parts = ggml_reshape_2d(g_.ggml, y, width, ggml_nelements(y) / width);
      return ggml_reshape_2d(g_.ggml, normalized(norm, parts), x->ne[0], x->ne[1]);
    }
    const bool is_whole = num_heads > 1 && norm.gamma != nullptr && norm.kind == NormKind::kRms &&
                          norm.gamma->ne[0] == x->ne[0];
    if (!is_whole) return ops_.rotate(g_, x, num_heads, norm, rope);
    return ops_.rotate(g_, normalized(norm, x), num_heads, kNoNorm, rope);
  }

  /// The half of a layer in which the tokens of each sequence attend to each other.
  ggml_tensor* attend(const LayerWeights& w, ggml_tensor* x, AttentionSpec spec, const Rope* rope,
                      bool only_pooled) {
    const int64_t queries = spec.num_heads * spec.head_size, keys = spec.num_kv_heads * spec.head_size;
    ggml_tensor* input = normalized(w.attn_norm, x);
    ggml_tensor* qkv = ops_.linear(g_, w.attn_qkv, input, Activation::kNone);
    if (w.attn_segment.out > 0)
      spec.disentangled->segment_scores = ops_.linear(g_, w.attn_segment, input, Activation::kNone);
    ggml_tensor* q = columns(qkv, 0, queries);
    ggml_tensor* k = columns(qkv, queries, keys);
    ggml_tensor* v = columns(qkv, queries + keys, keys);
    if (rope != nullptr) {
      q = rotated(q, spec.num_heads, w.attn_q_norm, *rope);
      k = rotated(k, spec.num_kv_heads, w.attn_k_norm, *rope);
    }
    spec.queries = only_pooled ? Queries::kPooled : Queries::kAll;
    ggml_tensor* y = ops_.attention(g_, q, k, v, spec);
    if (w.attn_gate.out > 0) {
      if (only_pooled) input = ops_.pooled_rows(g_, input);
      ggml_tensor* gate = ops_.linear(g_, w.attn_gate, input, Activation::kNone);
      y = ops_.gate_by(g_, gate, y, Activation::kSigmoid);
    }
    if (only_pooled) x = ops_.pooled_rows(g_, x);
    y = ops_.linear(g_, w.attn_output, y, Activation::kNone);
    return join(g_, ops_, h_.norm_placement, w.attn_post_norm, x, y);
  }

  /// The same half of a layer with linear attention: what a token sees is a state of those before it.
  ggml_tensor* attend_linearly(const LayerWeights& w, ggml_tensor* x, bool only_pooled) {
    const LinearAttentionHparams& linear = h_.linear_attention;
    const int64_t mixed = linear.mixed_size(), values = linear.value_size(), size = linear.head_size;
    ggml_tensor* input = normalized(w.attn_norm, x);
    ggml_tensor* projected = ops_.linear(g_, w.ssm_in, input, Activation::kNone);
    ggml_tensor* gates = ops_.linear(g_, w.ssm_ba, input, Activation::kNone);
    ggml_tensor* y = ops_.gated_delta_net(g_, columns(projected, 0, mixed), gates, w, linear);
    ggml_tensor* gate = columns(projected, mixed, values);
    if (only_pooled) {
      x = ops_.pooled_rows(g_, x);
      y = ops_.pooled_rows(g_, y);
      gate = ops_.pooled_rows(g_, gate);
    }
    ggml_tensor* heads = ggml_reshape_2d(g_.ggml, y, size, linear.num_value_heads * y->ne[1]);
    heads = normalized(w.ssm_norm, heads);
    y = ops_.gate_by(g_, gate, ggml_reshape_2d(g_.ggml, heads, values, y->ne[1]), Activation::kSilu);
    y = ops_.linear(g_, w.ssm_out, y, Activation::kNone);
    return join(g_, ops_, h_.norm_placement, w.attn_post_norm, x, y);
  }

  /// The same half of a layer that mixes each token with the few around it.
  ggml_tensor* convolve_shortly(const LayerWeights& w, ggml_tensor* x, bool only_pooled) {
    ggml_tensor* input = normalized(w.attn_norm, x);
    if (!g_.batch->key_counts.empty() && !h_.short_conv.reads_unseen) input = ops_.seen_rows(g_, input);
    ggml_tensor* y = ops_.linear(g_, w.shortconv_in, input, Activation::kNone);
    y = ops_.short_conv(g_, y, w, h_.short_conv);
    if (only_pooled) {
      x = ops_.pooled_rows(g_, x);
      y = ops_.pooled_rows(g_, y);
    }
    y = ops_.linear(g_, w.shortconv_out, y, Activation::kNone);
    return join(g_, ops_, h_.norm_placement, w.attn_post_norm, x, y);
  }

  /// The same where the first token of each sequence, which is the one that the head reads, sees all others
  /// by projections of its own.
  ggml_tensor* attend_with_first(const LayerWeights& w, ggml_tensor* x, AttentionSpec spec, bool only_first) {
    ggml_tensor* first = ops_.pooled_rows(g_, x);
    const auto project = [&](const Linear& linear, ggml_tensor* input) {
      return ops_.linear(g_, linear, input, Activation::kNone);
    };
    const int64_t width = spec.num_heads * spec.head_size;
    ggml_tensor* q = project(w.attn_global_q, first);
    ggml_tensor* kv = project(w.attn_global_kv, x);
    AttentionSpec all = spec;
    all.max_distance = LayerAttention::kUnlimited;
    all.queries = Queries::kGathered;
    ggml_tensor* y = ops_.attention(g_, q, columns(kv, 0, width), columns(kv, width, width), all);
    if (!only_first) {
      ggml_tensor* qkv = project(w.attn_qkv, x);
      ggml_tensor* near = ops_.attention(g_, columns(qkv, 0, width), columns(qkv, width, width),
                                         columns(qkv, 2 * width, width), spec);
      y = ops_.with_pooled_rows(g_, near, y);
    }
    return join(g_, ops_, h_.norm_placement, w.attn_post_norm, only_first ? first : x,
                project(w.attn_output, y));
  }

  /// The same for tokens that see nothing but themselves: what they attend to is their own value.
  ggml_tensor* attend_to_itself(const LayerWeights& w, ggml_tensor* x) {
    ggml_tensor* y = ops_.linear(g_, w.attn_v, normalized(w.attn_norm, x), Activation::kNone);
    y = ops_.linear(g_, w.attn_output, y, Activation::kNone);
    return join(g_, ops_, h_.norm_placement, w.attn_post_norm, x, y);
  }

  /// The part of a decoder's layer in which its tokens, or the pooled ones that are left of them, attend to
  /// what the encoder made of theirs.
  ggml_tensor* attend_across(const LayerWeights& w, ggml_tensor* x, ggml_tensor* encoded, bool only_pooled) {
    ggml_tensor* q = ops_.linear(g_, w.cross_q, normalized(w.cross_norm, x), Activation::kNone);
    ggml_tensor* kv = ops_.linear(g_, w.cross_kv, encoded, Activation::kNone);
    AttentionSpec spec = decoder_attention();
    spec.queries = only_pooled ? Queries::kGathered : Queries::kAll;
    ggml_tensor* k = columns(kv, 0, q->ne[0]);
    ggml_tensor* v = columns(kv, q->ne[0], q->ne[0]);
    ggml_tensor* y = ops_.linear(g_, w.cross_output, ops_.attention(g_, q, k, v, spec), Activation::kNone);
    return join(g_, ops_, h_.norm_placement, w.cross_post_norm, x, y);
  }

  /// `x` with the feed-forward part of `input`, which is x itself unless both parts of a layer read the same.
  ggml_tensor* feed_forward(const LayerWeights& w, ggml_tensor* input, ggml_tensor* x) {
    ggml_tensor* y = normalized(w.ffn_norm, input);
    if (h_.gated_ffn) {
      y = ops_.linear(g_, w.ffn_up, y, Activation::kNone);
      y = ops_.gate(g_, y, h_.hidden_activation);
    } else {
      y = ops_.linear(g_, w.ffn_up, y, h_.hidden_activation);
    }
    y = ops_.linear(g_, w.ffn_down, y, Activation::kNone);
    return join(g_, ops_, h_.norm_placement, w.ffn_post_norm, x, y);
  }

  GraphContext& g_;
  const Hparams& h_;
  const Weights& weights_;
  const Ops& ops_;
};

}  // namespace

size_t max_graph_nodes(const Hparams& hparams, const Ops& ops, const GraphContext& g) {
  // Counted from portable_ops.cc, with views: 74 nodes for the rest of a layer with the longest activation,
  // and 24 for each of its feed-forward parts, 224 and 12 a group around the layers, 32 of them for a
  // convolution, as many for the embeddings and 96 for a head that reads labels. A decoder's layer attends
  // twice, and so does one whose first token sees all.
  const size_t attentions =
      hparams.num_layers * (hparams.first_is_global ? 2 : 1) + 2 * size_t(hparams.decoder.num_layers);
  return attentions * (74 + 24 * size_t(hparams.num_ffns) + ops.max_attention_nodes(g, hparams)) + 224 +
         12 * g.groups.size();
}

ggml_tensor* build_encoder_graph(GraphContext& g, const Hparams& hparams, const Weights& weights,
                                 const Ops& ops) {
  ggml_tensor* logits = GraphBuilder(g, hparams, weights, ops).build();
  ggml_set_output(logits);
  ggml_build_forward_expand(g.graph, logits);
  return logits;
}

}  // namespace enc
