#include "tokenizer/truncation.h"

#include <algorithm>
#include <string>
#include <utility>

#include "enc/error.h"

namespace enc {
namespace {

/// Keeps the shorter text whole while it takes no more than half; else halves the budget.
Lengths longest_first(Lengths lengths, size_t budget, OddToken odd) {
  bool swapped = lengths.first > lengths.second;
  size_t shorter = std::min(lengths.first, lengths.second);
  size_t longer = shorter > budget ? shorter : std::max(shorter, budget - shorter);
  if (shorter + longer > budget) {
    shorter = budget / 2;
    longer = shorter + budget % 2;
    swapped = swapped || odd == OddToken::kFirst;
  }
  if (swapped) std::swap(shorter, longer);
  return {shorter, longer};
}

size_t cut(size_t length, size_t excess, const char* which, size_t budget) {
  if (length > excess) return length - excess;
  throw Error(ErrorCode::input_too_long,
              std::string("only the ") + which + " text may be cut, and of its " + std::to_string(length) +
                  " tokens none would remain within the " + std::to_string(budget) +
                  " that maxLength leaves for text; cut the longest first, or raise it");
}

}  // namespace

Lengths truncate(Lengths lengths, bool pair, size_t budget, TruncationStrategy strategy, OddToken odd) {
  const size_t total = lengths.first + lengths.second;
  if (total <= budget) return lengths;
  const size_t excess = total - budget;
  switch (strategy) {
    case TruncationStrategy::kOnlyFirst:
      return {cut(lengths.first, excess, "first", budget), lengths.second};
    case TruncationStrategy::kOnlySecond:
      return {lengths.first, cut(lengths.second, excess, "second", budget)};
    case TruncationStrategy::kLongestFirst:
      break;
  }
  return pair ? longest_first(lengths, budget, odd) : Lengths{budget, 0};
}

WindowPlan plan_windows(size_t length, size_t other, size_t budget, size_t overlap) {
  if (other >= budget || length > budget - other) other = std::min(other, budget / 2);
  const size_t room = budget - other;
  return {other, room, room - std::min(overlap, room / 2)};
}

}  // namespace enc
