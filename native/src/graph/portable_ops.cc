#include "graph/portable_ops.h"

#include <algorithm>
#include <cmath>

#include "graph/host_input.h"
#include "graph/portable_attention.h"
#include "graph/portable_delta_net.h"
#include "graph/portable_short_conv.h"

namespace enc {
namespace {

ggml_tensor* normalize(ggml_context* ctx, ggml_tensor* x, const Norm& norm) {
  if (norm.kind == NormKind::kLayer) x = ggml_norm(ctx, x, norm.eps);
  if (norm.kind == NormKind::kRms) x = ggml_rms_norm(ctx, x, norm.eps);
  x = ggml_mul(ctx, x, norm.gamma);
  return norm.beta == nullptr ? x : ggml_add(ctx, x, norm.beta);
}

/// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). ggml_gelu has this formula too, but looks it up in an f16
/// table.
ggml_tensor* gelu_tanh(ggml_context* ctx, ggml_tensor* x) {
  ggml_tensor* cubed = ggml_mul(ctx, ggml_sqr(ctx, x), x);
  ggml_tensor* inner =
      ggml_scale(ctx, ggml_add(ctx, x, ggml_scale(ctx, cubed, 0.044715f)), 0.7978845608028654f);
  return ggml_mul(ctx, x, ggml_scale_bias(ctx, ggml_tanh(ctx, inner), 0.5f, 0.5f));
}

/// x tanh(ln(1 + e^x)) as x n / (n + 2), n = e^x (e^x + 2); from 20 on the fraction is 1.
ggml_tensor* mish(ggml_context* ctx, ggml_tensor* x) {
  ggml_tensor* e = ggml_exp(ctx, ggml_clamp(ctx, ggml_dup(ctx, x), -100, 20));
  ggml_tensor* n = ggml_mul(ctx, e, ggml_scale_bias(ctx, e, 1, 2));
  return ggml_mul(ctx, x, ggml_div(ctx, n, ggml_scale_bias(ctx, n, 1, 2)));
}

ggml_tensor* looked_up(const GraphContext& g, TokenIds ids) {
  switch (ids) {
    case TokenIds::kShifted:
      return g.shifted;
    case TokenIds::kPositions:
      return g.positions;
    case TokenIds::kOwn:
      break;
  }
  return g.ids;
}

ggml_tensor* activate(ggml_context* ctx, ggml_tensor* x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGeluErf:
      return ggml_gelu_erf(ctx, x);
    case Activation::kGeluTanh:
      return gelu_tanh(ctx, x);
    case Activation::kRelu:
      return ggml_relu(ctx, x);
    case Activation::kSilu:
      return ggml_silu(ctx, x);
    case Activation::kTanh:
      return ggml_tanh(ctx, x);
    case Activation::kGeluQuick:
      // ggml_gelu_quick looks it up in an f16 table too.
      return ggml_mul(ctx, x, ggml_sigmoid(ctx, ggml_scale(ctx, x, 1.702f)));
    case Activation::kGeluTen:
      return ggml_clamp(ctx, ggml_gelu_erf(ctx, x), -10, 10);
    case Activation::kMish:
      return mish(ctx, x);
    case Activation::kRelu6:
      return ggml_clamp(ctx, ggml_relu(ctx, x), 0, 6);
    case Activation::kReluSquared:
      return ggml_sqr(ctx, ggml_relu(ctx, x));
    case Activation::kSigmoid:
      return ggml_sigmoid(ctx, x);
  }
  return x;
}

/// The rows `indices` of x, which may be columns of something wider.
ggml_tensor* gather(GraphContext& g, ggml_tensor* x, const std::vector<int32_t>& indices) {
  ggml_tensor* rows = host_input<int32_t>(g, GGML_TYPE_I32, {int64_t(indices.size()), 1, 1, 1},
                                          [&](std::vector<int32_t>& values) { values = indices; });
  return ggml_get_rows(g.ggml, ggml_is_contiguous(x) ? x : ggml_cont(g.ggml, x), rows);
}

/// {1, H, B} from {n, H, B}.
ggml_tensor* reduce(ggml_context* ctx, ggml_tensor* x, Reduction reduction) {
  const int64_t length = x->ne[0];
  switch (reduction) {
    case Reduction::kMean:
      return ggml_mean(ctx, x);
    case Reduction::kMeanSqrtLength:
      return ggml_scale(ctx, ggml_mean(ctx, x), std::sqrt(float(length)));
    case Reduction::kWeightedMean: {
      ggml_tensor* weights = ggml_arange(ctx, 1, float(length + 1), 1);
      ggml_tensor* sum = ggml_sum_rows(ctx, ggml_mul(ctx, x, weights));
      return ggml_scale(ctx, sum, 2 / (float(length) * float(length + 1)));
    }
    case Reduction::kMax:
      // One window over all of a row; stock operations have no other maximum.
      return ggml_pool_2d(ctx, x, GGML_OP_POOL_MAX, int(length), 1, int(length), 1, 0, 0);
  }
  return x;
}

}  // namespace

