#include "graph/attention_blocks.h"

#include <algorithm>

namespace enc {
namespace {

/// Scores that are held at once: 256 MiB.
constexpr int64_t kMaxScores = int64_t(1) << 26;
/// Fewer queries leave a device idle.
constexpr int64_t kFewestQueries = 64, kFewestWindowQueries = 256;

/// Queries of a block; `reach` is the largest distance of a key.
int64_t queries_at_once(int64_t length, int64_t count, int64_t num_heads, int64_t reach) {
  const int64_t by_memory = std::max(kFewestQueries, kMaxScores / (length * count * num_heads));
  const int64_t by_window = std::max(kFewestWindowQueries, 2 * reach);
  return std::min({length, by_memory, by_window + 2 * reach < length ? by_window : length});
}

int64_t reach_of(size_t max_distance, int64_t length) {
  return int64_t(std::min(max_distance, size_t(length)));
}

}  // namespace

std::vector<AttentionBlock> attention_blocks(const AttentionSpec& spec, int64_t length, int64_t count) {
  // Pooled queries are few. Scores of relative positions are gathered for all queries.
  if (spec.queries != Queries::kAll) return {{0, 1, 0, length, false}};
  if (spec.disentangled) return {{0, length, 0, length, false}};
  const int64_t reach = reach_of(spec.max_distance, length);
  const int64_t rows = queries_at_once(length, count, spec.num_heads, reach);
  std::vector<AttentionBlock> blocks;
  for (int64_t first = 0; first < length; first += rows) {
    const int64_t end = std::min(first + rows, length);
    const int64_t first_key = std::max<int64_t>(0, first - reach);
    const int64_t end_key = spec.causal ? end : std::min(length, end + reach);
    blocks.push_back({first, end - first, first_key, end_key - first_key, spec.sees_first && first_key > 0});
  }
  return blocks;
}

size_t max_attention_blocks(const Hparams& h, int64_t length, int64_t count) {
  size_t most = 1;
  const auto visit = [&](int64_t num_heads, size_t max_distance) {
    const int64_t rows = queries_at_once(length, count, num_heads, reach_of(max_distance, length));
    most = std::max(most, size_t((length + rows - 1) / rows));
  };
  for (const LayerAttention& layer : h.attention) visit(h.num_heads, layer.max_distance);
  if (h.has_decoder()) visit(h.decoder.num_heads, LayerAttention::kUnlimited);
  return most;
}

}  // namespace enc
