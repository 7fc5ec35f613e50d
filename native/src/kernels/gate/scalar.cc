// The oracle of gate and the fallback on CPUs without AVX2: the formula in double.
#include <cmath>

#include "kernels/gate/gate.h"

namespace enc::kernels {
namespace {

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGeluErf:
      return 0.5 * x * std::erfc(-x * 0.70710678118654752);
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
  }
  return x;
}

void run(const GateArgs& a) noexcept {
  for (size_t r = 0; r < a.rows; r++) {
    const float* x = a.x + r * a.x_stride;
    for (size_t i = 0; i < a.columns; i++) {
      a.y[r * a.y_stride + i] =
          static_cast<float>(activated(a.activation, double{x[i]}) * double{x[a.columns + i]});
    }
  }
}

}  // namespace

extern const GateKernel gate_scalar;
const GateKernel gate_scalar = {"gate_scalar", run};

}  // namespace enc::kernels
