// Some rows of a call at a time, and which of them are rounded before they are multiplied: by whom.
#pragma once

#include "kernels/gemm/gemm.h"
#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

/// The call for up to `most` rows of a from `row` on.
inline GemmArgs rows_of(const GemmArgs& a, size_t row, size_t most) {
  GemmArgs part = a;
  part.m = min_size(most, a.m - row);
  part.x += row * a.x_stride;
  part.y += row * a.y_stride;
  return part;
}

/// Calls run_rows(part, rows) for blocks of `block` rows of a, a multiple of kPreparedRows: `part` is the
/// call for the block, `rows` are its rows of x as Kernel::prepare writes them, which it does in `own` when
/// the caller has not.
template <class Kernel, class RunRows>
void for_prepared_rows(const GemmArgs& a, size_t block, void* own, const RunRows& run_rows) {
  for (size_t row = 0; row < a.m; row += block) {
    const GemmArgs part = rows_of(a, row, block);
    const void* rows = own;
    if (a.prepared) {
      rows = static_cast<const char*>(a.prepared) + Kernel::prepared_bytes(row, a.k);
    } else {
      Kernel::prepare(part.x, a.x_stride, part.m, a.k, own);
    }
    run_rows(part, rows);
  }
}

}  // namespace
}  // namespace enc::kernels
