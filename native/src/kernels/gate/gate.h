// y = activation(x) * factor, which are the halves of a row, gated linear units, or rows of their own.
#pragma once

#include "kernels/gemm/gemm.h"

namespace enc::kernels {

/// Strides count elements; any alignment. y must not overlap what is read.
struct GateArgs {
  size_t rows = 0;
  size_t columns = 0;        ///< of y
  const float* x = nullptr;  ///< f32[rows, 2 * columns]; f32[rows, columns] beside a factor of its own
  size_t x_stride = 0;
  Activation activation = Activation::kNone;
  float* y = nullptr;  ///< f32[rows, columns]
  size_t y_stride = 0;
  const float* factor = nullptr;  ///< f32[rows, columns]; null: the second half of x's rows
  size_t factor_stride = 0;
};

struct GateKernel {
  const char* name;
  void (*run)(const GateArgs& args) noexcept;
};

}  // namespace enc::kernels
