// One stored weight as f32, in plain C++: for the scalar oracles and the parts of `pack` that need no speed.
#pragma once

#include <cstring>

#include "kernels/gemm/gemm.h"

namespace enc::kernels {
namespace {

[[maybe_unused]] inline float f32_from_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

[[maybe_unused]] inline float f16_to_f32(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16, magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00)
    return f32_from_bits(sign | 0x7f800000u | (magnitude & 0x3ff) << 13);  // infinite or NaN
  if (magnitude < 0x0400) {                                                // subnormal: a count of 2^-24
    const float value = static_cast<float>(magnitude) * 5.9604644775390625e-8f;
    return sign ? -value : value;
  }
  return f32_from_bits(sign | ((magnitude << 13) + 0x38000000u));
}

[[maybe_unused]] inline float bf16_to_f32(uint16_t half) {
  return f32_from_bits(uint32_t{half} << 16);
}

/// To the nearest bf16, ties to even; NaN stays a quiet NaN.
[[maybe_unused]] inline uint16_t f32_to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

/// Element `column` of a stored row.
[[maybe_unused]] inline float stored_weight(WeightType type, const unsigned char* row, size_t column) {
  uint16_t half = 0;
  switch (type) {
    case WeightType::kF32: {
      float value;
      std::memcpy(&value, row + column * 4, 4);
      return value;
    }
    case WeightType::kF16:
      std::memcpy(&half, row + column * 2, 2);
      return f16_to_f32(half);
    case WeightType::kBf16:
      std::memcpy(&half, row + column * 2, 2);
      return bf16_to_f32(half);
    case WeightType::kQ8_0: {
      const unsigned char* block = row + column / 32 * 34;
      std::memcpy(&half, block, 2);
      return f16_to_f32(half) * static_cast<float>(static_cast<int8_t>(block[2 + column % 32]));
    }
  }
  return 0;
}

}  // namespace
}  // namespace enc::kernels
