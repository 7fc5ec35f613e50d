// y = rotary position embedding of every head of x, after a norm of the head where the model has one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/add_layer_norm/add_layer_norm.h"

namespace enc::kernels {

/// Column i of a head turns with column i + rotated / 2 by the angle of its position:
///   y[i] = x[i] cos - x[i + rotated / 2] sin,  y[i + rotated / 2] = x[i + rotated / 2] cos + x[i] sin.
/// Strides count elements; any alignment. y must not overlap x.
struct RotateHeadsArgs {
  size_t tokens = 0;
  size_t heads = 0;
  size_t head_size = 0;
  const float* x = nullptr;  ///< f32[tokens, heads * head_size]
  size_t x_stride = 0;
  const float* gamma =
      nullptr;                  ///< f32[head_size]: heads are normalized and scaled by it; null: they are not
  const float* beta = nullptr;  ///< f32[head_size], added to normalized heads; may be null
  size_t norm_stride = 0;       ///< from one head's gamma and beta to the next one's; 0: all heads share them
  NormKind kind = NormKind::kRms;
  float eps = 0;
  const float* cos = nullptr;          ///< f32[positions, rotated / 2]
  const float* sin = nullptr;          ///< f32[positions, rotated / 2]
  size_t rotated = 0;                  ///< leading columns of a head that turn, even; the others are copied
  const int32_t* positions = nullptr;  ///< i32[tokens], rows of cos and sin
  float* y = nullptr;                  ///< f32[tokens, heads * head_size]
  size_t y_stride = 0;
};

struct RotateHeadsKernel {
  const char* name;
  void (*run)(const RotateHeadsArgs& args) noexcept;
};

}  // namespace enc::kernels
