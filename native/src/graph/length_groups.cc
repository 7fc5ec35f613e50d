#include "graph/length_groups.h"

#include <algorithm>

namespace enc {
namespace {

/// Padding adds at most 78 % to a group's scores, which are a small part of the work, or a few rows to each
/// sequence.
bool fit_together(int64_t shorter, int64_t longer) {
  return longer - shorter < 8 || 4 * shorter >= 3 * longer;
}

}  // namespace

std::vector<LengthGroup> group_by_length(const PackedBatch& batch) {
  std::vector<LengthGroup> groups;
  for (int64_t b = 0; b < batch.num_sequences(); b++) {
    const int64_t first = batch.cu_seqlens[size_t(b)];
    const int64_t length = batch.cu_seqlens[size_t(b) + 1] - first;
    if (groups.empty() || groups.back().length != length) groups.push_back({first, b, length, 0});
    groups.back().count++;
  }
  return groups;
}

std::vector<AttentionGroup> group_for_attention(const std::vector<LengthGroup>& groups,
                                                AttentionPadding padding) {
  std::vector<AttentionGroup> joined;
  int64_t shortest = 0;
  for (const LengthGroup& group : groups) {
    const int64_t num_tokens = group.length * group.count;
    if (padding == AttentionPadding::kSimilarLengths && !joined.empty()) {
      AttentionGroup& last = joined.back();
      const int64_t shorter = std::min(shortest, group.length), longer = std::max(last.length, group.length);
      if (fit_together(shorter, longer)) {
        shortest = shorter;
        last.length = longer;
        last.count += group.count;
        last.num_tokens += num_tokens;
        continue;
      }
    }
    shortest = group.length;
    joined.push_back({group.first_token, group.first_sequence, group.length, group.count, num_tokens});
  }
  return joined;
}

}  // namespace enc
