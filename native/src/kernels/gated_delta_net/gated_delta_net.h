// The gated delta rule: linear attention whose state, a matrix for each head, forgets by a gate of its own
// and is corrected by what it does not yet give for a token's key.
#pragma once

#include <cstddef>
#include <cstdint>

namespace enc::kernels {

/// One value head of one sequence. Of a token, q, k and v are the head's columns of x after a causal
/// convolution over `width` tokens, zeros before the first, and SiLU; q and k are divided by their length,
/// the root of their squares' sum and kLengthEps, q by the root of head_size besides. With beta = sigmoid of
/// the head's first gate and decay = e^(rate * ln(1 + e^(second gate + shift))), the state S [head_size,
/// head_size] becomes
///   S = decay S;  S = S + k (beta (v - k . S))^T;  out = q . S.
/// Strides count elements; any alignment. out and state must not overlap what is read.
struct GatedDeltaNetArgs {
  size_t tokens = 0;
  size_t head = 0;
  size_t key_heads = 0;  ///< each shared by the same number of value heads, next to each other
  size_t value_heads = 0;
  size_t head_size = 0;
  size_t width = 0;  ///< up to kMaxTaps
  const float* x =
      nullptr;  ///< f32[tokens, (2 * key_heads + value_heads) * head_size], queries, keys, values
  size_t x_stride = 0;
  /// Rows as those of x, of the last tokens before the first: width - 1, or as many as there are. Not read
  /// where nothing stands before it.
  const float* before = nullptr;
  size_t tokens_before = 0;
  const float* conv = nullptr;   ///< f32[columns of x, width], the last for the token itself
  const float* gates = nullptr;  ///< f32[tokens, 2 * value_heads]
  size_t gates_stride = 0;
  const float* rate = nullptr;   ///< f32[value_heads]
  const float* shift = nullptr;  ///< f32[value_heads]
  float* out = nullptr;          ///< f32[tokens, value_heads * head_size], of which the head's columns
  size_t out_stride = 0;
  /// state_bytes(head_size) bytes, 64-byte aligned: what the last token leaves, in an order of the kernel's
  /// own. Where their number is a multiple of kTokensTogether, a copy continues the sequence with the bits
  /// that it has in one call.
  void* state = nullptr;
  bool continues = false;   ///< the state is what the token before the first left; else it is zeros
  void* scratch = nullptr;  ///< scratch_bytes(head_size, width) bytes, 64-byte aligned, private to the call
};

inline constexpr float kLengthEps = 1e-6f;
inline constexpr size_t kMaxTaps = 16;
/// Tokens of a sequence that are computed together, counted from its first.
inline constexpr size_t kTokensTogether = 2;

struct GatedDeltaNetKernel {
  const char* name;
  /// Multiples of 64.
  size_t (*state_bytes)(size_t head_size) noexcept;
  size_t (*scratch_bytes)(size_t head_size, size_t width) noexcept;
  void (*run)(const GatedDeltaNetArgs& args) noexcept;
};

}  // namespace enc::kernels
