// The AMX tile instructions behind plain functions; with ENC_AMX_EMULATED, the same functions in software, so
// that the kernels built on them are tested on machines without AMX.
//
// Our own assembly instead of the compiler's intrinsics: GCC's tile loads do not tell the compiler that they
// read memory, and its _tile_loadconfig claims to read 8 bytes of 64; both let it drop stores that the
// instruction needs. One configuration serves every kernel: eight tiles of 16 rows x 64 bytes. It belongs to
// a thread and stays loaded; another library in the process may have changed it, so each call of a kernel
// checks it first (configure_tiles). What the functions in software prove: layout, indices, strides, tails,
// padding and the order of operations. That the instructions are encoded and configured rightly, and how they
// round, shows only where they run: on AMX hardware, or in scripts/amx-machine.mjs.
#pragma once

#include <cstring>

#include "kernels/simd/inline.h"

#ifdef ENC_AMX_EMULATED
#define ENC_AMX_SYMBOL(name) name##_emulated
#define ENC_AMX_NAME(name) #name "_emulated"
#else
#define ENC_AMX_SYMBOL(name) name
#define ENC_AMX_NAME(name) #name
#endif

namespace enc::kernels {
namespace {

constexpr size_t kTileRows = 16, kTileRowBytes = 64, kTileBytes = kTileRows * kTileRowBytes;

struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

#ifndef ENC_AMX_EMULATED

inline void configure_tiles() {
  static constexpr TileConfig kOurs;
  TileConfig current;
  asm volatile("sttilecfg %0" : "=m"(current));
  if (__builtin_memcmp(&current, &kOurs, sizeof current) != 0) asm volatile("ldtilecfg %0" : : "m"(kOurs));
}

template <int Tile>
ENC_INLINE void tile_zero() {
  asm volatile("tilezero %%tmm%c0" : : "i"(Tile));
}

/// 16 rows of 64 bytes, `stride` bytes apart.
template <int Tile>
ENC_INLINE void tile_load(const void* rows, size_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(rows), "r"(stride), "i"(Tile) : "memory");
}

template <int Tile>
ENC_INLINE void tile_store(void* rows, size_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(rows), "r"(stride), "i"(Tile) : "memory");
}

/// Sum (f32[16, 16]) += A (bf16[16, 32]) . B, B stored as bf16[16, 16, 2]: pairs of k beside each other.
template <int Sum, int A, int B>
ENC_INLINE void tile_dot_bf16() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sum), "i"(A), "i"(B));
}

#else

struct EmulatedTiles {
  bool configured;
  unsigned char data[8][kTileBytes];
};
thread_local EmulatedTiles emulated;

inline void configure_tiles() {
  emulated.configured = true;
}

/// An instruction on tiles that are not configured is an invalid opcode.
inline unsigned char* emulated_tile(int tile) {
  if (!emulated.configured) __builtin_trap();
  return emulated.data[tile];
}

template <int Tile>
void tile_zero() {
  std::memset(emulated_tile(Tile), 0, kTileBytes);
}

template <int Tile>
void tile_load(const void* rows, size_t stride) {
  for (size_t r = 0; r < kTileRows; r++) {
    const auto* from = static_cast<const unsigned char*>(rows) + r * stride;
    std::memcpy(emulated_tile(Tile) + r * kTileRowBytes, from, kTileRowBytes);
  }
}

template <int Tile>
void tile_store(void* rows, size_t stride) {
  for (size_t r = 0; r < kTileRows; r++) {
    auto* to = static_cast<unsigned char*>(rows) + r * stride;
    std::memcpy(to, emulated_tile(Tile) + r * kTileRowBytes, kTileRowBytes);
  }
}

