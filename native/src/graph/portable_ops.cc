#include "graph/portable_ops.h"

#include <cmath>

namespace enc {
namespace {

ggml_tensor* normalize(ggml_context* ctx, ggml_tensor* x, const Norm& norm, float eps) {
  x = ggml_norm(ctx, x, eps);
  return ggml_add(ctx, ggml_mul(ctx, x, norm.gamma), norm.beta);
}

/// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). ggml_gelu has this formula too, but looks it up in an f16
/// table.
ggml_tensor* gelu_tanh(ggml_context* ctx, ggml_tensor* x) {
  ggml_tensor* cubed = ggml_mul(ctx, ggml_sqr(ctx, x), x);
  ggml_tensor* inner =
      ggml_scale(ctx, ggml_add(ctx, x, ggml_scale(ctx, cubed, 0.044715f)), 0.7978845608028654f);
  return ggml_mul(ctx, x, ggml_scale_bias(ctx, ggml_tanh(ctx, inner), 0.5f, 0.5f));
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
  }
  return x;
}

/// Attention of `count` sequences of one length. Exact lengths mean that no mask is needed and no row is
/// padded.
ggml_tensor* attend(ggml_context* ctx, ggml_tensor* qkv, const LengthGroup& group, int64_t num_heads,
                    int64_t queries) {
  const int64_t hidden = qkv->ne[0] / 3;
  const int64_t head_size = hidden / num_heads;
  const size_t element = ggml_element_size(qkv);
  const auto part = [&](int64_t index, int64_t rows) {
    return ggml_view_4d(ctx, qkv, head_size, num_heads, rows, group.count, element * size_t(head_size),
                        qkv->nb[1], qkv->nb[1] * size_t(group.length),
                        qkv->nb[1] * size_t(group.first_token) + element * size_t(index * hidden));
  };
  ggml_tensor* q = ggml_permute(ctx, part(0, queries), 0, 2, 1, 3);                       // {D, m, A, B}
  ggml_tensor* k = ggml_permute(ctx, part(1, group.length), 0, 2, 1, 3);                  // {D, n, A, B}
  ggml_tensor* v = ggml_cont(ctx, ggml_permute(ctx, part(2, group.length), 1, 2, 0, 3));  // {n, D, A, B}
  ggml_tensor* scores = ggml_mul_mat(ctx, k, q);                                          // {n, m, A, B}
  scores = ggml_soft_max_ext(ctx, scores, nullptr, 1.0f / std::sqrt(float(head_size)), 0.0f);
  ggml_tensor* mixed = ggml_mul_mat(ctx, v, scores);             // {D, m, A, B}
  mixed = ggml_cont(ctx, ggml_permute(ctx, mixed, 0, 2, 1, 3));  // {D, A, m, B}
  return ggml_reshape_2d(ctx, mixed, hidden, queries * group.count);
}

}  // namespace

ggml_tensor* PortableOps::embed(GraphContext& g, const Weights& weights, float eps) const {
  ggml_tensor* x = ggml_get_rows(g.ggml, weights.token_embd, g.ids);
  if (weights.token_types != nullptr) {
    x = ggml_add(g.ggml, x, ggml_get_rows(g.ggml, weights.token_types, g.type_ids));
  }
  x = ggml_add(g.ggml, x, ggml_get_rows(g.ggml, weights.position_embd, g.positions));
  return normalize(g.ggml, x, weights.embd_norm, eps);
}

ggml_tensor* PortableOps::linear(GraphContext& g, const Linear& linear, ggml_tensor* x,
                                 Activation activation) const {
  ggml_tensor* y = ggml_mul_mat(g.ggml, linear.weight, x);
  ggml_mul_mat_set_prec(y, GGML_PREC_F32);
  if (linear.bias != nullptr) y = ggml_add(g.ggml, y, linear.bias);
  return activate(g.ggml, y, activation);
}

ggml_tensor* PortableOps::add_norm(GraphContext& g, ggml_tensor* x, ggml_tensor* residual, const Norm& norm,
                                   float eps) const {
  return normalize(g.ggml, ggml_add(g.ggml, x, residual), norm, eps);
}

ggml_tensor* PortableOps::attention(GraphContext& g, ggml_tensor* qkv, int64_t num_heads,
                                    Queries queries) const {
  const auto queries_of = [&](const LengthGroup& group) {
    return queries == Queries::kFirst ? 1 : group.length;
  };
  if (g.groups.size() == 1) return attend(g.ggml, qkv, g.groups[0], num_heads, queries_of(g.groups[0]));
  const int64_t hidden = qkv->ne[0] / 3;
  const int64_t num_rows = queries == Queries::kFirst ? g.batch->num_sequences() : g.batch->num_tokens();
  ggml_tensor* out = ggml_new_tensor_2d(g.ggml, GGML_TYPE_F32, hidden, num_rows);
  int64_t row = 0;
  for (const LengthGroup& group : g.groups) {
    const int64_t count = queries_of(group) * group.count;
    ggml_tensor* rows = ggml_view_2d(g.ggml, out, hidden, count, out->nb[1], out->nb[1] * size_t(row));
    ggml_tensor* attended = attend(g.ggml, qkv, group, num_heads, queries_of(group));
    // The copies write into `out` without being its sources, so they must stand in the graph before its
    // readers.
    ggml_build_forward_expand(g.graph, ggml_cpy(g.ggml, attended, rows));
    row += count;
  }
  return out;
}

ggml_tensor* PortableOps::first_rows(GraphContext& g, ggml_tensor* x) const {
  return ggml_get_rows(g.ggml, x, g.first_tokens);
}

}  // namespace enc
