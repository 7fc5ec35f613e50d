// Which texts go together, and what they share.
#include "batch/batch_plan.h"

#include "check.h"

namespace enc::test {
namespace {

using Texts = std::vector<std::vector<int32_t>>;
using Parts = std::vector<std::vector<std::vector<size_t>>>;

Parts plan(const Texts& texts, const BatchLimits& limits, int64_t pad = -1) {
  const std::vector<std::span<const int32_t>> spans(texts.begin(), texts.end());
  std::vector<size_t> shared;
  for (const auto& ids : spans) shared.push_back(tokens_before_head(ids, pad));
  Parts parts;
  for (const BatchPlan& batch : plan_batches(spans, limits, shared)) {
    parts.emplace_back();
    for (const BatchPart& part : batch) parts.back().push_back({part.begin, part.end, part.prefix});
  }
  return parts;
}

/// `prefix` times `begin`, then `own` tokens that no other text has.
std::vector<int32_t> text(int32_t begin, size_t prefix, int32_t id, size_t own) {
  std::vector<int32_t> ids(prefix, begin);
  for (size_t i = 0; i < own; i++) ids.push_back(1000 * id + int32_t(i));
  return ids;
}

}  // namespace

TEST(batches_are_filled_in_order) {
  const Texts texts = {text(1, 0, 1, 70), text(1, 0, 2, 40), text(1, 0, 3, 20), text(1, 0, 4, 5),
                       text(1, 0, 5, 1)};
  CHECK(plan({}, {64}).empty());
  CHECK(plan(texts, {64}) == (Parts{{{0, 1, 0}}, {{1, 3, 0}}, {{3, 5, 0}}}));
  CHECK(plan(texts, {1000}) == (Parts{{{0, 5, 0}}}));
}

TEST(texts_that_begin_alike_share_their_beginning) {
  const BatchLimits limits{1000, true};
  CHECK(plan({text(1, 20, 1, 9), text(1, 20, 2, 9), text(1, 20, 3, 9), text(2, 30, 4, 9), text(2, 30, 5, 9)},
             limits) == (Parts{{{0, 3, 20}, {3, 5, 30}}}));
  // Too little to share, and what is not asked to be shared.
  CHECK(plan({text(1, 7, 1, 9), text(1, 7, 2, 9)}, limits) == (Parts{{{0, 1, 0}, {1, 2, 0}}}));
  CHECK(plan({text(1, 20, 1, 9), text(1, 20, 2, 9)}, {1000}) == (Parts{{{0, 2, 0}}}));
}

TEST(texts_share_a_multiple_of_the_step) {
  const BatchLimits limits{1000, true, 2};
  CHECK(plan({text(1, 21, 1, 9), text(1, 21, 2, 9), text(1, 21, 3, 9)}, limits) == (Parts{{{0, 3, 20}}}));
  CHECK(plan({text(1, 9, 1, 9), text(1, 9, 2, 9)}, limits) == (Parts{{{0, 2, 8}}}));
  // Fewer than are worth it.
  CHECK(plan({text(1, 9, 1, 9), text(1, 9, 2, 9)}, {1000, true, 5}) == (Parts{{{0, 1, 0}, {1, 2, 0}}}));
}

TEST(a_text_that_would_shorten_the_prefix_too_far_begins_anew) {
  std::vector<std::vector<int32_t>> texts;
  for (int32_t i = 0; i < 4; i++) {
    texts.push_back(text(1, 10, 7, 30));
    for (int32_t own = 0; own < 5; own++) texts.back().push_back(-10 * i - own);
  }
  texts.push_back(text(1, 10, 8, 9));
  texts.push_back(text(1, 10, 9, 9));
  // 4 * 10 tokens are less than the 3 * 40 that the first four save.
  CHECK(plan(texts, {1000, true}) == (Parts{{{0, 4, 40}, {4, 6, 10}}}));
  texts.erase(texts.begin() + 1, texts.begin() + 4);
  CHECK(plan(texts, {1000, true}) == (Parts{{{0, 3, 10}}}));
}

TEST(the_token_that_the_head_reads_is_not_shared) {
  const Texts same = {text(1, 20, 1, 0), text(1, 20, 1, 0), text(1, 20, 1, 0)};
  CHECK(plan(same, {1000, true}) == (Parts{{{0, 3, 19}}}));
  Texts padded = {text(1, 20, 1, 0), text(1, 20, 1, 0)};
  for (std::vector<int32_t>& ids : padded) ids.insert(ids.end(), 5, 0);
  CHECK(plan(padded, {1000, true}, 0) == (Parts{{{0, 2, 19}}}));
  CHECK(plan(padded, {1000, true}, -1) == (Parts{{{0, 2, 24}}}));
  // All are padding: the first is read.
  CHECK(plan({text(0, 20, 1, 0), text(0, 20, 1, 0)}, {1000, true}, 0) == (Parts{{{0, 1, 0}, {1, 2, 0}}}));
}

TEST(a_prefix_is_counted_once_in_each_batch) {
  Texts texts;
  for (int32_t i = 0; i < 7; i++) texts.push_back(text(1, 20, i, 10));
  // 20 + 4 * 10 fit, a fifth text does not; the rest takes the prefix along.
  CHECK(plan(texts, {60, true}) == (Parts{{{0, 4, 20}}, {{4, 7, 20}}}));
  // One that is left alone has none.
  texts.resize(5);
  CHECK(plan(texts, {60, true}) == (Parts{{{0, 4, 20}}, {{4, 5, 0}}}));
  // The next group fills the batch up.
  texts.push_back(text(2, 0, 9, 30));
  CHECK(plan(texts, {60, true}) == (Parts{{{0, 4, 20}}, {{4, 5, 0}, {5, 6, 0}}}));
}

/// Of models that read marks those before the first of them; of two texts those of the first segment.
TEST(nothing_is_shared_beyond_what_each_text_may_share) {
  const Texts texts = {text(1, 40, 1, 9), text(1, 40, 2, 9), text(1, 40, 3, 9)};
  const std::vector<std::span<const int32_t>> spans(texts.begin(), texts.end());
  const auto prefixes = [&](const std::vector<size_t>& shared) {
    std::vector<size_t> found;
    for (const BatchPlan& batch : plan_batches(spans, {1000, true}, shared)) {
      for (const BatchPart& part : batch) found.push_back(part.prefix);
    }
    return found;
  };
  CHECK(prefixes({48, 48, 48}) == std::vector<size_t>{40});
  CHECK(prefixes({30, 45, 48}) == std::vector<size_t>{30});
  CHECK(prefixes({45, 48, 30}) == std::vector<size_t>{30});
  CHECK(prefixes({7, 45, 7}) == (std::vector<size_t>{0, 0, 0}));
}

}  // namespace enc::test
