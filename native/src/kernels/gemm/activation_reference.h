// The activation functions in double, for the oracles.
#pragma once

#include <cmath>

#include "kernels/gemm/gemm.h"

namespace enc::kernels {
namespace {

inline double activation_reference(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGeluErf:
      return 0.5 * x * std::erfc(-x * 0.70710678118654752);
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
    case Activation::kRelu:
      return x < 0 ? 0 : x;
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kGeluQuick:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kGeluTen:
      return x > 10 ? 10 : activation_reference(Activation::kGeluErf, x);
    case Activation::kMish:
      return x * std::tanh(x > 40 ? x : std::log1p(std::exp(x)));
    case Activation::kRelu6:
      return x < 0 ? 0 : x > 6 ? 6 : x;
    case Activation::kReluSquared:
      return x < 0 ? 0 : x * x;
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return x;
}

}  // namespace
}  // namespace enc::kernels
