// q8_0 weights times x in integers, four products at a time into a 32-bit sum: VPDPBUSD, SDOT, or on AVX2
// three instructions; for every vector type S that has one of them.
//
// x is quantized in blocks of 32 along k like the weights. One scale for the whole row would save a
// multiplication in eleven and cost accuracy where it hurts: a single outlier, which encoder activations
// have, would coarsen the row. Integer sums of a block are exact; block sums add up in f32, ascending k.
//
// In int8 (VPDPBUSD, SDOT) scale = largest / 127 and q = round(x / scale). The largest magnitude is found on
// the bits as integers, where a NaN is larger than any number: it becomes the scale, and so the row's result.
// VPDPBUSD multiplies unsigned by signed: weights are packed as q + 128 (S::kWeightOffset) and the sum of a
// block offsets at -128 * (sum of the block's x), which takes the offset out again exactly. SDOT multiplies
// signed by signed: its offset is 0. AVX2 has rules of its own (avx2.cc), and sums start at the block's zero
// point times the sum of the column's weights, which are packed too (S::kColumnSums).
//
// Packed layout: panels of S::kTileVectors vectors of columns; per block, f32 scales [columns], with
// kColumnSums int16 sums [columns], then weights int8 [8 groups][columns][4]. A row of x: quants
// [blocks * 32], f32 scale [blocks], int32 offset [blocks]; 128 rows at a time.
//
// The tile of 4 x 3 with VPDPBUSD and SDOT: 12 integer sums cover the latency, and with 32 registers the 12
// f32 sums stay in registers too. Dropped: an 8 x 3 tile with the f32 sums in memory (half the speed),
// prefetching the panel's own weights as the other gemms do (20 % slower: this loop is bound by its loads;
// the panel behind it pays).
//
// Zen 5, one thread: 690-740 GFLOP/s at m = 128, n = k = 768 (512 bits), 68 % of the VPDPBUSD peak, and 385
// on 256 bits, 74 %. A block's 96 dot products come with 24 multiplications and additions for the same ports
// and 12 conversions, which caps it at 80 %.
#pragma once

#include <cstring>
#include <utility>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/panel_prefetch.h"
#include "kernels/gemm/prepared_rows.h"
#include "kernels/gemm/stored_weight.h"
#include "kernels/simd/elementary.h"

