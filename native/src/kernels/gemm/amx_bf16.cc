// bf16 weights, or q8_0 weights rounded to bf16, times x rounded to bf16 on AMX tiles; f32 sums.
//
// Packed layout: panels of 32 columns, per 32 of k two tiles [16 pairs of k][16 columns][2] of bf16, 1 KB
// each and adjacent (the last panel has one tile if 16 columns suffice); k and columns padded with zeros. x
// is rounded into tiles too, [rows / 16][k / 32][16][32]: a tile load then walks 1 KB in
// sequence, where rows of x, 2 or 4 KB apart, would share a few cache sets. As many rows at a time as 768 KB
// hold.
//
// 2 x 2 tiles of sums. An element is one chain of TDPBF16PS over ascending k, then + bias, whatever the
// block: row invariant. Subnormals count as zero.
//
// Between the products of a block (64 cycles per 32 of k, by Intel's figures for TDPBF16PS; ten instructions)
// the sums of the block before get their bias and activation: after the products, GELU over 32 x 32 sums
// would add 1,200 cycles to each 1,536 at k = 768 (llvm-mca 19 for Sapphire Rapids: 19 a vector). In the same
// gaps the next panel is prefetched, spread over all blocks of this one: the first block alone would read 48
// KB within those 1,536 cycles, more than caches that cores share give to one of them.
//
// q8_0 goes this way and not through AMX-INT8: its scales change every 32 of k, half a tile row, so that
// each integer tile would have to be stored, converted and scaled after one half-used product, about three
// times the work of a bf16 product by count of instructions; and bf16 keeps x more exactly than int8 does.
// Cost: 2 bytes a weight instead of 1.1.
//
// Not yet timed on AMX hardware; see simd/amx_tiles.h for where it has run.
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
constexpr size_t kScratchTarget = 768 * 1024;

size_t k_tiles(size_t k) {
  return (k + kTileK - 1) / kTileK;
}

size_t packed_bytes(size_t n, size_t k) noexcept {
  return round_up(n, kTileColumns) / kTileColumns * k_tiles(k) * kTileBytes;
}

/// Elements [begin, begin + 32) of a stored row as bf16, zeros behind column k.
template <WeightType Type>
void load_bf16(const unsigned char* row, size_t begin, size_t k, uint16_t* out) {
  const size_t count = min_size(kTileK, k - begin);
  if constexpr (Type == WeightType::kBf16) {
    std::memcpy(out, row + begin * sizeof *out, count * sizeof *out);
  } else {
    const unsigned char* block = row + begin / kTileK * weight_row_bytes(Type, kTileK);
    uint16_t half;
    std::memcpy(&half, block, sizeof half);
    const float scale = f16_to_f32(half);
    for (size_t i = 0; i < count; i++)
      out[i] = f32_to_bf16(scale * static_cast<float>(static_cast<int8_t>(block[2 + i])));
  }
  for (size_t i = count; i < kTileK; i++) out[i] = 0;
}

template <WeightType Type>
void pack(const void* rows, size_t row_begin, size_t row_count, size_t n, size_t k, void* packed) noexcept {
  const auto* source = static_cast<const unsigned char*>(rows);
  const size_t padded = round_up(n, kTileColumns), row_end = row_begin + row_count;
  for (size_t row = row_begin; row < (row_end == n ? padded : row_end);
       row++, source += weight_row_bytes(Type, k)) {
    const size_t first = row / kColumns * kColumns, tiles = min_size(kColumns, padded - first) / kTileColumns;
    uint16_t* panel = static_cast<uint16_t*>(packed) + first / kTileColumns * k_tiles(k) * kTileElements;
    uint16_t* column = panel + (row - first) / kTileColumns * kTileElements + row % kTileColumns * 2;
    for (size_t begin = 0; begin < k; begin += kTileK, column += tiles * kTileElements) {
      uint16_t values[kTileK] = {};
      if (row < n) load_bf16<Type>(source, begin, k, values);
      for (size_t i = 0; i < kTileK; i += 2) std::memcpy(column + i / 2 * (kTileRowBytes / 2), values + i, 4);
    }
  }
}

