// Rows of x that a kernel rounds before it multiplies: by whom, and how many at a time.
#pragma once

#include "kernels/gemm/gemm.h"
#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

/// Calls run_rows(part, rows) for blocks of `block` rows of a, a multiple of kPreparedRows: `part` is the
/// call for the block, `rows` are its rows of x as Kernel::prepare writes them, which it does in `own` when
/// the caller has not.
template <class Kernel, class RunRows>
void for_prepared_rows(const GemmArgs& a, size_t block, void* own, const RunRows& run_rows) {
  for (size_t row = 0; row < a.m; row += block) {
    GemmArgs part = a;
    part.m = min_size(block, a.m - row);
    part.x += row * a.x_stride;
    part.y += row * a.y_stride;
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
