// bf16 weights, or q8_0 weights rounded to bf16, times x rounded to bf16 on AMX tiles; f32 sums.
//
// Packed layout: panels of 32 columns, per 32 of k two tiles [16 pairs of k][16 columns][2] of bf16, 1 KB
// each and adjacent (the last panel has one tile if 16 columns suffice); k and columns padded with zeros.
// q8_0 keeps its bytes: a tile is 16 scales in f16 and [16 pairs][16 columns][2] of int8, and is widened
// before its products; small matrices, which a cache holds anyway, are widened once, by `pack`. x is rounded
// into tiles too, [rows / 16][k / 32][16][32]: a tile load then walks 1 KB in sequence, where rows of x, 2 or
// 4 KB apart, would share a few cache sets.
//
// 2 x 2 tiles of sums. An element is one chain of TDPBF16PS over ascending k, then + bias, whatever the
// block: row invariant. Subnormals count as zero.
//
// As many rows at a time as 768 KB hold, a part of the second-level cache: 512 at k = 768, and never fewer
// than 256, which is why of a k above 1536 a part at a time meets all panels. In between the sums wait in y,
// as f32: they stay one chain. Fewer rows would read all weights more often, with 32 at k = 8192 2 KB for
// every 64 cycles of products.
//
// The products of a block keep their unit busy for 64 cycles per 32 of k (by Intel's figures for TDPBF16PS)
// and the rest of the core for ten instructions. In the gaps, a little at a time (cycles by llvm-mca 19 for
// Sapphire Rapids):
//   - the sums of the block before get bias and activation. After the products, GELU over 32 x 32 sums, 19 a
//     vector, would add 1,200 cycles to each 1,536 at k = 768.
//   - the next panel is prefetched, spread over all blocks of this one. The first block alone would read 48
//     KB within 1,536 cycles, more than caches that cores share give to one of them.
//   - or the next panel of q8_0 is widened, some 190 per 32 of k: 27 in each 64 where 256 rows pass over a
//     panel. With 32 rows or fewer it takes longer than the products do, but not than the bytes that it saves
//     would take from memory: at 4 a cycle 1,088 of q8_0 come every 272 cycles, 2,048 of bf16 every 512.
//
// q8_0 goes this way and not through AMX-INT8: its scales change every 32 of k, half a tile row, so that
// each integer tile would have to be stored, converted and scaled after one half-used product, about three
// times the work of a bf16 product by count of instructions; and bf16 keeps x more exactly than int8 does.
//
// Granite Rapids, GCC 12, one thread: 1,050 to 1,340 GFLOP/s at m = 128..512, n and k = 384..3072, where
// products of tiles in registers reach 3,700, and with operands in the first-level cache the same. What is
// left is bytes: without finishing the sums it is 1,900, and y and x in f32 pass through the third-level
// cache, 27 GB/s, where both do not fit into 2 MB. Dropped, all no faster with y written: k in parts of 256
// or 384 whose weights stay in the first-level cache for all rows (2,200 without y), groups of 2 to 8 blocks,
// prefetching x or y, sums finished earlier than evenly, 2 MB pages, a feed-forward part whose inner rows
// stay in the second-level cache.
#include <immintrin.h>

#include <cstring>

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/panel_prefetch.h"
#include "kernels/gemm/prepared_rows.h"
#include "kernels/gemm/stored_weight.h"
#include "kernels/simd/amx_tiles.h"
#include "kernels/simd/avx512.h"
#include "kernels/simd/elementary.h"

