// One row of several, for the heads that read all tokens of a text.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "graph/ops.h"

namespace enc {

/// f32[columns] of `count` rows, at least one.
inline void reduce(const float* rows, size_t count, size_t stride, size_t columns, Reduction reduction,
                   float* out) {
  if (reduction == Reduction::kMax) {
    std::copy_n(rows, columns, out);
    for (size_t row = 1; row < count; row++) {
      for (size_t i = 0; i < columns; i++) out[i] = std::max(out[i], rows[row * stride + i]);
    }
    return;
  }
  const float length = float(count);
  const bool is_weighted = reduction == Reduction::kWeightedMean;
  std::fill_n(out, columns, 0.0f);
  for (size_t row = 0; row < count; row++) {
    const float weight = is_weighted ? float(row + 1) : 1;
    for (size_t i = 0; i < columns; i++) out[i] += weight * rows[row * stride + i];
  }
  const float total = is_weighted                               ? length * (length + 1) / 2
                      : reduction == Reduction::kMeanSqrtLength ? std::sqrt(length)
                                                                : length;
  for (size_t i = 0; i < columns; i++) out[i] /= total;
}

}  // namespace enc
