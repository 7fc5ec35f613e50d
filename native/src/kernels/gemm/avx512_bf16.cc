// bf16 weights times x rounded to bf16, products and sums in f32 by VDPBF16PS (two products of neighbouring k
// a step).
//
// Packed layout: panels of 48 columns (the last as many whole vectors as it needs), each [k / 2][columns][2]:
// a 32-bit lane holds the weights of one column for two k; odd k and missing columns are padded with zeros.
// x is rounded into [rows][k rounded up to even], 128 rows at a time. Tile 8 x 3 as in
// dense_panels.h. An element is one chain of VDPBF16PS over ascending pairs, then + bias, whatever the tile:
// row invariant. Subnormal inputs and results count as zero (the instruction ignores MXCSR).
// Zen 5, GCC 12, one thread: 450-505 GFLOP/s for m = 128..512, the peak being 485-505; 400-460 where x, w and
// y leave the second-level cache (m = 512, n or k = 3072). Prefetching the outputs is worth 11 % at n = 3072
// and nothing elsewhere; the f32 and int8 gemms gained nothing from it.
#include "kernels/simd/avx512.h"

#include <cstring>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/panel_prefetch.h"
#include "kernels/gemm/prepared_rows.h"
#include "kernels/simd/elementary.h"
#include "kernels/simd/transpose.h"

namespace enc::kernels {
namespace {

constexpr size_t kWidth = 16, kRows = 8, kVectors = 3, kColumns = kWidth * kVectors, kRoundedRows = 128;

size_t pairs(size_t k) {
  return (k + 1) / 2;
}

__m512 multiply_add(__m512 sum, uint32_t x_pair, __m512i weights) {
  return _mm512_dpbf16_ps(sum, (__m512bh)weights, (__m512bh)_mm512_set1_epi32(static_cast<int>(x_pair)));
}

template <size_t Rows, size_t Vectors>
void tile(const uint32_t* x, const uint32_t* panel, size_t pair_count, Ahead ahead, const float* bias,
          float* y, size_t y_stride, size_t columns) {
  __m512 sum[Rows][Vectors];
  ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
    ENC_UNROLL for (size_t v = 0; v < Vectors; v++) sum[r][v] = _mm512_setzero_ps();
  }
  // An output row is often pages away from the next: without this the stores at the end wait for line after
  // line.
  for (size_t r = 0; r < Rows; r++) {
    for (size_t v = 0; v < Vectors; v++) __builtin_prefetch(y + r * y_stride + v * kWidth, 1);
  }
  for (size_t i = 0; i < pair_count; i++, panel += Vectors * kWidth, ahead.at += ahead.step) {
    __m512i weight[Vectors];
    ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
      weight[v] = _mm512_loadu_si512(panel + v * kWidth);
      __builtin_prefetch(ahead.at + v * sizeof *weight);
    }
    ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
      ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
        sum[r][v] = multiply_add(sum[r][v], x[r * pair_count + i], weight[v]);
      }
    }
  }
  ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
    const size_t count = v + 1 < Vectors ? kWidth : columns - v * kWidth;
    const __m512 offset = bias ? Avx512::load(bias + v * kWidth, count) : _mm512_setzero_ps();
    ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
      Avx512::store(y + r * y_stride + v * kWidth, _mm512_add_ps(sum[r][v], offset), count);
    }
  }
}

using Tile = void (*)(const uint32_t*, const uint32_t*, size_t, Ahead, const float*, float*, size_t, size_t);
#define ENC_ROW(r) \
  { tile<r, 1>, tile<r, 2>, tile<r, 3> }
constexpr Tile kTiles[kRows][kVectors] = {ENC_ROW(1), ENC_ROW(2), ENC_ROW(3), ENC_ROW(4),
                                          ENC_ROW(5), ENC_ROW(6), ENC_ROW(7), ENC_ROW(8)};
#undef ENC_ROW

size_t packed_bytes(size_t n, size_t k) noexcept {
  return round_up(n, kWidth) * pairs(k) * sizeof(uint32_t);
}