inline float emulated_bf16(const unsigned char* tile, size_t index) {
  const uint16_t half = static_cast<uint16_t>(tile[2 * index] | tile[2 * index + 1] << 8);
  const uint32_t bits = uint32_t{half} << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <int Sum, int A, int B>
void tile_dot_bf16() {
  const unsigned char *a = emulated_tile(A), *b = emulated_tile(B);
  for (size_t row = 0; row < 16; row++) {
    for (size_t column = 0; column < 16; column++) {
      unsigned char* to = emulated_tile(Sum) + row * kTileRowBytes + column * sizeof(float);
      float sum;
      std::memcpy(&sum, to, sizeof sum);
      for (size_t pair = 0; pair < 16; pair++) {
        for (size_t i = 0; i < 2; i++) {
          sum += emulated_bf16(a, row * 32 + pair * 2 + i) * emulated_bf16(b, pair * 32 + column * 2 + i);
        }
      }
      std::memcpy(to, &sum, sizeof sum);
    }
  }
}

#endif

/// Where a product of tiles finds its operands; strides in bytes.
struct TileOperands {
  const void* a;        ///< 16 rows of 64 bytes, row_bytes apart
  const void* a_below;  ///< the next 16 rows
  size_t a_row_bytes;
  size_t a_step;         ///< to the next 32 of k
  const void* b;         ///< a tile of 1 KB
  size_t b_step;         ///< to the next 32 of k
  size_t b_next_column;  ///< to the next 16 columns
  size_t steps;          ///< k / 32
  bool resumes = false;  ///< whether the sums go on from what `out` holds
};

/// out[Rows * 16, Columns * 16] = A . B in f32, out's rows `out_stride` elements apart, or += A . B. Rows and
/// Columns are 1 or 2: with 2 x 2 tiles of sums each loaded tile feeds two products, the most that eight
/// tiles allow. `between` is called once per 32 of k: the products keep their unit busy for 64 cycles and the
/// rest of the core for about ten.
template <int Rows, int Columns, class Between>
void multiply_tiles(const TileOperands& operands, float* out, size_t out_stride, Between& between) {
  const auto *a = static_cast<const unsigned char*>(operands.a),
             *b = static_cast<const unsigned char*>(operands.b);
  const auto* below = static_cast<const unsigned char*>(operands.a_below);
  const size_t out_bytes = out_stride * sizeof(float);
  float* const out_below = out + kTileRows * out_stride;
  if (operands.resumes) {
    tile_load<0>(out, out_bytes);
    if constexpr (Columns == 2) tile_load<1>(out + 16, out_bytes);
    if constexpr (Rows == 2) tile_load<2>(out_below, out_bytes);
    if constexpr (Rows == 2 && Columns == 2) tile_load<3>(out_below + 16, out_bytes);
  } else {
    tile_zero<0>();
    if constexpr (Columns == 2) tile_zero<1>();
    if constexpr (Rows == 2) tile_zero<2>();
    if constexpr (Rows == 2 && Columns == 2) tile_zero<3>();
  }
  for (size_t i = 0; i < operands.steps; i++) {
    tile_load<4>(a, operands.a_row_bytes);
    tile_load<6>(b, kTileRowBytes);
    tile_dot_bf16<0, 4, 6>();
    if constexpr (Columns == 2) {
      tile_load<7>(b + operands.b_next_column, kTileRowBytes);
      tile_dot_bf16<1, 4, 7>();
    }
    if constexpr (Rows == 2) {
      tile_load<5>(below, operands.a_row_bytes);
      tile_dot_bf16<2, 5, 6>();
      if constexpr (Columns == 2) tile_dot_bf16<3, 5, 7>();
      below += operands.a_step;
    }
    between();
    a += operands.a_step;
    b += operands.b_step;
  }
  tile_store<0>(out, out_bytes);
  if constexpr (Columns == 2) tile_store<1>(out + 16, out_bytes);
  if constexpr (Rows == 2) tile_store<2>(out_below, out_bytes);
  if constexpr (Rows == 2 && Columns == 2) tile_store<3>(out_below + 16, out_bytes);
}

/// The instantiation for up to 32 rows and 32 columns.
template <class Between>
ENC_INLINE void multiply_tiles(size_t rows, size_t columns, const TileOperands& operands, float* out,
                               size_t out_stride, Between&& between) {
  if (rows > kTileRows) {
    columns > 16 ? multiply_tiles<2, 2>(operands, out, out_stride, between)
                 : multiply_tiles<2, 1>(operands, out, out_stride, between);
  } else {
    columns > 16 ? multiply_tiles<1, 2>(operands, out, out_stride, between)
                 : multiply_tiles<1, 1>(operands, out, out_stride, between);
  }
}

}  // namespace
}  // namespace enc::kernels