namespace enc::kernels {
namespace {

ENC_INLINE float f32_of(int32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

template <class S>
struct Int8Gemm {
  using F = typename S::F;
  using I = typename S::I;
  using X = typename S::X;
  static constexpr size_t kBlock = 32, kGroup = 4, kGroups = kBlock / kGroup;
  static constexpr size_t kRows = S::kTileRows, kVectors = S::kTileVectors, kColumns = kVectors * S::kWidth;
  static constexpr size_t kQuantizedRows = 128;
  static constexpr size_t kSumBytes = S::kColumnSums ? sizeof(int16_t) : 0;
  static constexpr size_t kBlockColumnBytes = sizeof(float) + kSumBytes + kBlock;
  static constexpr bool kOffsets = S::kColumnSums || S::kWeightOffset != 0;
  static constexpr size_t kStoredBlockBytes = 2 + kBlock;

  static size_t blocks(size_t k) { return (k + kBlock - 1) / kBlock; }

  /// Quantized rows, each [blocks * 32] quants, [blocks] scales and [blocks] offsets, which are where sums
  /// start, or zero points; unused without kOffsets.
  struct Rows {
    static_assert(sizeof(X) == 1);
    static constexpr size_t kBytesPerBlock = kBlock + sizeof(float) + sizeof(int32_t);
    const unsigned char* at;
    size_t block_count;

    const unsigned char* row(size_t r) const { return at + r * block_count * kBytesPerBlock; }
    const X* quants(size_t r, size_t b) const { return reinterpret_cast<const X*>(row(r)) + b * kBlock; }
    float scale(size_t r, size_t b) const {
      return reinterpret_cast<const float*>(row(r) + block_count * kBlock)[b];
    }
    int32_t offset(size_t r, size_t b) const {
      return reinterpret_cast<const int32_t*>(row(r) + block_count * (kBlock + sizeof(float)))[b];
    }
    Rows from(size_t r) const { return {row(r), block_count}; }
  };

  static size_t prepared_bytes(size_t m, size_t k) noexcept { return m * blocks(k) * Rows::kBytesPerBlock; }
  static size_t scratch_bytes(size_t m, size_t k) noexcept {
    return round_up(prepared_bytes(min_size(m, kQuantizedRows), k), 64);
  }

  static void quantize_block(const float* x, size_t count, X* quants, float* scale, int32_t* offset) {
    constexpr size_t kParts = kBlock / S::kWidth;
    F part[kParts];
    ENC_UNROLL for (size_t i = 0; i < kParts; i++) {
      const size_t begin = i * S::kWidth;
      part[i] = begin < count ? S::load(x + begin, min_size(S::kWidth, count - begin)) : S::zero();
    }
    if constexpr (S::kColumnSums) {
      S::quantize(part, quants, scale, offset);
    } else {
      const float top = S::largest_magnitude(part);
      *scale = top * (1.0f / 127);
      const F inverse = S::set(top > 0 ? 127 / top : 0.0f);
      ENC_UNROLL for (size_t i = 0; i < kParts; i++) part[i] = S::mul(part[i], inverse);
      const auto rounded = S::rounded(part);
      S::store(quants, rounded);
      if constexpr (S::kWeightOffset != 0) *offset = -S::kWeightOffset * S::sum_i8(rounded);
    }
  }

  template <size_t RowCount, size_t Vectors>
  static void tile(const Rows& x, const unsigned char* panel, Ahead ahead, const float* bias, float* y,
                   size_t y_stride, size_t columns) {
    F sum[RowCount][Vectors];
    ENC_UNROLL for (size_t r = 0; r < RowCount; r++) {
      ENC_UNROLL for (size_t v = 0; v < Vectors; v++) sum[r][v] = S::zero();
    }
    for (size_t b = 0; b < x.block_count; b++) {
      for (size_t i = 0; i < ahead.step; i += kLineBytes) __builtin_prefetch(ahead.at + i);
      ahead.at += ahead.step;
      const float* scales = reinterpret_cast<const float*>(panel);
      panel += Vectors * S::kWidth * sizeof(float);
      I dot[RowCount][Vectors];
      ENC_UNROLL for (size_t r = 0; r < RowCount; r++) {
        const I offset = S::set_i32(kOffsets ? x.offset(r, b) : 0);
        ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
          dot[r][v] = offset;
          if constexpr (S::kColumnSums) dot[r][v] = S::times_sums(offset, panel + v * S::kWidth * kSumBytes);
        }
      }
      panel += Vectors * S::kWidth * kSumBytes;
      for (size_t first = 0; first < kGroups; first += S::kGroupsAtOnce) {
        ENC_UNROLL for (size_t group = 0; group < S::kGroupsAtOnce; group++) {
          I weight[Vectors];
          ENC_UNROLL for (size_t v = 0; v < Vectors; v++, panel += S::kWidth * kGroup) {
            weight[v] = S::load_weights(panel);
          }
          ENC_UNROLL for (size_t r = 0; r < RowCount; r++) {
            const auto value = S::group(x.quants(r, b) + first * kGroup, group);
            ENC_UNROLL for (size_t v = 0; v < Vectors; v++) dot[r][v] = S::dot(dot[r][v], weight[v], value);
          }
        }
      }
      F scale[Vectors];
      ENC_UNROLL for (size_t v = 0; v < Vectors; v++) scale[v] = S::load(scales + v * S::kWidth);
      ENC_UNROLL for (size_t r = 0; r < RowCount; r++) {
        const F row_scale = S::set(x.scale(r, b));
        ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
          sum[r][v] = S::fma(S::to_f32(dot[r][v]), S::mul(scale[v], row_scale), sum[r][v]);
        }
      }
    }
    ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
      const size_t count = v + 1 < Vectors ? S::kWidth : columns - v * S::kWidth;
      const F offset = bias ? S::load(bias + v * S::kWidth, count) : S::zero();
      ENC_UNROLL for (size_t r = 0; r < RowCount; r++) {
        S::store(y + r * y_stride + v * S::kWidth, S::add(sum[r][v], offset), count);
      }
    }
  }

  using TileFn = void (*)(const Rows&, const unsigned char*, Ahead, const float*, float*, size_t, size_t);
  /// The instantiation for `rows` (1..kRows) and `vectors` (1..kVectors).
  template <size_t... Index>
  static TileFn tile_of(size_t rows, size_t vectors, std::index_sequence<Index...>) {
    static constexpr TileFn table[] = {tile<Index / kVectors + 1, Index % kVectors + 1>...};
    return table[(rows - 1) * kVectors + vectors - 1];
  }

  static size_t packed_bytes(size_t n, size_t k) noexcept {
    return round_up(round_up(n, S::kWidth) * blocks(k) * kBlockColumnBytes, 64);
  }