namespace enc::kernels {
namespace {

constexpr size_t kTileK = 32, kTileColumns = 16, kColumns = 2 * kTileColumns, kBlockRows = 2 * kTileRows;
constexpr size_t kTileElements = kTileBytes / sizeof(uint16_t);
/// A tile of q8_0: its scales, then its quants.
constexpr size_t kTileScaleBytes = kTileColumns * sizeof(uint16_t),
                 kQuantTileBytes = kTileScaleBytes + kTileElements;

constexpr size_t k_tiles(size_t k) {
  return (k + kTileK - 1) / kTileK;
}

/// Whether w[n, k] of q8_0 keeps its bytes.
constexpr bool keeps_quants(WeightType type, size_t n, size_t k) {
  return type == WeightType::kQ8_0 && n * k > 128 * 1024;
}

template <WeightType Type>
constexpr size_t tile_bytes(size_t n, size_t k) {
  return keeps_quants(Type, n, k) ? kQuantTileBytes : kTileBytes;
}

template <WeightType Type>
size_t packed_bytes(size_t n, size_t k) noexcept {
  return round_up(round_up(n, kTileColumns) / kTileColumns * k_tiles(k) * tile_bytes<Type>(n, k), kLineBytes);
}

/// Elements [begin, begin + 32) of a stored row as bf16, zeros behind column k.
template <WeightType Type>
void load_bf16(const unsigned char* row, size_t begin, size_t k, uint16_t* out) {
  const size_t count = min_size(kTileK, k - begin);
  for (size_t i = 0; i < count; i++) {
    if constexpr (Type == WeightType::kBf16) {
      std::memcpy(out + i, row + (begin + i) * sizeof *out, sizeof *out);
    } else {
      out[i] = f32_to_bf16(stored_weight(Type, row, begin + i));
    }
  }
  for (size_t i = count; i < kTileK; i++) out[i] = 0;
}

/// Writes 32 of k of a column into its place in a tile; `row` is the stored row, null for the padding's
/// zeros.
template <WeightType Type>
void pack_column(const unsigned char* row, size_t begin, size_t k, size_t column, bool quants,
                 unsigned char* tile) {
  if (!quants) {
    uint16_t values[kTileK] = {};
    if (row) load_bf16<Type>(row, begin, k, values);
    for (size_t pair = 0; pair < kTileK / 2; pair++)
      std::memcpy(tile + pair * kTileRowBytes + column * 4, values + pair * 2, 4);
    return;
  }
  unsigned char block[sizeof(uint16_t) + kTileK] = {};
  if (row)
    std::memcpy(block, row + begin / kTileK * sizeof block, sizeof(uint16_t) + min_size(kTileK, k - begin));
  std::memcpy(tile + column * sizeof(uint16_t), block, sizeof(uint16_t));
  for (size_t pair = 0; pair < kTileK / 2; pair++)
    std::memcpy(tile + kTileScaleBytes + (pair * kTileColumns + column) * 2,
                block + sizeof(uint16_t) + pair * 2, 2);
}

template <WeightType Type>
void pack(const void* rows, size_t row_begin, size_t row_count, size_t n, size_t k, void* packed) noexcept {
  const auto* source = static_cast<const unsigned char*>(rows);
  const size_t padded = round_up(n, kTileColumns), row_end = row_begin + row_count,
               bytes = tile_bytes<Type>(n, k);
  for (size_t row = row_begin; row < (row_end == n ? padded : row_end);
       row++, source += weight_row_bytes(Type, k)) {
    const size_t first = row / kColumns * kColumns, tiles = min_size(kColumns, padded - first) / kTileColumns;
    unsigned char* tile = static_cast<unsigned char*>(packed) +
                          (first / kTileColumns * k_tiles(k) + (row - first) / kTileColumns) * bytes;
    for (size_t begin = 0; begin < k; begin += kTileK, tile += tiles * bytes)
      pack_column<Type>(row < n ? source : nullptr, begin, k, row % kTileColumns, keeps_quants(Type, n, k),
                        tile);
  }
}

struct RoundedTiles {
  static size_t prepared_bytes(size_t m, size_t k) noexcept {
    return round_up(m, kTileRows) * k_tiles(k) * kTileRowBytes;
  }
  /// Rows up to the next multiple of 16 become zeros.
  static void prepare(const float* x, size_t x_stride, size_t m, size_t k, void* tiles) noexcept {
    static_assert(kPreparedRows % kTileRows == 0);
    for (size_t r = 0; r < round_up(m, kTileRows); r++, x += x_stride) {
      uint16_t* to =
          static_cast<uint16_t*>(tiles) + r / kTileRows * k_tiles(k) * kTileElements + r % kTileRows * kTileK;
      for (size_t i = 0; i < k_tiles(k) * kTileK; i += kTileK, to += kTileElements) {
        __m512 low = _mm512_setzero_ps(), high = low;
        if (r < m) {
          low = Avx512::load(x + i, min_size(16, k - i));
          if (i + 16 < k) high = Avx512::load(x + i + 16, min_size(16, k - i - 16));
        }
        _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(high, low));
      }
    }
  }
};

/// How x is cut: rows, and times 32 of k, that meet all panels at a time.
struct Cut {
  size_t rows, steps;
  Cut(size_t m, size_t k) {
    constexpr size_t kMostBytes = 768 * 1024, kMostSteps = 48;
    const size_t parts = (k_tiles(k) + kMostSteps - 1) / kMostSteps;
    steps = (k_tiles(k) + parts - 1) / parts;
    rows = min_size(m, kMostBytes / (steps * kTileBytes) * kTileRows);
  }
  size_t x_bytes() const { return RoundedTiles::prepared_bytes(rows, steps * kTileK); }
};

/// Two panels of `steps`, widened.
constexpr size_t widened_bytes(size_t steps) {
  return 2 * steps * kColumns * kTileK * sizeof(uint16_t);
}

template <WeightType Type>
size_t scratch_bytes(size_t m, size_t k) noexcept {
  const Cut cut(m, k);
  return cut.x_bytes() + (Type == WeightType::kQ8_0 ? widened_bytes(cut.steps) : 0);
}

/// A block of sums on its way into y.
struct Block {
  const float* sums;  ///< [rows][kColumns]
  const float* bias;  ///< of its first column, or null
  float* y;
  size_t y_stride, rows, columns;
};

template <Activation A>
void finish_row(const Block& block, size_t row) {
  const float* sums = block.sums + row * kColumns;
  float* y = block.y + row * block.y_stride;
  const auto finish = [&](size_t c, auto... count) {
    const __m512 offset = block.bias ? Avx512::load(block.bias + c, count...) : _mm512_setzero_ps();
    Avx512::store(y + c, activate<Avx512, A>(_mm512_add_ps(Avx512::load(sums + c), offset)), count...);
  };
  if (block.columns == kColumns) {  // both vectors at once and neither masked: a fifth less time for GELU
    finish(0);
    finish(16);
  } else {
    for (size_t c = 0; c < block.columns; c += 16) finish(c, min_size(16, block.columns - c));
  }
}

using FinishRow = void (*)(const Block&, size_t);

/// Finishes a block, a little in each of the `steps` of the block that comes after it.
class Finisher {
 public:
  Finisher(Activation activation, size_t steps)
      : finish_row_(with_activation(activation, []<Activation A>() -> FinishRow { return finish_row<A>; })),
        steps_(steps) {}

