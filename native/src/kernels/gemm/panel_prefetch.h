// Where the inner loops of the gemms prefetch weights.
//
// The hardware stops at each page, and while the first rows pass over a panel that lies beyond the
// second-level cache, memory does not keep up with them; with some twenty rows that was a sixth of all time.
// So where at least kSpreadRows rows pass over a panel, tile by tile, the panel behind it is fetched
// meanwhile, by each tile its share. With fewer, and over the last panel, a tile fetches its own panel a
// little ahead of itself.
//
// One pass over six 768-wide blocks whose weights no cache holds (enc_kernel_bench --shape blocks), in ms at
// m = 24, 48 and 128 (Zen 4, one thread, GCC 12, before and after in turns, minima of three): f32 21.5
// -> 18.8, 39.6 -> 35.8, 98.9 -> 94.9; bf16 10.9 -> 9.6, 20.4 -> 18.6, 50.7 -> 48.3; q8_0 6.8 -> 6.0, 12.6
// -> 11.7, 32.0 -> 31.2. Dropped: the panel behind at m = 12 too (bf16 6.2 -> 7.4, q8_0 4.0 -> 4.9), both
// kinds at once (bf16 10.4 at m = 24), into the second level only (12.0).
#pragma once

#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

/// A place and what it advances by per step of the inner loop, in bytes.
struct Ahead {
  const unsigned char* at;
  size_t step;
};

/// How far ahead of their use a tile prefetches the weights of its own panel: about 150 cycles.
constexpr size_t kPrefetchBytes = 3072;
constexpr size_t kSpreadRows = 16, kLineBytes = 64;

/// A panel, or a part of its k, as it lies in memory, and the same of the one behind it, 0 bytes without one.
struct StoredPanel {
  const unsigned char* at;
  size_t bytes;
  const unsigned char* next = nullptr;
  size_t next_bytes = 0;

  template <class Element>
  const Element* as() const {
    return reinterpret_cast<const Element*>(at);
  }

  /// Of `steps` of k the ones from `begin` on.
  StoredPanel part(size_t begin, size_t count, size_t steps) const {
    return {at + bytes / steps * begin, bytes / steps * count, next + next_bytes / steps * begin,
            next_bytes / steps * count};
  }

  /// Whether tiles of m rows in all fetch the panel behind.
  bool spreads(size_t m) const { return next_bytes > 0 && m >= kSpreadRows; }

  /// For the tile of rows [row, row + rows) of m, over `steps` steps.
  Ahead ahead(size_t m, size_t row, size_t rows, size_t steps) const {
    if (!spreads(m)) return {at + kPrefetchBytes, bytes / steps};
    return {next + next_bytes * row / m, (next_bytes * rows / m + steps - 1) / steps};
  }
};

/// Panel p of `packed`, of which those before `panel_end` are asked for. Each is `panel_columns` wide but for
/// the last, which ends at column `columns`.
inline StoredPanel stored_panel(const void* packed, size_t p, size_t panel_end, size_t panel_columns,
                                size_t columns, size_t column_bytes) {
  const size_t first = p * panel_columns;
  const auto width = [&](size_t begin) { return min_size(panel_columns, columns - begin); };
  const auto* at = static_cast<const unsigned char*>(packed) + first * column_bytes;
  const size_t bytes = width(first) * column_bytes;
  if (p + 1 >= panel_end) return {at, bytes};
  return {at, bytes, at + bytes, width(first + panel_columns) * column_bytes};
}

}  // namespace
}  // namespace enc::kernels
