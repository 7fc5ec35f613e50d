// The gemm with f32 arithmetic, written once for every vector type S and stored weight type W; included by
// the ISA files.
//
// Packed layout: panels of kVectors * S::kWidth columns, each [k][columns]; the last panel has as many whole
// vectors as it needs and zeros behind column n; of bf16 on AVX2 the columns lie in pairs (kPairs). q8_0
// keeps its blocks: per 32 of k, f32 scales [columns], then int8 [32][columns].
//
// Inner loop: a tile of kRows x kVectors accumulators; per k one load of each weight vector and one
// broadcast of x per row. 8 x 3 on AVX-512 and NEON (24 accumulators, 3 weights, 1 broadcast of 32 registers:
// 11 loads for 24 FMAs) and 6 x 2 on AVX2 (15 of 16 registers). The last rows run in shorter tiles, which
// share them evenly; one row alone still has kVectors chains, enough to be bound by memory. Panels outermost:
// a panel (147 KB of f32 at k = 768) stays in the second-level cache while the rows pass by.
//
// Each element is one chain of FMAs over ascending k, whatever the tile, then + bias: hence the row
// invariance. f16 and bf16 widen exactly, so the bits do not depend on whether that happens in the inner loop
// (few rows, and bf16 on AVX2) or once per panel into scratch (many); q8_0, int8 times scale, rounded once,
// is always widened there. bf16 weights multiply x rounded to bf16.
//
// f32 x passes in parts that the second-level cache holds (near_part): Granite Rapids, one thread, 512 rows
// at n and k = 768 and 3072, 174 to 188 -> 192 to 205 GFLOP/s, 128 rows over the layers of six blocks 152 ->
// 164; on AVX2 there 92 -> 98 to 100.
//
// Weights are prefetched (panel_prefetch.h). Dropped: 2 MB pages for the weights, no effect.
//
// Zen 5 at 4.1 GHz, GCC 12, one thread: 225-260 GFLOP/s on AVX-512 and 115-130 on AVX2 for m = 128..512, n
// and k = 128..3072, the FMA peaks being 260 and 130.
#pragma once

#include <cstring>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/panel_prefetch.h"
#include "kernels/gemm/prepared_rows.h"
#include "kernels/gemm/stored_weight.h"
#include "kernels/simd/elementary.h"
#include "kernels/simd/transpose.h"