  void begin(const Block& block) {
    block_ = block;
    row_ = due_ = 0;
  }

  void step() {
    for (due_ += block_.rows; due_ >= steps_; due_ -= steps_) finish_row_(block_, row_++);
  }

  void finish() {
    while (row_ < block_.rows) finish_row_(block_, row_++);
  }

 private:
  const FinishRow finish_row_;
  const size_t steps_;
  Block block_ = {};
  size_t row_ = 0, due_ = 0;  ///< rows finished; what the steps so far earn towards the next, `steps` a row
};

/// Rows of x in tiles against `steps` of k of all asked panels.
struct Pass {
  const GemmArgs& a;  ///< of these rows
  const unsigned char* x;
  size_t x_tile_stride;  ///< bytes to the next 16 rows
  size_t first_step, steps;
  size_t panels;

  size_t blocks() const { return (a.m + kBlockRows - 1) / kBlockRows; }
  bool is_last() const { return first_step + steps == k_tiles(a.k); }
  size_t columns(size_t panel) const { return min_size(kColumns, a.n - panel * kColumns); }
  size_t tiles(size_t panel) const { return (columns(panel) + kTileColumns - 1) / kTileColumns; }

  /// The tiles of a panel from first_step on.
  const unsigned char* stored(size_t panel, size_t tile_bytes) const {
    return static_cast<const unsigned char*>(a.packed) +
           (panel * kColumns / kTileColumns * k_tiles(a.k) + first_step * tiles(panel)) * tile_bytes;
  }
};

/// Panels that lie in bf16: while the blocks pass over one, the one behind it is prefetched.
class StoredPanels {
 public:
  StoredPanels(const Pass& pass, void*) : pass_(pass) {}

  const unsigned char* enter(size_t panel) {
    if (panel + 1 < pass_.panels) {
      near_ = pass_.stored(panel + 1, kTileBytes);
      const size_t bytes = pass_.steps * pass_.tiles(panel + 1) * kTileBytes,
                   steps = pass_.blocks() * pass_.steps;
      near_end_ = near_ + bytes;
      near_per_step_ = round_up((bytes + steps - 1) / steps, kLineBytes);
    }
    return pass_.stored(panel, kTileBytes);
  }

