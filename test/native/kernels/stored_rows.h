// Random weights as a model file stores them, and what they mean as numbers.
#pragma once

#include <cmath>
#include <vector>

#include "guarded.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/stored_weight.h"

namespace enc::test {

inline uint16_t f32_to_f16(float value) {  // for normal results only
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t magnitude = (bits & 0x7fffffffu) + 0xfffu + (bits >> 13 & 1);
  if (magnitude < 0x38800000u) return static_cast<uint16_t>(bits >> 16 & 0x8000u);
  return static_cast<uint16_t>((bits >> 16 & 0x8000u) | ((magnitude - 0x38000000u) >> 13));
}

/// n rows of k normal values stored as `type`, at the end of a page, and the same numbers as f32.
struct StoredRows {
  StoredRows(kernels::WeightType stored_type, size_t rows, size_t columns, unsigned seed,
             float deviation = 0.05f)
      : type(stored_type),
        n(rows),
        k(columns),
        bytes(rows * kernels::weight_row_bytes(stored_type, columns)) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0f, deviation);
    const size_t row_bytes = kernels::weight_row_bytes(type, k);
    for (size_t r = 0; r < n; r++) {
      unsigned char* row = bytes.data() + r * row_bytes;
      if (type == kernels::WeightType::kQ8_0) {
        store_q8_0(row, random, normal);
      } else {
        for (size_t i = 0; i < k; i++) store(row, i, normal(random));
      }
      for (size_t i = 0; i < k; i++) values.push_back(kernels::stored_weight(type, row, i));
    }
  }

  kernels::WeightType type;
  size_t n, k;
  Guarded<unsigned char> bytes;
  std::vector<float> values;  // [n, k]

 private:
  void store(unsigned char* row, size_t i, float value) {
    uint16_t half;
    switch (type) {
      case kernels::WeightType::kF32:
        std::memcpy(row + i * 4, &value, 4);
        return;
      case kernels::WeightType::kF16:
        half = f32_to_f16(value);
        break;
      default:
        half = kernels::f32_to_bf16(value);
        break;
    }
    std::memcpy(row + i * 2, &half, 2);
  }

  // Blocks with very different scales; what lies behind column k in the last block must not matter.
  void store_q8_0(unsigned char* row, std::mt19937& random, std::normal_distribution<float>& normal) {
    for (size_t block = 0; block < k; block += 32, row += 34) {
      const uint16_t scale = f32_to_f16(std::fabs(normal(random)) / 127 + 1e-4f);
      std::memcpy(row, &scale, 2);
      for (size_t i = 0; i < 32; i++)
        row[2 + i] = static_cast<unsigned char>(static_cast<int>(random() % 256) - 128);
    }
  }
};

}  // namespace enc::test
