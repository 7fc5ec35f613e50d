// gated_delta_net for every vector type S. A column of the state depends on its own values, so the state lies
// in panels of a few vectors, each of which passes over some tokens while it is in the first-level cache;
// what these tokens have in common for all panels is computed before. On an AMD EPYC with AVX2 512 tokens
// over 16 heads of 128 take 26 ms on one thread, beside other work; with one sum for each vector in step()'s
// first loop 40 ms.
#pragma once

#include "kernels/add_layer_norm/normalize_row.h"
#include "kernels/gated_delta_net/gated_delta_net.h"
#include "kernels/simd/elementary.h"

namespace enc::kernels {
namespace {

/// Vectors of a panel: as many independent sums as hide the latency of a multiply-add.
constexpr size_t kPanelVectors = 4;
/// Tokens that pass over a panel at a time.
constexpr size_t kTokensPerPass = 32;

/// The scratch, in floats.
template <class S>
struct DeltaLayout {
  size_t row;     ///< of one token's q, k or v, padded to whole panels
  size_t panel;   ///< of the state
  size_t panels;  ///< of the state
  size_t taps, rows, gates, total;
  DeltaLayout(size_t head_size, size_t width)
      : row(round_up(head_size, kPanelVectors * S::kWidth)),
        panel(head_size * kPanelVectors * S::kWidth),
        panels(row / (kPanelVectors * S::kWidth)),
        taps(panels * panel),
        rows(taps + round_up(3 * width * row, 16)),
        gates(rows + 3 * kTokensPerPass * row),
        total(gates + 2 * kTokensPerPass) {}
};

template <class S>
size_t delta_scratch_bytes(size_t head_size, size_t width) noexcept {
  return round_up(DeltaLayout<S>(head_size, width).total * sizeof(float), 64);
}

ENC_INLINE float sigmoid(float x) {
  return 1.0f / (1.0f + __builtin_expf(-x));
}
/// ln(1 + e^x); from 20 on x itself, as torch has it.
ENC_INLINE float softplus(float x) {
  return x > 20.0f ? x : __builtin_log1pf(__builtin_expf(x));
}

/// SiLU of the convolution of one head's columns, into y; `first` is the sequence's first row of x, `taps`
/// [width, row].
template <class S>
ENC_INLINE void convolve_row(const float* first, size_t stride, size_t token, const float* taps, size_t row,
                             size_t width, size_t head_size, float* y) {
  using F = typename S::F;
  const size_t before = token + 1 < width ? token + 1 : width;  // tokens that there are
  const float* x = first + (token + 1 - before) * stride;
  for (size_t i = 0; i < head_size; i += S::kWidth) {
    const size_t count = min_size(S::kWidth, head_size - i);
    F sum = S::zero();
    for (size_t j = 0; j < before; j++)
      sum = S::fma(S::load(x + j * stride + i, count), S::load(taps + (width - before + j) * row + i), sum);
    S::store(y + i, times_sigmoid_f32<S>(sum, sum), count);
  }
}

/// Divides a head by its length and by `divisor`.
template <class S>
ENC_INLINE void divide_by_length(float* y, size_t head_size, float divisor) {
  using F = typename S::F;
  const float squares = row_sum<S>(y, head_size, [](F v, F sum) { return S::fma(v, v, sum); });
  const F scale = S::set(1.0f / (__builtin_sqrtf(squares + kLengthEps) * divisor));
  for (size_t i = 0; i < head_size; i += S::kWidth) {
    const size_t count = min_size(S::kWidth, head_size - i);
    S::store(y + i, S::mul(S::load(y + i, count), scale), count);
  }
}

/// One token over one panel; `v` and `out` are the panel's columns.
template <class S>
ENC_INLINE void step(float* state, size_t head_size, const float* q, const float* k, const float* v,
                     float beta, float decay, float* out, size_t columns) {
  using F = typename S::F;
  F delta[kPanelVectors], sum[kPanelVectors], odd[kPanelVectors];
  ENC_UNROLL for (size_t c = 0; c < kPanelVectors; c++) sum[c] = odd[c] = S::zero();
  // Two sums of each: nothing but loads bounds this loop, the next one stores every vector that it loads.
  size_t row = 0;
  for (; row + 2 <= head_size; row += 2) {
    const F key = S::set(k[row]), next_key = S::set(k[row + 1]);
    ENC_UNROLL for (size_t c = 0; c < kPanelVectors; c++) {
      const float* const at = state + (row * kPanelVectors + c) * S::kWidth;
      sum[c] = S::fma(S::load(at), key, sum[c]);
      odd[c] = S::fma(S::load(at + kPanelVectors * S::kWidth), next_key, odd[c]);
    }
  }
  if (row < head_size) {
    ENC_UNROLL for (size_t c = 0; c < kPanelVectors; c++) sum[c] =
        S::fma(S::load(state + (row * kPanelVectors + c) * S::kWidth), S::set(k[row]), sum[c]);
  }
  ENC_UNROLL for (size_t c = 0; c < kPanelVectors; c++) sum[c] = S::add(sum[c], odd[c]);
  const F kept = S::set(decay), learned = S::set(beta);
  ENC_UNROLL for (size_t c = 0; c < kPanelVectors; c++) {
    delta[c] = S::mul(learned, S::fnma(kept, sum[c], S::load(v + c * S::kWidth)));
    sum[c] = S::zero();
  }
  for (size_t i = 0; i < head_size; i++) {
    const F key = S::set(k[i]), query = S::set(q[i]);
    ENC_UNROLL for (size_t c = 0; c < kPanelVectors; c++) {
      float* const at = state + (i * kPanelVectors + c) * S::kWidth;
      const F next = S::fma(key, delta[c], S::mul(kept, S::load(at)));
      S::store(at, next);
      sum[c] = S::fma(query, next, sum[c]);
    }
  }
  ENC_UNROLL for (size_t c = 0; c < kPanelVectors; c++) {
    if (c * S::kWidth < columns)
      S::store(out + c * S::kWidth, sum[c], min_size(S::kWidth, columns - c * S::kWidth));
  }
}

template <class S>
void delta_head(const GatedDeltaNetArgs& a, size_t begin, size_t end, size_t head) {
  const size_t d = a.head_size, key_head = head / (a.value_heads / a.key_heads);
  const DeltaLayout<S> layout(d, a.width);
  float* const state = static_cast<float*>(a.scratch);
  float* const taps = state + layout.taps;
  float* const rows = state + layout.rows;
  float* const gates = state + layout.gates;
  const size_t part_columns[3] = {key_head * d, (a.key_heads + key_head) * d, (2 * a.key_heads + head) * d};
  // All of it, so that padding holds zeros.
  for (size_t i = 0; i < layout.gates; i += 16) {
    for (size_t j = 0; j < 16; j += S::kWidth) S::store(state + i + j, S::zero());
  }
  for (size_t part = 0; part < 3; part++) {
    for (size_t i = 0; i < d; i++) {
      for (size_t j = 0; j < a.width; j++)
        taps[(part * a.width + j) * layout.row + i] = a.conv[(part_columns[part] + i) * a.width + j];
    }
  }
  const float root = __builtin_sqrtf(static_cast<float>(d));
  for (size_t first = begin; first < end; first += kTokensPerPass) {
    const size_t tokens = min_size(kTokensPerPass, end - first);
    const auto row = [&](size_t token, size_t part) { return rows + (token * 3 + part) * layout.row; };
    for (size_t t = 0; t < tokens; t++) {
      for (size_t part = 0; part < 3; part++) {
        convolve_row<S>(a.x + begin * a.x_stride + part_columns[part], a.x_stride, first + t - begin,
                        taps + part * a.width * layout.row, layout.row, a.width, d, row(t, part));
      }
      divide_by_length<S>(row(t, 0), d, root);
      divide_by_length<S>(row(t, 1), d, 1.0f);
      const float* own = a.gates + (first + t) * a.gates_stride + head;
      gates[2 * t] = sigmoid(own[0]);
      gates[2 * t + 1] = __builtin_expf(a.rate[head] * softplus(own[a.value_heads] + a.shift[head]));
    }
    for (size_t p = 0; p < layout.panels; p++) {
      const size_t column = p * kPanelVectors * S::kWidth;
      for (size_t t = 0; t < tokens; t++) {
        step<S>(state + p * layout.panel, d, row(t, 0), row(t, 1), row(t, 2) + column, gates[2 * t],
                gates[2 * t + 1], a.out + (first + t) * a.out_stride + head * d + column, d - column);
      }
    }
  }
}

template <class S>
void delta_heads(const GatedDeltaNetArgs& a) noexcept {
  for (size_t b = a.sequence_begin; b < a.sequence_end; b++) {
    const size_t begin = static_cast<size_t>(a.cu_seqlens[b]), end = static_cast<size_t>(a.cu_seqlens[b + 1]);
    for (size_t head = a.head_begin; head < a.head_end; head++) delta_head<S>(a, begin, end, head);
  }
}

}  // namespace
}  // namespace enc::kernels
