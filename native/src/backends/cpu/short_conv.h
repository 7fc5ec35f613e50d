// A gated convolution of each token with the few around it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "enc/batch.h"

namespace enc {

/// Strides count floats; nothing may overlap.
struct ShortConv {
  const float* x;  ///< [T, 3 * columns]: b, c and x of each token
  size_t stride;
  size_t columns;
  size_t width;
  size_t ahead;       ///< how many of them are behind the token
  const float* taps;  ///< [width, columns], in the order of the text
  const float* bias;  ///< [columns], or null
  float* out;         ///< [T, columns]
  size_t out_stride;

  /// out = c * (bias + sum of taps * b * x), over the tokens around `token` in its text.
  void run(const PackedBatch& batch, int64_t sequence, int64_t token) const {
    const auto row = [&](int64_t place) { return x + size_t(place) * stride; };
    float* const to = out + size_t(token) * out_stride;
    for (size_t i = 0; i < columns; i++) to[i] = bias == nullptr ? 0.0f : bias[i];
    for (size_t tap = 0; tap < width; tap++) {
      const int64_t place = place_before(batch, sequence, token, int64_t(width - 1 - ahead) - int64_t(tap));
      if (place < 0) continue;
      const float *const b = row(place), *const value = b + 2 * columns, *const weight = taps + tap * columns;
      for (size_t i = 0; i < columns; i++) to[i] += weight[i] * (b[i] * value[i]);
    }
    const float* const c = row(token) + columns;
    for (size_t i = 0; i < columns; i++) to[i] *= c[i];
  }

 private:
  /// The row of the token `back` places before, which its text's beginning may have, or as many behind where
  /// that is negative; -1 where there is none.
  static int64_t place_before(const PackedBatch& batch, int64_t sequence, int64_t token, int64_t back) {
    const int64_t first = batch.cu_seqlens[size_t(sequence)];
    if (token - back >= batch.cu_seqlens[size_t(sequence) + 1]) return -1;
    if (token - back >= first) return token - back;
    const int64_t prefix = batch.prefixes.empty() ? -1 : batch.prefixes[size_t(sequence)];
    if (prefix < 0) return -1;
    const int64_t place = batch.cu_seqlens[size_t(prefix) + 1] - (back - (token - first));
    return place >= batch.cu_seqlens[size_t(prefix)] ? place : -1;
  }
};

}  // namespace enc