size_t PortableOps::max_attention_nodes(const GraphContext& g, const Hparams& hparams) const {
  return std::max({max_portable_attention_nodes(g, hparams), max_portable_delta_net_nodes(g, hparams),
                   max_portable_short_conv_nodes(hparams)});
}

ggml_tensor* PortableOps::embed(GraphContext& g, const Embeddings& tables, TokenIds ids) const {
  ggml_tensor* x = ggml_get_rows(g.ggml, tables.tokens, looked_up(g, ids));
  if (ids == TokenIds::kOwn && !g.token_scales.empty()) {
    x = ggml_mul(g.ggml, x,
                 host_input<float>(g, GGML_TYPE_F32, {1, g.batch->num_tokens(), 1, 1},
                                   [&](std::vector<float>& values) { values = g.token_scales; }));
  } else if (tables.scale != 1) {
    x = ggml_scale(g.ggml, x, tables.scale);
  }
  if (tables.types != nullptr) x = ggml_add(g.ggml, x, ggml_get_rows(g.ggml, tables.types, g.type_ids));
  if (tables.positions != nullptr)
    x = ggml_add(g.ggml, x, ggml_get_rows(g.ggml, tables.positions, g.positions));
  return tables.norm.gamma == nullptr ? x : normalize(g.ggml, x, tables.norm);
}

ggml_tensor* PortableOps::linear(GraphContext& g, const Linear& linear, ggml_tensor* x,
                                 Activation activation) const {
  ggml_tensor* y = ggml_mul_mat(g.ggml, linear.weight, x);
  ggml_mul_mat_set_prec(y, GGML_PREC_F32);
  if (linear.bias != nullptr) y = ggml_add(g.ggml, y, linear.bias);
  return activate(g.ggml, y, activation);
}

ggml_tensor* PortableOps::gate(GraphContext& g, ggml_tensor* x, Activation activation) const {
  switch (activation) {
    case Activation::kSilu:
      return ggml_swiglu(g.ggml, x);
    case Activation::kGeluErf:
      return ggml_geglu_erf(g.ggml, x);
    case Activation::kRelu:
      return ggml_reglu(g.ggml, x);
    default: {
      const auto half = [&](int64_t index) {
        return ggml_view_2d(g.ggml, x, x->ne[0] / 2, x->ne[1], x->nb[1],
                            sizeof(float) * size_t(index * x->ne[0] / 2));
      };
      return ggml_mul(g.ggml, activate(g.ggml, ggml_cont(g.ggml, half(0)), activation), half(1));
    }
  }
}

ggml_tensor* PortableOps::gate_by(GraphContext& g, ggml_tensor* x, ggml_tensor* y,
                                  Activation activation) const {
  return ggml_mul(g.ggml, activate(g.ggml, ggml_is_contiguous(x) ? x : ggml_cont(g.ggml, x), activation), y);
}

ggml_tensor* PortableOps::add_norm(GraphContext& g, ggml_tensor* x, ggml_tensor* residual,
                                   const Norm& norm) const {
  return normalize(g.ggml, residual == nullptr ? x : ggml_add(g.ggml, x, residual), norm);
}

ggml_tensor* PortableOps::add(GraphContext& g, ggml_tensor* x, ggml_tensor* y) const {
  return ggml_add(g.ggml, x, y);
}

