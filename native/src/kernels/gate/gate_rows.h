// gate for every vector type S.
#pragma once

#include "kernels/gate/gate.h"
#include "kernels/simd/elementary.h"

namespace enc::kernels {
namespace {

template <class S, Activation A>
void gate_rows_as(const GateArgs& a) {
  for (size_t r = 0; r < a.rows; r++) {
    const float* x = a.x + r * a.x_stride;
    const float* factor = a.factor ? a.factor + r * a.factor_stride : x + a.columns;
    float* y = a.y + r * a.y_stride;
    size_t i = 0;
    for (; i + S::kWidth <= a.columns; i += S::kWidth)
      S::store(y + i, S::mul(activate<S, A>(S::load(x + i)), S::load(factor + i)));
    if (const size_t tail = a.columns - i)
      S::store(y + i, S::mul(activate<S, A>(S::load(x + i, tail)), S::load(factor + i, tail)), tail);
  }
}

template <class S>
void gate_rows(const GateArgs& a) noexcept {
  with_activation(a.activation, [&]<Activation A>() { gate_rows_as<S, A>(a); });
}

}  // namespace
}  // namespace enc::kernels
