// Which texts go through the graph together, and which leading tokens they have in common there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace enc {

/// Texts [begin, end) of a plan; their first `prefix` tokens, the same in all of them, are computed once.
struct BatchPart {
  size_t begin;
  size_t end;
  size_t prefix;  ///< 0: each text for itself
};

using BatchPlan = std::vector<BatchPart>;

struct BatchLimits {
  size_t max_tokens;             ///< computed at once, beside a longer single text
  bool shares_prefixes = false;  ///< what texts begin with may be computed once; they come in order of ids
  size_t prefix_step = 1;        ///< by a multiple of so many tokens
};

/// Tokens of a text before the one that its head reads, the rightmost that is no `pad`.
size_t tokens_before_head(std::span<const int32_t> ids, int64_t pad);

/// The texts in order, each in one part of one batch; none is empty. With shares_prefixes, for models whose
/// tokens see those before them alone: neighbours that begin alike share those tokens, but for the one that
/// the head reads and those behind it, as long as that saves more than to begin anew.
/// `shared`, which others do without: how many of its tokens each text may share.
std::vector<BatchPlan> plan_batches(std::span<const std::span<const int32_t>> texts,
                                    const BatchLimits& limits, std::span<const size_t> shared);

}  // namespace enc
