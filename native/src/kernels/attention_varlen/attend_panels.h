// attention_varlen with f32 arithmetic for every vector type S, on the gemm's tiles; included by the ISA
// files.
//
// Per sequence and key head, keys are transposed into panels [head_size][columns] and values copied side by
// side, padded to whole vectors (in place, rows are 3 * hidden apart: a page and few cache sets each).
// Then, for kQueryRows queries at a time, scores = q . k^T, softmax, out = weights . v, both products on
// dense_tile, the scores in the first- or second-level cache.
//
// Above kKeyBlock keys the softmax runs online: block after block, with the sums so far scaled down when a
// larger score turns up; so a row of scores never leaves the cache.
//
// weight = 2^((score - largest) * scale * log2 e), one FMA before the power: error below 1.5e-7 of the row's
// largest. A row's arithmetic depends on its sequence alone: same blocks, same chains, whatever other rows
// share its tile.
//
// Zen 5, one thread, 12 heads of 64: 190-210 GFLOP/s at 512 tokens (AVX-512; 76 % of the FMA peak), 155-170
// at 60, 60 at 10.
#pragma once

#include "kernels/attention_varlen/visible_keys.h"
#include "kernels/gemm/dense_panels.h"
#include "kernels/simd/transpose.h"

namespace enc::kernels {
namespace {

template <class S>
struct Attention {
  using F = typename S::F;
  using Tile = DenseTile<S>;
  static constexpr size_t kQueryRows = 4 * Tile::kRows;
  static constexpr size_t kKeyBlock = 1024 / Tile::kColumns * Tile::kColumns;

  /// Scratch, in floats, each part a multiple of 16.
  struct Layout {
    size_t keys, values, scores, partial, total;
    Layout(size_t longest, size_t head_size) {
      keys = round_up(longest, S::kWidth) * head_size;
      values = longest * round_up(head_size, S::kWidth);
      scores = kQueryRows * min_size(round_up(longest, S::kWidth), kKeyBlock);
      partial = longest > Tile::kColumns ? kQueryRows * round_up(head_size, S::kWidth) : 0;
      keys = round_up(keys, 16), values = round_up(values, 16);
      scores = round_up(scores, 16), partial = round_up(partial, 16);
      total = keys + values + scores + partial;
    }
  };

  static size_t scratch_bytes(size_t longest, size_t head_size) noexcept {
    return Layout(longest, head_size).total * sizeof(float);
  }

  /// Keys [length, head_size] into panels of kColumns keys, the last as wide as it needs. Behind the last key
  /// stand copies of it: their scores cannot exceed the row's largest, so that softmax needs no mask to find
  /// it.
  static void pack_keys(const float* k, size_t stride, size_t length, size_t head_size, float* packed) {
    constexpr size_t kWidth = S::kWidth;
    const size_t padded = round_up(length, kWidth);
    alignas(64) float rows[kWidth * kWidth], columns[kWidth * kWidth];
    for (size_t row = 0; row < padded; row += kWidth) {
      const size_t first = row / Tile::kColumns * Tile::kColumns,
                   width = min_size(Tile::kColumns, padded - first);
      float* panel = packed + first * head_size + (row - first);
      for (size_t i = 0; i < head_size; i += kWidth) {
        const size_t count = min_size(kWidth, head_size - i);
        float* to = panel + i * width;
        if (row + kWidth <= length && count == kWidth) {
          transpose_block(S{}, k + row * stride + i, stride, to, width);
          continue;
        }
        for (size_t r = 0; r < kWidth; r++) {
          S::store(rows + r * kWidth, S::load(k + min_size(row + r, length - 1) * stride + i, count));
        }
        transpose_block(S{}, rows, kWidth, columns, kWidth);
        for (size_t c = 0; c < count; c++) S::store(to + c * width, S::load(columns + c * kWidth));
      }
    }
  }

  static void pack_values(const float* v, size_t stride, size_t length, size_t head_size, float* packed) {
    for (size_t row = 0; row < length; row++, v += stride) {
      for (size_t i = 0; i < head_size; i += S::kWidth, packed += S::kWidth) {
        S::store(packed, S::load(v + i, min_size(S::kWidth, head_size - i)));
      }
    }
  }

  /// Of count scores and the copies behind them, up to a whole vector.
  static float row_largest(const float* row, size_t count) {
    F part = S::load(row);
    for (size_t i = S::kWidth; i < count; i += S::kWidth) part = S::max(S::load(row + i), part);
    return S::largest(part);
  }

  /// row[i] = 2^((row[i] - largest) * factor), zeros up to a whole vector; returns the sum.
  static float row_weights(float* row, size_t count, float largest, float factor) {
    const F scale = S::set(factor), offset = S::set(-largest * factor);
    F sum = S::zero();
    for (size_t i = 0; i < count; i += S::kWidth) {
      F weight = exp2_nonpositive_f32<S>(S::fma(S::load(row + i), scale, offset));
      if (count - i < S::kWidth) weight = S::keep_first(weight, count - i);
      S::store(row + i, weight);
      sum = S::add(sum, weight);
    }
    return S::sum(sum);
  }

  static void clear_row(float* row, size_t count) {
    for (size_t i = 0; i < count; i += S::kWidth)
      S::store(row + i, S::zero(), min_size(S::kWidth, count - i));
  }

  static void scale_row(float* row, size_t count, float by) {
    const F factor = S::set(by);
    for (size_t i = 0; i < count; i += S::kWidth) {
      const size_t n = min_size(S::kWidth, count - i);
      S::store(row + i, S::mul(S::load(row + i, n), factor), n);
    }
  }

