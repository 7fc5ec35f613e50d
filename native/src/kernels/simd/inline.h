// What every kernel file needs from the compiler, and nothing from the standard library's inline functions: a
// template such as std::min, emitted by an ISA file, could be the copy that the linker keeps for code that
// runs on any CPU.
#pragma once

#include <cstddef>
#include <cstdint>

#define ENC_INLINE [[gnu::always_inline]] static inline
#define ENC_UNROLL _Pragma("GCC unroll 16")

namespace enc::kernels {
namespace {

ENC_INLINE size_t min_size(size_t a, size_t b) {
  return a < b ? a : b;
}
ENC_INLINE size_t round_up(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// How far ahead of their use the gemms prefetch weights: about 150 cycles of the inner loop.
[[maybe_unused]] constexpr size_t kPrefetchBytes = 3072;

/// Asks for the cache lines of y[Rows, Columns] to write to. A gemm does so before its inner loop: an output row is
/// often a page away from the next, and the stores at the end would wait for one line after another.
template <size_t Rows, size_t Columns>
ENC_INLINE void prefetch_block(const float* y, size_t stride) {
  for (size_t r = 0; r < Rows; r++) {
    for (size_t c = 0; c < Columns; c += 16) __builtin_prefetch(y + r * stride + c, 1);
  }
}

}  // namespace
}  // namespace enc::kernels
