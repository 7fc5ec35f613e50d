// Every gemm variant that this machine can run against the scalar one, the scalar one against loops in
// double.
#include "kernels/gemm/gemm.h"

#include <cmath>
#include <thread>
#include <vector>

#include "activation_formula.h"
#include "check.h"
#include "guarded.h"
#include "runnable.h"
#include "stored_rows.h"
#include "tolerances.h"

namespace enc::test {
namespace {

using namespace kernels;

bool name_has(const GemmKernel& kernel, const char* part) {
  return std::strstr(kernel.name, part) != nullptr;
}
/// Whether a kernel rounds blocks of 32 of x to integers: to 127 steps either way of zero, or (AVX2) to 127
/// over the range of the block, which has zeros where k does not fill it.
bool multiplies_integers(const GemmKernel& kernel) {
  return name_has(kernel, "vnni") || name_has(kernel, "dotprod") || name_has(kernel, "q8_0_avx2");
}

void round_block(const GemmKernel& kernel, const float* x, size_t count, double* values) {
  float least = count < 32 ? 0 : x[0], most = least;
  for (size_t i = 0; i < count; i++) least = std::fmin(least, x[i]), most = std::fmax(most, x[i]);
  // Half of the 127 steps: all of them may be more than an f32 holds.
  float half = std::fmax(most, -least) / 2;
  if (name_has(kernel, "q8_0_avx2")) half = std::fmax(most / 2 - least / 2, half * (127.0f / 16383));
  const float inverse = half > 0 ? 63.5f / half : 0;
  for (size_t i = 0; i < count; i++)
    values[i] = double{std::nearbyint(x[i] * inverse)} * (half * (2.0f / 127));
}

double tolerance(const GemmKernel& kernel) {
  return name_has(kernel, "512_bf16") || name_has(kernel, "amx") ? kDotProductBf16Unit : kDotProduct;
}

/// What x[row][i] counts as in a kernel's arithmetic.
std::vector<double> effective_row(const GemmKernel& kernel, const float* x, size_t k) {
  std::vector<double> values(x, x + k);
  if (kernel.type == WeightType::kBf16 || name_has(kernel, "amx_bf16")) {
    for (size_t i = 0; i < k; i++) values[i] = bf16_to_f32(f32_to_bf16(x[i]));
  } else if (multiplies_integers(kernel)) {
    for (size_t block = 0; block < k; block += 32)
      round_block(kernel, x + block, block + 32 < k ? 32 : k - block, values.data() + block);
  }
  return values;
}

/// x, w and bias of one product, and its reference in double with the scale of its rounding errors.
struct Problem {
  size_t m, n, k, x_stride;
  Guarded<float> x;
  StoredRows w;
  Guarded<float> bias;
  std::vector<double> expected, magnitude;  // [m, n]

  Problem(const GemmKernel& kernel, size_t rows, size_t columns, size_t depth, size_t stride_extra = 0)
      : m(rows),
        n(columns),
        k(depth),
        x_stride(depth + stride_extra),
        x((rows - 1) * x_stride + depth),
        w(kernel.type, columns, depth, 7),
        bias(columns),
        expected(rows * columns),
        magnitude(rows * columns) {
    fill_normal(x, 1);
    fill_normal(bias, 2);
    for (size_t r = 0; r + 1 < m; r++) {  // what lies between rows must not be read
      for (size_t i = k; i < x_stride; i++) x[r * x_stride + i] = NAN;
    }
    expect(kernel);
  }

