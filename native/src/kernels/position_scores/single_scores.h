// position_scores one by one: the scalar variant, and what is left of the others' blocks.
#pragma once

#include "kernels/position_scores/position_scores.h"

namespace enc::kernels {
namespace {

/// Queries [query, query_end) and keys [key, key_end).
inline void single_scores(const PositionScoresArgs& a, size_t query, size_t query_end, size_t key,
                          size_t key_end) {
  for (size_t i = query; i < query_end; i++) {
    const float* own = a.by_query ? a.by_query + (i - a.query_begin) * a.by_query_stride : nullptr;
    float* to = a.scores + i * a.scores_stride;
    for (size_t j = key; j < key_end; j++) {
      const ptrdiff_t row = a.rows[static_cast<ptrdiff_t>(i) - static_cast<ptrdiff_t>(j)];
      const float content = own ? own[-row] : 0.0f;
      const float position = a.by_key ? a.by_key[j * a.by_key_stride + static_cast<size_t>(row)] : 0.0f;
      to[j] = (content + position) * a.scale;
    }
  }
}

}  // namespace
}  // namespace enc::kernels
