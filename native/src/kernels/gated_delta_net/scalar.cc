// The oracle of gated_delta_net and the fallback on all other CPUs: the formula in double, token by token.
#include <cmath>

#include "kernels/gated_delta_net/gated_delta_net.h"

namespace enc::kernels {
namespace {

size_t state_bytes(size_t head_size) noexcept {
  return (head_size * head_size * sizeof(double) + 63) / 64 * 64;
}

/// q, k, v and what is learned of one token.
size_t scratch_bytes(size_t head_size, size_t) noexcept {
  return (head_size * 4 * sizeof(double) + 63) / 64 * 64;
}

double silu(double x) {
  return x / (1 + std::exp(-x));
}

/// Of one column of x, at token `token`.
double convolved(const GatedDeltaNetArgs& a, size_t token, size_t column) {
  double sum = 0;
  for (size_t back = 0; back < a.width && back <= token + a.tokens_before; back++) {
    const float* row = back <= token ? a.x + (token - back) * a.x_stride
                                     : a.before + (a.tokens_before + token - back) * a.x_stride;
    sum += double{a.conv[column * a.width + a.width - 1 - back]} * row[column];
  }
  return silu(sum);
}

void divide_by_length(double* y, size_t size, double divisor) {
  double squares = 0;
  for (size_t i = 0; i < size; i++) squares += y[i] * y[i];
  for (size_t i = 0; i < size; i++) y[i] /= std::sqrt(squares + double{kLengthEps}) * divisor;
}

void run(const GatedDeltaNetArgs& a) noexcept {
  const size_t d = a.head_size, key_head = a.head / (a.value_heads / a.key_heads);
  double* const state = static_cast<double*>(a.state);
  double *const q = static_cast<double*>(a.scratch), *const k = q + d, *const v = k + d, *const delta = v + d;
  for (size_t i = 0; i < d * d && !a.continues; i++) state[i] = 0;
  for (size_t t = 0; t < a.tokens; t++) {
    for (size_t i = 0; i < d; i++) {
      q[i] = convolved(a, t, key_head * d + i);
      k[i] = convolved(a, t, (a.key_heads + key_head) * d + i);
      v[i] = convolved(a, t, (2 * a.key_heads + a.head) * d + i);
    }
    divide_by_length(q, d, std::sqrt(static_cast<double>(d)));
    divide_by_length(k, d, 1);
    const float* gates = a.gates + t * a.gates_stride + a.head;
    const double beta = 1 / (1 + std::exp(-double{gates[0]}));
    const double step = double{gates[a.value_heads]} + a.shift[a.head];
    const double decay = std::exp(a.rate[a.head] * (step > 20 ? step : std::log1p(std::exp(step))));
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
      a.out[t * a.out_stride + a.head * d + j] = static_cast<float>(sum);
    }
  }
}

}  // namespace

extern const GatedDeltaNetKernel gated_delta_net_scalar;
const GatedDeltaNetKernel gated_delta_net_scalar = {"gated_delta_net_scalar", state_bytes, scratch_bytes,
                                                    run};

}  // namespace enc::kernels
