#include "graph/portable_attention.h"

#include <algorithm>

#include "graph/attention_blocks.h"
#include "graph/host_input.h"

namespace enc {
namespace {

/// Added to a score, it leaves nothing of it beside another. Finite, so that a row of padding in which
/// nothing counts has a softmax too.
constexpr float kHidden = -1e30f;

bool is_pooled(const AttentionSpec& spec) {
  return spec.queries != Queries::kAll;
}

/// The query that row `row` of a group's attention stands for, in sequence `b` of the batch.
int64_t query_of(const GraphContext& g, const AttentionSpec& spec, int64_t b, int64_t row) {
  return is_pooled(spec) ? g.pooled_rows[size_t(b)] : row;
}

/// True when some of a group's rows are seen by no query: padding, or tokens that only see.
bool has_unseen(const GraphContext& g, const AttentionGroup& group) {
  if (group.is_padded()) return true;
  for (int64_t s = 0; s < group.count; s++) {
    if (g.batch->num_keys(group.first_sequence + s) < group.length) return true;
  }
  return false;
}

/// Calls `visit` with the index of each of a group's sequences, their first tokens and their lengths.
template <typename Visit>
void for_sequences(const GraphContext& g, const AttentionGroup& group, const Visit& visit) {
  for (int64_t s = 0; s < group.count; s++) {
    const size_t b = size_t(group.first_sequence + s);
    const int64_t first = g.batch->cu_seqlens[b];
    visit(s, first, g.batch->cu_seqlens[b + 1] - first);
  }
}

/// The bias by distance, and kHidden for keys that a query does not see: ne = {columns, queries, heads or 1,
/// 1}, or with pooled queries, each at a place of its own, {columns, 1, heads or 1, sequences}.
ggml_tensor* distance_mask(GraphContext& g, const AttentionGroup& group, const AttentionSpec& spec,
                           const AttentionBlock& block) {
  const int64_t heads = spec.bias == nullptr ? 1 : spec.num_heads;
  const int64_t sequences = is_pooled(spec) ? group.count : 1;
  return host_input<float>(
      g, GGML_TYPE_F32, {block.num_columns(), block.num_queries, heads, sequences},
      [&](std::vector<float>& values) {
        for (int64_t s = 0; s < sequences; s++) {
          for (int64_t head = 0; head < heads; head++) {
            for (int64_t row = 0; row < block.num_queries; row++) {
              const int64_t query = query_of(g, spec, group.first_sequence + s, block.first_query + row);
              for (int64_t column = 0; column < block.num_columns(); column++) {
                const int64_t key = block.key(column);
                const float bias = spec.bias == nullptr ? 0.0f : spec.bias->at_zero(head)[key - query];
                values.push_back(spec.sees(query, key) ? bias : kHidden);
              }
            }
          }
        }
      });
}

/// `mask`, which may be null, with the keys hidden that no query sees. What is the same for many queries or
/// sequences is spread on the device: the host uploads a row for each sequence.
ggml_tensor* hide_unseen(GraphContext& g, const AttentionGroup& group, const AttentionBlock& block,
                         ggml_tensor* mask) {
  const int64_t columns = block.num_columns(), queries = block.num_queries;
  const auto fill = [&](std::vector<float>& values) {
    for (int64_t s = 0; s < group.count; s++) {
      const int64_t keys = g.batch->num_keys(group.first_sequence + s);
      for (int64_t column = 0; column < columns; column++)
        values.push_back(block.key(column) < keys ? 0 : kHidden);
    }
  };
  ggml_tensor* keys = host_input<float>(g, GGML_TYPE_F32, {columns, 1, 1, group.count}, fill);
  ggml_tensor* spread = mask == nullptr ? keys : mask;
  if (spread->ne[1] < queries || spread->ne[3] < group.count)
    spread = ggml_repeat_4d(g.ggml, spread, columns, queries, spread->ne[2], group.count);
  return mask == nullptr ? spread : ggml_add(g.ggml, spread, keys);
}

/// 0 for the queries of a block that see no key, and 1 for others, ne = {1, queries, sequences}; null where
/// each sees one.
ggml_tensor* blind_queries(GraphContext& g, const AttentionGroup& group, const AttentionSpec& spec,
                           const AttentionBlock& block) {
  const auto sees_one = [&](int64_t s, int64_t row) {
    const int64_t query = query_of(g, spec, group.first_sequence + s, block.first_query + row);
    const int64_t last_key = g.batch->num_keys(group.first_sequence + s) - 1;
    return spec.sees(query, std::min(query, last_key)) || spec.sees(query, 0);
  };
  bool is_needed = false;
  for (int64_t s = 0; s < group.count && !g.batch->key_counts.empty(); s++) {
    for (int64_t row = 0; row < block.num_queries; row++) is_needed = is_needed || !sees_one(s, row);
  }
  if (!is_needed) return nullptr;
  return host_input<float>(g, GGML_TYPE_F32, {1, block.num_queries, group.count, 1},
                           [&](std::vector<float>& values) {
                             for (int64_t s = 0; s < group.count; s++) {
                               for (int64_t row = 0; row < block.num_queries; row++)
                                 values.push_back(sees_one(s, row) ? 1.0f : 0.0f);
                             }
                           });
}

/// What is added to the scores of a block before the softmax; null when that is nothing.
ggml_tensor* score_mask(GraphContext& g, const AttentionGroup& group, const AttentionSpec& spec,
                        const AttentionBlock& block) {
  const bool hides = spec.causal || spec.max_distance < size_t(group.length) - 1;
  const bool unseen = has_unseen(g, group);
  if (!hides && spec.bias == nullptr && !unseen) return nullptr;
  // Where all are seen it depends on distances alone, so that blocks in the middle of a text share one.
  const bool is_movable = !unseen && !is_pooled(spec);
  const int64_t origin = is_movable ? block.first_key : 0;
  const ScoreMask::Key key = {.first_token = group.first_token,
                              .first_query = block.first_query - origin,
                              .num_queries = block.num_queries,
                              .first_key = block.first_key - origin,
                              .num_keys = block.num_keys,
                              .first_key_apart = block.first_key_apart,
                              .max_distance = spec.max_distance,
                              .sees_first = spec.sees_first,
                              .causal = spec.causal,
                              .pooled = is_pooled(spec),
                              .bias = spec.bias};
  for (const ScoreMask& made : g.score_masks) {
    if (made.key == key) return made.tensor;
  }
  ggml_tensor* mask = hides || spec.bias != nullptr ? distance_mask(g, group, spec, block) : nullptr;
  if (unseen) mask = hide_unseen(g, group, block, mask);
  g.score_masks.push_back({key, mask});
  return mask;
}

/// Rows [first, first + rows) of x, ne = {heads * D, ...}, and as many from every `step` rows on, as {D,
/// rows, heads, count}.
ggml_tensor* split_heads(ggml_context* ctx, ggml_tensor* x, int64_t first, int64_t rows, int64_t step,
                         int64_t count, int64_t head_size) {
  ggml_tensor* view =
      ggml_view_4d(ctx, x, head_size, x->ne[0] / head_size, rows, count, sizeof(float) * size_t(head_size),
                   x->nb[1], x->nb[1] * size_t(step), x->nb[1] * size_t(first));
  return ggml_permute(ctx, view, 0, 2, 1, 3);
}
ggml_tensor* split_heads(ggml_context* ctx, ggml_tensor* x, int64_t first, int64_t rows, int64_t count,
                         int64_t head_size) {
  return split_heads(ctx, x, first, rows, rows, count, head_size);
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

/// A product that is added up in f32 whatever the type of its operands.
ggml_tensor* multiply(ggml_context* ctx, ggml_tensor* a, ggml_tensor* b) {
  ggml_tensor* product = ggml_mul_mat(ctx, a, b);
  ggml_mul_mat_set_prec(product, GGML_PREC_F32);
  return product;
}

/// For each query and key of a group the row of `terms` that gather_by_distance() takes, the same for every
/// head and layer: i32 {n * m, sequences}.
ggml_tensor* distance_rows(GraphContext& g, const AttentionGroup& group, const AttentionSpec& spec, int64_t m,
                           bool by_query) {
  for (const DistanceRows& made : g.distance_rows) {
    if (made.first_token == group.first_token && made.by_query == by_query && made.pooled == is_pooled(spec))
      return made.tensor;
  }
  const RelativePositions& positions = *spec.disentangled->positions;
  const int64_t n = group.length;
  const auto fill = [&](std::vector<int32_t>& values) {
    for (int64_t s = 0; s < group.count; s++) {
      for (int64_t row = 0; row < m; row++) {
        const int64_t query = query_of(g, spec, group.first_sequence + s, row);
        for (int64_t key = 0; key < n; key++)
          values.push_back(int32_t((by_query ? row : key) * positions.rows) + positions.row(query - key));
      }
    }
  };
  ggml_tensor* rows = host_input<int32_t>(g, GGML_TYPE_I32, {n * m, group.count, 1, 1}, fill);
  g.distance_rows.push_back({group.first_token, by_query, is_pooled(spec), rows});
  return rows;
}

/// What relative positions add to scores: x, queries or keys as {D, rows of all sequences, heads}, against
/// each position, and of that for each query and key the one of their distance: {n, m, heads, sequences}. The
/// heads of a distance are gathered as one row.
ggml_tensor* score_distances(GraphContext& g, const AttentionGroup& group, const AttentionSpec& spec,
                             ggml_tensor* positions, ggml_tensor* x, int64_t m, bool by_query) {
  ggml_context* ctx = g.ggml;
  ggml_tensor* terms = multiply(ctx, positions, x);              // {positions, rows, A}
  terms = ggml_cont(ctx, ggml_permute(ctx, terms, 1, 2, 0, 3));  // {A, positions, rows}
  terms = ggml_reshape_3d(ctx, terms, spec.num_heads, ggml_nelements(terms) / spec.num_heads / group.count,
                          group.count);
  terms = ggml_get_rows(ctx, terms, distance_rows(g, group, spec, m, by_query));
  terms = ggml_reshape_4d(ctx, terms, spec.num_heads, group.length, m, group.count);
  return ggml_cont(ctx, ggml_permute(ctx, terms, 2, 0, 1, 3));
}

/// Queries, keys and values as matrices with a row for each token, and what of relative positions a layer
/// scores them against.
struct Operands {
  ggml_tensor *q, *k, *v;
  ggml_tensor* position_q;  ///< queries that look for positions; q itself unless something is added to them
  ggml_tensor* segment_scores;
  ggml_tensor *position_keys, *position_queries;
};

/// 1 for each query and key of a group that are of different segments, 0 for others: {n, m, 1, sequences}.
ggml_tensor* segment_mask(GraphContext& g, const AttentionGroup& group, const AttentionSpec& spec,
                          int64_t m) {
  for (const SegmentMask& made : g.segment_masks) {
    if (made.first_token == group.first_token && made.pooled == is_pooled(spec)) return made.tensor;
  }
  const auto fill = [&](std::vector<float>& values) {
    for_sequences(g, group, [&](int64_t s, int64_t first, int64_t length) {
      const auto segment = [&](int64_t token) {
        return g.batch->type_ids[size_t(first + std::min(token, length - 1))];
      };
      for (int64_t row = 0; row < m; row++) {
        const int32_t own = segment(query_of(g, spec, group.first_sequence + s, row));
        for (int64_t key = 0; key < group.length; key++) values.push_back(segment(key) == own ? 0.0f : 1.0f);
      }
    });
  };
  ggml_tensor* mask = host_input<float>(g, GGML_TYPE_F32, {group.length, m, 1, group.count}, fill);
  g.segment_masks.push_back({group.first_token, is_pooled(spec), mask});
  return mask;
}

/// What the queries of a group, the rows of x from `first` on, add to scores with keys of other segments:
/// {n, m, heads, sequences}.
ggml_tensor* score_segments(GraphContext& g, const AttentionGroup& group, const AttentionSpec& spec,
                            ggml_tensor* x, int64_t first, int64_t m) {
  ggml_context* ctx = g.ggml;
  ggml_tensor* own = ggml_cont(ctx, split_heads(ctx, x, first, m, group.count, 1));  // {1, m, A, B}
  ggml_tensor* mask = segment_mask(g, group, spec, m);
  mask = ggml_repeat_4d(ctx, mask, mask->ne[0], m, spec.num_heads, group.count);
  return ggml_mul(ctx, mask, own);
}

/// A block's keys, or values, as {D, columns, KV, B}; the group's are the rows of x from `first` on.
ggml_tensor* seen_rows(ggml_context* ctx, ggml_tensor* x, int64_t first, const AttentionGroup& group,
                       const AttentionBlock& block, int64_t head_size) {
  const auto rows = [&](int64_t row, int64_t count) {
    return split_heads(ctx, x, first + row, count, group.length, group.count, head_size);
  };
  ggml_tensor* seen = rows(block.first_key, block.num_keys);
  if (!block.first_key_apart) return seen;
  return ggml_concat(ctx, ggml_cont(ctx, rows(0, 1)), ggml_cont(ctx, seen), 1);
}

/// Attention of a block as {heads * D, queries, B}; the group's queries are the rows of q from `first_query`
/// on, its keys and values those from `first_key` on.
ggml_tensor* attend_block(GraphContext& g, const Operands& x, int64_t first_query, int64_t first_key,
                          const AttentionGroup& group, const AttentionSpec& spec,
                          const AttentionBlock& block) {
  ggml_context* ctx = g.ggml;
  const int64_t d = spec.head_size, n = block.num_columns(), m = block.num_queries;
  const int64_t step = is_pooled(spec) ? 1 : group.length;
  ggml_tensor* queries = split_heads(ctx, x.q, first_query + block.first_query, m, step, group.count, d);
  ggml_tensor* keys = seen_rows(ctx, x.k, first_key, group, block, d);
  ggml_tensor* values = seen_rows(ctx, x.v, first_key, group, block, d);
  values = ggml_cont(ctx, ggml_transpose(ctx, values));  // {n, D, KV, B}
  ggml_tensor* scores = multiply(ctx, keys, queries);    // {n, m, A, B}
  // Not every backend multiplies one matrix with many, so these take the rows of all sequences as one matrix.
  if (spec.disentangled && spec.disentangled->content_to_position) {
    ggml_tensor* all = split_heads(ctx, x.position_q, first_query, m * group.count, 1, d);
    scores = ggml_add(ctx, scores, score_distances(g, group, spec, x.position_keys, all, m, true));
  }
  if (spec.disentangled && spec.disentangled->position_to_content) {
    ggml_tensor* all = split_heads(ctx, x.k, first_key, n * group.count, 1, d);
    scores = ggml_add(ctx, scores, score_distances(g, group, spec, x.position_queries, all, m, false));
  }
  if (x.segment_scores != nullptr)
    scores = ggml_add(ctx, scores, score_segments(g, group, spec, x.segment_scores, first_query, m));
  float scale = spec.scale;
  if (spec.softcap > 0) {
    scores = ggml_tanh(ctx, ggml_scale(ctx, scores, scale / spec.softcap));
    scale = spec.softcap;
  }
  scores = ggml_soft_max_ext(ctx, scores, score_mask(g, group, spec, block), scale, 0.0f);
  ggml_tensor* mixed = ggml_mul_mat(ctx, values, scores);        // {D, m, A, B}
  mixed = ggml_cont(ctx, ggml_permute(ctx, mixed, 0, 2, 1, 3));  // {D, A, m, B}
  mixed = ggml_reshape_3d(ctx, mixed, x.q->ne[0], m, group.count);
  ggml_tensor* blind = blind_queries(g, group, spec, block);
  return blind == nullptr ? mixed : ggml_mul(ctx, mixed, blind);
}

/// The same for all of a group, as {heads * D, rows}.
ggml_tensor* attend(GraphContext& g, const Operands& x, int64_t first_query, int64_t first_key,
                    const AttentionGroup& group, const AttentionSpec& spec) {
  const std::vector<AttentionBlock> blocks = attention_blocks(spec, group.length, group.count);
  const int64_t width = x.q->ne[0], rows = is_pooled(spec) ? 1 : group.length;
  const auto attended = [&](const AttentionBlock& block) {
    return attend_block(g, x, first_query, first_key, group, spec, block);
  };
  if (blocks.size() == 1) return ggml_reshape_2d(g.ggml, attended(blocks.front()), width, rows * group.count);
  ggml_tensor* out = ggml_new_tensor_3d(g.ggml, GGML_TYPE_F32, width, rows, group.count);
  for (const AttentionBlock& block : blocks) {
    ggml_tensor* to = ggml_view_3d(g.ggml, out, width, block.num_queries, group.count, out->nb[1], out->nb[2],
                                   out->nb[1] * size_t(block.first_query));
    // As in for_groups(). So a block's scores are done with before the next one's are computed.
    ggml_build_forward_expand(g.graph, ggml_cpy(g.ggml, attended(block), to));
  }
  return ggml_reshape_2d(g.ggml, out, width, rows * group.count);
}

/// The same for a group whose rows lie in the batch; padded ones are gathered first.
ggml_tensor* attend_in_batch(GraphContext& g, const Operands& x, const AttentionGroup& group,
                             const AttentionSpec& spec) {
  const int64_t first_query = is_pooled(spec) ? group.first_sequence : group.first_token;
  if (!group.is_padded()) return attend(g, x, first_query, group.first_token, group, spec);
  const PaddedRows rows = padded_rows(g, group);
  Operands padded = x;
  padded.k = ggml_get_rows(g.ggml, x.k, rows.into);
  padded.v = ggml_get_rows(g.ggml, x.v, rows.into);
  if (is_pooled(spec)) return attend(g, padded, first_query, 0, group, spec);
  padded.q = ggml_get_rows(g.ggml, x.q, rows.into);
  padded.position_q = x.position_q == x.q ? padded.q : ggml_get_rows(g.ggml, x.position_q, rows.into);
  if (x.segment_scores != nullptr) padded.segment_scores = ggml_get_rows(g.ggml, x.segment_scores, rows.into);
  return ggml_get_rows(g.ggml, attend(g, padded, 0, 0, group, spec), rows.out_of);
}

}  // namespace

PaddedRows padded_rows(GraphContext& g, const AttentionGroup& group) {
  for (const PaddedRows& made : g.padded_rows) {
    if (made.first_token == group.first_token && made.num_tokens == group.num_tokens) return made;
  }
  const auto into = [&](std::vector<int32_t>& values) {
    for_sequences(g, group, [&](int64_t, int64_t first, int64_t length) {
      for (int64_t row = 0; row < group.length; row++)
        values.push_back(int32_t(first + std::min(row, length - 1)));
    });
  };
  const auto out_of = [&](std::vector<int32_t>& values) {
    for_sequences(g, group, [&](int64_t s, int64_t, int64_t length) {
      for (int64_t row = 0; row < length; row++) values.push_back(int32_t(s * group.length + row));
    });
  };
  g.padded_rows.push_back({group.first_token, group.num_tokens,
                           host_input<int32_t>(g, GGML_TYPE_I32, {group.length * group.count, 1, 1, 1}, into),
                           host_input<int32_t>(g, GGML_TYPE_I32, {group.num_tokens, 1, 1, 1}, out_of)});
  return g.padded_rows.back();
}

size_t max_portable_attention_nodes(const GraphContext& g, const Hparams& hparams) {
  size_t nodes = 56;
  for (const AttentionGroup& group : g.attention_groups)
    nodes += 28 + 40 * max_attention_blocks(hparams, group.length, group.count);
  return nodes;
}

ggml_tensor* portable_attention(GraphContext& g, const Ops& ops, ggml_tensor* q, ggml_tensor* k,
                                ggml_tensor* v, const AttentionSpec& spec) {
  Operands x{q, k, v, nullptr, nullptr, nullptr, nullptr};
  const auto asked = [&](ggml_tensor* rows) {
    return spec.queries == Queries::kPooled ? ggml_get_rows(g.ggml, rows, g.pooled_tokens) : rows;
  };
  x.q = x.position_q = asked(q);
  if (spec.disentangled) {
    const DisentangledSpec* own = &*spec.disentangled;
    if (own->layer->attn_pos_query != nullptr)
      x.position_q = ggml_add(g.ggml, x.q, own->layer->attn_pos_query);
    if (own->segment_scores != nullptr) x.segment_scores = asked(own->segment_scores);
    if (own->content_to_position)
      x.position_keys = project_positions(g, ops, spec, own->layer->attn_pos_k, x.q->ne[0]);
    if (own->position_to_content)
      x.position_queries = project_positions(g, ops, spec, own->layer->attn_pos_q, 0);
  }
  const auto rows_of = [&](const AttentionGroup& group) {
    return is_pooled(spec) ? group.count : group.num_tokens;
  };
  return for_groups(g, g.attention_groups, x.q->ne[0], x.q->ne[1], rows_of,
                    [&](const AttentionGroup& group) { return attend_in_batch(g, x, group, spec); });
}

}  // namespace enc
