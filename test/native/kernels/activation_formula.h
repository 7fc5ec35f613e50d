// The activation functions as their papers write them, apart from what the kernels compute.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/gemm/gemm.h"

namespace enc::test {

inline constexpr kernels::Activation kActivations[] = {
    kernels::Activation::kNone,  kernels::Activation::kGeluErf,     kernels::Activation::kGeluTanh,
    kernels::Activation::kRelu,  kernels::Activation::kTanh,        kernels::Activation::kSilu,
    kernels::Activation::kMish,  kernels::Activation::kGeluQuick,   kernels::Activation::kGeluTen,
    kernels::Activation::kRelu6, kernels::Activation::kReluSquared, kernels::Activation::kSigmoid};

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
    case Activation::kGeluQuick:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kGeluTen:
      return std::min(activation_formula(Activation::kGeluErf, x), 10.0);
    case Activation::kMish:
      return x * std::tanh(x > 700 ? x : std::log1p(std::exp(x)));
    case Activation::kRelu6:
      return std::clamp(x, 0.0, 6.0);
    case Activation::kReluSquared:
      return x > 0 ? x * x : 0;
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return x;
}

}  // namespace enc::test
