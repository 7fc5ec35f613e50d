// A layer with a gated convolution, in plain double loops.
#pragma once

#include <algorithm>
#include <string>

#include "reference_parts.h"

namespace enc::test {

template <typename Model>
Matrix short_conv(const Model& m, const std::string& block, Matrix x) {
  const auto& s = m.shape;
  const size_t hidden = s.hidden, tokens = x.size() / hidden, width = s.short_width;
  std::fill(x.begin() + ptrdiff_t(s.num_keys(tokens) * hidden), x.end(), 0);
  const std::string name = block + "shortconv.";
  const Matrix in = m.linear(name + "in_proj", x, hidden, 3 * hidden);
  Matrix y(tokens * hidden);
  for (size_t t = 0; t < tokens; t++) {
    for (size_t c = 0; c < hidden; c++) {
      double sum = m.at(name + "conv.bias")[c];
      for (size_t back = 0; back < std::min(width, t + 1); back++) {
        const double* row = &in[(t - back) * 3 * hidden + c];
        sum += row[0] * row[2 * hidden] * m.at(name + "conv.weight")[c * width + width - 1 - back];
      }
      y[t * hidden + c] = sum * in[t * 3 * hidden + hidden + c];
    }
  }
  return m.linear(name + "out_proj", y, hidden, hidden);
}

}  // namespace enc::test
