// gate: every variant against the formula in double.
#include "kernels/gate/gate.h"

#include <cmath>
#include <cstring>

#include "activation_formula.h"
#include "check.h"
#include "guarded.h"
#include "runnable.h"
#include "tolerances.h"

namespace enc::test {
namespace {

using namespace kernels;

TEST(gate_matches_double) {
  for (const GateKernel* kernel : runnable<GateKernel>()) {
    for (size_t columns : {1, 7, 16, 26, 63, 128, 1025}) {
      constexpr size_t kRows = 5;
      const size_t x_stride = 2 * columns + 3, y_stride = columns + 1;
      Guarded<float> x((kRows - 1) * x_stride + 2 * columns);
      fill_normal(x, 1, 3);
      for (const Activation activation : kActivations) {
        Guarded<float> y((kRows - 1) * y_stride + columns);
        fill_poison(y);
        GateArgs a;
        a.rows = kRows, a.columns = columns, a.activation = activation;
        a.x = x.data(), a.x_stride = x_stride, a.y = y.data(), a.y_stride = y_stride;
        kernel->run(a);
        CHECK(y.intact());
        // The same halves as two operands.
        Guarded<float> own((kRows - 1) * x_stride + columns), parted(y.size());
        for (size_t i = 0; i < own.size(); i++) own[i] = x[i + columns];
        fill_poison(parted);
        a.factor = own.data(), a.factor_stride = x_stride, a.y = parted.data();
        kernel->run(a);
        CHECK(parted.intact() && std::memcmp(parted.data(), y.data(), y.size() * sizeof(float)) == 0);
        for (size_t r = 0; r < kRows; r++) {
          for (size_t c = 0; c < columns; c++) {
            const double factor = x[r * x_stride + columns + c];
            const double expected = activation_formula(activation, x[r * x_stride + c]) * factor;
            const double bound = kActivation * (1 + std::fabs(factor)) * (1 + std::fabs(x[r * x_stride + c]));
            CHECK(std::fabs(y[r * y_stride + c] - expected) <= bound);
          }
          if (r + 1 < kRows) CHECK(std::isnan(y[r * y_stride + columns]));
        }
      }
    }
  }
}

}  // namespace
}  // namespace enc::test
