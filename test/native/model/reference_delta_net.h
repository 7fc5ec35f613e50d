// A layer with linear attention, in plain double loops.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "reference_parts.h"

namespace enc::test {

/// By the gated delta rule, a state for each head.
template <typename Model>
Matrix linear_attention(const Model& m, const std::string& block, const Matrix& x) {
  const auto& s = m.shape;
  const size_t d = s.linear_size, mixed = s.mixed_size(), values = s.value_heads * d, width = mixed + values;
  const Matrix in = m.linear(block + "ssm_in", x, s.hidden, width);
  const Matrix gates = m.linear(block + "ssm_ba", x, s.hidden, 2 * size_t(s.value_heads));
  const size_t tokens = x.size() / s.hidden;
  Matrix qkv(tokens * mixed), y(tokens * values);
  for (size_t t = 0; t < tokens; t++) {
    for (size_t c = 0; c < mixed; c++) {
      double sum = 0;
      for (size_t back = 0; back < std::min<size_t>(s.linear_conv, t + 1); back++)
        sum += in[(t - back) * width + c] *
               m.at(block + "ssm_conv1d.weight")[c * s.linear_conv + s.linear_conv - 1 - back];
      qkv[t * mixed + c] = activate("silu", sum);
    }
  }
  for (size_t head = 0; head < s.value_heads; head++) {
    const size_t key_head = head * s.key_heads / s.value_heads;
    Matrix state(d * d);
    for (size_t t = 0; t < tokens; t++) {
      const double* const q = &qkv[t * mixed + key_head * d];
      const double *const k = q + s.key_heads * d, *const v = &qkv[t * mixed + (2 * s.key_heads + head) * d];
      const double* const own = &gates[t * 2 * s.value_heads + head];
      const double beta = 1 / (1 + std::exp(-own[0]));
      const double step = std::log1p(std::exp(own[s.value_heads] + m.at(block + "ssm_dt.bias")[head]));
      for (double& value : state) value *= std::exp(step * m.at(block + "ssm_a")[head]);
      double q_squares = 1e-6, k_squares = 1e-6, squares = 1e-12;
      for (size_t i = 0; i < d; i++) q_squares += q[i] * q[i], k_squares += k[i] * k[i];
      for (size_t j = 0; j < d; j++) {
        double known = 0, sum = 0;
        for (size_t i = 0; i < d; i++) known += k[i] * state[i * d + j];
        const double delta = beta * (v[j] - known / std::sqrt(k_squares));
        for (size_t i = 0; i < d; i++) {
          state[i * d + j] += k[i] / std::sqrt(k_squares) * delta;
          sum += q[i] / std::sqrt(q_squares * double(d)) * state[i * d + j];
        }
        y[t * values + head * d + j] = sum;
        squares += sum * sum / double(d);
      }
      for (size_t j = 0; j < d; j++)
        y[t * values + head * d + j] *= m.at(block + "ssm_norm.weight")[j] / std::sqrt(squares) *
                                        activate("silu", in[t * width + mixed + head * d + j]);
    }
  }
  return m.linear(block + "ssm_out", y, values, s.hidden);
}

}  // namespace enc::test
