// The gated delta rule: linear attention whose state, a matrix for each head, forgets by a gate of its own
// and is corrected by what it does not yet give for a token's key.
#pragma once

#include <cstddef>
#include <cstdint>

namespace enc::kernels {

/// Of a sequence's token t and a value head: q, k and v are its columns of x after a causal convolution over
/// `width` tokens, zeros before the first, and SiLU; q and k are divided by their length, the root of their
/// squares' sum and kLengthEps, q by the root of head_size besides. With beta = sigmoid of the head's first
/// gate and decay = e^(rate * ln(1 + e^(second gate + shift))), the state S [head_size, head_size], zeros at
/// first, becomes
///   S = decay S;  S = S + k (beta (v - k . S))^T;  out = q . S.
/// Strides count elements; any alignment. out must not overlap what is read.
struct GatedDeltaNetArgs {
  const int32_t* cu_seqlens = nullptr;  ///< i32[sequences + 1], where each begins
  size_t sequence_begin = 0, sequence_end = 0;
  size_t head_begin = 0, head_end = 0;  ///< value heads; the others are left alone
  size_t key_heads = 0;                 ///< each shared by the same number of value heads, next to each other
  size_t value_heads = 0;
  size_t head_size = 0;
  size_t width = 0;
  const float* x =
      nullptr;  ///< f32[tokens, (2 * key_heads + value_heads) * head_size], queries, keys, values
  size_t x_stride = 0;
  const float* conv = nullptr;   ///< f32[columns of x, width], the last for the token itself
  const float* gates = nullptr;  ///< f32[tokens, 2 * value_heads]
  size_t gates_stride = 0;
  const float* rate = nullptr;   ///< f32[value_heads]
  const float* shift = nullptr;  ///< f32[value_heads]
  float* out = nullptr;          ///< f32[tokens, value_heads * head_size]
  size_t out_stride = 0;
  void* scratch = nullptr;  ///< scratch_bytes(head_size, width) bytes, 64-byte aligned, private to the call
};

inline constexpr float kLengthEps = 1e-6f;

struct GatedDeltaNetKernel {
  const char* name;
  /// A multiple of 64.
  size_t (*scratch_bytes)(size_t head_size, size_t width) noexcept;
  void (*run)(const GatedDeltaNetArgs& args) noexcept;
};

}  // namespace enc::kernels