  static void pack(const void* rows, size_t row_begin, size_t row_count, size_t n, size_t k,
                   void* packed) noexcept {
    const auto* source = static_cast<const unsigned char*>(rows);
    const size_t padded = round_up(n, S::kWidth), row_end = row_begin + row_count;
    for (size_t row = row_begin; row < (row_end == n ? padded : row_end); row++) {
      const size_t first = row / kColumns * kColumns, width = min_size(kColumns, padded - first),
                   column = row - first;
      unsigned char* panel = static_cast<unsigned char*>(packed) + first * blocks(k) * kBlockColumnBytes;
      for (size_t b = 0; b < blocks(k); b++, panel += width * kBlockColumnBytes) {
        unsigned char block[kStoredBlockBytes] = {};
        if (row < n) std::memcpy(block, source + b * kStoredBlockBytes, sizeof block);
        uint16_t half;
        std::memcpy(&half, block, sizeof half);
        const float scale = f16_to_f32(half);
        std::memcpy(panel + column * sizeof scale, &scale, sizeof scale);
        unsigned char* weights = panel + width * (sizeof(float) + kSumBytes);
        int16_t sum = 0;
        for (size_t i = 0; i < kBlock; i++) {
          const unsigned char weight = b * kBlock + i < k ? block[2 + i] : 0;
          sum = static_cast<int16_t>(sum + static_cast<int8_t>(weight));
          weights[(i / kGroup * width + column) * kGroup + i % kGroup] =
              static_cast<unsigned char>(weight ^ S::kWeightOffset);
        }
        std::memcpy(panel + width * sizeof(float) + column * kSumBytes, &sum,
                    kSumBytes);  // of no bytes, or 2
      }
      source += blocks(k) * kStoredBlockBytes;
    }
  }

  static void prepare(const float* x, size_t x_stride, size_t m, size_t k, void* to) noexcept {
    const size_t block_count = blocks(k);
    for (size_t r = 0; r < m; r++, x += x_stride) {
      X* quants = static_cast<X*>(to) + prepared_bytes(r, k);
      float* scales = reinterpret_cast<float*>(quants + block_count * kBlock);
      int32_t* offsets = reinterpret_cast<int32_t*>(scales + block_count);
      for (size_t b = 0; b < block_count; b++) {
        quantize_block(x + b * kBlock, min_size(kBlock, k - b * kBlock), quants + b * kBlock, scales + b,
                       offsets + b);
      }
    }
  }

  static void run_rows(const GemmArgs& a, const Rows& x) {
    const size_t panels = min_size(a.panel_end, (a.n + kColumns - 1) / kColumns);
    const size_t column_bytes = x.block_count * kBlockColumnBytes;
    for (size_t p = a.panel_begin; p < panels; p++) {
      const size_t first = p * kColumns, columns = min_size(kColumns, a.n - first);
      const size_t vectors = (columns + S::kWidth - 1) / S::kWidth;
      const StoredPanel panel =
          stored_panel(a.packed, p, panels, kColumns, round_up(a.n, S::kWidth), column_bytes);
      const float* bias = a.bias ? a.bias + first : nullptr;
      for (size_t row = 0; row < a.m; row += kRows) {
        const size_t rows = min_size(kRows, a.m - row);
        float* to = a.y + row * a.y_stride + first;
        const Ahead ahead =
            panel.spreads(a.m) ? panel.ahead(a.m, row, rows, x.block_count) : Ahead{panel.at, 0};
        const TileFn compute = tile_of(rows, vectors, std::make_index_sequence<kRows * kVectors>());
        compute(x.from(row), panel.at, ahead, bias, to, a.y_stride, columns);
        activate_block<S>(a.activation, to, a.y_stride, rows, columns);
      }
    }
  }

  static void run(const GemmArgs& a) noexcept {
    for_prepared_rows<Int8Gemm>(a, kQuantizedRows, a.scratch, [](const GemmArgs& part, const void* rows) {
      run_rows(part, Rows{static_cast<const unsigned char*>(rows), blocks(part.k)});
    });
  }
};

template <class S>
constexpr GemmKernel int8_kernel(const char* name) {
  using Gemm = Int8Gemm<S>;
  return {name,       WeightType::kQ8_0,   Gemm::kColumns,       Gemm::packed_bytes,
          Gemm::pack, Gemm::scratch_bytes, Gemm::prepared_bytes, Gemm::prepare,
          Gemm::run};
}

}  // namespace
}  // namespace enc::kernels
