// gated_delta_net for every vector type S. A column of the state depends on its own values, so the state lies
// in panels of a few vectors, each of which passes over some tokens while it is in the first-level cache;
// what these tokens have in common for all panels is computed before.
//
// A value of the state takes three multiply-adds a token, of which two tokens share a load and a store: what
// it gives for a key is added up while the tokens before change it, and the second token's in advance, by the
// product of both keys. Decays are not multiplied onto it but onto a scale. On an AMD EPYC with AVX2 (Zen 3)
// 128 tokens over 16 heads of 128 take 3.2 ms on one thread, and took 4.0 with two passes a token, one for
// the key and one for the rest (enc_kernel_bench --filter gated_delta --clock cpu). Measured and dropped: one
// pass a token, which its stores bound (4.2); four tokens together, or panels of four vectors, whose sums do
// not stay in 16 registers (half as long again); prefetching the convolution's rows. The chunked form of the
// rule (WY) takes three multiply-adds too, and what is between the tokens of a chunk besides.
#pragma once

#include "kernels/add_layer_norm/normalize_row.h"
#include "kernels/gated_delta_net/gated_delta_net.h"
#include "kernels/simd/elementary.h"

namespace enc::kernels {
namespace {

/// Vectors of a panel, so that all that a step adds up stays in registers.
template <class S>
constexpr size_t kPanelVectors = S::kWidth < 8 ? 4 : 2;
/// Tokens that pass over a panel before the next one, two by two.
constexpr size_t kTokensPerPass = 32;
static_assert(kTokensPerPass % kTokensTogether == 0);
/// The state is what is stored times a scale, so that forgetting costs nothing for each of its values. Below
/// this the scale is multiplied onto them.
constexpr double kSmallestScale = 0x1p-32;

/// The state's panels, and behind them the scale.
template <class S>
struct DeltaState {
  size_t row;    ///< padded to whole panels
  size_t panel;  ///< floats
  size_t panels;
  explicit DeltaState(size_t head_size)
      : row(round_up(head_size, kPanelVectors<S> * S::kWidth)),
        panel(head_size * kPanelVectors<S> * S::kWidth),
        panels(row / (kPanelVectors<S> * S::kWidth)) {}
  double* scale(float* state) const { return reinterpret_cast<double*>(state + panels * panel); }
  size_t bytes() const { return round_up(panels * panel * sizeof(float) + sizeof(double), 64); }
};

template <class S>
size_t delta_state_bytes(size_t head_size) noexcept {
  return DeltaState<S>(head_size).bytes();
}

/// The scratch, in floats.
struct DeltaLayout {
  size_t rows, total;  ///< behind the convolution's taps; `row` is that of a token's q, k or v
  DeltaLayout(size_t row, size_t width)
      : rows(round_up(3 * width * row, 16)), total(rows + 3 * kTokensPerPass * row) {}
};

template <class S>
size_t delta_scratch_bytes(size_t head_size, size_t width) noexcept {
  return round_up(DeltaLayout(DeltaState<S>(head_size).row, width).total * sizeof(float), 64);
}

ENC_INLINE float sigmoid(float x) {
  return 1.0f / (1.0f + __builtin_expf(-x));
}
/// ln(1 + e^x); from 20 on x itself, as torch has it.
ENC_INLINE float softplus(float x) {
  return x > 20.0f ? x : __builtin_log1pf(__builtin_expf(x));
}

/// Where the rows of x lie that the convolution reads for a token, the oldest first.
struct Window {
  const float* rows[kMaxTaps];
  size_t count;
  Window(const GatedDeltaNetArgs& a, size_t token) : count(min_size(a.width, token + 1 + a.tokens_before)) {
    for (size_t j = 0; j < count; j++) {
      const size_t back = count - 1 - j;
      rows[j] = back <= token ? a.x + (token - back) * a.x_stride
                              : a.before + (a.tokens_before + token - back) * a.x_stride;
    }
  }
};

/// SiLU of the convolution of one head's columns, the first of which is `column`, into y; `taps` [width,
/// row].
template <class S>
ENC_INLINE void convolve_row(const Window& window, const GatedDeltaNetArgs& a, size_t column,
                             const float* taps, size_t row, float* y) {
  using F = typename S::F;
  taps += (a.width - window.count) * row;
  size_t i = 0;
  // Several at once, since each waits for its exponential.
  constexpr size_t kVectors = 4;
  for (; i + kVectors * S::kWidth <= a.head_size; i += kVectors * S::kWidth) {
    F sum[kVectors];
    ENC_UNROLL for (size_t c = 0; c < kVectors; c++) sum[c] = S::zero();
    for (size_t j = 0; j < window.count; j++) {
      const float *const x = window.rows[j] + column + i, *const tap = taps + j * row + i;
      ENC_UNROLL for (size_t c = 0; c < kVectors; c++) sum[c] =
          S::fma(S::load(x + c * S::kWidth), S::load(tap + c * S::kWidth), sum[c]);
    }
    ENC_UNROLL for (size_t c = 0; c < kVectors; c++)
        S::store(y + i + c * S::kWidth, times_sigmoid_f32<S>(sum[c], sum[c]));
  }
  for (; i < a.head_size; i += S::kWidth) {
    const size_t count = min_size(S::kWidth, a.head_size - i);
    F sum = S::zero();
    for (size_t j = 0; j < window.count; j++)
      sum = S::fma(S::load(window.rows[j] + column + i, count), S::load(taps + j * row + i), sum);
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

template <class S>
ENC_INLINE float dot(const float* a, const float* b, size_t padded) {
  typename S::F sum = S::zero();
  for (size_t i = 0; i < padded; i += S::kWidth) sum = S::fma(S::load(a + i), S::load(b + i), sum);
  return S::sum(sum);
}

/// What two tokens do to each panel. A token multiplies what is stored by `kept`, and it is then its state
/// divided by `scale`.
struct PairGates {
  float beta[kTokensTogether], kept[kTokensTogether], scale[kTokensTogether], inverse[kTokensTogether];
  float keys;     ///< the product of their keys
  bool rescales;  ///< else all of `kept` is 1
};

/// Gives the pair its decays, after which the scale is another.
ENC_INLINE void forget(PairGates& gates, const float (&decay)[kTokensTogether], double& scale) {
  const double after[kTokensTogether] = {scale * double{decay[0]},
                                         scale * double{decay[0]} * double{decay[1]}};
  // NaN goes into the values.
  gates.rescales = !(after[1] >= kSmallestScale && after[0] <= 1 && after[1] <= 1);
  for (size_t t = 0; t < kTokensTogether; t++) {
    gates.kept[t] = !gates.rescales ? 1.0f : t == 0 ? static_cast<float>(after[0]) : decay[t];
    gates.scale[t] = gates.rescales ? 1.0f : static_cast<float>(after[t]);
    gates.inverse[t] = gates.rescales ? 1.0f : static_cast<float>(1 / after[t]);
  }
  scale = gates.rescales ? 1 : after[1];
}

/// q, k and v of one token.
struct TokenRows {
  const float *q, *k, *v;
};

/// What a panel's stored values give for two keys.
template <class S>
struct Known {
  typename S::F of[kTokensTogether][kPanelVectors<S>];
};

template <class S>
ENC_INLINE Known<S> recall(const float* state, size_t head_size, const float* k, const float* next_k) {
  Known<S> known;
  ENC_UNROLL for (size_t c = 0; c < kPanelVectors<S>; c++) known.of[0][c] = known.of[1][c] = S::zero();
  for (size_t i = 0; i < head_size; i++) {
    ENC_UNROLL for (size_t c = 0; c < kPanelVectors<S>; c++) {
      const typename S::F value = S::load(state + (i * kPanelVectors<S> + c) * S::kWidth);
      known.of[0][c] = S::fma(S::set(k[i]), value, known.of[0][c]);
      known.of[1][c] = S::fma(S::set(next_k[i]), value, known.of[1][c]);
    }
  }
  return known;
}

/// Two tokens over one panel, of which `known` is what it gives for their keys; then what the new values give
/// for those of the next two. Columns from `column` on are the panel's.
template <class S, bool kRescales>
ENC_INLINE void step(float* state, size_t head_size, const TokenRows (&tokens)[2 * kTokensTogether],
                     size_t column, const PairGates& gates, Known<S>& known, float* (&out)[kTokensTogether]) {
  using F = typename S::F;
  constexpr size_t kVectors = kPanelVectors<S>;
  F first[kVectors], second[kVectors], y[kVectors], z[kVectors], next[kVectors], after[kVectors];
  const F keys = S::set(gates.keys), kept = S::set(gates.kept[0]), then_kept = S::set(gates.kept[1]);
  const auto learn = [&](size_t t, size_t c, F recalled) {
    const F missed = S::fnma(S::set(gates.scale[t]), recalled, S::load(tokens[t].v + column + c * S::kWidth));
    return S::mul(S::mul(S::set(gates.beta[t]), missed), S::set(gates.inverse[t]));
  };
  ENC_UNROLL for (size_t c = 0; c < kVectors; c++) {
    F recalled = known.of[0][c], then = known.of[1][c];
    if (kRescales) recalled = S::mul(kept, recalled), then = S::mul(kept, then);
    first[c] = learn(0, c, recalled);
    then = S::fma(keys, first[c], then);
    if (kRescales) then = S::mul(then_kept, then);
    second[c] = learn(1, c, then);
    y[c] = z[c] = next[c] = after[c] = S::zero();
  }
  const float *const q0 = tokens[0].q, *const k0 = tokens[0].k, *const q1 = tokens[1].q,
                     *const k1 = tokens[1].k, *const k2 = tokens[2].k, *const k3 = tokens[3].k;
  for (size_t i = 0; i < head_size; i++) {
    float* const at = state + i * kVectors * S::kWidth;
    F value[kVectors];
    ENC_UNROLL for (size_t c = 0; c < kVectors; c++) {
      value[c] = S::load(at + c * S::kWidth);
      if (kRescales) value[c] = S::mul(kept, value[c]);
      value[c] = S::fma(S::set(k0[i]), first[c], value[c]);
      y[c] = S::fma(S::set(q0[i]), value[c], y[c]);
    }
    ENC_UNROLL for (size_t c = 0; c < kVectors; c++) {
      if (kRescales) value[c] = S::mul(then_kept, value[c]);
      value[c] = S::fma(S::set(k1[i]), second[c], value[c]);
      z[c] = S::fma(S::set(q1[i]), value[c], z[c]);
      S::store(at + c * S::kWidth, value[c]);
    }
    ENC_UNROLL for (size_t c = 0; c < kVectors; c++) {
      next[c] = S::fma(S::set(k2[i]), value[c], next[c]);
      after[c] = S::fma(S::set(k3[i]), value[c], after[c]);
    }
  }
  ENC_UNROLL for (size_t c = 0; c < kVectors; c++) {
    known.of[0][c] = next[c], known.of[1][c] = after[c];
    const size_t begin = column + c * S::kWidth;
    if (begin >= head_size) continue;
    const size_t count = min_size(S::kWidth, head_size - begin);
    S::store(out[0] + begin, S::mul(S::set(gates.scale[0]), y[c]), count);
    if (out[1] != nullptr) S::store(out[1] + begin, S::mul(S::set(gates.scale[1]), z[c]), count);
  }
}

template <class S>
void delta_head(const GatedDeltaNetArgs& a) noexcept {
  const size_t d = a.head_size, key_head = a.head / (a.value_heads / a.key_heads);
  const DeltaState<S> shape(d);
  const DeltaLayout layout(shape.row, a.width);
  float* const state = static_cast<float*>(a.state);
  float* const taps = static_cast<float*>(a.scratch);
  float* const rows = taps + layout.rows;
  const size_t part_columns[3] = {key_head * d, (a.key_heads + key_head) * d, (2 * a.key_heads + a.head) * d};
  // So that padding holds zeros.
  for (size_t i = 0; i < layout.total; i += S::kWidth) S::store(taps + i, S::zero());
  for (size_t part = 0; part < 3; part++) {
    for (size_t i = 0; i < d; i++) {
      for (size_t j = 0; j < a.width; j++)
        taps[(part * a.width + j) * shape.row + i] = a.conv[(part_columns[part] + i) * a.width + j];
    }
  }
  double scale = 1;
  if (a.continues) {
    scale = *shape.scale(state);
  } else {
    for (size_t i = 0; i < shape.panels * shape.panel; i += S::kWidth) S::store(state + i, S::zero());
  }
  const float root = __builtin_sqrtf(static_cast<float>(d));
  const auto row = [&](size_t token, size_t part) { return rows + (token * 3 + part) * shape.row; };
  PairGates gates[kTokensPerPass / kTokensTogether];
  for (size_t first = 0; first < a.tokens; first += kTokensPerPass) {
    const size_t tokens = min_size(kTokensPerPass, a.tokens - first);
    const size_t padded = round_up(tokens, kTokensTogether);
    float decay[kTokensTogether];
    for (size_t t = 0; t < padded; t++) {
      PairGates& pair = gates[t / kTokensTogether];
      float &beta = pair.beta[t % kTokensTogether], &forgets = decay[t % kTokensTogether];
      if (t < tokens) {
        const Window window(a, first + t);
        for (size_t part = 0; part < 3; part++) {
          convolve_row<S>(window, a, part_columns[part], taps + part * a.width * shape.row, shape.row,
                          row(t, part));
        }
        divide_by_length<S>(row(t, 0), d, root);
        divide_by_length<S>(row(t, 1), d, 1.0f);
        const float* own = a.gates + (first + t) * a.gates_stride + a.head;
        beta = sigmoid(own[0]);
        forgets = __builtin_expf(a.rate[a.head] * softplus(own[a.value_heads] + a.shift[a.head]));
      } else {  // an odd sequence's last token has one of zeros beside it
        for (size_t i = 0; i < 3 * shape.row; i += S::kWidth) S::store(row(t, 0) + i, S::zero());
        beta = 0, forgets = 1;
      }
      if (t % kTokensTogether == 0) continue;
      forget(pair, decay, scale);
      pair.keys = dot<S>(row(t - 1, 1), row(t, 1), shape.row);
    }
    for (size_t p = 0; p < shape.panels; p++) {
      const size_t column = p * kPanelVectors<S> * S::kWidth;
      float* const panel = state + p * shape.panel;
      Known<S> known = recall<S>(panel, d, row(0, 1), row(1, 1));
      for (size_t t = 0; t < padded; t += kTokensTogether) {
        TokenRows four[2 * kTokensTogether];
        // Nothing reads what the last two would know.
        for (size_t j = 0; j < 2 * kTokensTogether; j++) {
          const size_t token = min_size(t + j, padded - 1);
          four[j] = {row(token, 0), row(token, 1), row(token, 2)};
        }
        float* const out = a.out + (first + t) * a.out_stride + a.head * d;
        float* outs[kTokensTogether] = {out, t + 1 < tokens ? out + a.out_stride : nullptr};
        const PairGates& pair = gates[t / kTokensTogether];
        if (pair.rescales)
          step<S, true>(panel, d, four, column, pair, known, outs);
        else
          step<S, false>(panel, d, four, column, pair, known, outs);
      }
    }
  }
  *shape.scale(state) = scale;
}

}  // namespace
}  // namespace enc::kernels
