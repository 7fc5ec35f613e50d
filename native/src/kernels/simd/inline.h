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
/// Rows of the next tile of up to `most` when `left` are left: the last two share evenly, since a tile of one
/// or two rows waits for its few sums.
ENC_INLINE size_t tile_rows(size_t left, size_t most) {
  return left <= most ? left : left < 2 * most ? (left + 1) / 2 : most;
}

}  // namespace
}  // namespace enc::kernels
