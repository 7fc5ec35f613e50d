// add_layer_norm: every variant against loops in double.
#include "kernels/add_layer_norm/add_layer_norm.h"

#include <cmath>

#include "check.h"
#include "guarded.h"
#include "runnable.h"
#include "tolerances.h"

namespace enc::test {
namespace {

using namespace kernels;

struct Problem {
  size_t rows, columns, stride;
  Guarded<float> x, residual, gamma, beta;

  Problem(size_t row_count, size_t column_count)
      : rows(row_count),
        columns(column_count),
        stride(column_count + 3),
        x((row_count - 1) * stride + column_count),
        residual(x.size()),
        gamma(column_count),
        beta(column_count) {
    fill_normal(x, 1);
    fill_normal(residual, 2, 3);
    fill_normal(gamma, 3);
    fill_normal(beta, 4);
    for (size_t i = 0; i < x.size(); i++)
      x[i] += 5;  // a mean far from zero, where one pass in f32 would cancel
  }

  double error(const Guarded<float>& y, const AddLayerNormArgs& a) const {
    double worst = 0;
    for (size_t r = 0; r < rows; r++) {
      double mean = 0, squares = 0;
      const auto value = [&](size_t c) {
        return double{x[r * stride + c]} + (a.residual ? residual[r * stride + c] : 0);
      };
      if (a.kind == NormKind::kLayer) {
        for (size_t c = 0; c < columns; c++) mean += value(c) / static_cast<double>(columns);
      }
      for (size_t c = 0; c < columns; c++) squares += (value(c) - mean) * (value(c) - mean);
      const double scale =
          a.kind == NormKind::kNone ? 1 : 1 / std::sqrt(squares / static_cast<double>(columns) + a.eps);
      for (size_t c = 0; c < columns; c++) {
        const double expected = (value(c) - mean) * scale * (a.gamma ? gamma[c] : 1) + (a.beta ? beta[c] : 0);
        const double error = std::fabs(y[r * stride + c] - expected) / (1 + std::fabs(expected));
        if (!(error <= worst)) worst = std::isnan(error) ? INFINITY : error;
      }
    }
    return worst;
  }
};

TEST(add_layer_norm_matches_double) {
  for (const AddLayerNormKernel* kernel : runnable<AddLayerNormKernel>()) {
    for (size_t columns : {2, 7, 16, 26, 63, 128, 312, 384, 768, 1025}) {
      Problem p(5, columns);
      for (int options = 0; options < 12; options++) {
        Guarded<float> y(p.x.size());
        fill_poison(y);
        AddLayerNormArgs a;
        a.rows = p.rows, a.columns = columns, a.eps = 1e-5f;
        a.x = p.x.data(), a.x_stride = a.residual_stride = a.y_stride = p.stride;
        a.y = y.data();
        constexpr NormKind kKinds[] = {NormKind::kLayer, NormKind::kRms, NormKind::kNone};
        a.kind = kKinds[options / 4];
        if (options & 1) a.residual = p.residual.data();
        if (options & 2) a.gamma = p.gamma.data(), a.beta = p.beta.data();
        kernel->run(a);
        const double error = p.error(y, a);
        if (error > kLayerNorm) std::fprintf(stderr, "%s columns %zu: %g\n", kernel->name, columns, error);
        CHECK(error <= kLayerNorm);
        CHECK(y.intact());
        for (size_t i = 0; i < y.size(); i++) CHECK(is_poison(y[i]) == (i % p.stride >= columns));
      }
    }
  }
}

TEST(add_layer_norm_in_place_and_row_by_row) {
  for (const AddLayerNormKernel* kernel : runnable<AddLayerNormKernel>()) {
    Problem p(6, 312);
    Guarded<float> y(p.x.size()), single(p.x.size());
    AddLayerNormArgs a;
    a.rows = p.rows, a.columns = p.columns;
    a.x = p.x.data(), a.residual = p.residual.data(), a.gamma = p.gamma.data(), a.beta = p.beta.data();
    a.x_stride = a.residual_stride = a.y_stride = p.stride;
    a.y = y.data();
    kernel->run(a);
    for (size_t r = 0; r < p.rows; r++) {
      AddLayerNormArgs one = a;
      one.rows = 1, one.x += r * p.stride, one.residual += r * p.stride, one.y = single.data() + r * p.stride;
      kernel->run(one);
      CHECK(std::memcmp(one.y, y.data() + r * p.stride, p.columns * sizeof(float)) == 0);
    }
    a.y = p.residual.data();
    kernel->run(a);
    for (size_t r = 0; r < p.rows; r++) {
      CHECK(std::memcmp(a.y + r * p.stride, y.data() + r * p.stride, p.columns * sizeof(float)) == 0);
    }
  }
}

TEST(add_layer_norm_of_equal_values_is_beta) {
  for (const AddLayerNormKernel* kernel : runnable<AddLayerNormKernel>()) {
    Guarded<float> x(128), y(128), beta(128);
    for (size_t i = 0; i < 128; i++) x[i] = 4.25f, beta[i] = static_cast<float>(i);
    AddLayerNormArgs a;
    a.rows = 1, a.columns = 128, a.x = x.data(), a.y = y.data(), a.beta = beta.data(), a.eps = 1e-12f;
    kernel->run(a);
    for (size_t i = 0; i < 128; i++) CHECK(y[i] == beta[i]);
  }
}

TEST(add_layer_norm_without_the_norm_adds) {
  for (const AddLayerNormKernel* kernel : runnable<AddLayerNormKernel>()) {
    for (size_t columns : {1, 7, 16, 63, 312}) {
      Problem p(5, columns);
      Guarded<float> y(p.x.size());
      fill_poison(y);
      AddLayerNormArgs a;
      a.rows = p.rows, a.columns = columns, a.normalize = false;
      a.x = p.x.data(), a.residual = p.residual.data(), a.y = y.data();
      a.x_stride = a.residual_stride = a.y_stride = p.stride;
      kernel->run(a);
      CHECK(y.intact());
      for (size_t r = 0; r < p.rows; r++) {
        for (size_t c = 0; c < columns; c++)
          CHECK(y[r * p.stride + c] == p.x[r * p.stride + c] + p.residual[r * p.stride + c]);
      }
    }
  }
}

}  // namespace
}  // namespace enc::test
