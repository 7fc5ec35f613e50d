// rotate_heads for every vector type S.
#pragma once

#include "kernels/add_layer_norm/normalize_row.h"
#include "kernels/rotate_heads/rotate_heads.h"

namespace enc::kernels {
namespace {

/// Turns one head that lies in y.
template <class S>
ENC_INLINE void rotate_row(const float* cos, const float* sin, size_t half, float* y) {
  using F = typename S::F;
  for (size_t i = 0; i < half; i += S::kWidth) {
    const size_t count = min_size(S::kWidth, half - i);
    const F a = S::load(y + i, count), b = S::load(y + half + i, count);
    const F c = S::load(cos + i, count), s = S::load(sin + i, count);
    S::store(y + i, S::fnma(b, s, S::mul(a, c)), count);
    S::store(y + half + i, S::fma(a, s, S::mul(b, c)), count);
  }
}

template <class S>
void rotate_heads(const RotateHeadsArgs& a) noexcept {
  const size_t half = a.rotated / 2;
  for (size_t t = 0; t < a.tokens; t++) {
    const size_t row = static_cast<size_t>(a.positions[t]) * half;
    for (size_t head = 0; head < a.heads; head++) {
      const float* x = a.x + t * a.x_stride + head * a.head_size;
      float* y = a.y + t * a.y_stride + head * a.head_size;
      for (size_t i = 0; i < a.head_size; i += S::kWidth) {
        const size_t count = min_size(S::kWidth, a.head_size - i);
        S::store(y + i, S::load(x + i, count), count);
      }
      if (a.gamma) {
        const size_t own = head * a.norm_stride;
        normalize_row<S>(a.kind, a.gamma + own, a.beta ? a.beta + own : nullptr, a.eps, y, a.head_size);
      }
      rotate_row<S>(a.cos + row, a.sin + row, half, y);
    }
  }
}

}  // namespace
}  // namespace enc::kernels
