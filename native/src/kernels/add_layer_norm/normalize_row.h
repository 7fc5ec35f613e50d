// One row normalized in place, for add_layer_norm and embed_tokens. Three passes over a row that lies in the
// first-level cache: sum, squared deviations from the mean, result. Welford's recurrence would need a
// division per element.
#pragma once

#include "kernels/add_layer_norm/add_layer_norm.h"
#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

/// Sum over a row of term(vector, sum so far), in four interleaved partial sums. Of the last, partial vector
/// only the lanes that hold columns are added: behind them a deviation from the mean would not be zero.
template <class S, class Term>
ENC_INLINE float row_sum(const float* row, size_t columns, Term term) {
  typename S::F part[4] = {S::zero(), S::zero(), S::zero(), S::zero()};
  size_t i = 0;
  for (; i + 4 * S::kWidth <= columns; i += 4 * S::kWidth) {
    ENC_UNROLL for (size_t j = 0; j < 4; j++) part[j] = term(S::load(row + i + j * S::kWidth), part[j]);
  }
  for (; i + S::kWidth <= columns; i += S::kWidth) part[0] = term(S::load(row + i), part[0]);
  float sum = S::sum(S::add(S::add(part[0], part[1]), S::add(part[2], part[3])));
  if (i < columns) {
    alignas(64) float tail[S::kWidth];
    S::store(tail, term(S::load(row + i, columns - i), S::zero()));
    for (size_t j = 0; j < columns - i; j++) sum += tail[j];
  }
  return sum;
}

template <class S>
void normalize_row(NormKind kind, const float* gamma, const float* beta, float eps, float* row,
                   size_t columns) {
  using F = typename S::F;
  float mean = 0;
  if (kind == NormKind::kLayer) {
    mean = row_sum<S>(row, columns, [](F v, F sum) { return S::add(v, sum); }) / static_cast<float>(columns);
  }
  const F center = S::set(mean);
  F scale = S::set(1.0f);
  if (kind != NormKind::kNone) {
    const float squares = row_sum<S>(row, columns, [center](F v, F sum) {
      const F d = S::sub(v, center);
      return S::fma(d, d, sum);
    });
    scale = S::set(1.0f / __builtin_sqrtf(squares / static_cast<float>(columns) + eps));
  }
  size_t i = 0;
  for (; i + S::kWidth <= columns; i += S::kWidth) {
    F v = S::mul(S::sub(S::load(row + i), center), scale);
    if (gamma) v = S::mul(v, S::load(gamma + i));
    if (beta) v = S::add(v, S::load(beta + i));
    S::store(row + i, v);
  }
  if (const size_t tail = columns - i) {
    F v = S::mul(S::sub(S::load(row + i, tail), center), scale);
    if (gamma) v = S::mul(v, S::load(gamma + i, tail));
    if (beta) v = S::add(v, S::load(beta + i, tail));
    S::store(row + i, v, tail);
  }
}

template <class S>
void add_layer_norm(const AddLayerNormArgs& a) noexcept {
  for (size_t r = 0; r < a.rows; r++) {
    const float* x = a.x + r * a.x_stride;
    const float* residual = a.residual ? a.residual + r * a.residual_stride : nullptr;
    float* y = a.y + r * a.y_stride;
    size_t i = 0;
    for (; i + S::kWidth <= a.columns; i += S::kWidth) {
      S::store(y + i, residual ? S::add(S::load(x + i), S::load(residual + i)) : S::load(x + i));
    }
    if (const size_t tail = a.columns - i) {
      const typename S::F v = S::load(x + i, tail);
      S::store(y + i, residual ? S::add(v, S::load(residual + i, tail)) : v, tail);
    }
    if (a.normalize) normalize_row<S>(a.kind, a.gamma, a.beta, a.eps, y, a.columns);
  }
}

}  // namespace
}  // namespace enc::kernels
