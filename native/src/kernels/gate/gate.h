// y = activation(first half of a row) * second half: gated linear units.
#pragma once

#include "kernels/gemm/gemm.h"

namespace enc::kernels {

/// Strides count elements; any alignment. y must not overlap x.
struct GateArgs {
  size_t rows = 0;
  size_t columns = 0;        ///< of y
  const float* x = nullptr;  ///< f32[rows, 2 * columns]
  size_t x_stride = 0;
  Activation activation = Activation::kNone;
  float* y = nullptr;  ///< f32[rows, columns]
  size_t y_stride = 0;
};

struct GateKernel {
  const char* name;
  void (*run)(const GateArgs& args) noexcept;
};

}  // namespace enc::kernels