ggml_tensor* PortableOps::rotate(GraphContext& g, ggml_tensor* x, int64_t num_heads, const Norm& norm,
                                 const Rope& rope) const {
  const int64_t head_size = x->ne[0] / num_heads;
  ggml_tensor* heads =
      ggml_view_3d(g.ggml, x, head_size, num_heads, x->ne[1], sizeof(float) * size_t(head_size), x->nb[1], 0);
  if (norm.gamma != nullptr) {
    Norm own = norm;
    for (ggml_tensor** part : {&own.gamma, &own.beta}) {
      if (*part != nullptr && (*part)->ne[0] != head_size)
        *part = ggml_reshape_2d(g.ggml, *part, head_size, num_heads);
    }
    heads = normalize(g.ggml, heads, own);
  }
  // With base 1 every angle is the position itself, divided by the factor: the frequencies are exactly ours.
  heads = ggml_rope_ext(g.ggml, heads, g.positions, rope.freq_factors, int(rope.rotated), GGML_ROPE_TYPE_NEOX,
                        /*n_ctx_orig=*/0, /*freq_base=*/1.0f, /*freq_scale=*/1.0f, /*ext_factor=*/0.0f,
                        rope.attention_factor, /*beta_fast=*/0.0f, /*beta_slow=*/0.0f);
  return ggml_reshape_2d(g.ggml, heads, x->ne[0], x->ne[1]);
}

ggml_tensor* PortableOps::attention(GraphContext& g, ggml_tensor* q, ggml_tensor* k, ggml_tensor* v,
                                    const AttentionSpec& spec) const {
  return portable_attention(g, *this, q, k, v, spec);
}

ggml_tensor* PortableOps::gated_delta_net(GraphContext& g, ggml_tensor* x, ggml_tensor* gates,
                                          const LayerWeights& layer,
                                          const LinearAttentionHparams& hparams) const {
  return portable_gated_delta_net(g, x, gates, layer, hparams);
}

ggml_tensor* PortableOps::short_conv(GraphContext& g, ggml_tensor* x, const LayerWeights& layer,
                                     const ShortConvHparams& hparams) const {
  return portable_short_conv(g, x, layer, hparams);
}

ggml_tensor* PortableOps::seen_rows(GraphContext& g, ggml_tensor* x) const {
  if (g.seen == nullptr) {
    g.seen = host_input<float>(g, GGML_TYPE_F32, {1, g.batch->num_tokens(), 1, 1},
                               [&](std::vector<float>& values) {
                                 for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
                                   for (int64_t i = 0; i < g.batch->length(b); i++)
                                     values.push_back(i < g.batch->num_keys(b) ? 1.0f : 0.0f);
                                 }
                               });
  }
  return ggml_mul(g.ggml, x, g.seen);
}

ggml_tensor* PortableOps::neighbours(GraphContext& g, ggml_tensor* x, int64_t width) const {
  const int64_t columns = x->ne[0], tokens = x->ne[1];
  // Calls `visit` with the place of each neighbour and the first and last token of its sequence.
  const auto for_neighbours = [&g, width](const auto& visit) {
    for (size_t b = 0; b < size_t(g.batch->num_sequences()); b++) {
      const int32_t first = g.batch->cu_seqlens[b], last = g.batch->cu_seqlens[b + 1] - 1;
      for (int32_t token = first; token <= last; token++) {
        for (int32_t i = 0; i < int32_t(width); i++) visit(token + i - int32_t(width) / 2, first, last);
      }
    }
  };
  // Beyond the ends a row of the sequence itself stands in, so that none depends on its neighbours in the
  // batch, and is multiplied by 0.
  ggml_tensor* places =
      host_input<int32_t>(g, GGML_TYPE_I32, {width * tokens, 1, 1, 1}, [&](std::vector<int32_t>& values) {
        for_neighbours([&](int32_t place, int32_t first, int32_t last) {
          values.push_back(std::clamp(place, first, last));
        });
      });
  ggml_tensor* counts =
      host_input<float>(g, GGML_TYPE_F32, {1, width * tokens, 1, 1}, [&](std::vector<float>& values) {
        for_neighbours([&](int32_t place, int32_t first, int32_t last) {
          values.push_back(place < first || place > last ? 0.0f : 1.0f);
        });
      });
  ggml_tensor* rows = ggml_mul(g.ggml, ggml_get_rows(g.ggml, x, places), counts);
  rows = ggml_reshape_3d(g.ggml, rows, columns, width, tokens);
  rows = ggml_cont(g.ggml, ggml_permute(g.ggml, rows, 1, 0, 2, 3));  // {width, H, T}
  return ggml_reshape_2d(g.ggml, rows, width * columns, tokens);
}