namespace enc::kernels {
namespace {

struct StoredF32 {
  using Element = float;
  static constexpr WeightType kType = WeightType::kF32;
  template <class S>
  ENC_INLINE typename S::F load(const Element* p) {
    return S::load(p);
  }
};
struct StoredF16 {
  using Element = uint16_t;
  static constexpr WeightType kType = WeightType::kF16;
  template <class S>
  ENC_INLINE typename S::F load(const Element* p) {
    return S::load_f16(p);
  }
};
struct StoredBf16 {
  using Element = uint16_t;
  static constexpr WeightType kType = WeightType::kBf16;
  template <class S>
  ENC_INLINE typename S::F load(const Element* p) {
    return S::load_bf16(p);
  }
};
/// Always widened into scratch: the scale would cost a multiplication per weight vector and tile.
struct StoredQ8_0 {
  using Element = unsigned char;
  static constexpr WeightType kType = WeightType::kQ8_0;
};

template <class S>
struct DenseTile {
  static constexpr size_t kRows = S::kRegisters == 32 ? 8 : 6;
  static constexpr size_t kVectors = S::kRegisters == 32 ? 3 : 2;
  static constexpr size_t kColumns = kVectors * S::kWidth;
  /// Vectors of a panel row that one prefetch serves: a narrow row of three is less than a cache line.
  static constexpr size_t kVectorsPerPrefetch = S::kWidth == 4 ? kVectors : 1;
  /// Rows from which a panel is widened once instead of in every tile.
  static constexpr size_t kWidenFrom = 4 * kRows;
  struct Part {
    size_t rows, steps;
  };
  /// So many rows, and so much of k, of f32 x pass over all panels at a time: what a part of the second-level
  /// cache holds. In between the sums wait in y and stay one chain.
  static constexpr Part near_part(size_t m, size_t k) {
    constexpr size_t kNear = 512 * 1024 / sizeof(float), kMostSteps = 1024;
    if (m * k <= kNear) return {m, k};
    const size_t parts = (k + kMostSteps - 1) / kMostSteps, steps = (k + parts - 1) / parts;
    return {kNear / steps / kRows * kRows, steps};
  }
  /// Rows of x that are rounded to bf16 at a time: 1.5 MB of scratch at k = 3072.
  static constexpr size_t kRoundedRows = 16 * kRows;
};

/// Whether the columns of a panel of two vectors lie in pairs: 0 and width, 1 and width + 1, ... So bf16 on
/// AVX2 widens two vectors by a shift and a mask where each took a conversion and a shift, for which the
/// multiply-adds waited, and in the inner loop whatever the rows (Zen 3, n = k = 768, m = 16 and 128: 92 and
/// 91 to 97 and 95 GFLOP/s; f32 101 and 98).
template <class S, class W>
constexpr bool kPairs = W::kType == WeightType::kBf16 && S::kWidth == 8;

/// The vectors of one panel row.
template <class S, class W, size_t Vectors>
ENC_INLINE void load_panel_row(const typename W::Element* p, typename S::F (&row)[Vectors]) {
  if constexpr (kPairs<S, W> && Vectors == 2) {
    S::load_bf16_pairs(p, row[0], row[1]);
  } else {
    ENC_UNROLL for (size_t v = 0; v < Vectors; v++) row[v] = W::template load<S>(p + v * S::kWidth);
  }
}

constexpr size_t kQuantBlock = 32;

/// Packed bytes of one column.
template <class W>
constexpr size_t dense_column_bytes(size_t k) {
  if constexpr (W::kType == WeightType::kQ8_0) {
    return (k + kQuantBlock - 1) / kQuantBlock * (sizeof(float) + kQuantBlock);
  } else {
    return k * sizeof(typename W::Element);
  }
}

/// y[Rows, columns] = x[Rows, k] . panel[k, Vectors * width] + bias; `resumes` goes on from the sums in y.
/// `columns` fill all but a part of the last vector; panel rows are `panel_stride` elements apart; y may be a
/// scratch block.
template <class S, class W, size_t Rows, size_t Vectors>
void dense_tile(const float* x, size_t x_stride, const typename W::Element* panel, size_t panel_stride,
                size_t k, bool resumes, Ahead ahead, const float* bias, float* y, size_t y_stride,
                size_t columns) {
  using F = typename S::F;
  const size_t tail = columns - (Vectors - 1) * S::kWidth;
  F sum[Rows][Vectors];
  ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
    ENC_UNROLL for (size_t v = 0; v < Vectors; v++) sum[r][v] = S::zero();
  }
  if (resumes) {
    ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
      ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
        const float* from = y + r * y_stride + v * S::kWidth;
        sum[r][v] = v + 1 < Vectors || tail == S::kWidth ? S::load(from) : S::load(from, tail);
      }
    }
  }
  for (size_t i = 0; i < k; i++, ahead.at += ahead.step) {
    F weight[Vectors];
    load_panel_row<S, W>(panel, weight);
    ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
      if (v % DenseTile<S>::kVectorsPerPrefetch == 0)
        __builtin_prefetch(ahead.at + v * S::kWidth * sizeof *panel);
    }
    ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
      const F value = S::set(x[r * x_stride + i]);
      ENC_UNROLL for (size_t v = 0; v < Vectors; v++) sum[r][v] = S::fma(value, weight[v], sum[r][v]);
    }
    panel += panel_stride;
  }
  ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
    const bool whole = v + 1 < Vectors || tail == S::kWidth;
    F offset = S::set(-0.0f);  // adds nothing, to a sum of -0 either
    if (bias) offset = whole ? S::load(bias + v * S::kWidth) : S::load(bias + v * S::kWidth, tail);
    ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
      float* to = y + r * y_stride + v * S::kWidth;
      const F value = S::add(sum[r][v], offset);
      if (whole) {
        S::store(to, value);
      } else {
        S::store(to, value, tail);
      }
    }
  }
}

template <class S, class W>
using DenseTileFn = void (*)(const float*, size_t, const typename W::Element*, size_t, size_t, bool, Ahead,
                             const float*, float*, size_t, size_t);

