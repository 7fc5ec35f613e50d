// Attention with scores of relative positions, in plain double loops.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "reference_parts.h"

namespace enc::test {

/// With scores of each query, something added to it, against the projected distances of the keys, and of its
/// own with keys of other segments; `x` is what the layer reads.
template <typename Model>
Matrix relative_attention(const Model& m, const std::string& block, const Matrix& x, const Matrix& qkv,
                          const int32_t* segments) {
  const auto& s = m.shape;
  const size_t hidden = s.hidden, size = hidden / s.heads, tokens = x.size() / hidden;
  Matrix own, out(x.size());
  if (s.segments > 0) own = m.linear(block + "attn_segment", x, hidden, s.heads);
  for (size_t head = 0; head < s.heads; head++) {
    for (size_t i = 0; i < tokens; i++) {
      Matrix weights(tokens);
      double total = 0;
      for (size_t j = 0; j < weights.size(); j++) {
        const double distance = std::clamp(double(i) - double(j), -double(s.reach), double(s.reach));
        double score = 0;
        for (size_t d = head * size; d < (head + 1) * size; d++) {
          double position = 0;
          for (size_t c = 0; c < hidden / 2; c++) {
            const double angle = distance * double(m.frequencies()[c]);
            const double* row = &m.at(block + "attn_pos_k.weight")[d * hidden + c];
            position += row[0] * std::sin(angle) + row[hidden / 2] * std::cos(angle);
          }
          const double q = qkv[i * 3 * hidden + d];
          score += q * qkv[j * 3 * hidden + hidden + d];
          score += (q + m.at(block + "attn_pos_query.bias")[d]) * position;
        }
        if (s.segments > 0 && segments[i] != segments[j]) score += own[i * s.heads + head];
        total += weights[j] = std::exp(score / std::sqrt(2.0 * double(size)));
      }
      for (size_t j = 0; j < weights.size(); j++) {
        for (size_t d = head * size; d < (head + 1) * size; d++)
          out[i * hidden + d] += weights[j] / total * qkv[j * 3 * hidden + 2 * hidden + d];
      }
    }
  }
  return out;
}

}  // namespace enc::test