  /// Computes the reference for x as it is now.
  void expect(const GemmKernel& kernel) {
    const bool rounds_weights = kernel.type == WeightType::kQ8_0 && name_has(kernel, "amx_bf16");
    for (size_t r = 0; r < m; r++) {
      const std::vector<double> row = effective_row(kernel, x.data() + r * x_stride, k);
      for (size_t c = 0; c < n; c++) {
        double sum = bias[c], scale = std::fabs(bias[c]);
        for (size_t i = 0; i < k; i++) {
          const float weight = w.values[c * k + i];
          const double product = row[i] * (rounds_weights ? bf16_to_f32(f32_to_bf16(weight)) : weight);
          sum += product;
          scale += std::fabs(product);
        }
        expected[r * n + c] = sum;
        magnitude[r * n + c] = scale;
      }
    }
  }
};

/// Packs w in three streamed pieces that end on no panel's edge.
void pack_in_pieces(const GemmKernel& kernel, const StoredRows& w, Aligned& packed) {
  const size_t row_bytes = weight_row_bytes(w.type, w.k);
  const size_t cut[] = {0, w.n / 3, w.n / 3 + w.n / 5, w.n};
  for (size_t i = 0; i < 3; i++) {
    kernel.pack(w.bytes.data() + cut[i] * row_bytes, cut[i], cut[i + 1] - cut[i], w.n, w.k, packed.data());
  }
}

GemmArgs arguments(const Problem& p, Aligned& packed, Aligned& scratch, Guarded<float>& y, size_t y_stride) {
  GemmArgs a;
  a.m = p.m, a.n = p.n, a.k = p.k;
  a.x = p.x.data(), a.x_stride = p.x_stride;
  a.packed = packed.data();
  a.bias = p.bias.data();
  a.y = y.data(), a.y_stride = y_stride;
  a.scratch = scratch.data();
  return a;
}

/// Largest error of y in units of the tolerance; infinite when an element was not written or one beside was.
double worst_error(const GemmKernel& kernel, const Problem& p, const Guarded<float>& y, size_t y_stride) {
  double worst = 0;
  for (size_t r = 0; r < p.m; r++) {
    for (size_t c = 0; c < y_stride && r * y_stride + c < y.size(); c++) {
      const float got = y[r * y_stride + c];
      if (c >= p.n) {
        if (!is_poison(got)) return INFINITY;
        continue;
      }
      const double error =
          std::fabs(got - p.expected[r * p.n + c]) / (tolerance(kernel) * p.magnitude[r * p.n + c]);
      if (!(error <= worst)) worst = std::isnan(error) ? INFINITY : error;
    }
  }
  return worst;
}

double run_and_compare(const GemmKernel& kernel, const Problem& p, size_t y_extra) {
  Aligned packed(kernel.packed_bytes(p.n, p.k)), scratch(kernel.scratch_bytes(p.m, p.k));
  const size_t y_stride = p.n + y_extra;
  Guarded<float> y((p.m - 1) * y_stride + p.n);
  fill_poison(y);
  pack_in_pieces(kernel, p.w, packed);
  kernel.run(arguments(p, packed, scratch, y, y_stride));
  CHECK(y.intact() && packed.intact() && scratch.intact());
  return worst_error(kernel, p, y, y_stride);
}

TEST(gemm_matches_double_on_every_shape) {
  const size_t shapes[][3] = {{1, 1, 1},      {1, 26, 312},    {7, 48, 33},     {8, 49, 64},
                              {9, 47, 31},    {16, 16, 16},    {3, 312, 312},   {33, 26, 128},
                              {12, 1200, 64}, {17, 100, 129},  {40, 33, 96},    {65, 97, 160},
                              {2, 768, 768},  {5, 96, 3072},   {31, 64, 1},     {32, 32, 32},
                              {150, 50, 288}, {6, 50, 72},     {13, 97, 200},   {11, 312, 1200},
                              {4, 33, 95},    {7, 17, 1},  // and matrices that AMX keeps in q8_0, x in parts:
                              {65, 97, 1400}, {30, 129, 1025}, {200, 60, 2500}, {260, 48, 3072}};
  for (const auto& shape : shapes) {
    for (const GemmKernel* kernel : runnable<GemmKernel>()) {
      const Problem p(*kernel, shape[0], shape[1], shape[2], shape[0] % 3);
      const double error = run_and_compare(*kernel, p, shape[1] % 4);
      if (error > 1) std::fprintf(stderr, "%s m %zu n %zu k %zu: %g\n", kernel->name, p.m, p.n, p.k, error);
      CHECK(error <= 1);
    }
  }
}

/// All rows of p in one call, and in calls of so many each; with an activation, which comes after all of k.
void check_rows(const GemmKernel& kernel, const Problem& p, std::initializer_list<size_t> counts) {
  Aligned packed(kernel.packed_bytes(p.n, p.k)), scratch(kernel.scratch_bytes(p.m, p.k));
  pack_in_pieces(kernel, p.w, packed);
  Guarded<float> whole(p.m * p.n), part(p.m * p.n);
  GemmArgs all = arguments(p, packed, scratch, whole, p.n);
  all.activation = Activation::kGeluErf;
  kernel.run(all);
  for (const size_t rows : counts) {
    Aligned part_scratch(kernel.scratch_bytes(rows, p.k));
    for (size_t row = 0; row + rows <= p.m; row += rows) {
      GemmArgs a = arguments(p, packed, part_scratch, part, p.n);
      a.m = rows, a.x += row * a.x_stride, a.y += row * a.y_stride;
      a.activation = Activation::kGeluErf;
      kernel.run(a);
    }
    const size_t done = p.m / rows * rows * p.n * sizeof(float);
    CHECK(std::memcmp(whole.data(), part.data(), done) == 0);
  }
}

TEST(gemm_row_does_not_depend_on_its_neighbours) {
  for (const GemmKernel* kernel : runnable<GemmKernel>()) {
    for (const size_t k : {size_t{312}, size_t{96}})
      check_rows(*kernel, Problem(*kernel, 141, 75, k), {1, 2, 3, 5, 8, 11, 16, 17, 31, 32, 47, 64});
    check_rows(*kernel, Problem(*kernel, 261, 49, 3072), {1, 33, 87, 261});
  }
}

// Tasks of fewer rows run in the scratch of those of more.
TEST(gemm_scratch_grows_with_rows) {
  for (const GemmKernel* kernel : runnable<GemmKernel>()) {
    for (const size_t k : {26, 768, 3072, 8192}) {
      size_t before = 0;
      for (const size_t m : {1, 16, 17, 100, 128, 200, 256, 300, 1000}) {
        const size_t bytes = kernel->scratch_bytes(m, k);
        CHECK(bytes >= before && bytes % 64 == 0);
        before = bytes;
      }
    }
  }
}

/// All rows of x as the kernel prepares them, a few at a time and not in order.
void prepare_in_pieces(const GemmKernel& kernel, const Problem& p, Aligned& prepared) {
  for (size_t begin = (p.m + kPreparedRows - 1) / kPreparedRows * kPreparedRows; begin > 0;) {
    begin -= kPreparedRows;
    kernel.prepare(p.x.data() + begin * p.x_stride, p.x_stride, std::min(kPreparedRows, p.m - begin), p.k,
                   static_cast<char*>(prepared.data()) + kernel.prepared_bytes(begin, p.k));
  }
}

/// One call against three for a third of the panels each, which prepare the rows or have them prepared.
void check_split(const GemmKernel& kernel, size_t m, size_t k, bool is_prepared) {
  const Problem p(kernel, m, 227, k);
  Aligned prepared(is_prepared ? kernel.prepared_bytes(p.m, p.k) : 0);
  if (is_prepared) prepare_in_pieces(kernel, p, prepared);
  Aligned packed(kernel.packed_bytes(p.n, p.k)), scratch(kernel.scratch_bytes(p.m, p.k));
  kernel.pack(p.w.bytes.data(), 0, p.n, p.n, p.k, packed.data());
  Guarded<float> whole(p.m * p.n), split(p.m * p.n);
  fill_poison(split);
  GemmArgs all = arguments(p, packed, scratch, whole, p.n);
  all.activation = Activation::kGeluErf;
  kernel.run(all);
  const size_t panels = kernel.panel_count(p.n);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 3; t++) {
    threads.emplace_back([&, t] {
      Aligned own(kernel.scratch_bytes(p.m, p.k));
      GemmArgs a = arguments(p, packed, own, split, p.n);
      if (is_prepared) a.x = nullptr, a.prepared = prepared.data();
      a.activation = Activation::kGeluErf;
      a.panel_begin = panels * t / 3, a.panel_end = panels * (t + 1) / 3;
      kernel.run(a);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(std::memcmp(whole.data(), split.data(), p.m * p.n * sizeof(float)) == 0);
  CHECK(prepared.intact());
}

TEST(gemm_split_over_threads_equals_whole) {
  for (const GemmKernel* kernel : runnable<GemmKernel>()) {
    for (const size_t k : {160, 312}) {
      check_split(*kernel, 20, k, false);
      if (kernel->prepare == nullptr) continue;
      CHECK(kernel->prepared_bytes != nullptr);
      for (const size_t m : {1, 20, 141, 300}) check_split(*kernel, m, k, true);
    }
    if (kernel->prepare != nullptr) check_split(*kernel, 65, 2100, true);
  }
}

/// With a NaN in rows 3 and m - 2 of x, the second one in the block that k does not fill.
void check_nan(const GemmKernel& kernel, size_t m, size_t k) {
  Problem p(kernel, m, 50, k);
  p.x[3 * p.x_stride + 5] = NAN;
  p.x[(m - 2) * p.x_stride + k - 1] = NAN;
  Aligned packed(kernel.packed_bytes(p.n, p.k)), scratch(kernel.scratch_bytes(p.m, p.k));
  kernel.pack(p.w.bytes.data(), 0, p.n, p.n, p.k, packed.data());
  for (const Activation activation : kActivations) {
    Guarded<float> y(p.m * p.n);
    GemmArgs a = arguments(p, packed, scratch, y, p.n);
    a.bias = nullptr;
    a.activation = activation;
    kernel.run(a);
    for (size_t i = 0; i < y.size(); i++) CHECK(std::isnan(y[i]) == (i / p.n == 3 || i / p.n == m - 2));
  }
}

TEST(gemm_without_bias_and_with_nan) {
  for (const GemmKernel* kernel : runnable<GemmKernel>()) {
    check_nan(*kernel, 9, 72);
    check_nan(*kernel, 37, 3000);  // AMX keeps q8_0 in its bytes, and takes x in parts
  }
}

/// Value i of a row of x that has one of five kinds of blocks.
float value_of_kind(size_t kind, size_t i, float normal) {
  switch (kind) {
    case 0:  // a range that no f32 holds
      return i % 32 == 7 ? 3e38f : i % 32 == 20 ? -3e38f : normal;
    case 1:  // one value
      return 1e37f;
    case 2:
      return i % 2 ? 0.0f : -0.0f;
    case 3:  // far from zero
      return 1000 + normal / 100;
    default:
      return -1000 + normal / 100;
  }
}

TEST(gemm_takes_blocks_of_any_range) {
  for (const GemmKernel* kernel : runnable<GemmKernel>()) {
    Problem p(*kernel, 5, 50, 72);
    for (size_t r = 0; r < p.m; r++) {
      for (size_t i = 0; i < p.k; i++) {
        float& x = p.x[r * p.x_stride + i];
        x = value_of_kind(r, i, x);
      }
    }
    p.expect(*kernel);
    for (const double magnitude : p.magnitude) CHECK(magnitude < 3.4e38);
    const double error = run_and_compare(*kernel, p, 2);
    if (error > 1) std::fprintf(stderr, "%s: %g\n", kernel->name, error);
    CHECK(error <= 1);
  }
}

void check_int8(const GemmKernel& kernel, size_t k) {
  Problem p(kernel, 8, 96, k);
  for (size_t r = 0; r < p.m; r++) p.x[r * p.x_stride + 77 * r % k] = 40.0f;
  Aligned packed(kernel.packed_bytes(p.n, p.k)), scratch(kernel.scratch_bytes(p.m, p.k));
  kernel.pack(p.w.bytes.data(), 0, p.n, p.n, p.k, packed.data());
  Guarded<float> y(p.m * p.n), exact(p.m * p.n);
  const GemmArgs a = arguments(p, packed, scratch, y, p.n);
  kernel.run(a);
  Aligned plain(gemm_q8_0_scalar.packed_bytes(p.n, p.k));
  gemm_q8_0_scalar.pack(p.w.bytes.data(), 0, p.n, p.n, p.k, plain.data());
  gemm_q8_0_scalar.run(arguments(p, plain, scratch, exact, p.n));
  double error = 0, energy = 0;
  for (size_t i = 0; i < y.size(); i++) {
    error += (y[i] - exact[i]) * (y[i] - exact[i]);
    energy += exact[i] * exact[i];
  }
  if (error > kInt8Nmse * energy) std::fprintf(stderr, "%s k %zu: NMSE %g\n", kernel.name, k, error / energy);
  CHECK(error <= kInt8Nmse * energy);
}

// The stated accuracy of int8 activations against f32 arithmetic on the same weights, outliers included.
TEST(gemm_int8_stays_close_to_f32) {
  for (const GemmKernel* kernel : runnable<GemmKernel>()) {
    if (!multiplies_integers(*kernel)) continue;
    for (const size_t k : {768, 1200}) check_int8(*kernel, k);
  }
}

// Largest weights times largest x of one sign or the other: no sum of products may saturate or wrap on its
// way.
TEST(gemm_integers_do_not_saturate) {
  for (const GemmKernel* kernel : runnable<GemmKernel>()) {
    if (!multiplies_integers(*kernel)) continue;
    for (const int weight : {-128, 127}) {
      for (const float sign : {-1.0f, 1.0f}) {
        Problem p(*kernel, 7, 40, 96);
        const uint16_t one = f32_to_f16(1.0f);
        for (size_t at = 0; at < p.w.bytes.size(); at += 34) {
          std::memcpy(p.w.bytes.data() + at, &one, sizeof one);
          std::memset(p.w.bytes.data() + at + sizeof one, weight, 32);
        }
        for (size_t i = 0; i < p.x.size(); i++) p.x[i] = 3.0f * sign;
        for (size_t i = 0; i < p.expected.size(); i++) {
          p.expected[i] = 3.0 * double{sign} * weight * static_cast<double>(p.k) + p.bias[i % p.n];
          p.magnitude[i] = std::fabs(p.expected[i]);
        }
        CHECK(run_and_compare(*kernel, p, 3) <= 1);
      }
    }
  }
}

// One weight of 1 and k = 1 make the product the identity, so y is the activation of x.
TEST(activations_match_double) {
  const size_t count = 200001;
  for (const GemmKernel* kernel : runnable<GemmKernel>()) {
    if (kernel->type != WeightType::kF32) continue;
    Guarded<float> x(count), y(count);
    for (size_t i = 0; i < count; i++) x[i] = static_cast<float>((static_cast<double>(i) - 100000) * 1e-4);
    const float extremes[] = {0.0f, -0.0f, 1e-30f, -1e-30f, 50.0f, -50.0f, 1e6f, -1e6f, 3e38f, -3e38f};
    for (size_t i = 0; i < std::size(extremes); i++) x[i * 17 + 3] = extremes[i];
    const float one = 1;
    Aligned packed(kernel->packed_bytes(1, 1));
    kernel->pack(&one, 0, 1, 1, 1, packed.data());
    for (const Activation activation : kActivations) {
      GemmArgs a;
      a.m = count, a.n = a.k = 1, a.x = x.data(), a.x_stride = 1, a.y = y.data(), a.y_stride = 1;
      a.packed = packed.data(), a.activation = activation;
      kernel->run(a);
      double worst = 0;
      for (size_t i = 0; i < count; i++) {
        const double expected = activation_formula(activation, x[i]);
        if (y[i] == static_cast<float>(expected)) continue;  // infinite too
        const double error =
            std::fabs(y[i] - expected) / (std::fabs(expected) > 10 ? std::fabs(expected) : 1);
        if (!(error <= worst)) worst = std::isnan(error) ? INFINITY : error;
      }
      const bool has_exponential = activation == Activation::kGeluTanh || activation == Activation::kSilu ||
                                   activation == Activation::kGeluQuick || activation == Activation::kMish;
      const double bound = has_exponential ? 2e-6 : kActivation;
      if (worst > bound)
        std::fprintf(stderr, "%s activation %d: %g\n", kernel->name, static_cast<int>(activation), worst);
      CHECK(worst <= bound);
    }
  }
}

}  // namespace
}  // namespace enc::test