/// The instantiation for `rows` (1..kRows) and `vectors` (1..kVectors).
template <class S, class W>
DenseTileFn<S, W> dense_tile_for(size_t rows, size_t vectors) {
#define ENC_ROW(r) \
  { dense_tile<S, W, r, 1>, dense_tile<S, W, r, 2>, dense_tile<S, W, r, 3> }
#define ENC_ROW2(r) \
  { dense_tile<S, W, r, 1>, dense_tile<S, W, r, 2> }
  if constexpr (DenseTile<S>::kVectors == 3) {
    static constexpr DenseTileFn<S, W> table[8][3] = {ENC_ROW(1), ENC_ROW(2), ENC_ROW(3), ENC_ROW(4),
                                                      ENC_ROW(5), ENC_ROW(6), ENC_ROW(7), ENC_ROW(8)};
    return table[rows - 1][vectors - 1];
  } else {
    static constexpr DenseTileFn<S, W> table[6][2] = {ENC_ROW2(1), ENC_ROW2(2), ENC_ROW2(3),
                                                      ENC_ROW2(4), ENC_ROW2(5), ENC_ROW2(6)};
    return table[rows - 1][vectors - 1];
  }
#undef ENC_ROW
#undef ENC_ROW2
}

/// y[m, columns] = x[m, k] . panel + bias, tile by tile, each followed by its activation. `bias` and `y`
/// start at the panel's first column; `stored` is what `panel` was widened from, or itself. `resumes` goes on
/// from the sums in y.
template <class S, class W>
void dense_panel(const float* x, size_t x_stride, size_t m, const typename W::Element* panel,
                 size_t panel_stride, size_t k, bool resumes, const StoredPanel& stored, const float* bias,
                 Activation activation, float* y, size_t y_stride, size_t columns) {
  constexpr size_t kRows = DenseTile<S>::kRows;
  const size_t vectors = (columns + S::kWidth - 1) / S::kWidth;
  const DenseTileFn<S, W> whole = dense_tile_for<S, W>(kRows, vectors);
  for (size_t row = 0, rows; row < m; row += rows) {
    rows = tile_rows(m - row, kRows);
    const DenseTileFn<S, W> tile = rows == kRows ? whole : dense_tile_for<S, W>(rows, vectors);
    float* to = y + row * y_stride;
    tile(x + row * x_stride, x_stride, panel, panel_stride, k, resumes, stored.ahead(m, row, rows, k), bias,
         to, y_stride, columns);
    activate_block<S>(activation, to, y_stride, rows, columns);
  }
}

/// The same for a panel that stands alone.
template <class S>
void dense_panel(const float* x, size_t x_stride, size_t m, const float* panel, size_t panel_stride, size_t k,
                 const float* bias, Activation activation, float* y, size_t y_stride, size_t columns) {
  const StoredPanel alone = {reinterpret_cast<const unsigned char*>(panel), k * panel_stride * sizeof *panel};
  dense_panel<S, StoredF32>(x, x_stride, m, panel, panel_stride, k, false, alone, bias, activation, y,
                            y_stride, columns);
}

template <class S, class W>
void dense_widen(const typename W::Element* panel, size_t k, size_t width, float* out) {
  if constexpr (W::kType == WeightType::kQ8_0) {
    for (size_t block = 0; block < k; block += kQuantBlock) {
      const float* scales = reinterpret_cast<const float*>(panel);
      const int8_t* quants = reinterpret_cast<const int8_t*>(panel + width * sizeof(float));
      for (size_t i = 0; i < min_size(kQuantBlock, k - block); i++, out += width, quants += width) {
        for (size_t c = 0; c < width; c += S::kWidth) {
          S::store(out + c, S::mul(S::load_i8(quants + c), S::load(scales + c)));
        }
      }
      panel += width * (sizeof(float) + kQuantBlock);
    }
  } else {
    for (size_t i = 0; i < k * width; i += S::kWidth) S::store(out + i, W::template load<S>(panel + i));
  }
}

template <class S, class W>
size_t dense_packed_bytes(size_t n, size_t k) noexcept {
  return round_up(round_up(n, S::kWidth) * dense_column_bytes<W>(k), 64);
}

