// The oracle of gate and the fallback on all other CPUs: the formula in double.
#include "kernels/gate/gate.h"
#include "kernels/gemm/activation_reference.h"

namespace enc::kernels {
namespace {

void run(const GateArgs& a) noexcept {
  for (size_t r = 0; r < a.rows; r++) {
    const float* x = a.x + r * a.x_stride;
    const float* factor = a.factor ? a.factor + r * a.factor_stride : x + a.columns;
    for (size_t i = 0; i < a.columns; i++) {
      a.y[r * a.y_stride + i] =
          static_cast<float>(activation_reference(a.activation, double{x[i]}) * double{factor[i]});
    }
  }
}

}  // namespace

extern const GateKernel gate_scalar;
const GateKernel gate_scalar = {"gate_scalar", run};

}  // namespace enc::kernels
