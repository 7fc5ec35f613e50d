// The oracle of gated_delta_net and the fallback on all other CPUs: the formula in double, token by token.
#include <cmath>

#include "kernels/gated_delta_net/gated_delta_net.h"

namespace enc::kernels {
namespace {

/// The state, and q, k, v and what is learned of one token.
size_t scratch_bytes(size_t head_size, size_t) noexcept {
  return (head_size * (head_size + 4) * sizeof(double) + 63) / 64 * 64;
}

double silu(double x) {
  return x / (1 + std::exp(-x));
}

/// Of one column of x, at the sequence's token `token`.
double convolved(const GatedDeltaNetArgs& a, size_t begin, size_t token, size_t column) {
  double sum = 0;
  for (size_t j = 0; j < a.width; j++) {
    if (token + j + 1 < a.width) continue;
    sum +=
        double{a.conv[column * a.width + j]} * a.x[(begin + token + j + 1 - a.width) * a.x_stride + column];
  }
  return silu(sum);
}

void divide_by_length(double* y, size_t size, double divisor) {
  double squares = 0;
  for (size_t i = 0; i < size; i++) squares += y[i] * y[i];
  for (size_t i = 0; i < size; i++) y[i] /= std::sqrt(squares + double{kLengthEps}) * divisor;
}

void run_head(const GatedDeltaNetArgs& a, size_t begin, size_t end, size_t head) {
  const size_t d = a.head_size, key_head = head / (a.value_heads / a.key_heads);
  double* const state = static_cast<double*>(a.scratch);
  double *const q = state + d * d, *const k = q + d, *const v = k + d, *const delta = v + d;
  for (size_t i = 0; i < d * d; i++) state[i] = 0;
  for (size_t t = 0; t < end - begin; t++) {
    for (size_t i = 0; i < d; i++) {
      q[i] = convolved(a, begin, t, key_head * d + i);
      k[i] = convolved(a, begin, t, (a.key_heads + key_head) * d + i);
      v[i] = convolved(a, begin, t, (2 * a.key_heads + head) * d + i);
    }
    divide_by_length(q, d, std::sqrt(static_cast<double>(d)));
    divide_by_length(k, d, 1);
    const float* gates = a.gates + (begin + t) * a.gates_stride + head;
    const double beta = 1 / (1 + std::exp(-double{gates[0]}));
    const double step = double{gates[a.value_heads]} + a.shift[head];
    const double decay = std::exp(a.rate[head] * (step > 20 ? step : std::log1p(std::exp(step))));
    for (size_t j = 0; j < d; j++) {
      double known = 0;
      for (size_t i = 0; i < d; i++) known += k[i] * decay * state[i * d + j];
      delta[j] = beta * (v[j] - known);
    }
    for (size_t j = 0; j < d; j++) {
      double sum = 0;
      for (size_t i = 0; i < d; i++) {
        state[i * d + j] = decay * state[i * d + j] + k[i] * delta[j];
        sum += q[i] * state[i * d + j];
      }
      a.out[(begin + t) * a.out_stride + head * d + j] = static_cast<float>(sum);
    }
  }
}

void run(const GatedDeltaNetArgs& a) noexcept {
  for (size_t b = a.sequence_begin; b < a.sequence_end; b++) {
    const size_t begin = static_cast<size_t>(a.cu_seqlens[b]), end = static_cast<size_t>(a.cu_seqlens[b + 1]);
    for (size_t head = a.head_begin; head < a.head_end; head++) run_head(a, begin, end, head);
  }
}

}  // namespace

extern const GatedDeltaNetKernel gated_delta_net_scalar;
const GatedDeltaNetKernel gated_delta_net_scalar = {"gated_delta_net_scalar", scratch_bytes, run};

}  // namespace enc::kernels
