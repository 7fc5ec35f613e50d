// What layers are made of, in plain double loops.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

namespace enc::test {

using Matrix = std::vector<double>;  // row-major

inline double activate(const std::string& name, double x) {
  if (name == "relu") return std::max(0.0, x);
  if (name == "silu") return x / (1 + std::exp(-x));
  if (name == "tanh") return std::tanh(x);
  if (name == "identity") return x;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh")
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}

/// Columns [first, first + count) of x, ne = {width, rows}.
inline Matrix columns(const Matrix& x, size_t width, size_t first, size_t count) {
  Matrix y;
  for (size_t row = 0; row < x.size() / width; row++) {
    const auto from = x.begin() + ptrdiff_t(row * width + first);
    y.insert(y.end(), from, from + ptrdiff_t(count));
  }
  return y;
}

inline Matrix attention(const Matrix& q, const Matrix& k, const Matrix& v, size_t hidden, size_t heads,
                        bool causal, const std::vector<float>& slopes = {}, size_t reach = SIZE_MAX) {
  const size_t size = hidden / heads, tokens = q.size() / hidden, keys = k.size() / hidden;
  Matrix out(q.size());
  for (size_t head = 0; head < heads; head++) {
    for (size_t i = 0; i < tokens; i++) {
      std::vector<double> weights(causal ? i + 1 : keys);
      double total = 0;
      for (size_t j = 0; j < weights.size(); j++) {
        double dot = 0;
        for (size_t d = head * size; d < (head + 1) * size; d++) dot += q[i * hidden + d] * k[j * hidden + d];
        const double slope = slopes.empty() ? 0 : slopes[head];
        const double bias = slope * std::abs(double(i) - double(j));
        if (j > 0 && (i > j ? i - j : j - i) > reach) continue;
        total += weights[j] = std::exp(dot / std::sqrt(double(size)) - bias);
      }
      for (size_t j = 0; j < weights.size(); j++) {
        for (size_t d = head * size; d < (head + 1) * size; d++)
          out[i * hidden + d] += weights[j] / total * v[j * hidden + d];
      }
    }
  }
  return out;
}

inline void add_to(Matrix& a, const Matrix& b) {
  for (size_t i = 0; i < a.size(); i++) a[i] += b[i];
}

/// Rows of the `width` tokens around each, zeros beyond the ends, those of a column together.
inline Matrix neighbours(const Matrix& x, size_t columns, size_t width) {
  const size_t tokens = x.size() / columns;
  Matrix y;
  for (size_t t = 0; t < tokens; t++) {
    for (size_t c = 0; c < columns; c++) {
      for (size_t i = 0; i < width; i++) {
        const size_t place = t + i - width / 2;  // wraps before the first token
        y.push_back(place < tokens ? x[place * columns + c] : 0);
      }
    }
  }
  return y;
}

}  // namespace enc::test
