// The oracle of rotate_heads and the fallback on all other CPUs: the formula, one head at a time.
#include <cmath>

#include "kernels/rotate_heads/rotate_heads.h"

namespace enc::kernels {
namespace {

void rotate(const RotateHeadsArgs& a, size_t head, const float* cos, const float* sin, const float* x,
            float* y) {
  const double columns = static_cast<double>(a.head_size);
  double mean = 0, scale = 1;
  if (a.gamma) {
    if (a.kind == NormKind::kLayer) {
      for (size_t i = 0; i < a.head_size; i++) mean += x[i] / columns;
    }
    double squares = 0;
    for (size_t i = 0; i < a.head_size; i++) squares += (x[i] - mean) * (x[i] - mean);
    scale = 1 / std::sqrt(squares / columns + a.eps);
  }
  const size_t own = head * a.norm_stride;
  const auto value = [&](size_t i) {
    const double scaled = (x[i] - mean) * scale * (a.gamma ? a.gamma[own + i] : 1);
    return scaled + (a.beta ? a.beta[own + i] : 0);
  };
  const size_t half = a.rotated / 2;
  for (size_t i = 0; i < half; i++) {
    y[i] = static_cast<float>(value(i) * cos[i] - value(i + half) * sin[i]);
    y[i + half] = static_cast<float>(value(i + half) * cos[i] + value(i) * sin[i]);
  }
  for (size_t i = a.rotated; i < a.head_size; i++) y[i] = static_cast<float>(value(i));
}

void run(const RotateHeadsArgs& a) noexcept {
  for (size_t t = 0; t < a.tokens; t++) {
    const size_t row = static_cast<size_t>(a.positions[t]) * (a.rotated / 2);
    for (size_t head = 0; head < a.heads; head++) {
      const size_t column = head * a.head_size;
      rotate(a, head, a.cos + row, a.sin + row, a.x + t * a.x_stride + column, a.y + t * a.y_stride + column);
    }
  }
}

}  // namespace

extern const RotateHeadsKernel rotate_heads_scalar;
const RotateHeadsKernel rotate_heads_scalar = {"rotate_heads_scalar", run};

}  // namespace enc::kernels
