// attention_varlen with q, k, v and the softmax's weights rounded to bf16, products and sums in f32: what a
// bf16 model means by attention. Written once over an Engine that multiplies; included by avx512_bf16.cc and
// amx_bf16.cc.
//
// Per sequence and key head, keys and values become tiles of 1 KB, [16 pairs][16 columns][2] of bf16: key
// tiles [length / 16][head_size / 32] with pairs along the head, value tiles
// [length / 32][head_size / 16] with pairs of neighbouring keys. Both engines read the same tiles. Then 32
// queries at a time: scores, softmax in f32, weights stored as bf16 rows, out = weights . values. Above
// kKeyBlock keys the softmax runs online, as in attend_panels.h. Missing keys are zero tiles with zero
// weights.
//
// A row's arithmetic depends on its sequence alone. Zen 5, one thread, 12 heads of 64, against the f32
// kernel: 1.6 times as fast at 512 tokens, 1.3 at 60, equal at 10.
#pragma once

#include "kernels/attention_varlen/visible_keys.h"
#include "kernels/simd/avx512.h"
#include "kernels/simd/elementary.h"
#include "kernels/simd/transpose.h"

namespace enc::kernels {
namespace {

constexpr size_t kPairs = 16, kTileLanes = kPairs * 16;  // a tile counted in 32-bit lanes of two bf16

/// rows 0..15 of the upper halves: two vectors of f32 as 32 bf16 in order.
ENC_INLINE __m512i to_bf16(__m512 low, __m512 high) {
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

template <class Engine>
struct Bf16Attention {
  using S = Avx512;
  static constexpr size_t kQueryRows = 32, kKeyBlock = 1024;

  /// Scratch: every part in 32-bit words and a multiple of 16 of them. A row of scores is 16 words longer
  /// than its keys, or 32 rows of 1024 would fall into the same few cache sets.
  struct Layout {
    size_t head_steps, head_tiles;  // 32 and 16 wide
    size_t keys, values, queries, scores, scores_stride, weights, weights_stride, sums, total;
    Layout(size_t longest, size_t head_size) {
      head_steps = (head_size + 31) / 32, head_tiles = (head_size + 15) / 16;
      const size_t block = min_size(round_up(longest, 32), kKeyBlock);
      keys = round_up(longest, 16) / 16 * head_steps * kTileLanes;
      values = round_up(longest, 32) / 32 * head_tiles * kTileLanes;
      queries = kQueryRows * head_steps * kPairs;
      scores_stride = block + 16, weights_stride = block / 2 + 16;
      scores = kQueryRows * scores_stride, weights = kQueryRows * weights_stride;
      sums = kQueryRows * head_tiles * 16;
      total = keys + values + queries + scores + weights + 2 * sums;
    }
  };

  static size_t scratch_bytes(size_t longest, size_t head_size) noexcept {
    return Layout(longest, head_size).total * sizeof(uint32_t);
  }

  static __m512i load_pairs(const float* row, size_t count) {
    const __m512 low = S::load(row, min_size(16, count));
    return to_bf16(low, count > 16 ? S::load(row + 16, min_size(16, count - 16)) : S::zero());
  }

  static void pack_keys(const float* k, size_t stride, size_t length, size_t head_size, uint32_t* tiles) {
    alignas(64) uint32_t block[kTileLanes];
    for (size_t key = 0; key < length; key += 16) {
      for (size_t i = 0; i < head_size; i += 32, tiles += kTileLanes) {
        for (size_t r = 0; r < 16; r++) {
          const bool inside = key + r < length;
          const __m512i pairs = inside ? load_pairs(k + (key + r) * stride + i, min_size(32, head_size - i))
                                       : _mm512_setzero_si512();
          _mm512_store_si512(block + r * 16, pairs);
        }
        transpose_block(S{}, reinterpret_cast<const float*>(block), 16, reinterpret_cast<float*>(tiles), 16);
      }
    }
  }

  static void pack_values(const float* v, size_t stride, size_t length, size_t head_size, uint32_t* tiles) {
    for (size_t key = 0; key < length; key += 32) {
      for (size_t i = 0; i < head_size; i += 16) {
        const size_t count = min_size(16, head_size - i);
        for (size_t pair = key; pair < key + 32; pair += 2, tiles += 16) {
          const __m512 even = pair < length ? S::load(v + pair * stride + i, count) : S::zero();
          const __m512 odd = pair + 1 < length ? S::load(v + (pair + 1) * stride + i, count) : S::zero();
          const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
          const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd));
          _mm512_storeu_si512(tiles, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
        }
      }
    }
  }

  static void pack_queries(const float* q, size_t stride, size_t rows, size_t head_size, uint32_t* packed) {
    for (size_t r = 0; r < rows; r++, q += stride) {
      for (size_t i = 0; i < head_size; i += 32, packed += kPairs) {
        _mm512_storeu_si512(packed, load_pairs(q + i, min_size(32, head_size - i)));
      }
    }
  }

  static float row_largest(const float* row, size_t count) {
    __m512 part = S::set(row[0]);
    size_t i = 0;
    for (; i + 16 <= count; i += 16) part = S::max(S::load(row + i), part);
    const __mmask16 rest = S::first(count - i);
    return S::largest(_mm512_mask_max_ps(part, rest, _mm512_maskz_loadu_ps(rest, row + i), part));
  }

  /// weights[i] = bf16 of 2^((row[i] - largest) * factor), zeros up to the next multiple of 32; returns the
  /// f32 sum.
  static float row_weights(const float* row, size_t count, float largest, float factor, uint32_t* weights) {
    const __m512 scale = S::set(factor), offset = S::set(-largest * factor);
    __m512 sum = S::zero();
    for (size_t i = 0; i < count; i += 32, weights += 16) {
      const __mmask16 first = S::first(min_size(16, count - i));
      const __mmask16 second = count - i > 16 ? S::first(min_size(16, count - i - 16)) : __mmask16{0};
      __m512 low = exp2_nonpositive_f32<S>(S::fma(_mm512_maskz_loadu_ps(first, row + i), scale, offset));
      __m512 high =
          exp2_nonpositive_f32<S>(S::fma(_mm512_maskz_loadu_ps(second, row + i + 16), scale, offset));
      low = _mm512_maskz_mov_ps(first, low), high = _mm512_maskz_mov_ps(second, high);
      sum = S::add(sum, S::add(low, high));
      _mm512_storeu_si512(weights, to_bf16(low, high));
    }
    return S::sum(sum);
  }

  struct Buffers {
    uint32_t *keys, *values, *queries, *weights;
    float *scores, *out, *partial;
    Buffers(void* scratch, const Layout& layout) {
      keys = static_cast<uint32_t*>(scratch);
      values = keys + layout.keys;
      queries = values + layout.values;
      weights = queries + layout.queries;
      scores = reinterpret_cast<float*>(weights + layout.weights);
      out = scores + layout.scores;
      partial = out + layout.sums;
    }
  };

  /// Queries [query, query + rows) of one sequence and head.
  struct QueryBlock {
    size_t head, length, keys, query, rows;
    float largest[kQueryRows], sum[kQueryRows];
  };

  /// Softmax numerators of the queries over keys [block, block + count), and their product with the values.
  /// On any block but the first, what came before is scaled to the new largest score.
  static void attend_block(const AttentionVarlenArgs& a, const Layout& layout, const Buffers& b,
                           QueryBlock& q, size_t block, size_t count, bool is_first) {
    const size_t width = layout.head_tiles * 16;
    const float factor = softmax_factor(a);
    const bool edges = has_edges(a, q.length), reshapes = reshapes_scores(a);
    Engine::product(b.queries, layout.head_steps * kPairs, q.rows,
                    b.keys + block / 16 * layout.head_steps * kTileLanes, kTileLanes,
                    layout.head_steps * kTileLanes, (count + 15) / 16, (a.head_size + 1) / 2, b.scores,
                    layout.scores_stride);
    float rescale[kQueryRows];
    for (size_t r = 0; r < q.rows; r++) {
      float* line = b.scores + r * layout.scores_stride;
      if (reshapes) reshape_scores<S>(a, q.head, q.query + r, block, count, line);
      if (edges) hide_scores(a, q.query + r, q.keys, block, count, line);
      const float found = row_largest(line, count);
      const float top = !is_first && q.largest[r] > found ? q.largest[r] : found;
      const float added = row_weights(line, count, top, factor, b.weights + r * layout.weights_stride);
      rescale[r] =
          is_first ? 0.0f : S::first_lane(exp2_nonpositive_f32<S>(S::set((q.largest[r] - top) * factor)));
      q.sum[r] = is_first ? added : q.sum[r] * rescale[r] + added;
      q.largest[r] = top;
    }
    Engine::product(b.weights, layout.weights_stride, q.rows,
                    b.values + block / 32 * layout.head_tiles * kTileLanes, layout.head_tiles * kTileLanes,
                    kTileLanes, layout.head_tiles, (count + 1) / 2, is_first ? b.out : b.partial, width);
    if (is_first) return;
    for (size_t r = 0; r < q.rows; r++) {
      float* to = b.out + r * width;
      for (size_t i = 0; i < width; i += 16) {
        S::store(to + i, S::fma(S::load(to + i), S::set(rescale[r]), S::load(b.partial + r * width + i)));
      }
    }
  }

  /// One sequence and head, with the keys and values of its key head packed already.
  static void attend(const AttentionVarlenArgs& a, const Layout& layout, const Buffers& b, size_t sequence,
                     size_t head) {
    const size_t begin = static_cast<size_t>(a.cu_seqlens[sequence]);
    const size_t length = static_cast<size_t>(a.cu_seqlens[sequence + 1]) - begin;
    const size_t num_seen = num_keys(a, sequence, length);
    const size_t d = a.head_size, offset = head * d;
    const QueryRange asked = asked_queries(a, sequence, length);
    // Blocks of queries begin where they would if all were asked for, and with them their blocks of keys.
    for (size_t first = asked.begin / kQueryRows * kQueryRows; first < asked.end; first += kQueryRows) {
      const auto [row, end] = asked_in_block(asked, first, kQueryRows);
      QueryBlock q = {head, length, num_seen, row, end - row, {}, {}};
      pack_queries(a.q + (begin + row) * a.q_stride + offset, a.q_stride, q.rows, d, b.queries);
      const KeyBlocks blocks = KeyBlocks::over(a, first, row + q.rows - 1, num_seen, 32, kKeyBlock);
      for (KeyRange keys = blocks.first(); keys.begin < keys.end; keys = blocks.after(keys))
        attend_block(a, layout, b, q, keys.begin, keys.end - keys.begin, blocks.is_first(keys));
      for (size_t r = 0; r < q.rows; r++) {
        float* to = a.out + (begin + row + r) * a.out_stride + offset;
        const bool blind = sees_none(a, row + r, num_seen);
        const __m512 factor = S::set(blind ? 0.0f : 1.0f / q.sum[r]);
        for (size_t i = 0; i < d; i += 16) {
          const __m512 own = blind ? S::zero() : S::load(b.out + r * layout.head_tiles * 16 + i);
          S::store(to + i, S::mul(own, factor), min_size(16, d - i));
        }
      }
    }
  }

  static void run(const AttentionVarlenArgs& a) noexcept {
    Engine::prepare();
    for (size_t s = a.sequence_begin; s < a.sequence_end; s++) {
      const size_t begin = static_cast<size_t>(a.cu_seqlens[s]);
      const size_t length = static_cast<size_t>(a.cu_seqlens[s + 1]) - begin;
      if (length == 0) continue;
      const size_t num_seen = num_keys(a, s, length);
      const Layout layout(num_seen, a.head_size);
      const Buffers b(a.scratch, layout);
      for (size_t head = a.head_begin; head < a.head_end; head++) {
        if (head == a.head_begin || head % a.heads_per_kv == 0) {
          const size_t offset = head / a.heads_per_kv * a.head_size;
          pack_keys(a.k + begin * a.k_stride + offset, a.k_stride, num_seen, a.head_size, b.keys);
          pack_values(a.v + begin * a.v_stride + offset, a.v_stride, num_seen, a.head_size, b.values);
        }
        attend(a, layout, b, s, head);
      }
    }
  }
};

}  // namespace
}  // namespace enc::kernels
