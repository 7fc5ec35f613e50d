// position_scores for every vector type S, in square blocks of one vector's width. Where a block's distances
// all have a row each, a query's scores of neighbouring keys are neighbours in by_query; in by_key a key's
// scores of neighbouring queries are, so that part of a block is transposed. Blocks that are not, where the
// buckets of large distances begin, are taken one by one.
#pragma once

#include "kernels/position_scores/single_scores.h"
#include "kernels/simd/transpose.h"

namespace enc::kernels {
namespace {

template <class S>
struct PositionScores {
  static constexpr size_t kWidth = S::kWidth;

  static bool is_linear(const PositionScoresArgs& a, size_t query, size_t key) {
    return (query > key ? query - key : key - query) + (kWidth - 1) <= a.linear;
  }

  static void linear_block(const PositionScoresArgs& a, size_t query, size_t key) {
    alignas(64) float turned[kWidth * kWidth];  // [query, key]
    const int32_t* rows = a.rows + (static_cast<ptrdiff_t>(query) - static_cast<ptrdiff_t>(key));
    const float* const keys = a.by_key ? a.by_key + key * a.by_key_stride + rows[0] : nullptr;
    // The next key's distances are one less.
    if (keys) transpose_block(S{}, keys, a.by_key_stride - 1, turned, kWidth);
    const float* const own = a.by_query ? a.by_query + (query - a.query_begin) * a.by_query_stride : nullptr;
    float* to = a.scores + query * a.scores_stride + key;
    for (size_t i = 0; i < kWidth; i++, to += a.scores_stride) {
      typename S::F score = S::zero();
      if (own) score = S::load(own + i * a.by_query_stride - rows[i]);
      if (keys) score = S::add(score, S::load(turned + i * kWidth));
      S::store(to, S::mul(score, S::set(a.scale)));
    }
  }

  static void run(const PositionScoresArgs& a) noexcept {
    const size_t queries = a.query_end - a.query_begin;
    if (queries < kWidth || a.length < kWidth) {
      single_scores(a, a.query_begin, a.query_end, 0, a.length);
      return;
    }
    // The last block of either side overlaps the one before it.
    for (size_t i = 0; i < queries; i += kWidth) {
      const size_t query = a.query_begin + min_size(i, queries - kWidth);
      for (size_t j = 0; j < a.length; j += kWidth) {
        const size_t key = min_size(j, a.length - kWidth);
        if (is_linear(a, query, key)) {
          linear_block(a, query, key);
        } else {
          single_scores(a, query, query + kWidth, key, key + kWidth);
        }
      }
    }
  }
};

}  // namespace
}  // namespace enc::kernels
