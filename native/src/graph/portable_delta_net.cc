#include "graph/portable_delta_net.h"

#include <algorithm>
#include <cmath>

#include "graph/host_input.h"
#include "graph/portable_attention.h"

namespace enc {
namespace {

/// Sequences whose states are held at once, before and after a layer: 32 KiB for each of the batch's tokens,
/// or 16 MiB.
int64_t sequences_at_once(const GraphContext& g, const LinearAttentionHparams& h) {
  const int64_t values = std::max(int64_t(1) << 22, g.batch->num_tokens() << 13);
  return std::max<int64_t>(1, values / (int64_t(h.value_size()) * h.head_size));
}

/// The attention groups, in parts of no more sequences than may have their states held. Padding stands behind
/// a sequence's tokens, which do not see it.
std::vector<AttentionGroup> parts_of(const GraphContext& g, const LinearAttentionHparams& h) {
  const int64_t at_once = sequences_at_once(g, h);
  std::vector<AttentionGroup> parts;
  for (const AttentionGroup& group : g.attention_groups) {
    for (int64_t first = 0; first < group.count; first += at_once) {
      const int64_t sequence = group.first_sequence + first, count = std::min(at_once, group.count - first);
      const int64_t begin = g.batch->cu_seqlens[size_t(sequence)];
      const int64_t end = g.batch->cu_seqlens[size_t(sequence + count)];
      parts.push_back({begin, sequence, group.length, count, end - begin});
    }
  }
  return parts;
}

/// Zeros, ne = {D, D}.
ggml_tensor* empty_state(GraphContext& g, int64_t size) {
  if (g.empty_state == nullptr) {
    g.empty_state = host_input<float>(g, GGML_TYPE_F32, {size, size, 1, 1}, [&](std::vector<float>& values) {
      values.assign(size_t(size * size), 0.0f);
    });
  }
  return g.empty_state;
}

class DeltaNetBuilder {
 public:
  DeltaNetBuilder(GraphContext& g, const LayerWeights& layer, const LinearAttentionHparams& h)
      : g_(g),
        ctx_(g.ggml),
        layer_(layer),
        size_(h.head_size),
        key_heads_(h.num_key_heads),
        value_heads_(h.num_value_heads),
        width_(h.conv_width) {}

  /// `beta` and `decay`, the latter as its logarithm, ne = {value heads, T}.
  ggml_tensor* run(ggml_tensor* x, ggml_tensor* beta, ggml_tensor* decay, const AttentionGroup& part) {
    const int64_t columns = x->ne[0], n = part.length, count = part.count;
    PaddedRows padded{};
    if (part.is_padded()) padded = padded_rows(g_, part);
    const auto rows = [&](ggml_tensor* all) {
      if (part.is_padded()) return ggml_get_rows(ctx_, all, padded.into);
      return ggml_view_2d(ctx_, all, all->ne[0], n * count, all->nb[1],
                          all->nb[1] * size_t(part.first_token));
    };
    ggml_tensor* own = rows(x);
    own = ggml_view_3d(ctx_, own, columns, n, count, own->nb[1], own->nb[1] * size_t(n), 0);
    own = ggml_cont(ctx_, ggml_permute(ctx_, own, 1, 0, 2, 3));  // {n, columns, B}
    own = ggml_pad_ext(ctx_, own, int(width_) - 1, 0, 0, 0, 0, 0, 0, 0);
    own = ggml_silu(ctx_, ggml_ssm_conv(ctx_, own, layer_.ssm_conv1d));  // {columns, n, B}
    const auto heads = [&](int64_t first, int64_t num_heads) {
      return ggml_view_4d(ctx_, own, size_, num_heads, n, count, sizeof(float) * size_t(size_), own->nb[1],
                          own->nb[2], sizeof(float) * size_t(first * size_));
    };
    const auto gate = [&](ggml_tensor* all) {
      return ggml_reshape_4d(ctx_, rows(all), 1, value_heads_, n, count);
    };
    ggml_tensor* q = spread(unit(heads(0, key_heads_)));
    ggml_tensor* k = spread(unit(heads(key_heads_, key_heads_)));
    ggml_tensor* v = heads(2 * key_heads_, value_heads_);
    ggml_tensor* states = ggml_repeat_4d(ctx_, empty_state(g_, size_), size_, size_, value_heads_, count);
    // It divides q by the root of its size itself. The states stand behind the tokens' rows.
    ggml_tensor* y = ggml_gated_delta_net(ctx_, q, k, v, gate(decay), gate(beta), states, 1);
    y = ggml_view_2d(ctx_, y, y->ne[0], n * count, y->nb[1], 0);
    return part.is_padded() ? ggml_get_rows(ctx_, y, padded.out_of) : y;
  }

 private:
  /// Heads divided by their length, of which the epsilon is one of the squares' sum and not of their mean.
  ggml_tensor* unit(ggml_tensor* heads) {
    const auto size = float(size_);
    return ggml_scale(ctx_, ggml_rms_norm(ctx_, heads, kernels::kLengthEps / size), 1 / std::sqrt(size));
  }

  /// Each key head as often as value heads share it, next to each other.
  ggml_tensor* spread(ggml_tensor* x) {
    if (key_heads_ == value_heads_) return x;
    const int64_t n = x->ne[2], count = x->ne[3];
    x = ggml_reshape_4d(ctx_, x, size_, 1, key_heads_, n * count);
    x = ggml_repeat_4d(ctx_, x, size_, value_heads_ / key_heads_, key_heads_, n * count);
    return ggml_reshape_4d(ctx_, x, size_, value_heads_, n, count);
  }

  GraphContext& g_;
  ggml_context* ctx_;
  const LayerWeights& layer_;
  const int64_t size_, key_heads_, value_heads_, width_;
};

}  // namespace

size_t max_portable_delta_net_nodes(const GraphContext& g, const Hparams& hparams) {
  if (!hparams.linear_attention.exists()) return 0;
  return 24 + 40 * parts_of(g, hparams.linear_attention).size();
}

ggml_tensor* portable_gated_delta_net(GraphContext& g, ggml_tensor* x, ggml_tensor* gates,
                                      const LayerWeights& layer, const LinearAttentionHparams& h) {
  ggml_context* ctx = g.ggml;
  const int64_t heads = h.num_value_heads;
  const auto half = [&](int64_t index) {
    return ggml_cont(ctx, ggml_view_2d(ctx, gates, heads, gates->ne[1], gates->nb[1],
                                       sizeof(float) * size_t(index * heads)));
  };
  ggml_tensor* beta = ggml_sigmoid(ctx, half(0));
  ggml_tensor* decay = ggml_mul(ctx, ggml_softplus(ctx, ggml_add(ctx, half(1), layer.ssm_dt)), layer.ssm_a);
  DeltaNetBuilder builder(g, layer, h);
  return for_groups(
      g, parts_of(g, h), h.value_size(), x->ne[1], [](const AttentionGroup& part) { return part.num_tokens; },
      [&](const AttentionGroup& part) { return builder.run(x, beta, decay, part); });
}

}  // namespace enc
