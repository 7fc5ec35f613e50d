// y = norm(x + residual) * gamma + beta, row by row: the end, or the beginning, of every attention and
// feed-forward block. Without the norm it is the sum alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace enc::kernels {

enum class NormKind : uint8_t {
  kLayer,  ///< (v - mean) / sqrt(variance + eps), variance over all columns, mean of squared deviations (two
           ///< passes)
  kRms,    ///< v / sqrt(mean of squares + eps)
  kNone,   ///< v: only gamma and beta are applied
};

/// Strides count elements. y may be x or residual itself (same pointer and stride); any other overlap is
/// wrong. Sums run in f32 over several interleaved partial sums: relative error about 1e-6 up to 8192
/// columns.
struct AddLayerNormArgs {
  size_t rows = 0;
  size_t columns = 0;        ///< >= 1
  const float* x = nullptr;  ///< f32[rows, columns]
  size_t x_stride = 0;
  const float* residual = nullptr;  ///< f32[rows, columns], or null
  size_t residual_stride = 0;
  const float* gamma = nullptr;  ///< f32[columns], or null for ones
  const float* beta = nullptr;   ///< f32[columns], or null for zeros
  float eps = 1e-12f;
  bool normalize = true;  ///< false: y = x + residual; gamma, beta, eps and kind are unused
  NormKind kind = NormKind::kLayer;
  float* y = nullptr;  ///< f32[rows, columns]
  size_t y_stride = 0;
};

struct AddLayerNormKernel {
  const char* name;
  void (*run)(const AddLayerNormArgs& args) noexcept;
};

}  // namespace enc::kernels
