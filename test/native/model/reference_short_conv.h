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
  if (!s.reads_unseen) std::fill(x.begin() + ptrdiff_t(s.num_keys(tokens) * hidden), x.end(), 0);
  const std::string name = block + "shortconv.";
  const Matrix in = m.linear(name + "in_proj", x, hidden, 3 * hidden);
  Matrix y(tokens * hidden);
  for (size_t t = 0; t < tokens; t++) {
    for (size_t c = 0; c < hidden; c++) {
      double sum = m.at(name + "conv.bias")[c];
      // As nn.Conv1d with zeros at both ends.
      const size_t before = s.causal ? width - 1 : width / 2;
      for (size_t tap = 0; tap < width; tap++) {
        if (t + tap < before || t + tap - before >= tokens) continue;
        const double* row = &in[(t + tap - before) * 3 * hidden + c];
        sum += row[0] * row[2 * hidden] * m.at(name + "conv.weight")[c * width + tap];
      }
      y[t * hidden + c] = sum * in[t * 3 * hidden + hidden + c];
    }
  }
  return m.linear(name + "out_proj", y, hidden, hidden);
}

}  // namespace enc::test