void pack(const void* rows, size_t row_begin, size_t row_count, size_t n, size_t k, void* packed) noexcept {
  const auto* source = static_cast<const unsigned char*>(rows);
  const size_t padded = round_up(n, kWidth), row_end = row_begin + row_count;
  for (size_t row = row_begin; row < (row_end == n ? padded : row_end); row++) {
    const size_t first = row / kColumns * kColumns, width = min_size(kColumns, padded - first);
    const unsigned char* from = source + (row - row_begin) * k * sizeof(uint16_t);
    uint32_t* out = static_cast<uint32_t*>(packed) + first * pairs(k) + (row - first);
    if (row % kWidth == 0 && row + kWidth <= row_end && k % 2 == 0 && pairs(k) >= kWidth) {
      pack_lanes<Avx512>(reinterpret_cast<const float*>(from), pairs(k), pairs(k),
                         reinterpret_cast<float*>(out), width);
      row += kWidth - 1;
      continue;
    }
    for (size_t i = 0; i < pairs(k); i++) {
      uint16_t pair[2] = {};
      if (row < n) std::memcpy(pair, from + i * sizeof pair, min_size(2, k - 2 * i) * sizeof(uint16_t));
      std::memcpy(out + i * width, pair, sizeof pair);
    }
  }
}

void round_row(const float* x, size_t k, uint32_t* to) {
  uint16_t* out = reinterpret_cast<uint16_t*>(to);
  for (size_t i = 0; i < k; i += kWidth) {
    const size_t count = min_size(kWidth, k - i);
    const __m256i rounded = (__m256i)_mm512_cvtneps_pbh(Avx512::load(x + i, count));
    _mm256_mask_storeu_epi16(out + i, Avx512::first(count), rounded);
  }
  if (k % 2) out[k] = 0;
}

struct RoundedRows {
  static size_t prepared_bytes(size_t m, size_t k) noexcept { return m * pairs(k) * sizeof(uint32_t); }
  static void prepare(const float* x, size_t x_stride, size_t m, size_t k, void* to) noexcept {
    for (size_t r = 0; r < m; r++) round_row(x + r * x_stride, k, static_cast<uint32_t*>(to) + r * pairs(k));
  }
};

size_t scratch_bytes(size_t m, size_t k) noexcept {
  return round_up(RoundedRows::prepared_bytes(min_size(m, kRoundedRows), k), 64);
}

void run_rows(const GemmArgs& a, const uint32_t* x) {
  const size_t pair_count = pairs(a.k), column_bytes = pair_count * sizeof(uint32_t);
  const size_t panels = min_size(a.panel_end, (a.n + kColumns - 1) / kColumns);
  for (size_t p = a.panel_begin; p < panels; p++) {
    const size_t first = p * kColumns, columns = min_size(kColumns, a.n - first);
    const StoredPanel panel =
        stored_panel(a.packed, p, panels, kColumns, round_up(a.n, kWidth), column_bytes);
    const float* bias = a.bias ? a.bias + first : nullptr;
    for (size_t row = 0, rows; row < a.m; row += rows) {
      rows = tile_rows(a.m - row, kRows);
      float* to = a.y + row * a.y_stride + first;
      kTiles[rows - 1][(columns - 1) / kWidth](x + row * pair_count, panel.as<uint32_t>(), pair_count,
                                               panel.ahead(a.m, row, rows, pair_count), bias, to, a.y_stride,
                                               columns);
      activate_block<Avx512>(a.activation, to, a.y_stride, rows, columns);
    }
  }
}

void run(const GemmArgs& a) noexcept {
  for_prepared_rows<RoundedRows>(a, kRoundedRows, a.scratch, [](const GemmArgs& part, const void* rows) {
    run_rows(part, static_cast<const uint32_t*>(rows));
  });
}

}  // namespace

extern const GemmKernel gemm_bf16_avx512_bf16;
const GemmKernel gemm_bf16_avx512_bf16 = {
    "gemm_bf16_avx512_bf16",     WeightType::kBf16,    kColumns, packed_bytes, pack, scratch_bytes,
    RoundedRows::prepared_bytes, RoundedRows::prepare, run};

}  // namespace enc::kernels