  void enter_block(size_t, size_t) {}

  void step() {
    const unsigned char* end = near_ + min_size(near_per_step_, static_cast<size_t>(near_end_ - near_));
    for (; near_ < end; near_ += kLineBytes) _mm_prefetch(reinterpret_cast<const char*>(near_), _MM_HINT_T1);
  }

 private:
  const Pass& pass_;
  const unsigned char *near_ = nullptr, *near_end_ = nullptr;
  size_t near_per_step_ = 0;
};

/// 32 rows of k of 16 columns of q8_0 as a tile of bf16.
void widen_tile(const unsigned char* stored, uint16_t* tile) {
  const __m512 scales = Avx512::load_f16(reinterpret_cast<const uint16_t*>(stored));
  const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
  const __m512 low_scales = _mm512_permutexvar_ps(twice, scales),
               high_scales = _mm512_permutexvar_ps(_mm512_add_epi32(twice, _mm512_set1_epi32(8)), scales);
  const auto* quants = reinterpret_cast<const int8_t*>(stored + kTileScaleBytes);
  for (size_t pair = 0; pair < kTileK / 2; pair++, quants += 2 * kTileColumns, tile += 2 * kTileColumns) {
    const __m512 low = _mm512_mul_ps(Avx512::load_i8(quants), low_scales),
                 high = _mm512_mul_ps(Avx512::load_i8(quants + kTileColumns), high_scales);
    _mm512_storeu_si512(tile, (__m512i)_mm512_cvtne2ps_pbh(high, low));
  }
}

/// Panels that lie in q8_0. The first one is widened while the first block passes over it, a little ahead of
/// the products, so that their loads find the bytes written; each other one while the later blocks pass over
/// the one before it. With one block of rows every panel is like the first.
class WidenedPanels {
 public:
  WidenedPanels(const Pass& pass, void* scratch) : pass_(pass) {
    buffers_[0] = static_cast<unsigned char*>(scratch);
    buffers_[1] = buffers_[0] + widened_bytes(pass.steps) / 2;
  }

  const unsigned char* enter(size_t panel) {
    constexpr size_t kLead = 2;
    if (panel != panel_) {
      begin(panel, 1);
      for (size_t i = 0; i < kLead; i++) widen();
    }
    return buffers_[turn_];
  }

  void enter_block(size_t panel, size_t block) {
    if (block == 1 && panel + 1 < pass_.panels) begin(panel + 1, pass_.blocks() - 1);
  }

  void step() {
    if (++due_ < every_) return;
    due_ = 0;
    widen();
  }

 private:
  /// From now on, widens 32 of k of `panel` in one of `every` steps.
  void begin(size_t panel, size_t every) {
    panel_ = panel;
    turn_ ^= 1;
    from_ = pass_.stored(panel, kQuantTileBytes);
    to_ = reinterpret_cast<uint16_t*>(buffers_[turn_]);
    left_ = pass_.steps;
    every_ = every;
    due_ = 0;
  }

  void widen() {
    constexpr size_t kAhead = 8 * 1024;
    if (left_ == 0) return;
    left_--;
    for (size_t t = 0; t < pass_.tiles(panel_); t++, from_ += kQuantTileBytes, to_ += kTileElements) {
      for (size_t i = 0; i < kQuantTileBytes; i += kLineBytes)
        _mm_prefetch(reinterpret_cast<const char*>(from_ + kAhead + i), _MM_HINT_T0);
      widen_tile(from_, to_);
    }
  }

