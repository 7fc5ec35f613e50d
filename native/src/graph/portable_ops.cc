#include "graph/portable_ops.h"

#include <cmath>
#include <cstring>

namespace enc {
namespace {

ggml_tensor* normalize(ggml_context* ctx, ggml_tensor* x, const Norm& norm) {
  x = norm.kind == NormKind::kRms ? ggml_rms_norm(ctx, x, norm.eps) : ggml_norm(ctx, x, norm.eps);
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

template <typename T>
void add_host_input(GraphContext& g, ggml_tensor* tensor, const std::vector<T>& values) {
  HostInput input{tensor, std::vector<char>(values.size() * sizeof(T))};
  std::memcpy(input.bytes.data(), values.data(), input.bytes.size());
  g.host_inputs.push_back(std::move(input));
}

/// The query that row `row` of a group's attention stands for, in sequence `b` of the batch.
int64_t query_of(const GraphContext& g, const AttentionSpec& spec, int64_t b, int64_t row) {
  return spec.queries == Queries::kPooled ? g.pooled_rows[size_t(b)] : row;
}

/// What is added to the scores of a group before the softmax, ne = {n, m, heads or 1, sequences or 1}: the
/// bias by distance, and -inf for keys that a query does not see. Null when that is nothing.
ggml_tensor* score_mask(GraphContext& g, const LengthGroup& group, const AttentionSpec& spec, int64_t rows) {
  const bool hides = spec.causal || spec.max_distance < size_t(group.length) - 1;
  if (!hides && spec.bias == nullptr) return nullptr;
  const bool pooled = spec.queries == Queries::kPooled;
  for (const ScoreMask& made : g.score_masks) {
    if (made.first_token == group.first_token && made.max_distance == spec.max_distance &&
        made.pooled == pooled)
      return made.tensor;
  }
  const int64_t n = group.length, heads = spec.bias == nullptr ? 1 : spec.num_heads;
  const int64_t sequences = pooled ? group.count : 1;
  ggml_tensor* mask = ggml_new_tensor_4d(g.ggml, GGML_TYPE_F32, n, rows, heads, sequences);
  ggml_set_input(mask);
  g.score_masks.push_back({group.first_token, spec.max_distance, pooled, mask});
  if (g.only_sizes) {
    g.host_inputs.push_back({mask, {}});
    return mask;
  }
  std::vector<float> values;
  values.reserve(size_t(ggml_nelements(mask)));
  for (int64_t s = 0; s < sequences; s++) {
    for (int64_t head = 0; head < heads; head++) {
      for (int64_t row = 0; row < rows; row++) {
        const int64_t query = query_of(g, spec, group.first_sequence + s, row);
        for (int64_t key = 0; key < n; key++) {
          const float bias = spec.bias == nullptr ? 0.0f : spec.bias->at_zero(head)[key - query];
          values.push_back(spec.sees(query, key) ? bias : -INFINITY);
        }
      }
    }
  }
  add_host_input(g, mask, values);
  return mask;
}

/// Rows [first, first + rows * count) of x, ne = {heads * D, ...}, as {D, rows, heads, count}.
ggml_tensor* split_heads(ggml_context* ctx, ggml_tensor* x, int64_t first, int64_t rows, int64_t count,
                         int64_t head_size) {
  ggml_tensor* view =
      ggml_view_4d(ctx, x, head_size, x->ne[0] / head_size, rows, count, sizeof(float) * size_t(head_size),
                   x->nb[1], x->nb[1] * size_t(rows), x->nb[1] * size_t(first));
  return ggml_permute(ctx, view, 0, 2, 1, 3);
}

/// A layer's projection of the relative positions as {D, rows, heads}.
ggml_tensor* project_positions(GraphContext& g, const Ops& ops, const AttentionSpec& spec, const Linear& own,
                               int64_t shared_column) {
  const Linear& linear = own.out > 0 ? own : spec.disentangled->layer->attn_qkv;
  ggml_tensor* y = ops.linear(g, linear, spec.disentangled->positions->embd, Activation::kNone);
  if (own.out == 0) {
    y = ggml_view_2d(g.ggml, y, spec.num_heads * spec.head_size, y->ne[1], y->nb[1],
                     sizeof(float) * size_t(shared_column));
  }
  return split_heads(g.ggml, y, 0, y->ne[1], 1, spec.head_size);
}

/// For each head and each pair of query and key, the entry of terms, ne = {rows, m or n, heads, sequences},
/// that stands for their distance: ne = {n, m, heads, sequences}. ggml gathers rows alone, so entries become
/// rows of one.
ggml_tensor* gather_by_distance(GraphContext& g, const LengthGroup& group, const AttentionSpec& spec,
                                ggml_tensor* terms, int64_t m, bool by_query) {
  const RelativePositions& positions = *spec.disentangled->positions;
  const int64_t n = group.length, copies = spec.num_heads * group.count;
  ggml_tensor* entries = ggml_new_tensor_2d(g.ggml, GGML_TYPE_I32, n * m, copies);
  ggml_set_input(entries);
  std::vector<int32_t> values;
  values.reserve(size_t(ggml_nelements(entries)));
  for (int64_t copy = 0; copy < copies; copy++) {
    for (int64_t row = 0; row < m; row++) {
      const int64_t query = query_of(g, spec, group.first_sequence + copy / spec.num_heads, row);
      for (int64_t key = 0; key < n; key++)
        values.push_back(int32_t((by_query ? row : key) * positions.rows) + positions.row(query - key));
    }
  }
  add_host_input(g, entries, values);
  terms = ggml_reshape_3d(g.ggml, terms, 1, terms->ne[0] * terms->ne[1], copies);
  return ggml_reshape_4d(g.ggml, ggml_get_rows(g.ggml, terms, entries), n, m, spec.num_heads, group.count);
}

/// Attention of `count` sequences of one length. Exact lengths mean that no row is padded.
ggml_tensor* attend(GraphContext& g, ggml_tensor* q, ggml_tensor* k, ggml_tensor* v,
                    ggml_tensor* position_keys, ggml_tensor* position_queries, const LengthGroup& group,
                    const AttentionSpec& spec) {
  ggml_context* ctx = g.ggml;
  const bool pooled = spec.queries == Queries::kPooled;
  const int64_t d = spec.head_size, n = group.length, m = pooled ? 1 : n;
  ggml_tensor* queries =
      split_heads(ctx, q, pooled ? group.first_sequence : group.first_token, m, group.count, d);
  ggml_tensor* keys = split_heads(ctx, k, group.first_token, n, group.count, d);    // {D, n, KV, B}
  ggml_tensor* values = split_heads(ctx, v, group.first_token, n, group.count, d);  // {D, n, KV, B}
  values = ggml_cont(ctx, ggml_transpose(ctx, values));                             // {n, D, KV, B}
  ggml_tensor* scores = ggml_mul_mat(ctx, keys, queries);                           // {n, m, A, B}
  ggml_mul_mat_set_prec(scores, GGML_PREC_F32);
  if (spec.disentangled && spec.disentangled->content_to_position) {
    ggml_tensor* terms = ggml_mul_mat(ctx, position_keys, queries);  // {rows, m, A, B}
    ggml_mul_mat_set_prec(terms, GGML_PREC_F32);
    scores = ggml_add(ctx, scores, gather_by_distance(g, group, spec, terms, m, true));
  }
  if (spec.disentangled && spec.disentangled->position_to_content) {
    ggml_tensor* terms = ggml_mul_mat(ctx, position_queries, keys);  // {rows, n, A, B}
    ggml_mul_mat_set_prec(terms, GGML_PREC_F32);
    scores = ggml_add(ctx, scores, gather_by_distance(g, group, spec, terms, m, false));
  }
  float scale = spec.scale;
  if (spec.softcap > 0) {
    scores = ggml_tanh(ctx, ggml_scale(ctx, scores, scale / spec.softcap));
    scale = spec.softcap;
  }
  scores = ggml_soft_max_ext(ctx, scores, score_mask(g, group, spec, m), scale, 0.0f);
  ggml_tensor* mixed = ggml_mul_mat(ctx, values, scores);        // {D, m, A, B}
  mixed = ggml_cont(ctx, ggml_permute(ctx, mixed, 0, 2, 1, 3));  // {D, A, m, B}
  return ggml_reshape_2d(ctx, mixed, q->ne[0], m * group.count);
}

/// Joins what `make` gives for each group, `rows_of(group)` rows of `columns`, into one tensor.
template <typename RowsOf, typename Make>
ggml_tensor* for_groups(GraphContext& g, int64_t columns, int64_t num_rows, const RowsOf& rows_of,
                        const Make& make) {
  if (g.groups.size() == 1) return make(g.groups[0]);
  ggml_tensor* out = ggml_new_tensor_2d(g.ggml, GGML_TYPE_F32, columns, num_rows);
  int64_t row = 0;
  for (const LengthGroup& group : g.groups) {
    const int64_t count = rows_of(group);
    ggml_tensor* rows = ggml_view_2d(g.ggml, out, columns, count, out->nb[1], out->nb[1] * size_t(row));
    // The copies write into `out` without being its sources, so they must stand in the graph before its
    // readers.
    ggml_build_forward_expand(g.graph, ggml_cpy(g.ggml, make(group), rows));
    row += count;
  }
  return out;
}

}  // namespace

size_t PortableOps::max_attention_nodes(size_t num_groups) const {
  return 48 + 36 * num_groups;
}

ggml_tensor* PortableOps::embed(GraphContext& g, const Hparams& hparams, const Weights& weights) const {
  ggml_tensor* x = ggml_get_rows(g.ggml, weights.token_embd, g.ids);
  if (hparams.embedding_scale != 1) x = ggml_scale(g.ggml, x, hparams.embedding_scale);
  if (weights.token_types != nullptr) {
    x = ggml_add(g.ggml, x, ggml_get_rows(g.ggml, weights.token_types, g.type_ids));
  }
  if (weights.position_embd != nullptr) {
    x = ggml_add(g.ggml, x, ggml_get_rows(g.ggml, weights.position_embd, g.positions));
  }
  return weights.embd_norm.gamma == nullptr ? x : normalize(g.ggml, x, weights.embd_norm);
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
  if (norm.gamma != nullptr) heads = normalize(g.ggml, heads, norm);
  // With base 1 every angle is the position itself, divided by the factor: the frequencies are exactly ours.
  heads = ggml_rope_ext(g.ggml, heads, g.positions, rope.freq_factors, int(rope.rotated), GGML_ROPE_TYPE_NEOX,
                        /*n_ctx_orig=*/0, /*freq_base=*/1.0f, /*freq_scale=*/1.0f, /*ext_factor=*/0.0f,
                        rope.attention_factor, /*beta_fast=*/0.0f, /*beta_slow=*/0.0f);
  return ggml_reshape_2d(g.ggml, heads, x->ne[0], x->ne[1]);
}

ggml_tensor* PortableOps::attention(GraphContext& g, ggml_tensor* q, ggml_tensor* k, ggml_tensor* v,
                                    const AttentionSpec& spec) const {
  const bool pooled = spec.queries == Queries::kPooled;
  if (pooled) q = ggml_get_rows(g.ggml, q, g.pooled_tokens);
  ggml_tensor *position_keys = nullptr, *position_queries = nullptr;
  if (spec.disentangled) {
    const DisentangledSpec* own = &*spec.disentangled;
    if (own->content_to_position)
      position_keys = project_positions(g, *this, spec, own->layer->attn_pos_k, q->ne[0]);
    if (own->position_to_content)
      position_queries = project_positions(g, *this, spec, own->layer->attn_pos_q, 0);
  }
  const auto rows_of = [&](const LengthGroup& group) { return (pooled ? 1 : group.length) * group.count; };
  return for_groups(g, q->ne[0], q->ne[1], rows_of, [&](const LengthGroup& group) {
    return attend(g, q, k, v, position_keys, position_queries, group, spec);
  });
}

ggml_tensor* PortableOps::pooled_rows(GraphContext& g, ggml_tensor* x) const {
  return ggml_get_rows(g.ggml, x, g.pooled_tokens);
}

ggml_tensor* PortableOps::mean_rows(GraphContext& g, ggml_tensor* x) const {
  const int64_t columns = x->ne[0];
  return for_groups(
      g, columns, g.batch->num_sequences(), [](const LengthGroup& group) { return group.count; },
      [&](const LengthGroup& group) {
        ggml_tensor* rows =
            ggml_view_3d(g.ggml, x, columns, group.length, group.count, x->nb[1],
                         x->nb[1] * size_t(group.length), x->nb[1] * size_t(group.first_token));
        rows = ggml_cont(g.ggml, ggml_permute(g.ggml, rows, 1, 0, 2, 3));  // {n, H, B}
        return ggml_reshape_2d(g.ggml, ggml_mean(g.ggml, rows), columns, group.count);
      });
}

}  // namespace enc
