// The oracle of add_layer_norm and the fallback on all other CPUs: the formula, with sums in double.
#include <cmath>

#include "kernels/add_layer_norm/add_layer_norm.h"

namespace enc::kernels {
namespace {

void run(const AddLayerNormArgs& a) noexcept {
  for (size_t r = 0; r < a.rows; r++) {
    const float* x = a.x + r * a.x_stride;
    const float* residual = a.residual ? a.residual + r * a.residual_stride : nullptr;
    float* y = a.y + r * a.y_stride;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < a.columns; i++) {
      y[i] = residual ? x[i] + residual[i] : x[i];
      sum += y[i];
    }
    if (!a.normalize) continue;
    const double mean = a.kind == NormKind::kLayer ? sum / static_cast<double>(a.columns) : 0;
    for (size_t i = 0; i < a.columns; i++) squares += (y[i] - mean) * (y[i] - mean);
    const double scale =
        a.kind == NormKind::kNone ? 1 : 1 / std::sqrt(squares / static_cast<double>(a.columns) + a.eps);
    for (size_t i = 0; i < a.columns; i++) {
      const double v = (y[i] - mean) * scale;
      y[i] = static_cast<float>(v * (a.gamma ? a.gamma[i] : 1) + (a.beta ? a.beta[i] : 0));
    }
  }
}

}  // namespace

extern const AddLayerNormKernel add_layer_norm_scalar;
const AddLayerNormKernel add_layer_norm_scalar = {"add_layer_norm_scalar", run};

}  // namespace enc::kernels