size_t rounded_rows(size_t k) {
  const size_t rows = kScratchTarget / (k_tiles(k) * kTileRowBytes) / kBlockRows * kBlockRows;
  return rows < kBlockRows ? kBlockRows : rows;
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

size_t scratch_bytes(size_t m, size_t k) noexcept {
  return RoundedTiles::prepared_bytes(min_size(m, rounded_rows(k)), k);
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
  for (size_t c = 0; c < block.columns; c += 16) {
    const size_t count = min_size(16, block.columns - c);
    const __m512 offset = block.bias ? Avx512::load(block.bias + c, count) : _mm512_setzero_ps();
    Avx512::store(y + c, activate<Avx512, A>(_mm512_add_ps(Avx512::load(sums + c), offset)), count);
  }
}

using FinishRow = void (*)(const Block&, size_t);

/// What is done between the products of tiles, a little in each of a block's `depth` steps.
class Meanwhile {
 public:
  Meanwhile(Activation activation, size_t depth)
      : finish_row_(with_activation(activation, []<Activation A>() -> FinishRow { return finish_row<A>; })),
        depth_(depth) {}

  /// The block that the next `depth` steps finish.
  void begin(const Block& block) {
    block_ = block;
    row_ = due_ = 0;
  }

  /// The bytes that the next `steps` steps prefetch.
  void approach(const unsigned char* bytes, size_t count, size_t steps) {
    near_ = bytes;
    near_end_ = bytes + count;
    near_per_step_ = round_up((count + steps - 1) / steps, kLineBytes);
  }

  void step() {
    for (due_ += block_.rows; due_ >= depth_; due_ -= depth_) finish_row_(block_, row_++);
    const unsigned char* end = near_ + min_size(near_per_step_, static_cast<size_t>(near_end_ - near_));
    for (; near_ < end; near_ += kLineBytes) _mm_prefetch(reinterpret_cast<const char*>(near_), _MM_HINT_T1);
  }

  void finish() {
    while (row_ < block_.rows) finish_row_(block_, row_++);
  }

 private:
  const FinishRow finish_row_;
  const size_t depth_;
  Block block_ = {};
  size_t row_ = 0, due_ = 0;  ///< rows finished; what the steps so far earn towards the next, `depth` a row
  const unsigned char *near_ = nullptr, *near_end_ = nullptr;
  size_t near_per_step_ = 0;
};

void run_rows(const GemmArgs& a, const uint16_t* x) {
  const size_t depth = k_tiles(a.k), panels = min_size(a.panel_end, (a.n + kColumns - 1) / kColumns);
  alignas(64) float sums[2][kBlockRows * kColumns];
  size_t turn = 0;
  Meanwhile meanwhile(a.activation, depth);
  for (size_t p = a.panel_begin; p < panels; p++) {
    const size_t first = p * kColumns, columns = min_size(kColumns, a.n - first);
    const StoredPanel panel =
        stored_panel(a.packed, p, panels, kColumns, round_up(a.n, kTileColumns), depth * kTileRowBytes);
    meanwhile.approach(panel.at + panel.bytes, panel.next_bytes, (a.m + kBlockRows - 1) / kBlockRows * depth);
    for (size_t row = 0; row < a.m; row += kBlockRows, turn ^= 1) {
      const size_t rows = min_size(kBlockRows, a.m - row);
      const uint16_t* tiles = x + row / kTileRows * depth * kTileElements;
      const TileOperands operands = {.a = tiles,
                                     .a_below = tiles + depth * kTileElements,
                                     .a_row_bytes = kTileRowBytes,
                                     .a_step = kTileBytes,
                                     .b = panel.at,
                                     .b_step = panel.bytes / depth,
                                     .b_next_column = kTileBytes,
                                     .steps = depth};
      multiply_tiles(rows, columns, operands, sums[turn], kColumns, [&] { meanwhile.step(); });
      meanwhile.begin({.sums = sums[turn],
                       .bias = a.bias ? a.bias + first : nullptr,
                       .y = a.y + row * a.y_stride + first,
                       .y_stride = a.y_stride,
                       .rows = rows,
                       .columns = columns});
    }
  }
  meanwhile.finish();
}

void run(const GemmArgs& a) noexcept {
  configure_tiles();
  for_prepared_rows<RoundedTiles>(
      a, rounded_rows(a.k), a.scratch,
      [](const GemmArgs& part, const void* rows) { run_rows(part, static_cast<const uint16_t*>(rows)); });
}

template <WeightType Type>
constexpr GemmKernel tile_kernel(const char* name) {
  return {name,
          Type,
          kColumns,
          packed_bytes,
          pack<Type>,
          scratch_bytes,
          RoundedTiles::prepared_bytes,
          RoundedTiles::prepare,
          run};
}

}  // namespace

extern const GemmKernel ENC_AMX_SYMBOL(gemm_bf16_amx_bf16), ENC_AMX_SYMBOL(gemm_q8_0_amx_bf16);
const GemmKernel ENC_AMX_SYMBOL(gemm_bf16_amx_bf16) =
    tile_kernel<WeightType::kBf16>(ENC_AMX_NAME(gemm_bf16_amx_bf16));
const GemmKernel ENC_AMX_SYMBOL(gemm_q8_0_amx_bf16) =
    tile_kernel<WeightType::kQ8_0>(ENC_AMX_NAME(gemm_q8_0_amx_bf16));

}  // namespace enc::kernels
