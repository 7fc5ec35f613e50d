// position_scores: every variant has the bits of the formula, for distances with a row each and in buckets.
#include "kernels/position_scores/position_scores.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "runnable.h"

namespace enc::test {
namespace {

using namespace kernels;

struct Shape {
  size_t length;
  int linear;     ///< larger distances share rows, four at a time
  int row_limit;  ///< rows are 0 .. 2 * row_limit - 1
  size_t query_begin, query_end;
  bool by_query = true, by_key = true;
};

/// rows[d + length - 1]
std::vector<int32_t> rows_of(const Shape& s) {
  std::vector<int32_t> rows;
  for (int d = 1 - static_cast<int>(s.length); d < static_cast<int>(s.length); d++) {
    const int beyond = std::abs(d) - s.linear,
              bucket = beyond <= 0 ? std::abs(d) : s.linear + (beyond + 3) / 4;
    rows.push_back(std::clamp(s.row_limit + (d < 0 ? -bucket : bucket), 0, 2 * s.row_limit - 1));
  }
  return rows;
}

void check_variant(const PositionScoresKernel& kernel, const Shape& s) {
  const size_t columns = 2 * static_cast<size_t>(s.row_limit), stride = columns + 3;
  const size_t queries = s.query_end - s.query_begin, n = s.length;
  const std::vector<int32_t> rows = rows_of(s);
  Guarded<float> by_query((queries - 1) * stride + columns), by_key((n - 1) * stride + columns);
  Guarded<float> scores(n * (n + 1));
  fill_normal(by_query, 1);
  fill_normal(by_key, 2);
  fill_poison(scores);
  PositionScoresArgs a;
  a.length = n, a.query_begin = s.query_begin, a.query_end = s.query_end;
  a.rows = rows.data() + n - 1, a.linear = static_cast<size_t>(std::min(s.linear, s.row_limit - 1));
  if (s.by_query) a.by_query = by_query.data() + columns - 1, a.by_query_stride = stride;
  if (s.by_key) a.by_key = by_key.data(), a.by_key_stride = stride;
  a.scale = 0.3f;
  a.scores = scores.data(), a.scores_stride = n + 1;
  kernel.run(a);
  CHECK(scores.intact() && by_query.intact() && by_key.intact());
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      const float score = scores[i * (n + 1) + j];
      if (i < s.query_begin || i >= s.query_end) {
        CHECK(std::isnan(score));
        continue;
      }
      const size_t row = static_cast<size_t>(rows[n - 1 + i - j]);
      const float content = s.by_query ? by_query[(i - s.query_begin) * stride + columns - 1 - row] : 0.0f;
      const float position = s.by_key ? by_key[j * stride + row] : 0.0f;
      CHECK(score == (content + position) * 0.3f);
    }
    if (i + 1 < n) CHECK(std::isnan(scores[i * (n + 1) + n]));
  }
}

TEST(position_scores_are_those_of_the_formula) {
  for (const PositionScoresKernel* kernel : runnable<PositionScoresKernel>()) {
    for (const size_t n : {1, 2, 7, 8, 15, 16, 17, 33, 60, 130}) {
      check_variant(*kernel, {n, 1000, 140, 0, n});
      check_variant(*kernel, {n, 20, 64, 0, n});
      check_variant(*kernel, {n, 1000, 24, 0, n});  // clamped, and as many rows as distances at n = 24
      check_variant(*kernel, {n, 0, 40, 0, n});
      check_variant(*kernel, {n, 30, 64, n / 3, n - n / 4, true, false});
      check_variant(*kernel, {n, 30, 64, n / 2, n / 2 + 1, false, true});
    }
  }
}

}  // namespace
}  // namespace enc::test