/// Writes column `column` of a panel that is `width` wide; `row` is the stored row, null for the padding's
/// zeros.
template <class W>
void dense_pack_column(const unsigned char* row, size_t k, size_t column, size_t width,
                       unsigned char* panel) {
  using Element = typename W::Element;
  if constexpr (W::kType == WeightType::kQ8_0) {
    for (size_t block = 0; block < k; block += kQuantBlock, panel += width * (sizeof(float) + kQuantBlock)) {
      uint16_t half = 0;
      if (row) std::memcpy(&half, row, sizeof half);
      const float scale = f16_to_f32(half);
      std::memcpy(panel + column * sizeof(float), &scale, sizeof scale);
      unsigned char* quants = panel + width * sizeof(float) + column;
      for (size_t i = 0; i < kQuantBlock; i++) quants[i * width] = row ? row[2 + i] : 0;
      if (row) row += 2 + kQuantBlock;
    }
  } else {
    Element* out = reinterpret_cast<Element*>(panel) + column;
    for (size_t i = 0; i < k; i++) {
      Element value = 0;
      if (row) std::memcpy(&value, row + i * sizeof(Element), sizeof value);
      out[i * width] = value;
    }
  }
}

template <class S, class W>
void dense_pack(const void* rows, size_t row_begin, size_t row_count, size_t n, size_t k,
                void* packed) noexcept {
  constexpr size_t kColumns = DenseTile<S>::kColumns;
  const auto* source = static_cast<const unsigned char*>(rows);
  const size_t padded = round_up(n, S::kWidth);
  const size_t row_end = row_begin + row_count, last = row_end == n ? padded : row_end;
  for (size_t row = row_begin; row < last; row++) {
    const size_t first = row / kColumns * kColumns;
    auto* panel = static_cast<unsigned char*>(packed) + first * dense_column_bytes<W>(k);
    if constexpr (W::kType == WeightType::kF32) {
      if (row % S::kWidth == 0 && row + S::kWidth <= row_end && k >= S::kWidth) {
        const float* from = reinterpret_cast<const float*>(source) + (row - row_begin) * k;
        const size_t width = min_size(kColumns, padded - first);
        pack_lanes<S>(from, k, k, reinterpret_cast<float*>(panel) + (row - first), width);
        row += S::kWidth - 1;
        continue;
      }
    }
    const auto* from = row < n ? source + (row - row_begin) * weight_row_bytes(W::kType, k) : nullptr;
    const size_t width = min_size(kColumns, padded - first);
    size_t place = row - first;
    if (kPairs<S, W> && width == 2 * S::kWidth) place = place % S::kWidth * 2 + place / S::kWidth;
    dense_pack_column<W>(from, k, place, width, panel);
  }
}

/// f32 rows rounded to bf16.
template <class S>
struct RoundedRows {
  static size_t prepared_bytes(size_t m, size_t k) noexcept { return m * k * sizeof(float); }
  static void prepare(const float* x, size_t x_stride, size_t m, size_t k, void* to) noexcept {
    for (size_t r = 0; r < m; r++) {
      for (size_t i = 0; i < k; i += S::kWidth) {
        const size_t count = min_size(S::kWidth, k - i);
        S::store(static_cast<float*>(to) + r * k + i, S::round_bf16(S::load(x + r * x_stride + i, count)),
                 count);
      }
    }
  }
};

/// Bytes of one widened panel if `m` rows need it.
template <class S, class W>
size_t dense_wide_bytes(size_t m, size_t k) {
  using Tile = DenseTile<S>;
  if constexpr (W::kType == WeightType::kF32) return 0;
  const bool widens = W::kType == WeightType::kQ8_0 || (!kPairs<S, W> && m >= Tile::kWidenFrom);
  return widens ? k * Tile::kColumns * sizeof(float) : 0;
}

template <class S, class W>
size_t dense_scratch_bytes(size_t m, size_t k) noexcept {
  constexpr bool kRounds = W::kType == WeightType::kBf16;
  const size_t rows = kRounds ? min_size(m, DenseTile<S>::kRoundedRows) : 0;
  return round_up(dense_wide_bytes<S, W>(m, k) + RoundedRows<S>::prepared_bytes(rows, k), 64);
}

/// A panel of a call; those before `end` are asked for.
template <class S, class W>
struct DensePanel {
  size_t first, columns, width;  ///< of y: its first column, how many, and those with the padding
  StoredPanel stored;

