#include "batch/late_interaction.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace enc {
namespace {

/// In eight sums, which compilers make vectors of.
float dot(const float* a, const float* b, size_t size) {
  constexpr size_t kLanes = 8;
  float sums[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; lane++) sums[lane] += a[i + lane] * b[i + lane];
  }
  float rest = 0;
  for (; i < size; i++) rest += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7])) + rest;
}

}  // namespace

std::vector<int32_t> scoring_tokens(std::span<const int32_t> ids, bool is_query,
                                    const InteractionRule& rule) {
  const bool skips = !is_query || rule.skips_query_tokens;
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < ids.size(); i++) {
    if (skips && std::binary_search(rule.skip_ids.begin(), rule.skip_ids.end(), ids[i])) continue;
    tokens.push_back(int32_t(i));
  }
  return tokens;
}

bool prepare_vectors(std::span<float> rows, const InteractionRule& rule) {
  if (!std::all_of(rows.begin(), rows.end(), [](float x) { return std::isfinite(x); })) return false;
  if (!rule.normalizes) return true;
  for (size_t row = 0; row < rows.size(); row += rule.vector_size) {
    const std::span<float> vector = rows.subspan(row, rule.vector_size);
    double squares = 0;
    for (const float x : vector) squares += double(x) * x;
    // The least length that transformers divides by.
    const double length = std::max(std::sqrt(squares), 1e-12);
    for (float& x : vector) x = float(x / length);
  }
  return true;
}

float max_sim(std::span<const float> query, std::span<const float> document, const InteractionRule& rule) {
  const size_t size = rule.vector_size;
  double sum = document.empty() ? kNothingScores : 0;
  for (size_t q = 0; q < query.size() && !document.empty(); q += size) {
    float best = -std::numeric_limits<float>::infinity();
    for (size_t d = 0; d < document.size(); d += size)
      best = std::max(best, dot(query.data() + q, document.data() + d, size));
    sum += best;
  }
  const size_t count = query.size() / size;
  return float(rule.averages && count > 0 ? sum / double(count) : sum);
}

}  // namespace enc
