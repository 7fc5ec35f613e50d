// rotate_heads: every variant against complex multiplication in double.
#include "kernels/rotate_heads/rotate_heads.h"

#include <cmath>
#include <complex>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "runnable.h"
#include "tolerances.h"

namespace enc::test {
namespace {

using namespace kernels;

struct Shape {
  size_t head_size, rotated;
};

enum class Norms { kNone, kRms, kLayer, kLayerOfEachHead };

void check_variant(const RotateHeadsKernel& kernel, Shape shape, Norms norms) {
  constexpr size_t kTokens = 6, kHeads = 3, kPositions = 9;
  const size_t d = shape.head_size, half = shape.rotated / 2, stride = kHeads * d + 5;
  const bool normalizes = norms != Norms::kNone;
  const bool centers = norms == Norms::kLayer || norms == Norms::kLayerOfEachHead;
  const bool has_beta = norms == Norms::kLayer;
  const size_t norm_stride = norms == Norms::kLayerOfEachHead ? d : 0;
  Guarded<float> x((kTokens - 1) * stride + kHeads * d), y(x.size());
  Guarded<float> gamma(norm_stride == 0 ? d : kHeads * d), beta(d);
  Guarded<float> angles(kPositions * half), cos(kPositions * half), sin(kPositions * half);
  fill_normal(x, 1, 2);
  fill_normal(gamma, 2);
  fill_normal(beta, 4);
  fill_normal(angles, 3, 10);
  fill_poison(y);
  for (size_t i = 0; i < angles.size(); i++) cos[i] = std::cos(angles[i]), sin[i] = std::sin(angles[i]);
  const std::vector<int32_t> positions = {0, 1, 8, 3, 3, 2};
  RotateHeadsArgs a;
  a.tokens = kTokens, a.heads = kHeads, a.head_size = d, a.rotated = shape.rotated;
  a.x = x.data(), a.y = y.data(), a.x_stride = a.y_stride = stride;
  a.gamma = normalizes ? gamma.data() : nullptr, a.eps = 1e-6f;
  a.beta = has_beta ? beta.data() : nullptr, a.norm_stride = norm_stride;
  a.kind = centers ? NormKind::kLayer : NormKind::kRms;
  a.cos = cos.data(), a.sin = sin.data(), a.positions = positions.data();
  kernel.run(a);
  CHECK(y.intact());
  for (size_t t = 0; t < kTokens; t++) {
    for (size_t head = 0; head < kHeads; head++) {
      const size_t at = t * stride + head * d;
      double sum = 0, squares = 0;
      for (size_t i = 0; i < d; i++) sum += x[at + i];
      const double mean = centers ? sum / static_cast<double>(d) : 0;
      for (size_t i = 0; i < d; i++) squares += (x[at + i] - mean) * (x[at + i] - mean);
      const double scale = normalizes ? 1 / std::sqrt(squares / static_cast<double>(d) + 1e-6) : 1;
      const auto value = [&](size_t i) {
        const double factor = normalizes ? double{gamma[head * norm_stride + i]} : 1;
        return (x[at + i] - mean) * scale * factor + (has_beta ? double{beta[i]} : 0);
      };
      for (size_t i = 0; i < half; i++) {
        const std::complex<double> turned =
            std::complex<double>(value(i), value(i + half)) *
            std::polar(1.0, double{angles[static_cast<size_t>(positions[t]) * half + i]});
        CHECK(std::fabs(y[at + i] - turned.real()) <= kLayerNorm * (1 + std::abs(turned)));
        CHECK(std::fabs(y[at + half + i] - turned.imag()) <= kLayerNorm * (1 + std::abs(turned)));
      }
      for (size_t i = shape.rotated; i < d; i++)
        CHECK(std::fabs(y[at + i] - value(i)) <= kLayerNorm * (1 + std::fabs(value(i))));
    }
    if (t + 1 < kTokens) CHECK(std::isnan(y[t * stride + kHeads * d]));
  }
}

TEST(rotate_heads_matches_double) {
  for (const RotateHeadsKernel* kernel : runnable<RotateHeadsKernel>()) {
    for (const Shape shape : {Shape{2, 2}, Shape{16, 16}, Shape{26, 26}, Shape{64, 64}, Shape{64, 32},
                              Shape{128, 128}, Shape{80, 20}, Shape{256, 256}}) {
      for (const Norms norms : {Norms::kNone, Norms::kRms, Norms::kLayer, Norms::kLayerOfEachHead})
        check_variant(*kernel, shape, norms);
    }
  }
}

}  // namespace
}  // namespace enc::test
