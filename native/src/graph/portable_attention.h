// Attention in stock ggml operations: products, a softmax and views, for groups of sequences at a time.
#pragma once

#include <vector>

#include "graph/ops.h"

namespace enc {

/// As Ops::attention() and Ops::max_attention_nodes(); `ops` projects relative positions.
ggml_tensor* portable_attention(GraphContext& g, const Ops& ops, ggml_tensor* q, ggml_tensor* k,
                                ggml_tensor* v, const AttentionSpec& spec);
size_t max_portable_attention_nodes(const GraphContext& g, const Hparams& hparams);

/// The rows of a padded group; behind a sequence's last token that token stands again.
PaddedRows padded_rows(GraphContext& g, const AttentionGroup& group);

/// Joins what `make` gives for each group, `rows_of(group)` rows of `columns`, into one tensor.
template <typename Group, typename RowsOf, typename Make>
ggml_tensor* for_groups(GraphContext& g, const std::vector<Group>& groups, int64_t columns, int64_t num_rows,
                        const RowsOf& rows_of, const Make& make) {
  if (groups.size() == 1) return make(groups[0]);
  ggml_tensor* out = ggml_new_tensor_2d(g.ggml, GGML_TYPE_F32, columns, num_rows);
  int64_t row = 0;
  for (const Group& group : groups) {
    const int64_t count = rows_of(group);
    ggml_tensor* rows = ggml_view_2d(g.ggml, out, columns, count, out->nb[1], out->nb[1] * size_t(row));
    // The copies write into `out` without being its sources, so they must stand in the graph before its
    // readers.
    ggml_build_forward_expand(g.graph, ggml_cpy(g.ggml, make(group), rows));
    row += count;
  }
  return out;
}

}  // namespace enc