  /// row = row * by + addend.
  static void scale_and_add_row(float* row, float by, const float* addend, size_t count) {
    const F factor = S::set(by);
    for (size_t i = 0; i < count; i += S::kWidth) {
      const size_t n = min_size(S::kWidth, count - i);
      S::store(row + i, S::fma(S::load(row + i, n), factor, S::load(addend + i, n)), n);
    }
  }

  /// out[rows, head_size] = weights[rows, count] . values, in groups of at most kVectors vectors.
  static void weigh_values(const float* weights, size_t weights_stride, size_t rows, const float* values,
                           size_t count, size_t head_size, float* out, size_t out_stride) {
    const size_t width = round_up(head_size, S::kWidth), vectors = width / S::kWidth;
    const size_t groups = (vectors + Tile::kVectors - 1) / Tile::kVectors;
    const size_t step = (vectors + groups - 1) / groups * S::kWidth;
    for (size_t i = 0; i < head_size; i += step) {
      dense_panel<S>(weights, weights_stride, rows, values + i, width, count, nullptr, Activation::kNone,
                     out + i, out_stride, min_size(step, head_size - i));
    }
  }

  /// One sequence and head, with the keys and values of its key head packed already.
  static void attend(const AttentionVarlenArgs& a, const Layout& layout, size_t sequence, size_t head) {
    const size_t begin = static_cast<size_t>(a.cu_seqlens[sequence]);
    const size_t length = static_cast<size_t>(a.cu_seqlens[sequence + 1]) - begin;
    const size_t num_seen = num_keys(a, sequence, length);
    const size_t d = a.head_size, offset = head * d, width = round_up(d, S::kWidth);
    const float* keys = static_cast<const float*>(a.scratch);
    const float* values = keys + layout.keys;
    float* scores = static_cast<float*>(a.scratch) + layout.keys + layout.values;
    float* partial = scores + layout.scores;

    const size_t padded = round_up(num_seen, S::kWidth), scores_stride = min_size(padded, kKeyBlock);
    const float factor = softmax_factor(a);
    const bool edges = has_edges(a, length), reshapes = reshapes_scores(a);
    const QueryRange asked = asked_queries(a, sequence, length);
    // Blocks of queries begin where they would if all were asked for, and with them their blocks of keys.
    for (size_t first = asked.begin / kQueryRows * kQueryRows; first < asked.end; first += kQueryRows) {
      const auto [row, end] = asked_in_block(asked, first, kQueryRows);
      const size_t rows = end - row;
      const float* q = a.q + (begin + row) * a.q_stride + offset;
      float* out = a.out + (begin + row) * a.out_stride + offset;
      const KeyBlocks blocks = KeyBlocks::over(a, first, row + rows - 1, num_seen, Tile::kColumns, kKeyBlock);
      float largest[kQueryRows], sum[kQueryRows];
      for (KeyRange seen = blocks.first(); seen.begin < seen.end; seen = blocks.after(seen)) {
        const bool is_first = blocks.is_first(seen);
        const size_t block = seen.begin, count = seen.end - block;
        for (size_t key = block; key < block + count; key += Tile::kColumns) {
          dense_panel<S>(q, a.q_stride, rows, keys + key * d, min_size(Tile::kColumns, padded - key), d,
                         nullptr, Activation::kNone, scores + (key - block), scores_stride,
                         min_size(Tile::kColumns, padded - key));
        }
        float* target = is_first ? out : partial;
        const size_t target_stride = is_first ? a.out_stride : width;
        float rescale[kQueryRows];
        for (size_t r = 0; r < rows; r++) {
          float* line = scores + r * scores_stride;
          if (reshapes) reshape_scores<S>(a, head, row + r, block, count, line);
          if (edges) hide_scores(a, row + r, num_seen, block, round_up(count, S::kWidth), line);
          const float found = row_largest(line, count);
          const float top = !is_first && largest[r] > found ? largest[r] : found;
          const float added = row_weights(line, count, top, factor);
          rescale[r] =
              is_first ? 0.0f : S::first_lane(exp2_nonpositive_f32<S>(S::set((largest[r] - top) * factor)));
          sum[r] = is_first ? added : sum[r] * rescale[r] + added;
          largest[r] = top;
        }
        weigh_values(scores, scores_stride, rows, values + block * width, count, d, target, target_stride);
        if (is_first) continue;
        for (size_t r = 0; r < rows; r++)
          scale_and_add_row(out + r * a.out_stride, rescale[r], partial + r * width, d);
      }
      for (size_t r = 0; r < rows; r++) {
        if (sees_none(a, row + r, num_seen)) {
          clear_row(out + r * a.out_stride, d);
        } else {
          scale_row(out + r * a.out_stride, d, 1.0f / sum[r]);
        }
      }
    }
  }

  static void run(const AttentionVarlenArgs& a) noexcept {
    for (size_t s = a.sequence_begin; s < a.sequence_end; s++) {
      const size_t begin = static_cast<size_t>(a.cu_seqlens[s]);
      const size_t length = static_cast<size_t>(a.cu_seqlens[s + 1]) - begin;
      if (length == 0) continue;
      const size_t num_seen = num_keys(a, s, length);
      const Layout layout(num_seen, a.head_size);
      float* keys = static_cast<float*>(a.scratch);
      for (size_t head = a.head_begin; head < a.head_end; head++) {
        if (head == a.head_begin || head % a.heads_per_kv == 0) {
          const size_t offset = head / a.heads_per_kv * a.head_size;
          pack_keys(a.k + begin * a.k_stride + offset, a.k_stride, num_seen, a.head_size, keys);
          pack_values(a.v + begin * a.v_stride + offset, a.v_stride, num_seen, a.head_size,
                      keys + layout.keys);
        }
        attend(a, layout, s, head);
      }
    }
  }
};

}  // namespace
}  // namespace enc::kernels
