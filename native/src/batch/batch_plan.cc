#include "batch/batch_plan.h"

#include <algorithm>

namespace enc {
namespace {

using Ids = std::span<const int32_t>;

/// Below this a shared prefix is not worth its own sequence.
constexpr size_t kMinPrefix = 8;

size_t common_prefix(Ids a, Ids b) {
  return size_t(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

/// Runs of texts that begin alike. A text joins those before it, at the price of a shorter prefix for all of
/// them, when that saves as many tokens as they save without it.
BatchPlan group_by_prefix(std::span<const Ids> texts, std::span<const size_t> most, size_t step) {
  BatchPlan groups;
  for (size_t i = 0; i < texts.size(); i++) {
    if (!groups.empty()) {
      BatchPart& last = groups.back();
      const size_t count = last.end - last.begin;
      size_t shared = std::min(common_prefix(texts[i - 1], texts[i]), most[i]);
      shared = std::min(shared, count == 1 ? most[i - 1] : last.prefix);
      shared -= shared % step;
      if (shared >= kMinPrefix && count * shared >= (count - 1) * last.prefix) {
        last.prefix = shared;
        last.end++;
        continue;
      }
    }
    groups.push_back({i, i + 1, 0});
  }
  return groups;
}

}  // namespace

size_t tokens_before_head(Ids ids, int64_t pad) {
  size_t read = ids.size() - 1;
  while (read > 0 && ids[read] == pad) read--;
  return read;
}

std::vector<BatchPlan> plan_batches(std::span<const Ids> texts, const BatchLimits& limits,
                                    std::span<const size_t> shared) {
  BatchPlan groups;
  if (limits.shares_prefixes) {
    groups = group_by_prefix(texts, shared, limits.prefix_step);
  } else if (!texts.empty()) {
    groups.push_back({0, texts.size(), 0});
  }
  std::vector<BatchPlan> batches;
  size_t tokens = 0;
  for (const BatchPart& group : groups) {
    for (size_t i = group.begin; i < group.end; i++) {
      const size_t length = texts[i].size();
      // A batch that has texts of the group has its prefix too.
      const bool joins = i > group.begin && tokens + length - group.prefix <= limits.max_tokens;
      if (joins) {
        batches.back().back().end++;
        tokens += length - group.prefix;
        continue;
      }
      if (batches.empty() || i > group.begin || tokens + length > limits.max_tokens) {
        batches.emplace_back();
        tokens = 0;
      }
      batches.back().push_back({i, i + 1, group.prefix});
      tokens += length;
    }
  }
  for (BatchPlan& batch : batches) {
    for (BatchPart& part : batch) {
      if (part.end - part.begin == 1) part.prefix = 0;
    }
  }
  return batches;
}

}  // namespace enc