ggml_tensor* PortableOps::pooled_rows(GraphContext& g, ggml_tensor* x) const {
  return ggml_get_rows(g.ggml, x, g.pooled_tokens);
}

ggml_tensor* PortableOps::with_pooled_rows(GraphContext& g, ggml_tensor* x, ggml_tensor* rows) const {
  std::vector<int32_t> places;
  for (size_t b = 0; b < size_t(g.batch->num_sequences()); b++) {
    for (int32_t token = g.batch->cu_seqlens[b]; token < g.batch->cu_seqlens[b + 1]; token++) {
      const bool is_pooled = token - g.batch->cu_seqlens[b] == g.pooled_rows[b];
      places.push_back(is_pooled ? int32_t(x->ne[1]) + int32_t(b) : token);
    }
  }
  return gather(g, ggml_concat(g.ggml, x, rows, 1), places);
}

ggml_tensor* PortableOps::span_rows(GraphContext& g, ggml_tensor* x, const std::vector<int32_t>& begins,
                                    const std::vector<int32_t>& ends) const {
  // The rows of all spans, one behind the other.
  std::vector<int32_t> rows;
  bool are_single = true;
  for (size_t i = 0; i < begins.size(); i++) {
    for (int32_t row = begins[i]; row < ends[i]; row++) rows.push_back(row);
    are_single = are_single && ends[i] == begins[i] + 1;
  }
  if (are_single) return gather(g, x, rows);
  // Where no span has a token any row will do: it is multiplied by 0.
  if (rows.empty()) rows.push_back(0);
  const auto count = int64_t(rows.size()), spans = int64_t(begins.size());
  ggml_tensor* shares =
      host_input<float>(g, GGML_TYPE_F32, {count, spans, 1, 1}, [&](std::vector<float>& values) {
        values.assign(size_t(count * spans), 0.0f);
        size_t row = 0;
        for (size_t i = 0; i < begins.size(); i++) {
          const int32_t length = std::max(0, ends[i] - begins[i]);
          for (int32_t j = 0; j < length; j++) values[i * size_t(count) + row++] = 1.0f / float(length);
        }
      });
  ggml_tensor* columns = ggml_cont(g.ggml, ggml_transpose(g.ggml, gather(g, x, rows)));  // {n, H}
  ggml_tensor* means = ggml_mul_mat(g.ggml, columns, shares);
  ggml_mul_mat_set_prec(means, GGML_PREC_F32);
  return means;
}

ggml_tensor* PortableOps::owner_rows(GraphContext& g, ggml_tensor* x) const {
  return gather(g, x, g.batch->mark_owners);
}

ggml_tensor* PortableOps::beside(GraphContext& g, ggml_tensor* x, ggml_tensor* y) const {
  return ggml_concat(g.ggml, x, ggml_is_contiguous(y) ? y : ggml_cont(g.ggml, y), 0);
}

ggml_tensor* PortableOps::reduce_rows(GraphContext& g, ggml_tensor* x, Reduction reduction) const {
  const int64_t columns = x->ne[0];
  return for_groups(
      g, g.groups, columns, g.batch->num_sequences(), [](const LengthGroup& group) { return group.count; },
      [&](const LengthGroup& group) {
        ggml_tensor* rows =
            ggml_view_3d(g.ggml, x, columns, group.length, group.count, x->nb[1],
                         x->nb[1] * size_t(group.length), x->nb[1] * size_t(group.first_token));
        rows = ggml_cont(g.ggml, ggml_permute(g.ggml, rows, 1, 0, 2, 3));  // {n, H, B}
        return ggml_reshape_2d(g.ggml, reduce(g.ggml, rows, reduction), columns, group.count);
      });
}

}  // namespace enc