  const Pass& pass_;
  unsigned char* buffers_[2];
  size_t panel_ = SIZE_MAX, turn_ = 0;  ///< the panel widened last, and the buffer that it is in
  const unsigned char* from_ = nullptr;
  uint16_t* to_ = nullptr;
  size_t left_ = 0, every_ = 1, due_ = 0;
};

/// What y holds of a block of sums, into `sums`.
void resume(const Block& block, float* sums) {
  for (size_t row = 0; row < block.rows; row++, sums += kColumns) {
    for (size_t c = 0; c < block.columns; c += 16)
      Avx512::store(sums + c,
                    Avx512::load(block.y + row * block.y_stride + c, min_size(16, block.columns - c)));
  }
}

template <class Panels>
void run_pass(const Pass& pass, void* scratch) {
  const GemmArgs& a = pass.a;
  const bool is_first = pass.first_step == 0, is_last = pass.is_last();
  alignas(64) float sums[2][kBlockRows * kColumns] = {};
  size_t turn = 0;
  Finisher finisher(is_last ? a.activation : Activation::kNone, pass.steps);
  Panels panels(pass, scratch);
  for (size_t p = a.panel_begin; p < pass.panels; p++) {
    const size_t first = p * kColumns;
    const unsigned char* weights = panels.enter(p);
    for (size_t i = 0; i < pass.blocks(); i++, turn ^= 1) {
      const size_t row = i * kBlockRows;
      panels.enter_block(p, i);
      const Block block = {.sums = sums[turn],
                           .bias = a.bias && is_last ? a.bias + first : nullptr,
                           .y = a.y + row * a.y_stride + first,
                           .y_stride = a.y_stride,
                           .rows = min_size(kBlockRows, a.m - row),
                           .columns = pass.columns(p)};
      if (!is_first) resume(block, sums[turn]);
      const unsigned char* tiles = pass.x + row / kTileRows * pass.x_tile_stride;
      const TileOperands operands = {.a = tiles,
                                     .a_below = tiles + pass.x_tile_stride,
                                     .a_row_bytes = kTileRowBytes,
                                     .a_step = kTileBytes,
                                     .b = weights,
                                     .b_step = pass.tiles(p) * kTileBytes,
                                     .b_next_column = kTileBytes,
                                     .steps = pass.steps,
                                     .resumes = !is_first};
      multiply_tiles(block.rows, block.columns, operands, sums[turn], kColumns, [&] {
        finisher.step();
        panels.step();
      });
      finisher.begin(block);
    }
  }
  finisher.finish();
}

template <WeightType Type>
void run(const GemmArgs& a) noexcept {
  configure_tiles();
  const Cut cut(a.m, a.k);
  const size_t depth = k_tiles(a.k), panels = min_size(a.panel_end, (a.n + kColumns - 1) / kColumns);
  auto* tiles = static_cast<unsigned char*>(a.scratch);
  void* widened = tiles + cut.x_bytes();
  for (size_t row = 0; row < a.m; row += cut.rows) {
    const GemmArgs part = rows_of(a, row, cut.rows);
    for (size_t step = 0; step < depth; step += cut.steps) {
      Pass pass = {part, tiles, 0, step, min_size(cut.steps, depth - step), panels};
      if (a.prepared) {
        pass.x = static_cast<const unsigned char*>(a.prepared) + RoundedTiles::prepared_bytes(row, a.k) +
                 step * kTileBytes;
        pass.x_tile_stride = depth * kTileBytes;
      } else {
        const size_t begin = step * kTileK, k = min_size(pass.steps * kTileK, a.k - begin);
        RoundedTiles::prepare(part.x + begin, a.x_stride, part.m, k, tiles);
        pass.x_tile_stride = pass.steps * kTileBytes;
      }
      if (keeps_quants(Type, a.n, a.k)) {
        run_pass<WidenedPanels>(pass, widened);
      } else {
        run_pass<StoredPanels>(pass, nullptr);
      }
    }
  }
}

template <WeightType Type>
constexpr GemmKernel tile_kernel(const char* name) {
  return {name,
          Type,
          kColumns,
          packed_bytes<Type>,
          pack<Type>,
          scratch_bytes<Type>,
          RoundedTiles::prepared_bytes,
          RoundedTiles::prepare,
          run<Type>};
}

}  // namespace

extern const GemmKernel ENC_AMX_SYMBOL(gemm_bf16_amx_bf16), ENC_AMX_SYMBOL(gemm_q8_0_amx_bf16);
const GemmKernel ENC_AMX_SYMBOL(gemm_bf16_amx_bf16) =
    tile_kernel<WeightType::kBf16>(ENC_AMX_NAME(gemm_bf16_amx_bf16));
const GemmKernel ENC_AMX_SYMBOL(gemm_q8_0_amx_bf16) =
    tile_kernel<WeightType::kQ8_0>(ENC_AMX_NAME(gemm_q8_0_amx_bf16));

}  // namespace enc::kernels