  static size_t end(const GemmArgs& a) {
    return min_size(a.panel_end, (a.n + DenseTile<S>::kColumns - 1) / DenseTile<S>::kColumns);
  }
  DensePanel(const GemmArgs& a, size_t p)
      : first(p * DenseTile<S>::kColumns),
        columns(min_size(DenseTile<S>::kColumns, a.n - first)),
        width(round_up(columns, S::kWidth)),
        stored(stored_panel(a.packed, p, end(a), DenseTile<S>::kColumns, round_up(a.n, S::kWidth),
                            dense_column_bytes<W>(a.k))) {}

  const float* bias(const GemmArgs& a) const { return a.bias ? a.bias + first : nullptr; }
};

/// Rows of x of which a part of k, `begin` to `begin + count`, passes over the asked panels of f32.
template <class S>
void dense_run_part(const GemmArgs& a, size_t begin, size_t count) {
  using Panel = DensePanel<S, StoredF32>;
  const bool is_last = begin + count == a.k;
  for (size_t p = a.panel_begin; p < Panel::end(a); p++) {
    const Panel panel(a, p);
    const StoredPanel stored = panel.stored.part(begin, count, a.k);
    dense_panel<S, StoredF32>(a.x + begin, a.x_stride, a.m, stored.as<float>(), panel.width, count, begin > 0,
                              stored, is_last ? panel.bias(a) : nullptr,
                              is_last ? a.activation : Activation::kNone, a.y + panel.first, a.y_stride,
                              panel.columns);
  }
}

/// Rows x against the asked panels; `wide` is room for one widened panel.
template <class S, class W>
void dense_run_rows(const GemmArgs& a, const float* x, size_t x_stride, float* wide) {
  using Panel = DensePanel<S, W>;
  for (size_t p = a.panel_begin; p < Panel::end(a); p++) {
    const Panel panel(a, p);
    const auto* stored = panel.stored.template as<typename W::Element>();
    float* y = a.y + panel.first;
    const bool widens = !kPairs<S, W> && a.m >= DenseTile<S>::kWidenFrom;
    if constexpr (W::kType != WeightType::kQ8_0) {
      if (!widens) {
        dense_panel<S, W>(x, x_stride, a.m, stored, panel.width, a.k, false, panel.stored, panel.bias(a),
                          a.activation, y, a.y_stride, panel.columns);
        continue;
      }
    }
    dense_widen<S, W>(stored, a.k, panel.width, wide);
    dense_panel<S, StoredF32>(x, x_stride, a.m, wide, panel.width, a.k, false, panel.stored, panel.bias(a),
                              a.activation, y, a.y_stride, panel.columns);
  }
}

template <class S, class W>
void dense_run(const GemmArgs& a) noexcept {
  float* wide = static_cast<float*>(a.scratch);
  if constexpr (W::kType == WeightType::kF32) {
    const auto [rows, steps] = DenseTile<S>::near_part(a.m, a.k);
    for (size_t row = 0; row < a.m; row += rows) {
      const GemmArgs part = rows_of(a, row, rows);
      for (size_t begin = 0; begin < a.k; begin += steps)
        dense_run_part<S>(part, begin, min_size(steps, a.k - begin));
    }
  } else if constexpr (W::kType != WeightType::kBf16) {
    dense_run_rows<S, W>(a, a.x, a.x_stride, wide);
  } else {
    for_prepared_rows<RoundedRows<S>>(
        a, DenseTile<S>::kRoundedRows, wide + dense_wide_bytes<S, W>(a.m, a.k) / sizeof *wide,
        [wide](const GemmArgs& part, const void* rows) {
          dense_run_rows<S, W>(part, static_cast<const float*>(rows), part.k, wide);
        });
  }
}

template <class S, class W>
constexpr GemmKernel dense_kernel(const char* name) {
  constexpr bool kRounds = W::kType == WeightType::kBf16;
  return {name,
          W::kType,
          DenseTile<S>::kColumns,
          dense_packed_bytes<S, W>,
          dense_pack<S, W>,
          dense_scratch_bytes<S, W>,
          kRounds ? RoundedRows<S>::prepared_bytes : nullptr,
          kRounds ? RoundedRows<S>::prepare : nullptr,
          dense_run<S, W>};
}

}  // namespace
}  // namespace enc::kernels
