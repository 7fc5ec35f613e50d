// Which keys a query of attention_varlen sees and what happens to its scores before the softmax, for every
// vector type S.
#pragma once

#include "kernels/attention_varlen/attention_varlen.h"
#include "kernels/simd/elementary.h"

namespace enc::kernels {
namespace {

/// The score of a key that a query does not see: far below any real one, and finite, so that a block of keys
/// that are all hidden still has a largest score.
constexpr float kHiddenScore = -1e30f;

struct KeyRange {
  size_t begin, end;
};

/// Keys of a sequence of `length` tokens.
ENC_INLINE size_t num_keys(const AttentionVarlenArgs& a, size_t sequence, size_t length) {
  return a.key_counts ? static_cast<size_t>(a.key_counts[sequence]) : length;
}

/// Of `keys` keys. But for the first one, which counts apart from them where a.sees_first.
ENC_INLINE KeyRange visible_keys(const AttentionVarlenArgs& a, size_t query, size_t keys) {
  const size_t begin = query > a.max_distance ? query - a.max_distance : 0;
  const size_t ahead = a.causal ? 0 : a.max_distance;
  return {begin, query < keys && ahead < keys - query ? query + 1 + ahead : keys};
}

ENC_INLINE bool sees_none(const AttentionVarlenArgs& a, size_t query, size_t keys) {
  const KeyRange visible = visible_keys(a, query, keys);
  return visible.begin >= visible.end && !a.sees_first;
}

/// The blocks of keys that some queries of a sequence see, in order.
class KeyBlocks {
 public:
  /// Of queries [first, last]: from a multiple of `align` on, `size` keys at a time. Each query sees a key of
  /// the first block, as that is wider than the queries are apart, or holds the first key alone; or it sees
  /// none at all.
  ENC_INLINE KeyBlocks over(const AttentionVarlenArgs& a, size_t first, size_t last, size_t keys,
                            size_t align, size_t size) {
    const size_t begin = visible_keys(a, first, keys).begin / align * align;
    return KeyBlocks(begin, visible_keys(a, last, keys).end, size, a.sees_first && begin > 0);
  }

  KeyRange first() const { return first_is_apart_ ? KeyRange{0, 1} : from(begin_); }
  /// Empty behind the last one.
  KeyRange after(const KeyRange& block) const { return from(is_apart(block) ? begin_ : block.end); }
  bool is_first(const KeyRange& block) const {
    return is_apart(block) || (!first_is_apart_ && block.begin == begin_);
  }

 private:
  KeyBlocks(size_t begin, size_t end, size_t size, bool first_is_apart)
      : begin_(begin), end_(end), size_(size), first_is_apart_(first_is_apart) {}
  KeyRange from(size_t begin) const { return {begin, min_size(begin + size_, end_)}; }
  bool is_apart(const KeyRange& block) const { return first_is_apart_ && block.begin == 0; }

  size_t begin_, end_, size_;
  bool first_is_apart_;
};

/// Rows of a sequence's queries.
struct QueryRange {
  size_t begin, end;
};

ENC_INLINE QueryRange asked_queries(const AttentionVarlenArgs& a, size_t sequence, size_t length) {
  if (!a.query_rows) return {a.query_begin, length};
  const size_t row = static_cast<size_t>(a.query_rows[sequence]);
  return {row, row + 1};
}

/// The asked ones of rows [row, row + count).
ENC_INLINE QueryRange asked_in_block(const QueryRange& asked, size_t row, size_t count) {
  return {asked.begin > row ? asked.begin : row, min_size(row + count, asked.end)};
}

/// True when scores need more than one factor before the softmax.
ENC_INLINE bool reshapes_scores(const AttentionVarlenArgs& a) {
  return a.softcap > 0 || a.bias;
}

/// True when some query of a sequence, of at least one token, does not see all keys, or scores of padding
/// must not count: reshape_scores() leaves those as they are.
ENC_INLINE bool has_edges(const AttentionVarlenArgs& a, size_t length) {
  return a.causal || a.max_distance < length - 1 || reshapes_scores(a);
}

/// What is left to multiply the scores with: in 2^x instead of e^x.
ENC_INLINE float softmax_factor(const AttentionVarlenArgs& a) {
  return (reshapes_scores(a) ? 1.0f : a.scale) * 1.44269504f;
}

/// row[j] = cap(scale * row[j]) + bias for keys [block, block + count).
template <class S>
void reshape_scores(const AttentionVarlenArgs& a, size_t head, size_t query, size_t block, size_t count,
                    float* row) {
  using F = typename S::F;
  const float* bias = nullptr;
  if (a.bias) {
    bias = a.bias + static_cast<ptrdiff_t>(head) * a.bias_head_stride +
           static_cast<ptrdiff_t>(query) * a.bias_query_stride + block;
  }
  const F scale = S::set(a.softcap > 0 ? a.scale / a.softcap : a.scale), cap = S::set(a.softcap);
  for (size_t i = 0; i < count; i += S::kWidth) {
    const size_t n = min_size(S::kWidth, count - i);
    F score = S::mul(S::load(row + i, n), scale);
    if (a.softcap > 0) score = S::mul(tanh_f32<S>(score), cap);
    if (bias) score = S::add(score, S::load(bias + i, n));
    S::store(row + i, score, n);
  }
}

/// Hides what `query` does not see of keys [block, block + columns); columns behind the last key as well.
ENC_INLINE void hide_scores(const AttentionVarlenArgs& a, size_t query, size_t keys, size_t block,
                            size_t columns, float* row) {
  const KeyRange visible = visible_keys(a, query, keys);
  const size_t begin = visible.begin > block ? min_size(visible.begin - block, columns) : 0;
  const size_t end = visible.end > block ? min_size(visible.end - block, columns) : 0;
  for (size_t i = a.sees_first && block == 0 ? 1 : 0; i < begin; i++) row[i] = kHiddenScore;
  for (size_t i = end; i < columns; i++) row[i] = kHiddenScore;
}

}  // namespace
}  // namespace enc::kernels
