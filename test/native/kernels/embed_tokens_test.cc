// embed_tokens: every variant and stored type against plain sums.
#include "kernels/embed_tokens/embed_tokens.h"

#include <cmath>
#include <vector>

#include "check.h"
#include "runnable.h"
#include "stored_rows.h"
#include "tolerances.h"

namespace enc::test {
namespace {

using namespace kernels;

TEST(embed_tokens_sums_rows_of_every_type) {
  const WeightType types[] = {WeightType::kF32, WeightType::kF16, WeightType::kBf16, WeightType::kQ8_0};
  for (const EmbedTokensKernel* kernel : runnable<EmbedTokensKernel>()) {
    for (size_t columns : {1, 15, 32, 45, 128, 312, 768}) {
      for (const WeightType type : types) {
        const StoredRows words(type, 11, columns, 1, 1.0f), positions(WeightType::kF32, 5, columns, 2, 1.0f),
            kinds(type, 2, columns, 3, 1.0f);
        const std::vector<int32_t> word_ids = {10, 0, 3, 3}, position_ids = {0, 1, 4, 2},
                                   type_ids = {0, 1, 1, 0};
        const std::vector<float> word_scales = {0.5f, 0.0f, 1.0f, 3.25f};
        for (int options = 0; options < 16; options++) {
          const size_t stride = columns + 2;
          Guarded<float> y(3 * stride + columns);
          fill_poison(y);
          EmbedTokensArgs a;
          a.tokens = 4, a.columns = columns, a.normalize = false;
          a.words = {words.bytes.data(), type}, a.word_ids = word_ids.data();
          if (options & 1)
            a.positions = {positions.bytes.data(), WeightType::kF32}, a.position_ids = position_ids.data();
          if (options & 2) a.types = {kinds.bytes.data(), type};
          if (options & 4) a.word_scale = 6.5f;
          if (options & 8) a.word_scales = word_scales.data();
          const bool has_types = (options & 3) == 3;
          if (has_types) a.type_ids = type_ids.data();
          a.y = y.data(), a.y_stride = stride;
          kernel->run(a);
          CHECK(y.intact());
          for (size_t t = 0; t < 4; t++) {
            for (size_t i = 0; i < columns; i++) {
              const double scale = options & 8 ? double(word_scales[t]) : options & 4 ? 6.5 : 1.0;
              double expected = scale * words.values[static_cast<size_t>(word_ids[t]) * columns + i];
              if (options & 1)
                expected += positions.values[static_cast<size_t>(position_ids[t]) * columns + i];
              const size_t kind = has_types ? static_cast<size_t>(type_ids[t]) : 0;
              if (options & 2) expected += kinds.values[kind * columns + i];
              CHECK(std::fabs(y[t * stride + i] - expected) <= 2e-6 * (1 + std::fabs(expected)));
            }
            if (t < 3) CHECK(is_poison(y[t * stride + columns]));
          }
        }
      }
    }
  }
}

TEST(embed_tokens_normalizes_like_add_layer_norm) {
  const size_t columns = 312;
  const StoredRows words(WeightType::kBf16, 6, columns, 1, 1.0f);
  Guarded<float> gamma(columns), beta(columns);
  fill_normal(gamma, 2);
  fill_normal(beta, 3);
  const std::vector<int32_t> ids = {5, 2};
  for (const EmbedTokensKernel* kernel : runnable<EmbedTokensKernel>()) {
    Guarded<float> sums(2 * columns), expected(2 * columns), y(2 * columns);
    EmbedTokensArgs a;
    a.tokens = 2, a.columns = columns, a.words = {words.bytes.data(), words.type}, a.word_ids = ids.data();
    a.normalize = false, a.y = sums.data(), a.y_stride = columns;
    kernel->run(a);
    a.normalize = true, a.gamma = gamma.data(), a.beta = beta.data(), a.y = y.data();
    kernel->run(a);
    AddLayerNormArgs norm;
    norm.rows = 2, norm.columns = columns, norm.x = sums.data(), norm.x_stride = norm.y_stride = columns;
    norm.gamma = gamma.data(), norm.beta = beta.data(), norm.y = expected.data();
    add_layer_norm_scalar.run(norm);
    for (size_t i = 0; i < 2 * columns; i++) {
      CHECK(std::fabs(y[i] - expected[i]) <= kLayerNorm * (1 + std::fabs(expected[i])));
    }
  }
}

}  // namespace
}  // namespace enc::test
