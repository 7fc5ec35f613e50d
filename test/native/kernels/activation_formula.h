// The activation functions as their papers write them, apart from what the kernels compute.
#pragma once

#include <cmath>
#include <numbers>

#include "kernels/gemm/gemm.h"

namespace enc::test {

inline double activation_formula(kernels::Activation activation, double x) {
  using kernels::Activation;
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGeluErf:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
  }
  return x;
}

}  // namespace enc::test
